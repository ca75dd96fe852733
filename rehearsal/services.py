"""Waits until the program's ECS services are well: tasks running, healthy, found, and answering load balancers."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from rehearsal.containers import Container, Containers
    from rehearsal.emulator import Emulator
    from rehearsal.graph import Registered

SERVICE: Final = "aws:ecs/service:Service"
TASK_DEFINITION: Final = "aws:ecs/taskDefinition:TaskDefinition"

WITHIN: Final = 60.0
"""Seconds for all services together; a workload that needs longer to its first healthy answer is told here."""
_LAST_LINES: Final = 10
_LONGEST_LINE: Final = 300
"""Characters of a line that are quoted: a JSON line of a log may hold a whole answer."""
_EVERY: Final = 0.1
_TAKEN: Final = "address already in use"
_WHO_TOOK_IT: Final = (
    "some process listens on this port at every address; all tasks share one machine here, so each is to bind the one "
    "in its BIND_ADDRESS"
)
_FAILED_TASKS: Final = 3
"""After so many stopped tasks a service is not waited for: ECS's circuit breaker trips no sooner."""


def wait(
    emulator: Emulator,
    containers: Containers,
    services: Sequence[Registered],
    *,
    within: float = WITHIN,
    forgiven: float = 0,
    on_well: Callable[[Registered], None] = lambda _: None,
    hopeless: Callable[[], bool] = lambda: False,
) -> list[str]:
    """Wait until all *services* are well, *within* seconds; return what is wrong with those that are not.

    *on_well* is told of each as it is. *forgiven* is how many stopped tasks of each are no fault of its own
    (infinite where none is to count), and *hopeless* whether to wait no longer for those that are not well yet.
    """
    deadline = time.monotonic() + within
    waiting = [_Watched(emulator, containers, service, forgiven) for service in services]
    given_up: list[_Watched] = []
    while waiting and time.monotonic() < deadline and not hopeless():
        for watched in list(waiting):
            if watched.is_well():
                on_well(watched.service)
                waiting.remove(watched)
            elif watched.is_lost():
                given_up.append(watched)
                waiting.remove(watched)
        if waiting:
            time.sleep(_EVERY)
    when = f"after {within:.0f} s" if time.monotonic() >= deadline else "and will not be"
    return [watched.told(when) for watched in waiting] + [it.told("and ECS gives up") for it in given_up]


def died(emulator: Emulator, containers: Containers, well_since: Mapping[str, float]) -> dict[str, str]:
    """Return what is to be told of each container that ended of itself since its service was well, by its id.

    *well_since* is when each was, in seconds since the epoch, by the service's name in ECS. A task of such a one may
    have taken its place, so that `wait` finds all well: in an account it would page somebody all the same.
    """
    ecs = emulator.client("ecs")
    told: dict[str, str] = {}
    for each in containers.all():
        if each.status == "exited" and not each.told_to_end:
            cluster = each.labels["com.amazonaws.ecs.cluster"]
            (task,) = ecs.describe_tasks(cluster=cluster, tasks=[each.task_arn])["tasks"]
            # A job's task is of no service, and ends of itself.
            service = str(task.get("group", "")).removeprefix("service:")
            if each.finished_at > well_since.get(service, math.inf):
                lines = [f"service {service!r}: a container ended of itself after the service was well"]
                told[each.id] = "\n".join([*lines, *last_lines([each])])
    return told


def quoted(lines: Iterable[str]) -> list[str]:
    """Return the latest ten of *lines*, marked as quoted, and each cut where it is long."""
    return [
        f"| {line if len(line) <= _LONGEST_LINE else f'{line[:_LONGEST_LINE]}…'}" for line in [*lines][-_LAST_LINES:]
    ]


def last_lines(containers: Sequence[Container]) -> list[str]:
    """Return the latest lines of each of *containers*, under a line that says whose they are."""
    told: list[str] = []
    for container in containers:
        state = container.status if container.status != "exited" else f"exited with {container.exit_code}"
        told.append(f"  container {container.name!r} of task {_short(container.task_arn)}, {state}:")
        if container.health not in ("UNKNOWN", "HEALTHY"):
            told.append(f"    its health check ({container.health}): {container.health_output}")
        told += [f"    {line}" for line in quoted(container.lines)] or ["    it printed nothing"]
        if any(_TAKEN in line.lower() for line in container.lines):
            told.append(f"    {_WHO_TOOK_IT}")
    return told


