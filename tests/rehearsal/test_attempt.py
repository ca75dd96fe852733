"""One attempt at a job: when it is started again, and what is said of what was not heard."""

from __future__ import annotations

import contextlib
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from rehearsal import attempt
from rehearsal.firing import FiringError
from rehearsal.runs import Ending
from rehearsal.script_jobs import Job

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rehearsal.result import Ran


class Jobs:
    """Starts runs that end with these codes, one after the other; the last one again and again."""

    def __init__(self, codes: Iterable[int | str | None], hears: bool = True) -> None:  # noqa: FBT001, FBT002 - a test's own
        self._codes = list(codes)
        self._ear = SimpleNamespace(hears=lambda _: hears, heard=["another"])
        self.recorded: list[Ran] = []
        self.lacks: list[str] = []
        self.started = 0

    def begin(self, _workload: str, _job: Job) -> Any:
        """Start the next one, or do not, where its code is a text."""
        code = self._codes[min(self.started, len(self._codes) - 1)]
        self.started += 1
        if isinstance(code, str):
            raise FiringError(code)
        ending = Ending(outcome="failed" if code != 0 else "succeeded", exit_code=code, why="")
        return SimpleNamespace(wait=lambda _: ending, told=list[str])

    def refused(self, _workload: str, _since: float, *, settled: bool) -> list[str]:
        """Return what was refused before the first start."""
        assert settled
        return self.lacks

    def ear(self, _workload: str, job: Job) -> Any:
        """Return the ear, where the job expects to be told of."""
        return contextlib.nullcontext(self._ear) if job.expect.told else None

    def record(self, ran: Ran, _said: list[str]) -> None:
        """Keep it."""
        self.recorded.append(ran)


def tried(jobs: Jobs, **said: Any) -> Ran:
    job = Job.model_validate({"name": "it runs", "schedule": "nightly", **said})
    with contextlib.ExitStack() as ears:
        one = attempt.Attempt(jobs, "shop", job, ears)  # type: ignore[arg-type]
        one.start()
        one.finish()
    (ran,) = jobs.recorded
    return ran


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attempt, "_AGAIN_EVERY", 0.01)
    monkeypatch.setattr(attempt, "_AGAIN_FOR", 0.2)
    monkeypatch.setattr(attempt, "_LOGS_FOLLOW", 0)


def test_a_job_that_may_be_started_again_is() -> None:
    """Another may hold the lock for a moment, which is no failure."""
    jobs = Jobs([75, 75, 0])
    assert tried(jobs, again_on=[75]).ok
    assert jobs.started == 3


def test_it_is_not_started_again_for_ever() -> None:
    jobs = Jobs([75])
    ran = tried(jobs, again_on=[75])
    assert (ran.ok, ran.exit_code) == (False, 75)
    assert jobs.started > 3


def test_any_other_code_is_the_end() -> None:
    jobs = Jobs([3])
    assert tried(jobs, again_on=[75], expect={"outcome": "failed", "exit_code": 3}).ok
    assert jobs.started == 1


def test_why_it_was_not_started_is_told() -> None:
    """The refusal names the role and the action."""
    ran = tried(Jobs(["not authorized to perform: states:StartExecution"]))
    assert ran.problems == ("not started: not authorized to perform: states:StartExecution",)
    assert ran.started == "schedule nightly"


def test_a_message_that_did_not_come_is_told_with_those_that_did() -> None:
    told = {"told": {"topic": "alerts", "containing": ["this", "that"]}}
    assert tried(Jobs([0]), expect=told).ok
    (problem,) = tried(Jobs([0], hears=False), expect=told).problems
    assert problem == "expected a message of alerts with this, that; heard: 'another'"


class Endless(Jobs):
    """Starts a run that never ends, with these containers."""

    def __init__(self, *statuses: str, lacks: str) -> None:
        super().__init__([0])
        self.lacks = [lacks] if lacks else []
        self._containers = [SimpleNamespace(status=each, lines=[]) for each in statuses]

    def begin(self, _workload: str, _job: Job) -> Any:
        """Start it."""

        def wait(seconds: float) -> None:
            time.sleep(min(seconds, 0.02))

        return SimpleNamespace(
            wait=wait,
            stop=lambda: None,
            containers=lambda: self._containers,
            told=list[str],
        )


LACK = "role 'guard' lacks iam:PassRole on arn (identity policy: ImplicitDeny)"


@pytest.mark.parametrize("statuses", [(), ("exited",)])
def test_a_run_that_was_refused_and_waits_to_try_again_is_stopped(statuses: tuple[str, ...]) -> None:
    """Each retry is refused too, and minutes go by until the last."""
    (problem,) = tried(Endless(*statuses, lacks=LACK), within=600).problems
    assert problem == f"stopped, since it could only try again in vain: {LACK}"


@pytest.mark.parametrize(("statuses", "lacks"), [(("running",), LACK), ((), "")])
def test_one_that_runs_or_was_not_refused_has_its_time(statuses: tuple[str, ...], lacks: str) -> None:
    """A workload may cope with what it was refused."""
    (problem,) = tried(Endless(*statuses, lacks=lacks), within=0.1).problems
    assert problem.startswith("not ended within 0.1 s, and stopped")


def test_of_a_run_without_a_container_no_log_and_no_rows_are_missed() -> None:
    """They follow from what did not run, and would hide it."""
    jobs = Jobs([None])
    database = {"file": "/data/a.db", "query": "SELECT 1", "rows": [[1]]}
    (problem,) = tried(jobs, expect={"log": {"done": True}, "database": database}).problems
    assert problem == "expected that it succeeded, and it failed"
