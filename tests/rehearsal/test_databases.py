"""Each database of a run is a PostgreSQL of its own, at an address of its own, with the rows of scripts."""

from __future__ import annotations

import csv
import dataclasses
import io
import ssl
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from rehearsal import databases, keeper
from rehearsal.databases import Databases, RowsError
from rehearsal.graph import Registered
from rehearsal.script import Rows, Script
from rehearsal.tree import Tree

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from rehearsal.keeper import Run

ADDRESSES = {"shop-1a2b3c4": "127.43.21.10", "till-1a2b3c4": "127.43.21.11"}
PASSWORD = "quote ' and \\ slash"  # noqa: S105 - nobody's
TABLE = """
    CREATE SCHEMA api;
    CREATE TABLE api.things (
        id integer PRIMARY KEY, name text, "Odd ""name" text, price numeric, day date, tags jsonb,
        made_at timestamptz NOT NULL DEFAULT now()
    )
"""


@pytest.fixture(scope="module")
def run() -> Iterator[Run]:
    with keeper.keep() as kept:
        yield kept


@pytest.fixture(scope="module")
def opened(run: Run) -> Iterator[Databases]:
    """A run with two databases, of which the one has a table."""
    with Databases(run, ADDRESSES.__getitem__) as made:
        for identifier, address in ADDRESSES.items():
            server = made(identifier=identifier, database="api", user="master", password=PASSWORD)
            assert server == (address, 5432)
        done = databases.sql(made.server("shop-1a2b3c4"), TABLE)
        assert done.returncode == 0, done.stderr
        yield made


@pytest.fixture
def shop(opened: Databases) -> Iterator[Databases]:
    """It, with that table empty."""
    yield opened
    databases.sql(opened.server("shop-1a2b3c4"), "TRUNCATE api.things")


def rows(*said: dict[str, Any], table: str = "api.things") -> Rows:
    return Rows.model_validate({"database": "database", "table": table, "rows": said})


def found(made: Databases, asked: str) -> list[list[str]]:
    done = databases.sql(made.server("shop-1a2b3c4"), asked)
    assert done.returncode == 0, done.stderr
    return [*csv.reader(io.StringIO(done.stdout))]


def test_rows_are_there_as_they_were_said(shop: Databases) -> None:
    """Numbers, days and objects too; quotes and backslashes are text, and no column that nobody names is null."""
    odd = "it's \\ a \"text\"\nof two lines: 'x'); DROP TABLE api.things; --"
    shop.put(
        "shop-1a2b3c4",
        rows(
            {"id": 1, "name": odd, 'Odd "name': "odd", "price": 1.25, "day": date(2026, 1, 5), "tags": {"a": ["b"]}},
            {"id": 2, "name": None, 'Odd "name': "", "price": "3", "day": "2026-01-06", "tags": []},
        ),
    )
    asked = 'SELECT id, name, "Odd ""name", price, day, tags, made_at IS NULL FROM api.things ORDER BY id'
    assert found(shop, asked) == [
        ["1", odd, "odd", "1.25", "2026-01-05", '{"a": ["b"]}', "f"],
        ["2", "", "", "3", "2026-01-06", "[]", "f"],
    ]
    assert found(shop, "SELECT id FROM api.things WHERE name IS NULL") == [["2"]]


@pytest.mark.parametrize(
    ("said", "table", "told"),
    [
        ({"id": "x"}, "api.things", "invalid input syntax for type integer"),
        ({"colour": "blue"}, "api.things", 'column "colour" of relation "things" does not exist'),
        ({"id": 1}, "api.nothing", 'relation "api.nothing" does not exist'),
    ],
)
def test_rows_that_a_table_does_not_take_are_told_with_why(
    said: dict[str, Any], table: str, told: str, shop: Databases
) -> None:
    with pytest.raises(RowsError) as refused:
        shop.put("shop-1a2b3c4", rows(said, table=table))
    assert str(refused.value).startswith(f"rows for {table} of shop-1a2b3c4: PostgreSQL refused: ")
    assert told in str(refused.value)
    assert PASSWORD not in str(refused.value)


