"""A program whose service was rolled back fails, at once and at every run after; a preview asks nobody."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from unittest import mock
from unittest.mock import Mock

import pulumi
import pytest
from botocore.exceptions import NoCredentialsError

import deployments
from components.deployment import Deployment
from deployments.inquiry import Inquiry, UnansweredError
from tests.components.recorder import record
from tests.whole import ROOT, run

if TYPE_CHECKING:
    from collections.abc import Iterator

NOON = datetime(2030, 1, 31, 12, tzinfo=UTC)


class Ecs:
    """ECS as the program's own answers have it: the service ``shop.id`` is to run ``shop.arn``."""

    def __init__(self) -> None:
        self.asked: set[tuple[str, str]] = set()
        self.rolled_back: tuple[str, ...] = ()
        self.locked = False
        self.asleep = False

    def describe_services(self, *, cluster: str, services: list[str]) -> dict[str, Any]:
        """Say that it runs what it is to run, unless it was rolled back."""
        if self.locked:
            raise NoCredentialsError
        self.asked.add((cluster, services[0]))
        name = services[0].removesuffix(".id")
        runs = "shop:6" if name in self.rolled_back else f"{name}.arn"
        primary = {"status": "PRIMARY", "taskDefinition": runs, "rolloutState": "COMPLETED"}
        wanted = 0 if self.asleep else 1
        return {"services": [{"serviceName": name, "deployments": [primary], "desiredCount": wanted}]}

    def list_service_deployments(self, *, service: str, **_: Any) -> dict[str, Any]:
        """Say how the newest ended."""
        back = service.removesuffix(".id") in self.rolled_back
        status = "ROLLBACK_SUCCESSFUL" if back else "SUCCESSFUL"
        return {"serviceDeployments": [{"status": status, "statusReason": "alarm detected", "createdAt": NOON}]}

    def list_tasks(self, **_: Any) -> dict[str, Any]:
        """Say that there are none."""
        return {"taskArns": []}


@pytest.fixture
def ecs() -> Iterator[Ecs]:
    """Who is asked in the place of AWS."""
    answering = Ecs()
    with mock.patch("boto3.session.Session.client", return_value=answering):
        yield answering


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_every_service_of_a_stack_is_asked_for(stack: str, ecs: Ecs) -> None:
    """One that is left out may be rolled back for weeks, and nobody hears of it."""
    whole = run(ROOT, stack, preview=False)
    services = [each for each in whole.of("ecs/service:Service").values() if each.custom]
    assert ecs.asked == {(each.inputs["cluster"], f"{each.name}.id") for each in services}


def test_a_preview_asks_nobody(ecs: Ecs) -> None:
    run(ROOT, "dev", preview=True)
    assert ecs.asked == set()


def test_a_version_that_does_not_run_fails_the_program(ecs: Ecs) -> None:
    """Though nothing is changed: the run after a rollback has no difference to deploy."""
    ecs.rolled_back = ("workflow-gateway",)
    said = "service 'workflow-gateway': the deployment of workflow-gateway.arn was rolled back, and shop:6 runs: alarm"
    with pytest.raises(AssertionError, match=said):
        run(ROOT, "dev", preview=False)


def test_a_version_that_no_task_runs_is_not_said_to_run(ecs: Ecs) -> None:
    """A deployment at night: ECS is steady at once with nothing, and whether the image starts shows in the morning."""
    ecs.asleep = True
    with mock.patch.object(pulumi.log, "info") as said:
        run(ROOT, "dev", preview=False)
    assert any("no task of it is wanted now: nothing has shown" in call.args[0] for call in said.call_args_list)


def test_what_could_not_be_asked_is_said_and_fails_nothing(ecs: Ecs) -> None:
    ecs.locked = True
    with mock.patch.object(pulumi.log, "info") as said:
        run(ROOT, "dev", preview=False)
    assert any("was not confirmed: there are no AWS credentials" in call.args[0] for call in said.call_args_list)


def test_it_waits_as_long_as_the_provider_does() -> None:
    """A deployment that bakes, or waits for an approval, has not failed by that."""
    asked: list[float] = []

    def ask(_self: object, _cluster: str, _service: str, _wanted: str, within: float) -> None:
        asked.append(within)
        raise UnansweredError("nobody there")

    def build() -> None:
        service = Mock(deployment=Deployment(strategy="blue_green", bake_minutes=30, approval_minutes=60))
        service.arn, service.task.arn = pulumi.Output.from_input("arn:service"), "arn:task"
        deployments.confirm(service, cluster_arn="arn:cluster", region="eu-west-1")

    with mock.patch.object(Inquiry, "ask", ask), mock.patch.object(pulumi.log, "info"):
        record(build)
    assert asked == [(20 + 30 + 60) * 60]
