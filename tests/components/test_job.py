"""A job runs before its service is made and before it takes another version, once, and its failure stops that."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any

import pulumi
import pytest
from pulumi import ResourceHookArgs

from components.cluster import Cluster, ClusterArgs
from components.container import Container
from components.errors import InvalidArgsError
from components.job import Job, JobArgs
from components.run import Run
from components.service import Service, ServiceArgs
from components.task import Task, TaskArgs
from tests.components.recorder import of_type, one, record
from tests.components.samples import ACCOUNT, IMAGE, NETWORK


@dataclass(frozen=True, kw_only=True)
class Ran:
    """Keeps what it was to run."""

    runs: list[tuple[str, dict[str, Any], int]] = field(default_factory=list[tuple[str, dict[str, Any], int]])

    def __call__(self, name: str, request: str, timeout: int) -> None:
        """Run nothing."""
        self.runs.append((name, json.loads(request), timeout))
        if not timeout % 2:
            return
        raise pulumi.RunError("it ended with 3")


def job(runner: Ran, *, name: str = "migration", **said: Any) -> tuple[Job, Task, Cluster]:
    cluster = Cluster("main", ClusterArgs(account=ACCOUNT))
    task = Task("migrate", TaskArgs(account=ACCOUNT, containers=[Container(image=IMAGE)]))
    run = Run(task=task, command=("node", "migrate.js"))
    return Job(name, JobArgs(run=run, cluster=cluster, network=NETWORK, runner=runner, **said)), task, cluster


def called(runner: Ran, old: dict[str, Any] | None, new: dict[str, Any], **said: Any) -> None:
    """Have the engine call the hook of a job for a service."""

    def build() -> Any:
        made, _, _ = job(runner, **said)
        args = ResourceHookArgs("urn", "", "shop", "aws:ecs/service:Service", new_inputs=new, old_inputs=old)

        async def hook() -> None:
            answer = made.hook(args)
            assert answer is not None
            await answer

        return pulumi.Output.from_input(asyncio.ensure_future(hook()))

    record(build)


def test_it_is_run_for_a_service_that_is_being_made() -> None:
    """In private subnets, behind its own group, with what it is told beside its definition."""
    ran = Ran()
    called(ran, None, {"taskDefinition": "shop:1"}, timeout=300)
    ((name, request, timeout),) = ran.runs
    assert (name, timeout) == ("migration", 300)
    assert request["taskDefinition"] == "migrate.arn"
    assert request["group"] == "job:migration"
    assert request["overrides"] == {"containerOverrides": [{"name": "app", "command": ["node", "migrate.js"]}]}
    assert request["networkConfiguration"]["awsvpcConfiguration"] == {
        "subnets": list(NETWORK.app_subnet_ids),
        "securityGroups": ["migration-id"],
        "assignPublicIp": "DISABLED",
    }


def test_it_is_run_when_the_service_takes_another_definition_and_not_when_it_keeps_its_own() -> None:
    """A change of the desired count is no new version."""
    ran = Ran()
    called(ran, {"taskDefinition": "shop:1", "desiredCount": 1}, {"taskDefinition": "shop:1", "desiredCount": 2})
    assert not ran.runs
    called(ran, {"taskDefinition": "shop:2"}, {"taskDefinition": "shop:1"})
    assert len(ran.runs) == 1, "an earlier version again is another one too"


def test_its_failure_is_the_hooks() -> None:
    with pytest.raises(pulumi.RunError, match="it ended with 3"):
        called(Ran(), None, {"taskDefinition": "shop:1"}, timeout=301)


def test_its_service_waits_for_all_that_it_needs_and_says_its_hooks() -> None:
    def build() -> None:
        made, task, cluster = job(Ran())
        Service("shop", ServiceArgs(task=task, cluster=cluster, network=NETWORK, before=[made]))

    resources = record(build)
    service = one(resources, "ecs/service:Service")
    (way_out,) = (each for each in of_type(resources, "SecurityGroupEgressRule").values() if "migration" in each.name)
    assert way_out.urn in service.dependencies


@pytest.mark.parametrize("timeout", [59, 3601])
def test_a_time_that_nobody_waits_for_is_refused(timeout: int) -> None:
    with pytest.raises(InvalidArgsError, match="60 to 3600 seconds"):
        record(lambda: job(Ran(), timeout=timeout))
