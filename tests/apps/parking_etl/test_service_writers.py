"""Many writers and dead ones: one database, and never two runs in it."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

from tests.apps.parking_etl.conftest import (
    SERVICE,
    Ended,
    Gate,
    car_parks,
    kept,
    load,
    query,
    run,
    serving,
    started,
    variables,
)

if TYPE_CHECKING:
    from pathlib import Path

RUNS = 200


def test_of_200_runs_started_at_once_one_works_and_199_are_busy_and_change_nothing(tmp_path: Path) -> None:
    """All wait at one pipe, which is closed; the source gives nothing until the 199 have ended."""
    gate = Gate()
    with serving(gate) as server:
        server.mode = "slow"
        start, shot = os.pipe()
        command = ["/bin/sh", "-c", 'read line; exec "$0" main.py sync-parking', sys.executable]
        logs = [tmp_path / f"{number}.log" for number in range(RUNS)]
        runs: list[subprocess.Popen[bytes]] = []
        env = variables(server.url, tmp_path)
        try:
            for log in logs:
                with log.open("w") as output:
                    runs.append(
                        subprocess.Popen(  # noqa: S603 -- our own
                            command, env=env, cwd=SERVICE, stdin=start, stdout=output, stderr=output
                        )
                    )
            os.close(shot)
            ends = time.monotonic() + 60
            while (left := [running for running in runs if running.poll() is None]) and len(left) > 1:
                assert time.monotonic() < ends, f"{len(left)} of {RUNS} go on"
                time.sleep(0.01)
            (working,) = left
            assert [running.returncode for running in runs if running is not working] == [75] * (RUNS - 1)
            assert gate.asked.wait(20)
            made = {path.name for path in tmp_path.iterdir()} - {log.name for log in logs}
            assert made <= {"parking.db", "parking.db.lock"}
            assert kept(tmp_path / "parking.db") == {"car_park": [], "availability": []}
            gate.open()
            assert working.wait(20) == 0
        finally:
            gate.open()
            os.close(start)
            for running in runs:
                running.kill()
                running.wait()
    ended = [Ended(running.returncode, log.read_text()) for running, log in zip(runs, logs, strict=True)]
    assert [one.summary["outcome"] for one in ended].count("busy") == RUNS - 1
    assert f"held by sync-parking, process {working.pid} on" in next(
        one.summary["error"] for one in ended if one.code == 75
    )
    (worked,) = (one for one in ended if one.code == 0)
    assert worked.summary["inserted"] == 3300
    assert kept(tmp_path / "parking.db")["car_park"] == car_parks()


def test_the_lock_is_free_as_soon_as_its_holder_is_killed(open_data: Any, tmp_path: Path) -> None:
    gate = Gate()
    with serving(gate) as slow:
        slow.mode = "slow"
        with started("sync-parking", env=variables(slow.url, tmp_path)) as running:
            while not (tmp_path / "parking.db").exists():
                time.sleep(0.005)
            assert run("sync-availability", env=variables(open_data.url, tmp_path)).code == 75
            running.kill()
            running.wait()
            assert run("sync-availability", env=variables(open_data.url, tmp_path)).code == 0
        gate.open()


def test_whenever_a_writer_is_killed_the_next_run_mends_it(open_data: Any, tmp_path: Path) -> None:
    """No row is lost, doubled or half written, and what is kept in between is whole."""
    chance, database = random.Random(), tmp_path / "parking.db"  # noqa: S311
    env = variables(open_data.url, tmp_path, PAGE_SIZE="50")
    whole = set(car_parks())
    found: list[int] = []
    for _ in range(14):
        if database.exists():
            _spoil(database)
        with started("sync-parking", env=env) as running:
            while not database.exists():
                time.sleep(0.005)
            time.sleep(chance.uniform(0.05, 0.5))
            running.send_signal(signal.SIGKILL)
            running.wait()
        if query(database, "PRAGMA user_version") == [(0,)]:
            continue
        assert query(database, "PRAGMA integrity_check") == [("ok",)]
        rows = [row for row in kept(database)["car_park"] if row[2] != "spoilt"]
        assert set(rows) <= whole
        assert len(rows) == len(set(rows))
        found.append(len(rows))
    assert any(0 < count < 3300 for count in found), f"no run was killed in its midst: {found}"
    assert run("sync-parking", env=env).code == 0
    assert kept(database)["car_park"] == car_parks()


def _spoil(database: Path) -> None:
    """Make work for the next run: half of the rows are otherwise, and a quarter is missing."""
    connection = load("store").sqlite3.connect(database)
    if connection.execute("PRAGMA user_version").fetchone() == (1,):
        connection.execute("UPDATE car_park SET name = 'spoilt' WHERE rowid % 2")
        connection.execute("DELETE FROM car_park WHERE rowid % 4 = 0")
        connection.commit()
    connection.close()
