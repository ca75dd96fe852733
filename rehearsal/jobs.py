"""Starts the jobs of the workloads' scripts, in their order, and holds what comes of each to what was expected."""

from __future__ import annotations

import contextlib
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Final

from rehearsal import roles, typed
from rehearsal.attempt import Attempt
from rehearsal.conditions import output_of
from rehearsal.firing import FiringError, fire
from rehearsal.listening import Ear, listening
from rehearsal.outside import OutsideError
from rehearsal.requests import EntranceError
from rehearsal.runs import Started

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from rehearsal.result import Ran
    from rehearsal.script import Script
    from rehearsal.script_jobs import Job
    from rehearsal.subject import Subject
    from rehearsal.tree import Tree

_SCHEDULE: Final = "aws:scheduler/schedule:Schedule"

_SETTLED: Final = 3.0
"""Seconds after a refusal within which what was refused ends by itself, if it does not try again."""


def check_names(workload: str, tree: Tree, script: Script) -> None:
    """Hold every output and schedule that the jobs name against those there are, before anything is made.

    Raises:
        EntranceError: one is not there.

    """
    outputs = tree.workloads[workload]
    for job in (each for top in script.jobs for each in top.all()):
        told = [job.expect.told.topic] if job.expect.told else []
        for name in (*([job.run] if job.run else []), *told):
            output_of(workload, outputs, job, name)
        if job.schedule:
            known = [each.name for each in tree.own(workload, _SCHEDULE)]
            if job.schedule not in known:
                raise EntranceError(
                    f"{workload}: the job {job.name!r} names the schedule {job.schedule!r}; it has "
                    f"{', '.join(sorted(known)) or 'none'}"
                )


class Jobs:
    """The jobs of one deployed stack."""

    def __init__(self, subject: Subject) -> None:
        """Run what the scripts of the workloads of *subject* say."""
        self._on = subject

    def run(self) -> None:
        """Run them all: those of a workload in their order, the workloads side by side."""
        mine = [workload for workload, script in self._on.scripts.items() if script.jobs]
        with ThreadPoolExecutor(max(len(mine), 1)) as beside:
            list(beside.map(self._run_workload, mine))

    def _run_workload(self, workload: str) -> None:
        lacks: Sequence[str] = ()
        for job in self._on.scripts[workload].jobs:
            if lacks:
                self._leave(workload, job, f"not started: {'; '.join(lacks)}")
                continue
            since, before = time.time(), self._failures(workload)
            outside = self._on.scripts[workload].outside
            modes = {outside[name].origin: mode for each in job.all() for name, mode in each.with_.items()}
            try:
                with self._on.containers.outside.in_modes(modes):
                    self._run(workload, job)
            except OutsideError as error:
                self._on.result.fail(f"{workload}: the job {job.name!r}: {error}")
            if self._failures(workload) > before:
                # The others would most likely run into the same, each for its whole time.
                lacks = self.refused(workload, since)

    def _failures(self, workload: str) -> int:
        return sum(not each.ok for each in self._on.result.jobs if each.workload == workload)

    def _leave(self, workload: str, job: Job, why: str) -> None:
        with contextlib.ExitStack() as open_ears:
            for each in job.all():
                Attempt(self, workload, each, open_ears).give_up(why)

    def _run(self, workload: str, job: Job) -> None:
        """Run *job*, and before and beside it the one that is to be running."""
        other = job.while_running
        with contextlib.ExitStack() as open_ears:
            one = Attempt(self, workload, job, open_ears)
            if other is None:
                one.start()
                one.finish()
                return
            beside = Attempt(self, workload, other, open_ears)
            beside.start()
            if beside.runs():
                one.start()
                one.finish()
            else:
                one.give_up(f"not started: {other.name!r}, which was to run meanwhile, did not")
            beside.finish()

    # What follows is for one attempt at a job.

    def begin(self, workload: str, job: Job) -> Started:
        """Start *job*.

        Raises:
            FiringError, TypedError, ClientError, BotoCoreError: it was not started; the message says why.

        """
        if job.schedule:
            (named,) = [each for each in self._on.tree.own(workload, _SCHEDULE) if each.name == job.schedule]
            group, _, name = named.id.rpartition("/")
            found = self._on.emulator.client("scheduler").get_schedule(GroupName=group or "default", Name=name)
            arn = fire(self._on.emulator, found)
        else:
            command = str(output_of(workload, self._on.tree.workloads[workload], job, str(job.run)))
            arn = _started(typed.do(self._on.emulator, command), command)
        return Started(self._on.emulator, self._on.containers, arn)

    def refused(self, workload: str, since: float, *, settled: bool = False) -> Sequence[str]:
        """Return what the roles of *workload* were refused *since* then (seconds since the epoch), each thing once.

        If *settled*, only what was refused a moment ago at the latest.
        """
        until = time.time() - (_SETTLED if settled else 0)
        denials = [each for each in self._on.emulator.denials() if since <= each.time <= until]
        return [str(each) for each in roles.lacks(self._on.tree, denials, of=workload)]

    def ear(self, workload: str, job: Job) -> contextlib.AbstractContextManager[Ear] | None:
        """Return what listens to the topic that is to tell of *job*, if one is."""
        told = job.expect.told
        if not told:
            return None
        return listening(
            self._on.emulator, str(output_of(workload, self._on.tree.workloads[workload], job, told.topic))
        )

    def folder_of(self, workload: str, file: str) -> Path | None:
        """Return where the *file* of a container of *workload* is on this machine."""
        for container in reversed(self._on.containers_of(workload)):
            for path, folder in container.mounts.items():
                if PurePosixPath(file).is_relative_to(path):
                    return folder / PurePosixPath(file).relative_to(path)
        return None

    def record(self, ran: Ran, said: Sequence[str]) -> None:
        """Record what came of a job, and what its containers *said* if it is not what was expected."""
        self._on.result.jobs.append(ran)
        if not ran.ok:
            told = [f"{ran.workload}: the job {ran.name!r} ({ran.started}):", *ran.problems, *said]
            self._on.result.fail("\n  ".join(told))
        code = f" with {ran.exit_code}" if ran.exit_code else ""
        self._on.progress.note(f"{'ok' if ran.ok else 'FAILED'}  {ran.outcome}{code}  {ran.started}  ({ran.name})")


def _started(answer: Mapping[str, Any], command: str) -> str:
    """Return the ARN of what *command* started."""
    if answer.get("failures"):
        raise FiringError(f"{command}: {answer['failures']}")
    if answer.get("tasks"):
        return str(answer["tasks"][0]["taskArn"])
    if "executionArn" in answer:
        return str(answer["executionArn"])
    raise typed.TypedError(f"{command!r} starts neither a task nor a state machine")
