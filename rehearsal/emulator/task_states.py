"""The corrections of how a task ends: its exit codes, its reason, and the events that tell of it."""

# ruff: noqa: SLF001 - what is corrected is ministack's own inside

from __future__ import annotations

import importlib
import json
from typing import Any, Final

ecs: Any = importlib.import_module("ministack.services.ecs")

_REASONS: Final = {"Essential container exited": "Essential container in task exited"}
"""The emulator's stopped reason → ECS's own."""


def tell_of_tasks() -> None:
    """Put "ECS Task State Change" events on the default bus as a task runs, is being taken down, and has stopped.

    The emulator emits none, and refuses whoever would put one there. Of the two at the end both have the exit codes, so
    a rule that does not ask for ``lastStatus`` STOPPED tells everything twice, as in an account.
    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs_task_events.html
    """
    run, stop = ecs._mark_task_running, ecs._mark_task_stopped

    def running(task_arn: str, task: dict[str, Any]) -> bool:
        changed: bool = run(task_arn, task)
        if changed:
            _emit(task)
        return changed

    def stopped(task_arn: str, task: dict[str, Any], reason: str, *rest: Any, **named: Any) -> bool:
        changed: bool = stop(task_arn, task, _REASONS.get(reason, reason), *rest, **named)
        if changed:
            _emit(task, lastStatus="DEPROVISIONING", version=task["version"] - 1)
            _emit(task)
        return changed

    ecs._mark_task_running = running
    ecs._mark_task_stopped = stopped


def _emit(task: dict[str, Any], **changes: Any) -> None:
    eventbridge: Any = importlib.import_module("ministack.services.eventbridge")
    # Absent, not empty, where there is nothing to tell; a task's own times are written as text there.
    detail = {name: value for name, value in ecs._sanitize(task).items() if value != ""} | changes
    detail["updatedAt"] = ecs._iso()
    entry = {
        "Source": "aws.ecs",
        "DetailType": "ECS Task State Change",
        "Detail": json.dumps(detail, default=str),
        "Resources": [task["taskArn"]],
    }
    eventbridge._put_events({"Entries": [entry]}, allow_aws_source=True)


def keep_exit_codes() -> None:
    """Keep the exit codes of a task that StopTask ends: the emulator says 0, before anything has ended."""
    look, stop = ecs._maybe_mark_stopped, ecs._stop_task

    def looked(task: dict[str, Any], *rest: Any) -> None:
        if not task.get("_stopping"):
            look(task, *rest)

    def stopped(data: dict[str, Any]) -> Any:
        task = ecs._resolve_task(data.get("task", ""), ecs._resolve_cluster_name(data.get("cluster", "default")))
        if task and task["lastStatus"] == "RUNNING":
            task["_stopping"] = True  # else the end of its containers would be taken for an end of their own
            for container, docker_id in zip(task["containers"], task.get("_docker_ids") or (), strict=False):
                running = ecs._get_docker().containers.get(docker_id)
                running.stop()
                container["exitCode"] = running.wait()["StatusCode"]
        return stop(data)

    ecs._maybe_mark_stopped = looked
    ecs._ACTION_MAP["StopTask"] = stopped  # its own stopping of a service's tasks is let alone
