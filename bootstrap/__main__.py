"""The whole of the bootstrap stack: settings, a provider for each account, what is made there, outputs."""

from __future__ import annotations

import sys
from pathlib import Path

import pulumi
import pulumi_aws as aws

ROOT = Path(__file__).resolve().parents[1]
# A program's path begins with its own folder, from which the library is one level up.
sys.path.insert(0, str(ROOT))

from bootstrap import configuration  # noqa: E402 - found by the line above
from bootstrap.organisation import Organisation  # noqa: E402
from pipeline import images, target  # noqa: E402

said = configuration.load()
places = {stack: target.of(ROOT, stack) for stack in said.stacks}
providers = {
    stack: aws.Provider(
        f"aws-{stack}",
        region=places[stack].region,
        allowed_account_ids=[places[stack].account],
        assume_roles=[{"role_arn": settings.administrator}] if settings.administrator else None,
        default_tags={"tags": said.tags(stack)},
    )
    for stack, settings in said.stacks.items()
}
organisation = Organisation(
    said=said, places=places, providers=providers, images=[image.repository for image in images.discover(ROOT)]
)
pulumi.export("repositories", organisation.repositories())
pulumi.export("roles", organisation.roles())
