"""A run as the container's process: what it leaves, what it says, and each way it can end."""

from __future__ import annotations

import fcntl
import json
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.apps.parking_etl.conftest import (
    SERVICE,
    Ended,
    car_parks,
    kept,
    load,
    query,
    run,
    serving,
    spaces,
    started,
    variables,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def test_both_jobs_leave_what_the_source_has(open_data: Any, tmp_path: Path) -> None:
    env = variables(open_data.url, tmp_path)
    parking, availability = run("sync-parking", env=env), run("sync-availability", env=env)
    assert kept(tmp_path / "parking.db") == {"car_park": car_parks(), "availability": spaces()}
    expected = {"outcome": "done", "exit_code": 0, "changed": 0, "unchanged": 0, "gone": 0, "pages": 4, "retries": 2}
    for ended, counts in (
        (parking, {"job": "sync-parking", "fetched": 3320, "inserted": 3300, "rejected": 20}),
        (availability, {"job": "sync-availability", "fetched": 3050, "inserted": 3040, "rejected": 10}),
    ):
        assert ended.code == 0
        assert expected | counts == {name: ended.summary[name] for name in expected | counts}
        assert ended.summary["level"] == "info"
        assert 0 < ended.summary["seconds"] < 20
        assert sum(ended.summary["reasons"].values()) == counts["rejected"]
        assert len([line for line in ended.lines if line["message"] == "a row is rejected"]) == counts["rejected"]


def test_a_second_run_touches_no_row(open_data: Any, tmp_path: Path) -> None:
    env, database = variables(open_data.url, tmp_path), tmp_path / "parking.db"
    run("sync-parking", env=env)
    _write(database, "UPDATE car_park SET changed_at = 'before'")
    before = query(database, "SELECT * FROM car_park")
    again = run("sync-parking", env=env)
    assert query(database, "SELECT * FROM car_park") == before
    counts = {name: again.summary[name] for name in ("inserted", "changed", "unchanged", "rejected", "retries")}
    assert counts == {"inserted": 0, "changed": 0, "unchanged": 3300, "rejected": 20, "retries": 0}


def test_what_changed_meanwhile_is_written_and_nothing_else(open_data: Any, tmp_path: Path) -> None:
    env, database = variables(open_data.url, tmp_path, PAGE_SIZE="500"), tmp_path / "parking.db"
    run("sync-availability", env=env)
    for sql in (
        "UPDATE availability SET availablecar = 99999 WHERE id LIKE '02%'",
        "DELETE FROM availability WHERE id LIKE '03%'",
        "INSERT INTO availability VALUES ('gone', 1, 'before', NULL)",
        "INSERT INTO availability VALUES ('900002', 1, 'before', NULL)",
    ):
        _write(database, sql)
    again = run("sync-availability", env=env)
    assert {name: again.summary[name] for name in ("inserted", "changed", "unchanged", "gone")} == {
        "inserted": 300,
        "changed": 300,
        "unchanged": 2440,
        "gone": 1,
    }
    told = query(database, "SELECT id, gone_at IS NULL FROM availability WHERE id IN ('gone', '900002')")
    assert sorted(told) == [("900002", 1), ("gone", 0)], "a row that the source has, and has broken, is not gone"
    _write(database, "DELETE FROM availability WHERE id = '900002'")
    assert kept(database)["availability"] == spaces()


def _write(database: Path, sql: str) -> None:
    connection = load("store").sqlite3.connect(database)
    connection.execute(sql)
    connection.commit()
    connection.close()


def summed_up(ended: Ended, outcome: str) -> str:
    """Return the error of a run that ended with *outcome* as its last line, and no traceback anywhere."""
    assert ended.summary["outcome"] == outcome
    assert ended.summary["exit_code"] == ended.code
    assert [line for line in ended.lines if "outcome" in line] == [ended.summary]
    return str(ended.summary["error"])


def done(url: str, folder: Path) -> Ended:
    return run("sync-parking", env=variables(url, folder))


def usage(url: str, folder: Path) -> Ended:
    ends = [run(*words, env=variables(url, folder)) for words in ((), ("sync",), ("sync-parking", "now"))]
    assert (
        "the command is 'sync-parking now': one of sync-availability, sync-parking, cron would do"
        in (ends[-1].summary["message"])
    )
    assert [ended.code for ended in ends] == [64] * 3
    return ends[0]


def settings(url: str, folder: Path) -> Ended:
    ended = run("sync-parking", env=variables(url, folder, DATABASE="../parking.db", RETRIES="many"))
    assert [variable["name"] for variable in ended.summary["variables"]] == ["DATABASE", "RETRIES"]
    return ended


def bad_data(url: str, folder: Path) -> Ended:
    ended = run("sync-parking", env=variables(url, folder, MAX_REJECTED_PERCENT="0"))
    assert "20 of 3320 rows are unusable, and MAX_REJECTED_PERCENT=0" in summed_up(ended, "bad-data")
    assert kept(folder / "parking.db")["car_park"] == car_parks(), "each good row is good by itself"
    assert query(folder / "parking.db", "SELECT * FROM completed") == []
    return ended


def unavailable(url: str, folder: Path) -> Ended:
    ended = run("sync-parking", env=variables(f"{url}/elsewhere", folder))
    assert "status 404" in summed_up(ended, "unavailable")
    return ended


def fault(url: str, folder: Path) -> Ended:
    broken = folder / "service"
    shutil.copytree(SERVICE, broken, ignore=shutil.ignore_patterns("__pycache__"))
    (broken / "sync.py").unlink()
    ended = run("sync-parking", env=variables(url, folder), cwd=broken)
    assert "No module named 'sync'" in summed_up(ended, "fault")
    assert ended.summary["traceback"].startswith("Traceback")
    return ended


def storage(url: str, folder: Path) -> Ended:
    ended = run("sync-parking", env=variables(url, folder / "not-mounted"))
    assert "No such file or directory" in summed_up(ended, "storage")
    return ended


def busy(url: str, folder: Path) -> Ended:
    with (folder / "parking.db.lock").open("w") as held:
        held.write("somebody\n")
        held.flush()
        fcntl.lockf(held, fcntl.LOCK_EX)
        ended = run("sync-parking", env=variables(url, folder))
    assert summed_up(ended, "busy") == f"{folder / 'parking.db.lock'} is held by somebody"
    assert ended.summary["level"] == "warning"
    assert not (folder / "parking.db").exists()
    return ended


def stopped(_url: str, folder: Path) -> Ended:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        env = variables(f"http://127.0.0.1:{silent.getsockname()[1]}", folder)
        with started("sync-parking", env=env) as running:
            asking, _ = silent.accept()
            with asking:
                running.send_signal(signal.SIGTERM)
                output, _ = running.communicate(timeout=5)
                ended = Ended(running.returncode, output)
    assert summed_up(ended, "stopped") == "told to stop"
    return ended


ENDS = [done, usage, bad_data, unavailable, fault, storage, busy, settings, stopped]


@pytest.mark.parametrize("end", ENDS)
def test_a_run_can_end_like_this(end: Callable[[str, Path], Ended], open_data: Any, tmp_path: Path) -> None:
    code = load("exits").Exit[end.__name__.upper()]
    ended = end(open_data.url, tmp_path)
    assert ended.code == code
    assert ended.summary["level"] == {0: "info", 75: "warning"}.get(code, "error")


def test_every_exit_code_is_reached_and_documented() -> None:
    exits = load("exits")
    assert {end.__name__.upper() for end in ENDS} == set(exits.Exit.__members__)
    told = re.findall(r"^\| ([0-9]+) \| ([a-z-]+) \|", exits.__doc__, re.MULTILINE)
    assert told == [(str(int(code)), code.outcome) for code in exits.Exit]


def test_a_source_that_is_down_is_unavailable_and_then_forgotten(open_data: Any, tmp_path: Path) -> None:
    open_data.mode = "down"
    env = variables(open_data.url, tmp_path, RETRIES="1")
    ended = run("sync-availability", env=env)
    assert (ended.code, ended.summary["retries"]) == (69, 1)
    assert "status 500" in summed_up(ended, "unavailable")
    open_data.mode = "normal"
    assert run("sync-availability", env=env).code == 0
    assert kept(tmp_path / "parking.db")["availability"] == spaces()


def test_a_run_ends_at_its_deadline_and_the_next_one_goes_on(tmp_path: Path) -> None:
    with serving(lambda _seconds: time.sleep(0.3)) as slow:
        slow.mode = "slow"
        env = variables(slow.url, tmp_path, PAGE_SIZE="300")
        ended = run("sync-availability", env=env | {"DEADLINE": "1"})
        assert ended.code == 69
        assert "not done within DEADLINE" in summed_up(ended, "unavailable")
        before = kept(tmp_path / "parking.db")["availability"]
        assert 0 < ended.summary["inserted"] <= len(before) < 3040
        slow.mode = "normal"
        again = run("sync-availability", env=env)
    assert again.code == 0
    assert (again.summary["unchanged"], again.summary["inserted"]) == (len(before), 3040 - len(before))
    assert kept(tmp_path / "parking.db")["availability"] == spaces()


def test_a_file_system_without_room_is_a_storage_error_and_keeps_whole_pages(open_data: Any, tmp_path: Path) -> None:
    """The limit on a file's size stands for it: SQLite sees a write that fails."""
    full = subprocess.run(
        ["/bin/sh", "-c", 'ulimit -f 500; exec "$0" main.py sync-parking', sys.executable],
        env=variables(open_data.url, tmp_path, PAGE_SIZE="200"),
        cwd=SERVICE,
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    ended = Ended(full.returncode, full.stdout)
    assert ended.code == 74
    assert "disk" in summed_up(ended, "storage")
    assert len(kept(tmp_path / "parking.db")["car_park"]) == ended.summary["inserted"] > 0
    assert query(tmp_path / "parking.db", "PRAGMA integrity_check") == [("ok",)]
    assert run("sync-parking", env=variables(open_data.url, tmp_path)).code == 0
    assert kept(tmp_path / "parking.db")["car_park"] == car_parks()


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        ([], "no rows at all"),
        ([{"ID": "1", "AVAILABLECAR": "1"}], "does not turn its pages"),
        ([{"code": "1", "spaces": "1"}], "page 0 has no row with a usable id"),
    ],
)
def test_a_source_that_makes_no_sense_is_bad_data(
    rows: list[Any], why: str, open_data: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Same(list[Any]):
        """The same rows on every page."""

        def __getitem__(self, _: Any) -> Any:
            return rows

    server = load("open_data")
    monkeypatch.setitem(server.DATASETS, server.AVAILABILITY, Same())
    ended = run("sync-availability", env=variables(open_data.url, tmp_path))
    assert ended.code == 65
    assert why in summed_up(ended, "bad-data")


def test_the_log_tells_of_twenty_rejected_rows_and_counts_the_rest(
    open_data: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = load("open_data")
    rows = [{"ID": f"{number:06d}", "AVAILABLECAR": "?" if number % 2 else "1"} for number in range(100)]
    monkeypatch.setitem(server.DATASETS, server.AVAILABILITY, rows)
    ended = run("sync-availability", env=variables(open_data.url, tmp_path))
    assert (ended.code, ended.summary["rejected"], ended.summary["inserted"]) == (65, 50, 50)
    told = [line for line in ended.lines if line["message"] == "a row is rejected"]
    assert len(told) == 20
    assert {"why": "availablecar is no whole number", "id": "000001", "page": 0, "row": 1}.items() <= told[0].items()


def test_a_run_that_finds_the_database_busy_loads_neither_sqlite_nor_http(tmp_path: Path) -> None:
    """Many may come at once, on a quarter of a vCPU."""
    code = "import sys; from main import main; print(main(['sync-parking'])); print(*sys.modules)"
    with (tmp_path / "parking.db.lock").open("w") as held:
        fcntl.lockf(held, fcntl.LOCK_EX)
        said = subprocess.run(  # noqa: S603 -- our own
            [sys.executable, "-c", code],
            env=variables("http://127.0.0.1:1", tmp_path),
            cwd=SERVICE,
            capture_output=True,
            text=True,
            check=True,
        ).stdout.splitlines()
    assert json.loads(said[0])["outcome"] == "busy"
    assert said[1] == "75"
    assert {"sqlite3", "http.client", "ssl", "asyncio"}.isdisjoint(said[2].split())
