"""The API as a server: its health, its ids, its stop, its environment."""

from __future__ import annotations

import json
import os
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.apps.express_api.databases import ADA, API, TOKEN_KEY, Database
from tests.apps.express_api.processes import INFO, LOGIN, PRESCRIPTION, UNLIMITED, Api, api


def test_its_health_has_the_version_of_the_image(shop: Api) -> None:
    answer = shop.send("GET", INFO)
    version = json.loads((API / "package.json").read_text())["version"]
    assert (answer.status, answer.json) == (200, {"status": "ok", "version": version, "database": "ok"})


def test_its_health_is_asked_of_the_database_once_a_second_however_many_ask(database: Database) -> None:
    count = "SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()"
    with api(database) as running:
        before = int(database.sql(count)[0][0])
        with ThreadPoolExecutor(8) as pool:
            assert {answer.status for answer in pool.map(lambda _: running.send("GET", INFO), range(200))} == {200}
        time.sleep(1.1)  # after which PostgreSQL has counted what was asked
        assert int(database.sql(count)[0][0]) - before < 20


def test_every_connection_is_the_applications_and_encrypted(database: Database) -> None:
    """The master's password is nowhere in the service."""
    mine = """SELECT usename, ssl, version FROM pg_stat_activity JOIN pg_stat_ssl USING (pid)
        WHERE application_name = 'express-api' AND datname = current_database()"""
    with api(database, DATABASE_CONNECTIONS="3", **UNLIMITED) as running:
        token = running.token(ADA)
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda _: running.prescriptions(token), range(100)))
        found = database.sql(mine, as_application=True)
        assert {tuple(row) for row in found} == {(database.user, "t", "TLSv1.3")}
        assert len([row for row in found if row]) >= 3


@pytest.mark.parametrize("path", [INFO, LOGIN, PRESCRIPTION])
def test_a_method_that_a_path_has_not_is_refused(path: str, shop: Api) -> None:
    answer = shop.send("DELETE", path)
    assert answer.status == 405
    assert answer.headers["Allow"] == ("POST" if path == LOGIN else "GET, HEAD")


def test_a_request_keeps_its_id_through_answer_and_log(shop: Api) -> None:
    for given in ("7f3a-of.the:gateway_1", "two words", "x" * 129, ""):
        answer = shop.send("GET", "/nowhere", X_Request_Id=given)
        found = answer.headers["X-Request-Id"]
        assert answer.json["request_id"] == found
        assert (found == given) == given.startswith("7f3a")
        assert shop.line(request_id=found) | {"route": "none", "status": 404} == shop.line(request_id=found)


def test_what_goes_well_all_day_is_not_logged(shop: Api) -> None:
    shop.send("GET", INFO)
    shop.prescriptions(shop.token(ADA))
    shop.line(route=PRESCRIPTION, status=200, method="GET")
    assert not [line for line in shop.lines if line.get("route") == INFO and line["status"] == 200]


def test_what_is_in_flight_at_sigterm_is_finished_and_so_is_what_comes_meanwhile(database: Database) -> None:
    """Of a rolling replacement under load no request may be lost."""
    with api(database, **UNLIMITED) as running, ThreadPoolExecutor(2) as pool:
        token = running.token(ADA)
        lock = pool.submit(database.sql, "BEGIN; LOCK TABLE api.prescriptions; SELECT pg_sleep(1.5)")
        held = """SELECT count(*) FROM pg_locks
            WHERE relation = 'api.prescriptions'::regclass AND granted AND mode = 'AccessExclusiveLock'"""
        while database.sql(held) == [["0"]]:
            time.sleep(0.02)
        waiting = pool.submit(running.prescriptions, token)
        time.sleep(0.2)
        running.terminate()
        time.sleep(0.2)
        health, meanwhile = running.send("GET", INFO), running.login(ADA)
        assert (health.status, health.json["status"]) == (503, "draining")
        assert (meanwhile.status, meanwhile.headers["Connection"]) == (200, "close")
        assert not waiting.done()
        assert waiting.result().status == 200
        lock.result()
        assert running.read_to_the_end() == 0
        assert running.lines[-1] | {"message": "stopped", "cut": 0} == running.lines[-1]


def test_every_variable_at_fault_is_named_at_once_and_no_secret_is_quoted(database: Database) -> None:
    whole = {"TOKEN_KEY": TOKEN_KEY, **database.place, **database.application}
    for variables, named in (
        ({}, ["TOKEN_KEY is not set", "DATABASE_HOST", "DATABASE_NAME", "DATABASE_CA", "APPLICATION_PASSWORD is not"]),
        (whole | {"TOKEN_KEY": "sesame"}, ["TOKEN_KEY is set to something else: a secret of 32 bytes"]),
        (whole | {"TOKEN_KEY_PREVIOUS": "sesame"}, ["TOKEN_KEY_PREVIOUS is set to something else"]),
        (whole | {"APPLICATION_PASSWORD": "sesame"}, ["APPLICATION_PASSWORD is set to something else"]),
        (
            whole
            | {"PORT": "65536", "BIND_ADDRESS": "here", "PROXIES": "-1", "TOKEN_MINUTES": "0", "DATABASE_PORT": "x"},
            ["PORT is", "BIND_ADDRESS is", "PROXIES is", "TOKEN_MINUTES is", "a whole number from 1 to 1440"],
        ),
        (whole | {"DATABASE_HOST": "a b", "DATABASE_CA": "/dev/null"}, ["DATABASE_HOST is", "DATABASE_CA is"]),
    ):
        ended = subprocess.run(
            ["node", "main.js"],  # noqa: S607 -- the one that the image has too
            env={"PATH": os.environ["PATH"], **variables},
            cwd=API, capture_output=True, text=True, timeout=10, check=False,
        )  # fmt: skip
        assert (ended.returncode, ended.stderr) == (2, "")
        assert all(each in ended.stdout for each in named)
        assert "sesame" not in ended.stdout


def test_a_port_that_is_taken_is_an_end_with_a_reason(database: Database, shop: Api) -> None:
    ended = subprocess.run(
        ["node", "main.js"],  # noqa: S607
        env={"PATH": os.environ["PATH"], "BIND_ADDRESS": "127.0.0.1", "PORT": shop.host.split(":")[1],
             "TOKEN_KEY": TOKEN_KEY, **database.place, **database.application},
        cwd=API, capture_output=True, text=True, timeout=10, check=False,
    )  # fmt: skip
    assert (ended.returncode, ended.stderr) == (1, "")
    assert "cannot listen" in ended.stdout


def test_a_container_can_say_whether_it_is_well(shop: Api) -> None:
    """ECS asks so; the image has no curl."""
    for port, code in ((shop.host.partition(":")[2], 0), ("9", 1)):
        ended = subprocess.run(
            ["node", "healthcheck.js"],  # noqa: S607
            env={"PATH": os.environ["PATH"], "BIND_ADDRESS": "127.0.0.1", "PORT": port},
            cwd=API, capture_output=True, text=True, timeout=10, check=False,
        )  # fmt: skip
        assert ended.returncode == code, ended.stderr