def test_a_row_that_is_refused_is_quoted_nowhere(shop: Databases) -> None:
    """Neither in the error nor in PostgreSQL's own log, which is told when it does not start again."""
    said = {"id": 1, "name": "a password's hash"}
    with pytest.raises(RowsError, match="made_at"):
        shop.put("shop-1a2b3c4", rows(said | {"made_at": None}))
    with pytest.raises(RowsError) as refused:
        shop.put("shop-1a2b3c4", rows(said, said))
    log = shop.server("shop-1a2b3c4").log.read_text()
    assert "duplicate key" in log
    assert "hash" not in str(refused.value) + log


def test_of_several_rows_all_are_put_or_none(shop: Databases) -> None:
    with pytest.raises(RowsError, match="duplicate key"):
        shop.put("shop-1a2b3c4", rows({"id": 1}, {"id": 1}))
    assert found(shop, "SELECT count(*) FROM api.things") == [["0"]]


def test_a_database_that_is_not_there_is_told_with_those_there_are(shop: Databases, run: Run) -> None:
    with pytest.raises(RowsError, match="there is no database 'till'; there are shop-1a2b3c4, till-1a2b3c4"):
        shop.put("till", rows({"id": 1}))
    with (
        Databases(run, ADDRESSES.__getitem__) as none,
        pytest.raises(RowsError, match="there is no database 'till'; there are none"),
    ):
        none.server("till")


def test_the_authorities_are_those_of_all_databases(opened: Databases) -> None:
    """An image is told one file; each server has an authority of its own, and is refused by the other's alone."""
    known = ssl.create_default_context(cafile=str(opened.authorities))
    assert known.cert_store_stats()["x509_ca"] == len(ADDRESSES)
    shop, till = (opened.server(identifier) for identifier in ADDRESSES)
    bundle = opened.authorities.read_bytes()
    assert bundle.count(shop.ca_file.read_bytes()) == bundle.count(till.ca_file.read_bytes()) == 1


def test_the_end_of_the_block_is_the_end_of_the_servers(run: Run) -> None:
    """And of what they had."""
    with Databases(run, lambda _: "127.43.21.12") as made:
        made(identifier="shop", database="api", user="master", password=PASSWORD)
        server = made.server("shop")
        assert databases.sql(server, "SELECT current_database()").stdout == "api\n"
        folder: Path = server.ca_file.parent
    assert databases.sql(server, "SELECT 1").returncode != 0
    assert not folder.exists()


def test_a_database_whose_authorities_no_script_names_is_told() -> None:
    """Its containers end for want of a file, or of a server that they trust, and do not say where either is named."""
    shop = Registered(urn="urn:shop", type="drydock:index:Shop", name="shop", parent="", custom=False, inputs={})
    data = dataclasses.replace(shop, urn="urn:data", type="aws:rds/instance:Instance", name="data", parent="urn:shop")
    tree = Tree([shop, data], {"workloads": {"shop": {}}})
    (told,) = databases.unvouched(tree, "shop", Script())
    assert told.startswith("shop has a database, and its script no `authorities`: name the variable")
    assert databases.unvouched(tree, "shop", Script(authorities="DATABASE_CA")) == []
    assert databases.unvouched(Tree([shop], {"workloads": {"shop": {}}}), "shop", Script()) == []


def test_an_instance_without_a_database_of_its_own_has_postgres_for_its_masters() -> None:
    """As RDS has it, which makes none where none is named."""
    with keeper.keep() as run, Databases(run, lambda _: "127.43.21.12") as plain:
        plain(identifier="plain", database="", user="master", password=PASSWORD)
        ended = databases.sql(plain.server("plain"), "CREATE TABLE things (name text)")
        assert ended.returncode == 0, ended.stderr
