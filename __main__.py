"""All that a stack has: settings, provider, platform, workloads, outputs."""

from __future__ import annotations

import pulumi_aws as aws
from pulumi import ResourceOptions

import apps
import outputs
import settings
from apps._platform import Platform

known = apps.discover()
stack = settings.load({name: workload.settings_class() for name, workload in known.items()})
provider = aws.Provider(
    "aws",
    region=stack.region,
    allowed_account_ids=list(stack.allowed_account_ids),
    default_tags={"tags": stack.tags()},
)
opts = ResourceOptions(providers=[provider])
platform = Platform("platform", stack, opts)
workloads = {name: known[name](name, platform, section, opts) for name, section in stack.workloads.each()}
deployed = {name: workload.deploy() for name, workload in workloads.items()}
for workload in workloads.values():
    workload.attend()
outputs.export(stack, platform, deployed)
