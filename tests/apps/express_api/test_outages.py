"""The database is killed, silent, slow or read-only: requests fail clearly and in time, and no task dies of it."""

from __future__ import annotations

import base64
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from tests.apps.express_api.databases import ADA, Database
from tests.apps.express_api.processes import INFO, UNLIMITED, Api, api, relay

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.apps.microservices.processes import Answered

DEADLINE = 5.0
"""Seconds that a request may take."""
SLACK = 1.5
"""Of a machine that is busy with other tests."""


class Timed:
    """An answer, and when and for how long it was waited for."""

    def __init__(self, ask: Callable[[], Answered]) -> None:
        began = time.monotonic()
        self.answer = ask()
        self.at = time.monotonic()
        self.took = self.at - began
        self.status = self.answer.status

    def is_clear(self) -> bool:
        """Whether it says that the caller may try again, and when."""
        said = self.answer.json["error"]["message"]
        return self.status == 503 and self.answer.headers["Retry-After"] == "2" and "try again" in said


def told(running: Api) -> tuple[int, Any]:
    answer = running.send("GET", INFO)
    return answer.status, answer.json["database"]


def recovered(running: Api, token: str) -> float:
    """Wait until the database is asked again; return the seconds. From then on a login must succeed as well."""
    began = time.monotonic()
    while (running.prescriptions(token).status, told(running)[1]) != (200, "ok"):
        assert time.monotonic() - began < 10, "ten seconds after the database is back, all is as before"
        time.sleep(0.05)
    took = time.monotonic() - began
    assert running.login(ADA).status == 200
    return took


def identifier(token: str) -> str:
    return json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))["jti"]


def test_a_database_that_is_killed_under_load_costs_what_was_asked_meanwhile_and_nothing_else(doomed: Database) -> None:
    with api(doomed, **UNLIMITED) as running:
        token, over = running.token(ADA), threading.Event()

        def ask(what: Callable[[], Answered]) -> list[Timed]:
            asked: list[Timed] = []
            while not over.is_set():
                asked.append(Timed(what))
                time.sleep(0.05)
            return asked

        with ThreadPoolExecutor(8) as pool:
            logins = [pool.submit(ask, lambda: running.login(ADA)) for _ in range(2)]
            pages = [pool.submit(ask, lambda: running.prescriptions(token)) for _ in range(2)]
            health = pool.submit(ask, lambda: running.send("GET", INFO))
            time.sleep(1)
            killed = time.monotonic()
            doomed.server.kill()
            time.sleep(2)
            away = told(running)
            doomed.server.start()
            took = recovered(running, token)
            back = time.monotonic()
            time.sleep(0.5)
            over.set()
            asked = [timed for each in (*logins, *pages) for timed in each.result()]
        assert took < 10
        assert {timed.status for timed in asked} == {200, 503}
        assert all(timed.is_clear() for timed in asked if timed.status == 503)
        assert all(timed.status == 200 for timed in asked if timed.at < killed or timed.at - timed.took > back)
        assert max(timed.took for timed in asked) < DEADLINE + SLACK
        assert away == (200, "unavailable"), "another task would not bring it back"
        assert {timed.status for timed in health.result()} == {200}
        assert max(timed.took for timed in health.result()) < 1 + SLACK
        acknowledged = {
            identifier(timed.answer.json["token"]) for each in logins for timed in each.result() if timed.status == 200
        }
        assert acknowledged
        written = {row[0] for row in doomed.sql("SELECT id FROM api.logins")}
        assert acknowledged <= written, "a token that was given out is a login that was written"


def test_a_database_that_falls_silent_is_waited_for_no_longer_than_a_request_may_take(database: Database) -> None:
    """The loss of its machine refuses nothing; there is just no answer."""
    with relay(database) as (between, environment), api(database, **UNLIMITED, **environment) as running:
        token = running.token(ADA)
        between.silence()
        with ThreadPoolExecutor(20) as pool:
            asked = [pool.submit(Timed, lambda: running.prescriptions(token)) for _ in range(16)]
            asked += [pool.submit(Timed, lambda: running.login(ADA)) for _ in range(2)]
            health = [pool.submit(Timed, lambda: running.send("GET", INFO)) for _ in range(2)]
            assert all(each.result().is_clear() for each in asked)
            assert max(each.result().took for each in asked) < DEADLINE + SLACK
            assert all(each.result().status == 200 for each in health)
            assert max(each.result().took for each in health) < 1 + SLACK
        between.resume()
        assert recovered(running, token) < 10


def test_a_statement_that_takes_too_long_is_given_up_by_the_server_too(database: Database, shop: Api) -> None:
    """Else those who try again would heap them up there."""
    token = shop.token(ADA)
    with ThreadPoolExecutor(2) as pool:
        lock = pool.submit(database.sql, "BEGIN; LOCK TABLE api.prescriptions; SELECT pg_sleep(4)")
        waiting = "SELECT count(*) FROM pg_locks WHERE relation = 'api.prescriptions'::regclass AND {}"
        while database.sql(waiting.format("granted AND mode = 'AccessExclusiveLock'")) == [["0"]]:
            time.sleep(0.02)
        timed = Timed(lambda: shop.prescriptions(token))
        assert timed.is_clear()
        assert timed.took < DEADLINE
        assert database.sql(waiting.format("NOT granted")) == [["0"]]
        assert told(shop) == (200, "ok")
        lock.result()
    assert shop.prescriptions(token).status == 200


def test_a_server_that_a_failover_has_made_read_only_is_one_that_is_away(database: Database, shop: Api) -> None:
    """Its connections are given up, so that the next one finds the new primary."""
    database.sql(f"ALTER ROLE {database.user} SET default_transaction_read_only = on")
    try:
        with api(database) as running:
            assert Timed(lambda: running.login(ADA)).is_clear()
            running.line(level="warning", code="25006")
    finally:
        database.sql(f"ALTER ROLE {database.user} RESET default_transaction_read_only")
    assert shop.login(ADA).status == 200


def test_a_user_that_is_locked_out_is_told_in_the_log_and_its_task_is_kept(empty: Database) -> None:
    """As between a rotation and the deployment that follows it: what is open goes on, and no more is let in."""
    empty.migrate()
    empty.add(ADA)
    with api(empty) as running:
        empty.sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'express-api' "
            "AND datname = current_database()",
            as_application=True,
        )
        empty.sql(f"ALTER ROLE {empty.user} PASSWORD 'another-one'")
        assert Timed(lambda: running.login(ADA)).is_clear()
        running.line(level="warning", code="28P01")
        time.sleep(1.1)  # after which it asks again
        assert told(running) == (200, "unavailable")
        assert empty.password not in str(running.lines)