class _Watched:
    """One service, asked again and again."""

    def __init__(self, emulator: Emulator, containers: Containers, service: Registered, forgiven: float) -> None:
        self.service = service
        self._forgiven = forgiven
        self._containers = containers
        self._ecs = emulator.client("ecs")
        self._balancing = emulator.client("elbv2")
        self._cloud_map = emulator.client("servicediscovery")
        self._named = {"cluster": service.inputs["cluster"]}
        self._wanted = int(service.inputs.get("desiredCount", 0))
        self._well = 0

    def is_well(self) -> bool:
        """Whether as many tasks as desired run, are healthy, are healthy targets, and are found healthy."""
        running = [task for task in self._tasks("RUNNING") if task["lastStatus"] == "RUNNING"]
        self._well = sum(all(each.well for each in self._of(task)) for task in running)
        if self._well < self._wanted:
            return False
        return all(self._healthy_targets(group) >= self._wanted for group in self._target_groups()) and all(
            self._found(registry) >= self._wanted for registry in self._registries()
        )

    def is_lost(self) -> bool:
        """Whether ECS itself would try no more."""
        return (
            len(self._tasks("STOPPED")) >= _FAILED_TASKS + self._forgiven
            # A version that was rolled back stays on the list, and is no longer primary.
            or any(each.get("rolloutState") == "FAILED" and each["status"] == "PRIMARY" for each in self._deployments())
        )

    def told(self, when: str) -> str:
        """Write what is wrong: each task's state, its stopped reason, its last lines, and the targets."""
        lines = [f"service {self.service.name!r}: {self._well} of {self._wanted} tasks are well {when}"]
        # One that stops meanwhile is on both lists.
        tasks = {task["taskArn"]: task for status in ("RUNNING", "STOPPED") for task in self._tasks(status)}
        for arn, task in tasks.items():
            reason = task.get("stoppedReason")
            lines.append(f"  task {_short(arn)} is {task['lastStatus']}{f': {reason}' if reason else ''}")
            lines += [f"    {each['name']}: {each['reason']}" for each in task["containers"] if each.get("reason")]
            lines += last_lines(self._of(task))
        for group in self._target_groups():
            for target in self._targets(group):
                health = target["TargetHealth"]
                said = " ".join(health[word] for word in ("State", "Reason", "Description") if health.get(word))
                lines.append(f"  target {target['Target']['Id']}:{target['Target'].get('Port', '')} is {said}")
        lines += [
            f"  {self._found(registry)} of {self._wanted} tasks are healthy in Cloud Map's {registry}"
            for registry in self._registries()
        ]
        return "\n".join(lines)

    def _deployments(self) -> list[dict[str, Any]]:
        return self._ecs.describe_services(**self._named, services=[self.service.id])["services"][0]["deployments"]

    def _tasks(self, status: str) -> list[dict[str, Any]]:
        name = self.service.outputs["name"]
        arns = self._ecs.list_tasks(**self._named, serviceName=name, desiredStatus=status)["taskArns"]
        return self._ecs.describe_tasks(**self._named, tasks=arns)["tasks"] if arns else []

    def _of(self, task: dict[str, Any]) -> list[Container]:
        return [each for each in self._containers.all() if each.task_arn == task["taskArn"]]

    def _target_groups(self) -> list[str]:
        return [
            each["targetGroupArn"] for each in self.service.inputs.get("loadBalancers", []) if "targetGroupArn" in each
        ]

    def _targets(self, group: str) -> list[dict[str, Any]]:
        return self._balancing.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]

    def _registries(self) -> list[str]:
        """Return the ids of the Cloud Map services that its tasks are registered in."""
        arn: str = self.service.inputs.get("serviceRegistries", {}).get("registryArn", "")
        return [arn.rpartition("/")[2]] if arn else []

    def _found(self, registry: str) -> int:
        status: dict[str, str] = self._cloud_map.get_instances_health_status(ServiceId=registry)["Status"]
        return sum(health == "HEALTHY" for health in status.values())

    def _healthy_targets(self, group: str) -> int:
        return sum(target["TargetHealth"]["State"] == "healthy" for target in self._targets(group))


def _short(task_arn: str) -> str:
    return task_arn.rpartition("/")[2][:8]
