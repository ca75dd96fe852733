"""All that a stack has: settings, provider, platform, workloads, outputs."""

from __future__ import annotations

import pulumi_aws as aws
from pulumi import ResourceOptions

import apps
import outputs
import settings
from apps._platform import Platform

workloads = apps.discover()
stack = settings.load({name: workload.settings_class() for name, workload in workloads.items()})
provider = aws.Provider(
    "aws",
    region=stack.region,
    allowed_account_ids=list(stack.allowed_account_ids),
    default_tags={"tags": stack.tags()},
)
opts = ResourceOptions(providers=[provider])
platform = Platform("platform", stack, opts)
deployed = {name: workloads[name](name, platform, section, opts).deploy() for name, section in stack.workloads.each()}
outputs.export(stack, platform, deployed)
