"""Runs a job's task to its end, in the process of ``pulumi up``, and tells what it said where it fails."""

from __future__ import annotations

import contextlib
import importlib
import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, cast

import pulumi

from deployments.inquiry import why

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping

_NEVER_STARTED: Final = "TaskFailedToStart"
"""ECS's code for a task that has run nothing: its image could not be pulled, say, or a secret not be read. The next one
may have more luck."""
_EVERY: Final = 1.0
"""Seconds between two looks."""
_LINES: Final = 20
"""Of each container that are told of a failure."""
_LINES_FOLLOW: Final = 5.0
"""Seconds within which a container's last lines are in CloudWatch, once it has ended. They are all there when between
two looks none has come."""


@dataclass(frozen=True, kw_only=True)
class Runner:
    """Runs jobs in one region, with whatever credentials boto3 finds, as the provider does.

    It needs ``ecs:RunTask``, ``ecs:TagResource``, ``ecs:DescribeTasks``, ``ecs:DescribeTaskDefinition`` and
    ``ecs:StopTask``, ``logs:GetLogEvents``, and ``iam:PassRole`` for the task's two roles.
    """

    region: str

    def __call__(self, name: str, request: str, timeout: int) -> None:
        """Run the job *name* by the *request*, and return when all of its containers have ended with 0.

        A task of which nothing has run is followed by one more, in the same *timeout*.

        Raises:
            pulumi.RunError: it ended otherwise, in *timeout* seconds not at all, could not be run, or what became of it
                could not be asked.

        """
        ecs: Any = _client("ecs", self.region)
        asked: dict[str, Any] = json.loads(request)
        deadline = time.monotonic() + timeout
        task = _run(ecs, name, asked, deadline)
        if task.get("stopCode") == _NEVER_STARTED and time.monotonic() < deadline:
            pulumi.log.warn(f"job {name!r} (task {_id(task)}) did not start, and is tried once more: {why(task)}")
            task = _run(ecs, name, asked, deadline)
        said = f"job {name!r} (task {_id(task)})"
        if task.get("lastStatus") != "STOPPED":
            raise pulumi.RunError(f"{said} did not end within {timeout} s and was stopped; the service stays as it is")
        if {each.get("exitCode") for each in task["containers"]} == {0}:
            pulumi.log.info(f"{said} has run")
            return
        try:
            with _fault("what it said could not be read"):
                lines = [*_told(ecs, _client("logs", self.region), task)]
        except pulumi.RunError as fault:
            lines = [str(fault)]
        head = f"{said} failed, and the service stays as it is: {why(task)}"
        raise pulumi.RunError("\n".join([head, *(f"  {line}" for line in lines)]))


def _run(ecs: Any, name: str, asked: Mapping[str, Any], deadline: float) -> dict[str, Any]:
    """Start a task, and return it once it has stopped, or is told to at the *deadline*."""
    # Where botocore sends it again, it is the same `clientToken`, and one task.
    with _fault(f"job {name!r} could not be run"):
        started = ecs.run_task(**asked)
    if not started["tasks"]:
        reasons = "; ".join(f"{each.get('reason')} {each.get('detail', '')}".strip() for each in started["failures"])
        raise pulumi.RunError(f"job {name!r} could not be run: {reasons or 'ECS gave no reason'}")
    task: dict[str, Any] = started["tasks"][0]
    cluster, arn, said = asked["cluster"], task["taskArn"], f"job {name!r} was started, as task {_id(task)}"
    pulumi.log.info(f"job {name!r} runs, as task {_id(task)}")
    then = "it may still run, the service stays as it is, and the next `pulumi up` runs it again"
    with _fault(f"{said}, but what became of it could not be asked; {then}"):
        while True:
            # A task that was just started may not be known everywhere yet.
            task = next(iter(ecs.describe_tasks(cluster=cluster, tasks=[arn])["tasks"]), task)
            if task.get("lastStatus") == "STOPPED":
                return task
            if time.monotonic() >= deadline:
                break
            time.sleep(_EVERY)
    with _fault(f"{said}, did not end in time, and could not be stopped; {then}"):
        ecs.stop_task(cluster=cluster, task=arn, reason="it did not end in time")
    return task


@contextlib.contextmanager
def _fault(what: str) -> Generator[None]:
    """Tell *what* is the matter where AWS refuses, or does not answer."""
    faults: Any = importlib.import_module("botocore.exceptions")
    try:
        yield
    except (faults.ClientError, faults.BotoCoreError) as error:
        raise pulumi.RunError(f"{what}: {error}") from None


def _told(ecs: Any, logs: Any, task: Mapping[str, Any]) -> Iterator[str]:
    """Yield the last lines of each container of *task*, from where its definition has them sent."""
    definition = ecs.describe_task_definition(taskDefinition=task["taskDefinitionArn"])["taskDefinition"]
    several = len(definition["containerDefinitions"]) > 1
    for container in definition["containerDefinitions"]:
        options = cast("dict[str, str]", container.get("logConfiguration", {}).get("options", {}))
        if "awslogs-group" not in options:
            continue
        stream = f"{options['awslogs-stream-prefix']}/{container['name']}/{_id(task)}"
        for line in _last_lines(logs, options["awslogs-group"], stream):
            yield f"{container['name']}: {line}" if several else line


def _last_lines(logs: Any, group: str, stream: str) -> list[str]:
    deadline = time.monotonic() + _LINES_FOLLOW
    before: list[str] = []
    while True:
        lines: list[str] = []
        # Without a stream it has said nothing, or its first line is still on its way.
        with contextlib.suppress(logs.exceptions.ResourceNotFoundException):
            found = logs.get_log_events(logGroupName=group, logStreamName=stream, limit=_LINES, startFromHead=False)
            lines = [str(each["message"]).rstrip() for each in found["events"]]
        if (lines and lines == before) or time.monotonic() >= deadline:
            return lines
        before = lines
        time.sleep(_EVERY / 2)


def _id(task: Mapping[str, Any]) -> str:
    return str(task["taskArn"]).rpartition("/")[2]


def _client(service: str, region: str) -> Any:
    boto3: Any = importlib.import_module("boto3")
    return boto3.session.Session().client(service, region_name=region)
