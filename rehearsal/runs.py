"""What was started: an execution of a state machine or a task, until it has ended, and what came of it."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar

from rehearsal.services import quoted

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rehearsal.containers import Container, Containers
    from rehearsal.emulator import Emulator

Outcome = Literal["succeeded", "failed", "skipped"]

_EVERY: Final = 0.1
_Found = TypeVar("_Found")


@dataclass(frozen=True, kw_only=True)
class Ending:
    """What came of a run."""

    outcome: Outcome
    exit_code: int | None
    """None where no container has one."""
    why: str
    """Of one that failed: its error and cause, or why the task stopped; empty otherwise."""


class Started:
    """One run."""

    def __init__(self, emulator: Emulator, containers: Containers, arn: str) -> None:
        """Follow the execution or the task *arn*."""
        self.arn = arn
        self._emulator, self._containers = emulator, containers
        self._is_task = arn.split(":")[2] == "ecs"

    def containers(self) -> list[Container]:
        """Those of its tasks, so far."""
        tasks = self._task_arns()
        return [each for each in self._containers.all() if each.task_arn in tasks]

    def wait(self, seconds: float) -> Ending | None:
        """Wait for its end; None if it has not ended within *seconds*."""
        return self._until(self._ending, seconds)

    def wait_until_running(self, seconds: float) -> bool:
        """Wait until a container of it runs; False where none does in time, or it has ended before."""

        def running() -> bool | None:
            if any(each.status == "running" for each in self.containers()):
                return True
            return False if self._ending() else None

        return bool(self._until(running, seconds))

    def stop(self) -> None:
        """Stop it, and its task."""
        if self._is_task:
            self._emulator.client("ecs").stop_task(cluster=self.arn.split("/")[1], task=self.arn)
        else:
            self._emulator.client("stepfunctions").stop_execution(executionArn=self.arn)

    def told(self) -> list[str]:
        """Return the last lines of its containers."""
        return [line for each in self.containers() for line in quoted(each.lines)]

    @staticmethod
    def _until(look: Callable[[], _Found | None], seconds: float) -> _Found | None:
        deadline = time.monotonic() + seconds
        while (found := look()) is None and time.monotonic() < deadline:
            time.sleep(_EVERY)
        return found

    def _ending(self) -> Ending | None:
        return self._task_ending() if self._is_task else self._execution_ending()

    def _task_ending(self) -> Ending | None:
        task = self._task(self.arn)
        if task["lastStatus"] != "STOPPED":
            return None
        ok = all(each.get("exitCode") == 0 for each in task["containers"])
        return Ending(
            outcome="succeeded" if ok else "failed",
            exit_code=_exit_code(task),
            why="" if ok else str(task.get("stoppedReason", "")),
        )

    def _execution_ending(self) -> Ending | None:
        found = self._emulator.client("stepfunctions").describe_execution(executionArn=self.arn)
        if found["status"] == "RUNNING":
            return None
        tasks = self._task_arns()
        code = _exit_code(self._task(tasks[-1])) if tasks else None
        if found["status"] == "SUCCEEDED":
            return Ending(outcome="succeeded" if tasks else "skipped", exit_code=code, why="")
        said = [found["status"], found.get("error"), found.get("cause")]
        return Ending(outcome="failed", exit_code=code, why=": ".join(each for each in said if each))

    def _task_arns(self) -> list[str]:
        """Return its tasks, the oldest first."""
        if self._is_task:
            return [self.arn]
        states = self._emulator.client("stepfunctions")
        events = states.get_paginator("get_execution_history").paginate(executionArn=self.arn).build_full_result()
        submitted = [each.get("taskSubmittedEventDetails") for each in events["events"]]
        return [json.loads(each["output"])["Tasks"][0]["TaskArn"] for each in submitted if each]

    def _task(self, arn: str) -> dict[str, Any]:
        ecs = self._emulator.client("ecs")
        return ecs.describe_tasks(cluster=arn.split("/")[1], tasks=[arn])["tasks"][0]


def _exit_code(task: Mapping[str, Any]) -> int | None:
    """Return the first exit code that is not 0, or 0; None where no container has one."""
    codes: list[int] = [each["exitCode"] for each in task["containers"] if "exitCode" in each]
    return next((code for code in codes if code), 0 if codes else None)
