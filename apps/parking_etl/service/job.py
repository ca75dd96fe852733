"""One run of a job, from the lock to the line that sums it up."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Final

from exits import Exit, RunError, UnavailableError
from journal import now
from lock import held

if TYPE_CHECKING:
    from types import FrameType

    from environment import Environment
    from journal import Journal

JOBS: Final = ("sync-availability", "sync-parking")


@dataclass(kw_only=True)
class Summary:
    """What a run did. `fetched` = `inserted` + `changed` + `unchanged` + `rejected`, when it came to its end.

    Of a run that a signal or its deadline ends, the page it was at may be kept without being counted.
    """

    fetched: int = 0
    """Rows read from the source."""
    inserted: int = 0
    """Rows that the database did not have."""
    changed: int = 0
    """Rows that it had otherwise, or had as gone."""
    unchanged: int = 0
    """Rows that it had: not written at all."""
    rejected: int = 0
    """Rows that are unusable, one way or another."""
    gone: int = 0
    """Rows that the source has no longer: marked in this run, and kept."""
    pages: int = 0
    """Pages with rows in them."""
    retries: int = 0
    """Requests made again."""
    reasons: dict[str, int] = field(default_factory=dict[str, int])
    """Why rows were rejected, and how many for each reason."""


def run(job: str, environment: Environment, journal: Journal) -> Exit:
    """Run *job* once, write its summary, and return how it ended. It is the process's only run."""
    summary, began = Summary(), time.monotonic()
    said: dict[str, str] = {}
    # They become exceptions in this, the main, thread (as SIGINT does): a call is left, a transaction rolled back.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    signal.signal(signal.SIGALRM, _out_of_time)
    try:
        try:
            signal.alarm(environment.deadline)
            _sync(job, environment, journal, summary)
            ended = Exit.DONE
        finally:
            # Too late for both: what is left is to say how it ended.
            signal.alarm(0)
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            signal.signal(signal.SIGINT, signal.SIG_IGN)
    except RunError as error:
        ended, said = error.exit, {"error": str(error)}
    except KeyboardInterrupt:
        ended, said = Exit.STOPPED, {"error": "told to stop"}
    except Exception as error:  # noqa: BLE001 -- a run says how it ended whatever happens in it
        import traceback  # noqa: PLC0415

        ended, said = Exit.FAULT, {"error": repr(error), "traceback": traceback.format_exc()}
    write = {Exit.DONE: journal.info, Exit.BUSY: journal.warning}.get(ended, journal.error)
    seconds = round(time.monotonic() - began, 3)
    write(f"{job}: {ended.outcome}", outcome=ended.outcome, exit_code=ended, **asdict(summary), seconds=seconds, **said)
    return ended


def _sync(job: str, environment: Environment, journal: Journal, summary: Summary) -> None:
    path = os.path.join(environment.data_dir, environment.database)  # noqa: PTH118 -- a busy run imports no pathlib
    with held(f"{path}.lock", f"{job}, process {os.getpid()} on {os.uname().nodename}, since {now()}"):
        # SQLite, HTTP and TLS take longer to import than it takes to find the lock taken.
        from sync import sync  # noqa: PLC0415

        sync(job, path, environment, journal, summary)


def _out_of_time(_number: int, _frame: FrameType | None) -> None:
    raise UnavailableError("the run was not done within DEADLINE; what it kept stays, and the next run goes on")
