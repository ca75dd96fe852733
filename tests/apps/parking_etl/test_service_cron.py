"""Both jobs by the clock: when each is due, and what ends the loop."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from tests.apps.parking_etl.conftest import Gate, car_parks, kept, load, serving, spaces, started, variables

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path


def at(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


@pytest.mark.parametrize(
    ("now", "due"),
    [
        ("2026-01-05T17:59:59+00:00", "2026-01-06T02:00:00+08:00"),
        ("2026-01-05T18:00:00+00:00", "2026-01-07T02:00:00+08:00"),
        ("2026-01-06T01:59:00+08:00", "2026-01-06T02:00:00+08:00"),
        ("2026-12-31T23:00:00+08:00", "2027-01-01T02:00:00+08:00"),
    ],
)
def test_two_in_the_morning_is_so_in_taipei(now: str, due: str) -> None:
    assert load("cron").daily("02:00")(at(now)) == at(due)


def test_every_five_minutes_counts_from_the_start_and_skips_what_was_missed() -> None:
    after = load("cron").every(300, 1000.0)
    assert [after(moment) for moment in (1000, 1299.9, 1300, 2250)] == [1300, 1300, 1600, 2500]


class Loop:
    """A loop whose clock stands where it is put."""

    def __init__(self, **variables: str) -> None:
        self.now = at("2026-01-05T12:00:00+08:00")
        environment = load("environment").read(variables)
        self.cron = load("cron").Cron(environment, load("journal").Journal(), lambda: self.now)

    def due(self, job: str) -> str:
        """Say when *job* runs next, in Taipei."""
        return datetime.fromtimestamp(self.cron.due[job], ZoneInfo("Asia/Taipei")).strftime("%d %H:%M:%S")


def test_both_run_at_the_start_car_parks_first() -> None:
    """A container that was down has missed its runs."""
    loop = Loop()
    assert list(loop.cron.due.items()) == [("sync-parking", loop.now), ("sync-availability", loop.now)]


@pytest.mark.parametrize("code", [0, 65, 69, 70, 74, 143, -9, 1, 200])
def test_a_run_is_due_again_at_its_next_time_however_it_ended(code: int, capsys: pytest.CaptureFixture[str]) -> None:
    loop = Loop()
    loop.now += 12
    for job in loop.cron.due:
        loop.cron.ended(job, code)
    assert (loop.due("sync-parking"), loop.due("sync-availability")) == ("06 02:00:00", "05 12:05:00")
    said = json.loads(capsys.readouterr().out.splitlines()[0])
    outcome = {-9: "killed by signal 9", 1: "exit code 1", 200: "exit code 200", 0: "done", 143: "stopped"}
    assert said["outcome"] == outcome.get(code, said["outcome"])
    assert (said["exit_code"], said["level"]) == (code, "info" if code == 0 else "warning")


def test_a_busy_database_is_tried_again_soon_but_no_later_than_it_would_be() -> None:
    """Or one run by hand at two in the morning would cost the car parks a day."""
    loop = Loop()
    for job in loop.cron.due:
        loop.cron.ended(job, 75)
    assert (loop.due("sync-parking"), loop.due("sync-availability")) == ("05 12:01:00", "05 12:01:00")
    loop.now += 270
    loop.cron.ended("sync-availability", 75)
    assert loop.due("sync-availability") == "05 12:05:00"


class Watched:
    """A process whose lines are waited for."""

    def __init__(self, running: subprocess.Popen[str]) -> None:
        self.running = running
        self.lines: list[dict[str, Any]] = []
        self._new = threading.Condition()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.running.stdout
        for line in self.running.stdout:
            with self._new:
                self.lines.append(json.loads(line))
                self._new.notify_all()

    def wait_for(self, message: str, times: int = 1) -> dict[str, Any]:
        """Wait until a line with *message* has come so many times, and return it."""

        def found() -> list[dict[str, Any]]:
            return [line for line in self.lines if line["message"] == message][times - 1 : times]

        with self._new:
            assert self._new.wait_for(found, 15), f"{message!r} did not come: {self.lines[-3:]}"
            return found()[0]

    def stop(self) -> int:
        """Send SIGTERM; return the exit code when the last line is read."""
        self.running.send_signal(signal.SIGTERM)
        code = self.running.wait(10)
        self._reader.join(5)
        return code


def test_it_runs_both_goes_on_after_a_failure_and_ends_cleanly(open_data: Any, tmp_path: Path) -> None:
    env = variables(open_data.url, tmp_path, SYNC_AVAILABILITY_EVERY="1", RETRIES="1")
    with started("cron", env=env) as running:
        cron = Watched(running)
        assert cron.wait_for("cron: sync-parking ended")["outcome"] == "done"
        assert cron.wait_for("cron: sync-availability ended")["outcome"] == "done"
        assert kept(tmp_path / "parking.db") == {"car_park": car_parks(), "availability": spaces()}
        open_data.mode = "down"
        cron.wait_for("sync-availability: unavailable")
        open_data.mode = "normal"
        ended = len([line for line in cron.lines if line["message"] == "cron: sync-availability ended"])
        cron.wait_for("cron: sync-availability ended", ended + 2)
        assert cron.stop() == 0
    assert cron.lines[-1]["message"] == "cron: stopped"
    assert len([line for line in cron.lines if line["message"] == "cron: sync-parking ended"]) == 1


def test_sigterm_stops_the_run_that_goes_on_and_a_killed_run_is_no_end(tmp_path: Path) -> None:
    gate = Gate()
    with serving(gate) as slow:
        slow.mode = "slow"
        with started("cron", env=variables(slow.url, tmp_path)) as running:
            cron = Watched(running)
            cron.wait_for("cron: sync-parking begins")
            os.kill(_writer(tmp_path), signal.SIGKILL)
            assert cron.wait_for("cron: sync-parking ended")["outcome"] == "killed by signal 9"
            cron.wait_for("cron: sync-availability begins")
            _writer(tmp_path)
            began = time.monotonic()
            assert cron.stop() == 0
            assert time.monotonic() - began < 5
        gate.open()
    assert [line["message"] for line in cron.lines[-3:]] == [
        "sync-availability: stopped",
        "cron: sync-availability ended",
        "cron: stopped",
    ]


def _writer(folder: Path) -> int:
    """Wait for the next process that holds the lock, and return its id; the lock's text is forgotten."""
    lock, ends = folder / "parking.db.lock", time.monotonic() + 10
    while time.monotonic() < ends:
        if (folder / "parking.db").exists() and "process " in (text := lock.read_text()):
            with lock.open("r+") as file:
                file.truncate()
            return int(text.split("process ")[1].split()[0])
        time.sleep(0.005)
    raise AssertionError("nobody took the lock")
