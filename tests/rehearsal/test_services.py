"""A service is well when its tasks and targets are, and else it is told why not."""

from __future__ import annotations

import dataclasses
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from rehearsal import services
from rehearsal.graph import Registered

TASK = "arn:aws:ecs:eu-west-1:123456789012:task/main/0123456789abcdef"
SERVICE = Registered(
    urn="urn:shop",
    type=services.SERVICE,
    name="shop",
    parent="",
    custom=True,
    id="arn:service",
    inputs={"cluster": "main", "desiredCount": 1, "loadBalancers": [{"targetGroupArn": "arn:group"}]},
    outputs={"name": "shop-1a2b3c4"},
)


@dataclass
class Fake:
    """Answers as ECS and Elastic Load Balancing would, and stands for the containers too."""

    status: str = "RUNNING"
    stops_meanwhile: bool = False
    target: str = "healthy"
    rollout: str = "IN_PROGRESS"
    primary: str = "PRIMARY"
    found: str = "HEALTHY"
    containers: list[Any] = field(default_factory=list[Any])

    def client(self, _service: str) -> Fake:
        """Answer for every service."""
        return self

    def all(self) -> list[Any]:
        """All there are."""
        return self.containers

    def list_tasks(self, *, desiredStatus: str, **_: Any) -> dict[str, Any]:  # noqa: N803 - AWS's own name
        """One task, among the running or the stopped."""
        listed = desiredStatus == ("STOPPED" if self.status == "STOPPED" else "RUNNING")
        return {"taskArns": [TASK] if listed or self.stops_meanwhile else []}

    def describe_tasks(self, **_: Any) -> dict[str, Any]:
        """That task."""
        stopped = {"stoppedReason": "Essential container in task exited"} if self.status == "STOPPED" else {}
        return {"tasks": [{"taskArn": TASK, "lastStatus": self.status, "containers": [], **stopped}]}

    def describe_services(self, **_: Any) -> dict[str, Any]:
        """One deployment."""
        return {"services": [{"deployments": [{"status": self.primary, "rolloutState": self.rollout}]}]}

    def get_instances_health_status(self, *, ServiceId: str) -> dict[str, Any]:  # noqa: N803 - AWS's own name
        """One instance, and the registry that it is in."""
        assert ServiceId == "srv-1"
        return {"Status": {"0123456789abcdef": self.found}}

    def describe_target_health(self, **_: Any) -> dict[str, Any]:
        """One target."""
        health = {"State": self.target, "Reason": "Target.Timeout", "Description": "Request timed out"}
        return {"TargetHealthDescriptions": [{"Target": {"Id": "127.0.0.2", "Port": 80}, "TargetHealth": health}]}


@dataclass
class FakeContainer:
    """A container as its record has it."""

    well: bool = True
    health: str = "HEALTHY"
    health_output: str = ""
    status: str = "running"
    exit_code: int = 0
    name: str = "web"
    task_arn: str = TASK
    lines: deque[str] = field(default_factory=lambda: deque(["it began", "it ended"]))


REGISTERED = dataclasses.replace(
    SERVICE,
    inputs={**SERVICE.inputs, "serviceRegistries": {"registryArn": "arn:aws:servicediscovery:x:1:service/srv-1"}},
)


def wait(fake: Fake, seconds: float = 0.05, *, service: Registered = SERVICE, forgiven: float = 0) -> list[str]:
    return services.wait(fake, fake, [service], within=seconds, forgiven=forgiven)  # type: ignore[arg-type]


def test_a_service_with_its_tasks_and_targets_healthy_is_well() -> None:
    assert wait(Fake(containers=[FakeContainer()])) == []


def test_a_task_that_is_not_healthy_is_told_with_its_probe_and_lines() -> None:
    unwell = FakeContainer(well=False, health="UNHEALTHY", health_output="connection refused")
    (told,) = wait(Fake(containers=[unwell]))
    assert told.startswith("service 'shop': 0 of 1 tasks are well")
    assert "its health check (UNHEALTHY): connection refused" in told
    assert "    | it ended" in told


def test_a_target_that_is_not_healthy_is_told_with_the_balancers_reason() -> None:
    """The task is well: only the balancer cannot reach it, by a wrong port or path."""
    (told,) = wait(Fake(target="unhealthy", containers=[FakeContainer()]))
    assert "target 127.0.0.2:80 is unhealthy Target.Timeout Request timed out" in told


def test_a_service_is_well_once_its_tasks_are_found_healthy() -> None:
    """A client that looks for it before finds nobody."""
    assert wait(Fake(containers=[FakeContainer()]), service=REGISTERED) == []
    (told,) = wait(Fake(found="UNHEALTHY", containers=[FakeContainer()]), service=REGISTERED)
    assert told.splitlines()[-1] == "  0 of 1 tasks are healthy in Cloud Map's srv-1"


def test_a_stopped_task_is_told_with_ecss_reason() -> None:
    gone = FakeContainer(well=False, status="exited", exit_code=3)
    (told,) = wait(Fake(status="STOPPED", containers=[gone]))
    assert "task 01234567 is STOPPED: Essential container in task exited" in told
    assert "container 'web' of task 01234567, exited with 3:" in told


def test_a_task_that_stops_meanwhile_is_told_once() -> None:
    """It is among the running when these are listed, and then among the stopped."""
    gone = FakeContainer(well=False, status="exited")
    (told,) = wait(Fake(status="STOPPED", stops_meanwhile=True, containers=[gone]))
    assert told.count("task 01234567 is ") == 1


def test_a_tasks_lines_are_the_latest_ten_and_cut() -> None:
    """A JSON line may hold a whole answer, and a terminal no more than the cause."""
    lines = deque([*(f"line {number}" for number in range(20)), "x" * 1000])
    (told,) = wait(Fake(containers=[FakeContainer(well=False, lines=lines)]))
    assert [line.strip() for line in told.splitlines() if "| " in line] == [
        *(f"| line {number}" for number in range(11, 20)),
        f"| {'x' * 300}…",
    ]


def test_a_service_that_can_never_be_well_is_not_waited_for() -> None:
    """One whose instances join no cluster would take the whole minute to be told."""
    fake = Fake(status="PROVISIONING")
    started = time.monotonic()
    (told,) = services.wait(fake, fake, [SERVICE], within=20, hopeless=lambda: True)  # type: ignore[arg-type]
    assert told.startswith("service 'shop': 0 of 1 tasks are well and will not be")
    assert time.monotonic() - started < 5


def test_a_service_that_ecs_gives_up_is_not_waited_for() -> None:
    """A minute for what is lost already."""
    (told,) = wait(Fake(status="STOPPED", rollout="FAILED"), seconds=60)
    assert "and ECS gives up" in told


def test_a_version_that_was_rolled_back_does_not_give_its_service_up() -> None:
    """ECS goes on with the version before, and lists the one that failed for a while."""
    (told,) = wait(Fake(status="PROVISIONING", rollout="FAILED", primary="ACTIVE"))
    assert "ECS gives up" not in told


def test_a_port_that_is_taken_is_told_with_the_address_to_bind() -> None:
    """A server that listens at every address takes the port from all tasks, other workloads' too."""
    lines = ["OSError: [Errno 98] Address already in use"]
    (told,) = wait(Fake(containers=[FakeContainer(well=False, lines=lines)]))
    assert "in its BIND_ADDRESS" in told
