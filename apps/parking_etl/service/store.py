"""The database: one SQLite file on a shared file system, written by whoever holds the lock (see `lock`).

A row that the source has no longer is marked (`gone_at`), not deleted: what refers to it still finds it, and a source
that loses a row by mistake costs nothing. It is marked only by a run that saw the whole dataset, and unmarked by the
next that sees the row again. `changed_at` is when a row was last written for what the source says, not when it was
last seen: rows that are as they were are not touched.

Fit for NFS: a rollback journal, since write-ahead logging needs memory that hosts do not share; no memory mapping; what
is temporary in memory, since the container's root file system is read-only.
https://www.sqlite.org/wal.html, https://www.sqlite.org/lockingv3.html
"""

from __future__ import annotations

import json
import sqlite3
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Self

from exits import BadDataError, StorageError

if TYPE_CHECKING:
    from collections.abc import Collection, Generator, Sequence

    from datasets import Dataset, Row

READER_SECONDS: Final = 20
"""How long a transaction waits for those who read the database just then."""

# Each element brings an older database up by one version, and is never changed once it was deployed.
_SCHEMA: Final = (
    (
        """CREATE TABLE car_park (
            id TEXT PRIMARY KEY, area TEXT, name TEXT NOT NULL, type TEXT, summary TEXT, address TEXT, tel TEXT,
            payex TEXT, servicetime TEXT, tw97x REAL, tw97y REAL, totalcar INTEGER, totalmotor INTEGER,
            totalbike INTEGER, changed_at TEXT NOT NULL, gone_at TEXT
        ) STRICT""",
        # No reference to car_park: the source tells of spaces in car parks that it does not describe.
        """CREATE TABLE availability (
            id TEXT PRIMARY KEY, availablecar INTEGER, changed_at TEXT NOT NULL, gone_at TEXT
        ) STRICT""",
        # One row a dataset: when a run last saw the whole of it.
        """CREATE TABLE completed (
            dataset TEXT PRIMARY KEY, completed_at TEXT NOT NULL, present INTEGER NOT NULL
        ) STRICT""",
    ),
)


@dataclass(frozen=True, kw_only=True)
class Merged:
    """What became of a page's rows."""

    inserted: int
    changed: int
    unchanged: int


class Store:
    """An open database of the schema that this image knows; a context manager, which closes it."""

    def __init__(self, path: str) -> None:
        """Open the database at *path*, made if need be, and bring its schema up to date.

        Raises:
            StorageError: it is no such database, is of a newer schema, or the file system refuses.

        """
        self._path = path
        with self._reported():
            self._database = sqlite3.connect(path, timeout=READER_SECONDS, isolation_level=None)
        try:
            with self._reported():
                for setting in ("journal_mode = DELETE", "synchronous = FULL", "mmap_size = 0", "temp_store = MEMORY"):
                    self._database.execute(f"PRAGMA {setting}")
                self._migrate()
        except BaseException:
            self._database.close()
            raise

    def __enter__(self) -> Self:
        """Keep it open until the block ends."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self._database.close()

    def merge(self, dataset: Dataset, rows: Sequence[Row], now: str) -> Merged:
        """Insert or update *rows*, no two of which have one id, in one transaction. *now* is their `changed_at`."""
        with self._transaction() as database:
            known = _known(database, dataset, rows)
            inserted = [row for row in rows if row[0] not in known]
            # A row that was gone is written even if it is as it was: it is no longer gone.
            changed = [row for row in rows if known.get(row[0]) not in (None, (*row, None))]
            database.executemany(_upsert(dataset), [(*row, now) for row in (*inserted, *changed)])
        unchanged = len(rows) - len(inserted) - len(changed)
        return Merged(inserted=len(inserted), changed=len(changed), unchanged=unchanged)

    def complete(self, dataset: Dataset, seen: Collection[str], now: str, max_gone_percent: int) -> int:
        """Mark as gone since *now* whatever is not among *seen*, the ids of the whole dataset; return how many.

        Raises:
            BadDataError: that would be more than *max_gone_percent* of the rows that are not gone; nothing is marked.

        """
        missing = "gone_at IS NULL AND id NOT IN (SELECT value FROM json_each(?))"
        ids = json.dumps(list(seen))
        with self._transaction() as database:
            (before,) = database.execute(f"SELECT count(*) FROM {dataset.table} WHERE gone_at IS NULL").fetchone()  # noqa: S608 -- a constant of ours
            marked = database.execute(f"UPDATE {dataset.table} SET gone_at = ? WHERE {missing}", (now, ids)).rowcount  # noqa: S608
            if marked * 100 > before * max_gone_percent:
                raise BadDataError(
                    f"{marked} of {before} rows are no longer in the source: MAX_GONE_PERCENT={max_gone_percent} "
                    "takes that for a mistake; with 100 any number would do"
                )
            database.execute(
                "INSERT INTO completed VALUES (?, ?, ?) ON CONFLICT (dataset) DO UPDATE "
                "SET completed_at = excluded.completed_at, present = excluded.present",
                (dataset.table, now, before - marked),
            )
        return marked

    def _migrate(self) -> None:
        (version,) = self._database.execute("PRAGMA user_version").fetchone()
        if version > len(_SCHEMA):
            raise StorageError(
                f"{self._path} has schema version {version}, and this image knows {len(_SCHEMA)}: a newer image has "
                "written it, and that one or a later one would do"
            )
        for number, statements in enumerate(_SCHEMA[version:], version + 1):
            with self._transaction() as database:
                for statement in statements:
                    database.execute(statement)
                database.execute(f"PRAGMA user_version = {number}")

    @contextmanager
    def _transaction(self) -> Generator[sqlite3.Connection]:
        with self._reported():
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield self._database
                self._database.execute("COMMIT")
            finally:
                if self._database.in_transaction:
                    self._database.execute("ROLLBACK")

    @contextmanager
    def _reported(self) -> Generator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise StorageError(f"{self._path}: {error}") from error


def _known(database: sqlite3.Connection, dataset: Dataset, rows: Sequence[Row]) -> dict[Any, tuple[Any, ...]]:
    """The database's rows of the same ids, by their ids: the dataset's columns, and `gone_at`."""
    found = database.execute(
        f"SELECT {', '.join(dataset.columns)}, gone_at FROM {dataset.table} "  # noqa: S608 -- constants of ours
        "WHERE id IN (SELECT value FROM json_each(?))",
        (json.dumps([row[0] for row in rows]),),
    )
    return {row[0]: row for row in found}


def _upsert(dataset: Dataset) -> str:
    names = [*dataset.columns, "changed_at"]
    return (
        f"INSERT INTO {dataset.table} ({', '.join(names)}) VALUES ({', '.join('?' for _ in names)}) "  # noqa: S608
        f"ON CONFLICT (id) DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in names)}, gone_at = NULL"
    )
