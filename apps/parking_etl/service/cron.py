"""Both jobs by the clock, in the foreground, until SIGTERM or SIGINT.

Both run at the start, since a container that was down has missed its runs; then `sync-availability` every
`SYNC_AVAILABILITY_EVERY` seconds, counted from the start, and `sync-parking` daily at `SYNC_PARKING_AT` in Taipei.
Each run is a process of its own, one at a time: a time that comes while a run goes on is met when that one has ended,
once, however many were missed. A run that finds the database busy is tried again soon. No run ends the loop, whatever
becomes of it; SIGTERM does, with 0, after the run that goes on was told to stop.
"""

from __future__ import annotations

import asyncio
import math
import signal
import sys
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from exits import Exit

if TYPE_CHECKING:
    from collections.abc import Callable

    from environment import Environment
    from journal import Journal

BUSY_SECONDS: Final = 60
"""After a run that found the database busy. Not the next time: that may be tomorrow."""
GRACE_SECONDS: Final = 20
"""For a run that is told to stop. ECS kills the container 30 s after SIGTERM, unless told otherwise."""
OVERTIME_SECONDS: Final = 60
"""Beyond its own deadline, for a run that hangs where no signal reaches it."""

_TAIPEI: Final = ZoneInfo("Asia/Taipei")


def every(seconds: int, start: float) -> Callable[[float], float]:
    """Return what gives the first time after a moment: *start*, and each multiple of *seconds* after it."""
    return lambda moment: start + (math.floor((moment - start) / seconds) + 1) * seconds


def daily(clock: str) -> Callable[[float], float]:
    """Return what gives the first time after a moment that it is *clock*, such as `02:00`, in Taipei."""
    hour, minute = map(int, clock.split(":"))

    def after(moment: float) -> float:
        local = datetime.fromtimestamp(moment, _TAIPEI)
        due = local.replace(hour=hour, minute=minute, second=0, microsecond=0)
        return (due if due > local else due + timedelta(days=1)).timestamp()

    return after


def keep(environment: Environment, journal: Journal) -> Exit:
    """Run both jobs by the clock until told to stop."""
    return asyncio.run(Cron(environment, journal).keep())


class Cron:
    """The loop. `due` is when each job runs next, in epoch seconds."""

    def __init__(self, environment: Environment, journal: Journal, clock: Callable[[], float] = time.time) -> None:
        start = clock()
        self._clock = clock
        self._journal = journal
        self._longest = environment.deadline + OVERTIME_SECONDS
        self._next = {
            "sync-parking": daily(environment.sync_parking_at),
            "sync-availability": every(environment.sync_availability_every, start),
        }
        # The car parks first: the spaces are theirs.
        self.due = dict.fromkeys(self._next, start)

    async def keep(self) -> Exit:
        """Wait for whichever job is due first, run it, and so on, until a signal comes."""
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        self._journal.info("cron: started")
        while not stop.is_set():
            job = min(self.due, key=lambda name: self.due[name])
            seconds = self.due[job] - self._clock()
            if seconds > 0:
                # Not all at once: the clock may be set meanwhile.
                await _within(min(seconds, 60), stop)
                continue
            self.ended(job, await self._run(job, stop))
        self._journal.info("cron: stopped")
        return Exit.DONE

    def ended(self, job: str, code: int) -> None:
        """Say how *job* ended, and when it is due again."""
        now = self._clock()
        due = self._next[job](now)
        if code == Exit.BUSY:
            due = min(due, now + BUSY_SECONDS)
        self.due[job] = due
        write = self._journal.info if code == Exit.DONE else self._journal.warning
        again = datetime.fromtimestamp(due, UTC).isoformat(timespec="seconds")
        write(f"cron: {job} ended", job=job, outcome=_outcome(code), exit_code=code, next=again)

    async def _run(self, job: str, stop: asyncio.Event) -> int:
        self._journal.info(f"cron: {job} begins", job=job)
        try:
            process = await asyncio.create_subprocess_exec(
                sys.executable, str(Path(__file__).with_name("main.py")), job
            )
        except OSError as error:  # no memory or no processes left: that may pass
            self._journal.error(f"cron: {job} cannot be started", job=job, error=str(error))
            return Exit.FAULT
        ended = asyncio.ensure_future(process.wait())
        stopped = asyncio.ensure_future(stop.wait())
        await asyncio.wait({ended, stopped}, timeout=self._longest, return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        if not ended.done():
            process.terminate()
            await asyncio.wait({ended}, timeout=GRACE_SECONDS)
        if not ended.done():
            process.kill()
        return await ended


async def _within(seconds: float, stop: asyncio.Event) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)


def _outcome(code: int) -> str:
    if code < 0:
        return f"killed by signal {-code}"
    try:
        return Exit(code).outcome
    except ValueError:
        return f"exit code {code}"
