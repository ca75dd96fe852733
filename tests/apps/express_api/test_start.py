"""A task is well once its database has met it: has answered it as its own user, who may do what the service does."""

from __future__ import annotations

import os
import subprocess
import time
from typing import TYPE_CHECKING, Any

import pytest

from rehearsal import postgres
from tests.apps.express_api.databases import ADA, API, Database
from tests.apps.express_api.processes import INFO, UNLIMITED, Api, api
from tests.apps.express_api.test_outages import SLACK, Timed

if TYPE_CHECKING:
    from pathlib import Path

WRONG_PASSWORD = "not-the-users-password"  # noqa: S105
NOT_MET = "the database has not met this task yet"


def is_starting(running: Api) -> bool:
    answer = running.send("GET", INFO)
    said = (answer.json["status"], answer.json["database"])
    assert (answer.status, said) in {(200, ("ok", "ok")), (503, ("starting", "unavailable"))}
    return answer.status != 200


def becomes_well(running: Api) -> float:
    """Wait until it is well; return the seconds."""
    began = time.monotonic()
    while is_starting(running):
        assert time.monotonic() - began < 10, running.lines
        time.sleep(0.05)
    return time.monotonic() - began


def never_becomes_well(running: Api, **told: str) -> None:
    """Ask it until it has asked its database three times, and logged why that has not met it each time."""
    while len([line for line in running.lines if line["message"] == NOT_MET]) < 3:
        assert is_starting(running)
        time.sleep(0.05)
    assert running.line(level="warning", message=NOT_MET, **told)


def test_a_task_that_starts_without_a_database_is_well_once_that_is_there(doomed: Database) -> None:
    """By itself, and without an end: ECS would start it again and again, and slower each time."""
    doomed.server.kill()
    with api(doomed, well=False, **UNLIMITED) as running:
        assert is_starting(running)
        assert Timed(lambda: running.login(ADA)).is_clear()
        never_becomes_well(running)
        doomed.server.start()
        assert becomes_well(running) < 2 + SLACK
        assert running.login(ADA).status == 200
        doomed.server.kill()
        time.sleep(1.1)  # after which it asks again
        answer = running.send("GET", INFO)
        assert (answer.status, answer.json["status"], answer.json["database"]) == (200, "ok", "unavailable")
        doomed.server.start()


def test_a_container_says_that_it_is_not_well_yet(database: Database) -> None:
    """ECS asks so; what the load balancer hears is the same."""
    with api(database, well=False, APPLICATION_PASSWORD=WRONG_PASSWORD) as running:
        ended = subprocess.run(
            ["node", "healthcheck.js"],  # noqa: S607 -- the one that the image has too
            env={"PATH": os.environ["PATH"], "BIND_ADDRESS": "127.0.0.1", "PORT": running.host.partition(":")[2]},
            cwd=API, capture_output=True, text=True, timeout=10, check=False,
        )  # fmt: skip
        assert (ended.returncode, ended.stderr.strip()[-15:]) == (1, "it answered 503")


def test_with_a_wrong_password_a_task_never_becomes_well(database: Database) -> None:
    """It would take the place of the version that serves. Why is in the log, and the password is not."""
    with api(database, well=False, APPLICATION_PASSWORD=WRONG_PASSWORD) as running:
        never_becomes_well(running, code="28P01")
        assert Timed(lambda: running.login(ADA)).is_clear()
        assert WRONG_PASSWORD not in str(running.lines)


def test_a_user_who_may_not_do_all_of_it_keeps_a_task_from_being_well(empty: Database) -> None:
    """As where the migration of its version has not run; once it has, the task is well by itself."""
    with api(empty, well=False) as running:
        never_becomes_well(running, code="28P01")
        empty.migrate()
        assert becomes_well(running) < 2 + SLACK
    empty.sql(f"REVOKE INSERT ON api.logins FROM {empty.user}; REVOKE UPDATE ON api.login_attempts FROM {empty.user}")
    with api(empty, well=False) as running:
        told = "its user lacks INSERT on api.logins, UPDATE on api.login_attempts"
        never_becomes_well(running, error_message=told)
        empty.migrate()
        assert becomes_well(running) < 2 + SLACK


def test_a_table_that_is_not_there_does_so_too(empty: Database) -> None:
    empty.migrate()
    empty.sql("DROP TABLE api.login_attempts")
    with api(empty, well=False) as running:
        never_becomes_well(running, code="42P01")


@pytest.mark.parametrize("other", ["DATABASE_HOST", "DATABASE_CA"])
def test_a_server_that_nobody_vouches_for_is_told_nothing(other: str, database: Database, tmp_path: Path) -> None:
    """By another name, or by another authority: neither a password nor a question is sent there."""
    postgres._certify(tmp_path / "ca.pem", tmp_path, ["localhost"])
    wrong: dict[str, Any] = {"DATABASE_HOST": "127.1", "DATABASE_CA": str(tmp_path / "ca.pem")}
    with api(database, well=False, **{other: wrong[other]}) as running:
        never_becomes_well(running)
        assert running.login(ADA).status == 503
