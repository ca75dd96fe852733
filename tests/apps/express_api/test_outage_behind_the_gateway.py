"""The database of a deployment is killed under load: callers of the gateway are told so in time, and lose nothing."""

from __future__ import annotations

import itertools
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Self

import pytest

from tests.apps.express_api.deployed import ADA, HEALTH_TIMEOUT, Deployed, deploy, watched
from tests.apps.express_api.test_outages import DEADLINE, SLACK, Timed, identifier

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.apps.microservices.processes import Answered

LOGIN_EVERY = 0.3
"""Seconds between two logins of one caller: two callers together stay within the ten a second of the stage."""
READ_EVERY = 0.05
"""Likewise, of four callers within a hundred."""


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    with deploy(tmp_path_factory.mktemp("outage")) as made:
        yield made


class Load:
    """Logins, which write, and reads, through the gateway, for as long as its block goes on."""

    def __init__(self, deployed: Deployed, pool: ThreadPoolExecutor) -> None:
        self._over = threading.Event()
        token = deployed.token(ADA)
        # One address may try to log in a hundred times in a quarter of an hour.
        callers = map("127.9.0.{}".format, itertools.cycle(range(1, 255)))
        self._logins = [
            pool.submit(self._keep_asking, LOGIN_EVERY, lambda: deployed.login(ADA, caller=next(callers)))
            for _ in range(2)
        ]
        self._pages = [
            pool.submit(self._keep_asking, READ_EVERY, lambda: deployed.prescriptions(token)) for _ in range(4)
        ]

    def __enter__(self) -> Self:
        """Go on."""
        return self

    def __exit__(self, *_: object) -> None:
        """Ask no more."""
        self._over.set()

    def _keep_asking(self, every: float, ask: Callable[[], Answered]) -> list[Timed]:
        asked: list[Timed] = []
        while not self._over.wait(every):
            asked.append(Timed(ask))
        return asked

    @property
    def logins(self) -> list[Timed]:
        """What the logins came to."""
        return [timed for each in self._logins for timed in each.result()]

    @property
    def pages(self) -> list[Timed]:
        """What the reads came to."""
        return [timed for each in self._pages for timed in each.result()]


def recovered(deployed: Deployed) -> float:
    """Wait until a login and a read succeed again; return the seconds."""
    began = time.monotonic()
    while (answer := deployed.login(ADA, caller="127.8.0.1")).status != 200:
        assert time.monotonic() - began < 10, "ten seconds after the database is back, all is as before"
        time.sleep(LOGIN_EVERY)
    assert deployed.prescriptions(answer.json["token"]).status == 200
    return time.monotonic() - began


def test_a_database_that_is_killed_under_load_costs_what_was_asked_meanwhile_and_nothing_else(
    deployed: Deployed,
) -> None:
    """Neither the gateway nor ECS makes an outage of the service out of one of the database."""
    with ThreadPoolExecutor(7) as pool, watched(deployed) as health, Load(deployed, pool) as load:
        time.sleep(3)
        # Logins that are about to be written when the end comes: one told of before would be lost with it.
        pool.submit(deployed.database.sql, "BEGIN; LOCK TABLE api.logins; SELECT pg_sleep(9)")
        time.sleep(1)
        killed = time.monotonic()
        deployed.server.kill()
        time.sleep(3)
        meanwhile, away = deployed.state(), deployed.health().json["database"]
        deployed.server.start()
        took = recovered(deployed)
        back = time.monotonic()
        time.sleep(2)
    logins, pages = load.logins, load.pages
    asked = logins + pages
    assert took < 10
    assert {timed.status for timed in logins} == {timed.status for timed in pages} == {200, 503}
    assert all(timed.is_clear() for timed in asked if timed.status != 200)
    assert all(timed.status == 200 for timed in asked if timed.at < killed or timed.at - timed.took > back)
    assert max(timed.took for timed in asked) < DEADLINE + SLACK
    assert away == "unavailable"
    assert deployed.at_first == meanwhile == deployed.state(), "another task would not bring the database back"
    assert meanwhile[1] == ["healthy"]
    assert {timed.status for timed in health} == {200}
    assert max(timed.took for timed in health) < HEALTH_TIMEOUT
    acknowledged = {identifier(timed.answer.json["token"]) for timed in logins if timed.status == 200}
    written = {row[0] for row in deployed.database.sql("SELECT id FROM api.logins")}
    assert acknowledged
    assert acknowledged <= written, "a token that was given out is a login that was written"


def test_a_task_that_is_deployed_while_the_database_is_away_takes_no_ones_place_until_that_is_back(
    deployed: Deployed,
) -> None:
    """As a rotated secret has it. Nothing shows yet that it can serve; the one before goes on as it was."""
    ((old,), _) = deployed.state()
    deployed.server.kill()
    deployed.redeploy()
    new = until(deployed, lambda tasks, health: len(tasks) == 2 and sorted(health) == ["healthy", "unhealthy"])
    assert old in new
    assert Timed(lambda: deployed.login(ADA, caller="127.8.0.2")).is_clear()
    assert deployed.health().status == 200
    deployed.server.start()
    assert recovered(deployed) < 10
    assert until(deployed, lambda tasks, health: len(tasks) == 1 and health == ["healthy"]) == new - {old}


def until(deployed: Deployed, fits: Callable[[list[str], list[str]], bool]) -> set[str]:
    """Wait until its tasks and their health are as wanted; return the tasks."""
    ends = time.monotonic() + 30
    while not fits(*(state := deployed.state())):
        assert time.monotonic() < ends, state
        time.sleep(0.1)
    return {*state[0]}
