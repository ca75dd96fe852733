"""Services on Arm: their one image is built for its processors, though no section that names it says them."""

from __future__ import annotations

import json

from apps._platform import Platform
from apps.microservices import Microservices, Settings
from tests.apps.stacks import IMAGE, provider, stack
from tests.components.recorder import of_type, record


def test_the_services_image_is_built_for_the_processors_that_they_are_on() -> None:
    """Their task definitions say ARM64; an image for x86 would end there as soon as it starts."""
    arm = {"arm": {"maximum": 4, "architecture": "ARM64", "instance_types": ["t4g.small"]}}
    each = {"user": {"capacity": [{"provider": "arm"}]}}
    said = {"web": {"image": IMAGE}, "services": {"image": {"build": True}, "each": each}}
    on = stack(cluster={"instances": arm}, public_load_balancer={"open_to": ["0.0.0.0/0"]})

    def build() -> None:
        opts = provider()
        section = Settings.model_validate_json(json.dumps(said))
        Microservices("microservices", Platform("platform", on, opts), section, opts).deploy()

    resources = record(build)
    (image,) = of_type(resources, "awsx:ecr:Image").values()
    assert image.inputs["platform"] == "linux/arm64"
    task = of_type(resources, ":TaskDefinition")
    assert {each.inputs["runtimePlatform"]["cpuArchitecture"] for each in task.values()} == {"X86_64", "ARM64"}
