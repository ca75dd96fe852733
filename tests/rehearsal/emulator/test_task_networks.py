"""A task in host mode is started, as one in bridge mode is."""

from __future__ import annotations

import time
import uuid
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.rehearsal.containers.conftest import Site


def ran(site: Site, mode: str) -> tuple[str, list[str]]:
    """Run a task that says so and ends; its last state, and what its container said."""
    ecs = site.aws.client("ecs")
    definition = ecs.register_task_definition(
        family=f"tiny-{uuid.uuid4().hex[:8]}",
        networkMode=mode,
        requiresCompatibilities=["EC2"],
        cpu="256",
        memory="512",
        executionRoleArn=site.execution_role(),
        containerDefinitions=[
            {
                "name": "web",
                "image": "tiny-web",
                "command": ["sh", "-c", "echo here; sleep 0.5"],
                "portMappings": [{"containerPort": 8000, "hostPort": 8000 if mode == "host" else 0}],
            }
        ],
    )["taskDefinition"]["taskDefinitionArn"]
    run = ecs.run_task(cluster=site.cluster, taskDefinition=definition, launchType="EC2")
    arn = run["tasks"][0]["taskArn"]
    deadline = time.monotonic() + 10
    while (task := site.task(arn))["lastStatus"] != "STOPPED" and time.monotonic() < deadline:
        time.sleep(0.05)
    lines = [line for each in site.containers.all() if each.task_arn == arn for line in each.lines]
    return task["stoppedReason"], lines


def test_a_task_in_bridge_mode_runs(bare: Site) -> None:
    """Nothing is corrected there; what publishes ports is asked for, and passed over."""
    assert ran(bare, "bridge")[1] == ["here"]


def test_a_task_in_host_mode_runs(site: Site, bare: Site) -> None:
    assert ran(bare, "host")[1] == [], "the emulator has learnt it: the correction is needless"
    assert ran(site, "host") == ("Essential container in task exited", ["here"])
