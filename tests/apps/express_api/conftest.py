"""One PostgreSQL and one API for all tests that leave them as they were."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from rehearsal import keeper, postgres
from tests.apps.express_api.databases import CLIENTS, Database
from tests.apps.express_api.processes import UNLIMITED, Api, api

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def _server() -> Iterator[Database]:
    with keeper.keep() as run:
        server = postgres.start(run, database="shop")
        try:
            yield Database(server, "shop")
        finally:
            server.stop()


@pytest.fixture(scope="session")
def database() -> Iterator[Database]:
    """A database that is migrated and has its clients."""
    with _server() as made:
        made.migrate()
        made.add(*CLIENTS)
        yield made


@pytest.fixture
def empty(database: Database) -> Database:
    """A database of one's own, with nothing in it."""
    return database.new()


@pytest.fixture(scope="module")
def doomed() -> Iterator[Database]:
    """A database on a server of its own, to be killed and started again; with its clients."""
    with _server() as made:
        made.migrate()
        made.add(*CLIENTS)
        yield made


@pytest.fixture(scope="session")
def shop(database: Database) -> Iterator[Api]:
    """The API, with limits that no test reaches unless it means to."""
    with api(database, PROXIES="1", **UNLIMITED) as running:
        yield running
