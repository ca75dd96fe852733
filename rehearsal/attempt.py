"""One attempt at a job: started, followed to its end, and held to what was expected of it."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import time
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from rehearsal.firing import FiringError
from rehearsal.requests import differences
from rehearsal.result import Ran
from rehearsal.runs import Ending
from rehearsal.typed import TypedError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from rehearsal.containers import Container
    from rehearsal.jobs import Jobs
    from rehearsal.runs import Started
    from rehearsal.script_jobs import Database, Job

_AGAIN_FOR: Final = 20.0
"""Seconds for which a job is started again, where it may be."""
_AGAIN_EVERY: Final = 0.5
_LOGS_FOLLOW: Final = 0.2
"""Seconds after its end within which a container's last lines are here."""
_LOOK_EVERY: Final = 1.0
"""Seconds between two looks at whether it waits in vain."""
_NOT_STARTED: Final = (FiringError, TypedError, ClientError, BotoCoreError)


class Attempt:
    """One job on its way."""

    def __init__(self, jobs: Jobs, workload: str, job: Job, open_ears: contextlib.ExitStack) -> None:
        """Prepare the *job* of *workload*; *open_ears* closes what listens to topics."""
        self._jobs, self._workload, self._job = jobs, workload, job
        listened = jobs.ear(workload, job)
        self._ear = open_ears.enter_context(listened) if listened else None
        self._began, self._since = time.monotonic(), time.time()
        self._run: Started | None = None
        self._not_started = ""

    def start(self) -> None:
        """Start it; should that fail, `finish` tells."""
        try:
            self._run = self._jobs.begin(self._workload, self._job)
        except _NOT_STARTED as error:
            self._run, self._not_started = None, str(error)

    def runs(self) -> bool:
        """Wait until a container of it runs; False where none will."""
        deadline = time.monotonic() + self._job.within
        while self._run and time.monotonic() < deadline:
            if self._run.wait_until_running(_LOOK_EVERY):
                return True
            if self._run.wait(0) or self._refused():
                return False
        return False

    def finish(self) -> None:
        """Wait for its end, start it again as long as it may, and hold what came of it to what was expected."""
        ending = self._ended()
        while ending and ending.exit_code in self._job.again_on and time.monotonic() - self._began < _AGAIN_FOR:
            time.sleep(_AGAIN_EVERY)
            self.start()
            ending = self._ended()
        if self._run is None:
            self.give_up(f"not started: {self._not_started}")
        elif ending is None:
            refused = self._refused()
            self._run.stop()
            self.give_up(
                f"stopped, since it could only try again in vain: {'; '.join(refused)}"
                if refused
                else f"not ended within {self._job.within:g} s, and stopped"
            )
        else:
            time.sleep(_LOGS_FOLLOW)
            self._record(ending, list(self._problems(ending)))

    def give_up(self, problem: str) -> None:
        """Record that it did not come to an end of its own."""
        self._record(Ending(outcome="failed", exit_code=None, why=""), [problem])

    def _ended(self) -> Ending | None:
        """Return its end; None if there was none in time, or there will be none worth waiting for."""
        deadline = time.monotonic() + self._job.within
        while self._run and (left := deadline - time.monotonic()) > 0:
            if ending := self._run.wait(min(left, _LOOK_EVERY)):
                return ending
            if self._refused():
                break
        return None

    def _refused(self) -> Sequence[str]:
        """Return what roles were refused since it began, while no container of it runs: then it waits to try again."""
        refused = self._jobs.refused(self._workload, self._since, settled=True)
        if not self._run or not refused or any(each.status == "running" for each in self._run.containers()):
            return ()
        return refused

    def _record(self, ending: Ending, problems: list[str]) -> None:
        started = f"schedule {self._job.schedule}" if self._job.schedule else f"by hand, {self._job.run}"
        ran = Ran(
            workload=self._workload,
            name=self._job.name,
            started=started,
            outcome=ending.outcome,
            exit_code=ending.exit_code,
            seconds=time.monotonic() - self._began,
            ok=not problems,
            problems=tuple(problems),
        )
        self._jobs.record(ran, self._run.told() if self._run else [])

    def _problems(self, ending: Ending) -> Iterator[str]:
        wanted = self._job.expect
        if ending.outcome != wanted.outcome:
            yield f"expected that it {wanted.outcome}, and it {ending.outcome}{f': {ending.why}' if ending.why else ''}"
        if wanted.exit_code is not None and ending.exit_code != wanted.exit_code:
            yield f"expected exit code {wanted.exit_code}, got {ending.exit_code}"
        if ending.outcome != wanted.outcome and ending.exit_code is None:
            return  # no container ran, and what none wrote follows from that
        if wanted.log and self._run:
            yield from _missing(wanted.log, self._run.containers())
        if wanted.database:
            yield from self._differing_rows(wanted.database)
        if wanted.told and self._ear and not self._ear.hears(wanted.told.containing):
            heard = "; ".join(map(repr, self._ear.heard)) or "nothing"
            yield f"expected a message of {wanted.told.topic} with {', '.join(wanted.told.containing)}; heard: {heard}"

    def _differing_rows(self, wanted: Database) -> Iterator[str]:
        file = self._jobs.folder_of(self._workload, wanted.file)
        if file is None:
            yield f"{wanted.file} lies below no mount of a container of this workload"
            return
        try:
            with contextlib.closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as database:
                rows = [list(row) for row in database.execute(wanted.query)]
        except sqlite3.Error as error:
            yield f"{wanted.file}: {wanted.query}: {error}"
            return
        expected = [list(row) for row in wanted.rows]
        yield from differences(expected, rows, f"{wanted.file}: {wanted.query}")


def _missing(wanted: Mapping[str, Any], containers: Sequence[Container]) -> Iterator[str]:
    """Yield how the nearest JSON line of *containers* differs from *wanted*, if none has it all."""
    nearest: list[str] | None = None
    for line in (line for each in containers for line in each.lines):
        with contextlib.suppress(ValueError):
            said = json.loads(line)
            found = list(differences(dict(wanted), said, "its line"))
            if not found:
                return
            if nearest is None or len(found) < len(nearest):
                nearest = found
    yield from nearest or [f"expected a line with {json.dumps(dict(wanted))}, and it wrote no JSON"]
