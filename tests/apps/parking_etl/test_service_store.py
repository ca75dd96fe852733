"""The database: what a page of rows does to it, and what it refuses."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.apps.parking_etl.conftest import SERVICE, load, query

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NOON, LATER = "2026-01-05T12:00:00Z", "2026-01-05T12:05:00Z"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "parking.db"


@pytest.fixture
def store(path: Path) -> Iterator[Any]:
    with load("store").Store(str(path)) as opened:
        yield opened


def merge(store: Any, rows: dict[str, int | None], now: str = NOON) -> tuple[int, int, int]:
    merged = store.merge(load("datasets").AVAILABILITY, list(rows.items()), now)
    return merged.inserted, merged.changed, merged.unchanged


def complete(store: Any, *seen: str, now: str = LATER, max_gone_percent: int = 50) -> int:
    return store.complete(load("datasets").AVAILABILITY, set(seen), now, max_gone_percent)


def rows(path: Path) -> list[tuple[Any, ...]]:
    return query(path, "SELECT id, availablecar, changed_at, gone_at FROM availability ORDER BY id")


def test_a_row_is_inserted_changed_or_left_alone(store: Any, path: Path) -> None:
    assert merge(store, {"a": 1, "b": 2, "c": None}) == (3, 0, 0)
    assert merge(store, {"a": 1, "b": 3, "c": 0, "d": 4}, LATER) == (1, 2, 1)
    assert rows(path) == [("a", 1, NOON, None), ("b", 3, LATER, None), ("c", 0, LATER, None), ("d", 4, LATER, None)]


def test_rows_that_are_as_they_were_cost_no_write(store: Any, path: Path) -> None:
    merge(store, {"a": 1, "b": None})
    before = path.read_bytes()
    assert merge(store, {"a": 1, "b": None}, LATER) == (0, 0, 2)
    assert path.read_bytes() == before


def test_every_column_of_a_dataset_is_kept_and_compared(store: Any) -> None:
    """A column that the comparison left out would never change again."""
    dataset = load("datasets").PARKING
    row = ("010001", "區", "名", "1", "s", "a", "t", "p", "24", 296882.5, 2767068.0, 4, 5, 6)
    assert store.merge(dataset, [row], NOON).inserted == 1
    for index in range(1, len(row)):
        other = "x" if isinstance(row[index], str) else 7
        row = (*row[:index], other, *row[index + 1 :])
        assert store.merge(dataset, [row], NOON).changed == 1, list(dataset.columns)[index]
        assert store.merge(dataset, [row], NOON).unchanged == 1


def test_what_the_source_has_no_longer_is_marked_and_kept(store: Any, path: Path) -> None:
    merge(store, {"a": 1, "b": 2, "c": 3})
    assert complete(store, "a", "c") == 1
    assert complete(store, "a", "c", now="2026-01-06T00:00:00Z") == 0, "it is gone since the first time"
    assert rows(path)[1] == ("b", 2, NOON, LATER)
    assert query(path, "SELECT * FROM completed") == [("availability", "2026-01-06T00:00:00Z", 2)]


def test_a_row_that_comes_back_is_unmarked_even_if_it_is_as_it_was(store: Any, path: Path) -> None:
    merge(store, {"a": 1, "b": 2})
    complete(store, "a")
    assert merge(store, {"a": 1, "b": 2}, LATER) == (0, 1, 1)
    assert rows(path) == [("a", 1, NOON, None), ("b", 2, LATER, None)]


def test_a_source_that_lost_most_of_its_rows_marks_none(store: Any, path: Path) -> None:
    merge(store, {"a": 1, "b": 2, "c": 3})
    before = rows(path)
    with pytest.raises(load("exits").BadDataError, match=r"2 of 3 rows .* MAX_GONE_PERCENT=50"):
        complete(store, "a")
    assert rows(path) == before
    assert query(path, "SELECT * FROM completed") == []
    assert complete(store, "a", max_gone_percent=100) == 2


def test_a_page_is_kept_wholly_or_not_at_all(store: Any, path: Path) -> None:
    merge(store, {"a": 1})
    with pytest.raises(load("exits").StorageError, match="cannot store TEXT value in INTEGER column"):
        store.merge(load("datasets").AVAILABILITY, [("a", 2), ("b", 3), ("c", "many")], LATER)
    assert rows(path) == [("a", 1, NOON, None)]


def test_any_pages_in_any_order_leave_what_the_last_one_said(store: Any, path: Path) -> None:
    chance, expected = random.Random(7), dict[str, int | None]()  # noqa: S311
    for _ in range(150):
        page = {f"{chance.randrange(60):02d}": chance.choice([None, 0, 1, 2]) for _ in range(chance.randrange(12))}
        inserted = len(page.keys() - expected.keys())
        changed = sum(expected.get(key, value) != value for key, value in page.items())
        assert merge(store, page) == (inserted, changed, len(page) - inserted - changed)
        expected |= page
    assert [(key, value) for key, value, *_ in rows(path)] == sorted(expected.items())


def test_the_journal_is_one_that_nfs_can_have(path: Path) -> None:
    """A database that somebody turned to write-ahead logging is turned back."""
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.close()
    with load("store").Store(str(path)):
        assert query(path, "PRAGMA journal_mode") == [("delete",)]


def test_a_database_of_a_newer_schema_is_left_alone(store: Any, path: Path) -> None:
    query(path, "PRAGMA user_version = 9")
    before = path.read_bytes()
    with pytest.raises(load("exits").StorageError, match="schema version 9, and this image knows 1: a newer image"):
        load("store").Store(str(path))
    assert path.read_bytes() == before


def test_a_file_that_is_no_database_is_left_alone(path: Path) -> None:
    path.write_text("not a database, but longer than the header of one\n" * 10)
    before = path.read_bytes()
    with pytest.raises(load("exits").StorageError, match="file is not a database"):
        load("store").Store(str(path))
    assert path.read_bytes() == before


def test_a_reader_holds_a_writer_up_but_not_for_ever(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load("store"), "READER_SECONDS", 0.05)
    with load("store").Store(str(path)) as store:
        merge(store, {"a": 1, "b": 2})
        reader = sqlite3.connect(path)
        reading = reader.execute("SELECT id FROM availability")
        reading.fetchone()
        with pytest.raises(load("exits").StorageError, match="database is locked"):
            merge(store, {"a": 5})
        reading.close()
        reader.close()
        assert merge(store, {"a": 5}) == (0, 1, 0)


_KILLED = """
import os, signal, sys
from datasets import AVAILABILITY
from store import Store
store = Store(sys.argv[1])
store._database.execute("PRAGMA cache_size = 1")
rows = [(f"{number:05d}", 1) for number in range(20_000)]
with store._transaction() as database:
    database.executemany("INSERT INTO availability VALUES (?, ?, 'now', NULL)", rows)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_writer_killed_inside_a_transaction_leaves_nothing_of_it(store: Any, path: Path) -> None:
    merge(store, {"a": 1})
    size = path.stat().st_size
    env = {"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1"}
    killed = subprocess.run([sys.executable, "-c", _KILLED, str(path)], cwd=SERVICE, env=env, check=False)  # noqa: S603
    assert killed.returncode == -signal.SIGKILL
    assert path.stat().st_size > size, "half of it is in the file,"
    assert path.with_name("parking.db-journal").exists(), "and a journal to undo it beside it"
    with load("store").Store(str(path)) as reopened:
        assert merge(reopened, {"a": 1, "b": 2}) == (1, 0, 1)
    assert [key for key, *_ in rows(path)] == ["a", "b"]
    assert path.stat().st_size == size
    assert query(path, "PRAGMA integrity_check") == [("ok",)]
