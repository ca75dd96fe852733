"""The container's process, the open data it reads, and what the two must come to."""

from __future__ import annotations

import importlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType

FOLDER = Path(__file__).parents[3] / "apps" / "parking_etl"
SERVICE = FOLDER / "service"

_loaded: dict[str, ModuleType] = {}


def load(name: str) -> ModuleType:
    """Import a module of the container's source or the rehearsal's server, leaving its name to others.

    Every container has a `main`, so that none of these may stay in `sys.modules`.
    """
    if name not in _loaded:
        places = [str(SERVICE), str(FOLDER / "rehearsal")]
        before, writes_none = dict(sys.modules), sys.dont_write_bytecode
        sys.path[:0], sys.dont_write_bytecode = places, True
        sys.modules.update(_loaded)
        try:
            importlib.import_module(name)
        finally:
            sys.dont_write_bytecode = writes_none
            del sys.path[: len(places)]
            for known, found in list(sys.modules.items()):
                if str(getattr(found, "__file__", None) or "").startswith(tuple(places)):
                    _loaded[known] = sys.modules.pop(known)
                    if known in before:
                        sys.modules[known] = before[known]
    return _loaded[name]


class Ended:
    """A process that has ended, and its log."""

    def __init__(self, code: int, output: str) -> None:
        self.code = code
        self.lines: list[dict[str, Any]] = [json.loads(line) for line in output.splitlines()]

    @property
    def summary(self) -> dict[str, Any]:
        """The log's last line."""
        return self.lines[-1]


def variables(url: str, folder: Path, **more: str) -> dict[str, str]:
    """Return the environment of a process that reads from *url* and writes in *folder*, and nothing else."""
    return {
        "PATH": os.environ["PATH"],
        "PYTHONDONTWRITEBYTECODE": "1",
        "OPEN_DATA_URL": url,
        "DATA_DIR": str(folder),
        **more,
    }


@contextmanager
def started(*command: str, env: dict[str, str], cwd: Path = SERVICE) -> Iterator[subprocess.Popen[str]]:
    """Run the container's source with *command*; it and whatever it started is gone at the end of the block."""
    running = subprocess.Popen(  # noqa: S603 -- our own
        [sys.executable, "main.py", *command],
        env=env,
        cwd=cwd,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        yield running
    finally:
        if running.poll() is None:
            os.killpg(running.pid, signal.SIGKILL)
        running.wait(5)
        assert running.stdout
        running.stdout.close()


def run(*command: str, env: dict[str, str], cwd: Path = SERVICE) -> Ended:
    """Run the container's source to its end."""
    with started(*command, env=env, cwd=cwd) as running:
        output, _ = running.communicate(timeout=20)
        return Ended(running.returncode, output)


@pytest.fixture
def open_data() -> Iterator[Any]:
    """The rehearsal's server in this process, without its waits."""
    with serving(lambda _seconds: None) as server:
        yield server


@contextmanager
def serving(pause: Callable[[float], None]) -> Iterator[Any]:
    server = load("open_data").OpenData("127.0.0.1", 0, pause)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class Gate:
    """A pause, for `serving`, that lasts until the gate is opened."""

    def __init__(self) -> None:
        self.asked = threading.Event()
        """Set as soon as somebody waits."""
        self._opened = threading.Event()

    def __call__(self, _seconds: float) -> None:
        """Wait."""
        self.asked.set()
        self._opened.wait(60)

    def open(self) -> None:
        """Let go whoever waits, and keep nobody any more."""
        self._opened.set()


def query(database: Path, sql: str) -> list[tuple[Any, ...]]:
    connection = sqlite3.connect(database)
    try:
        return connection.execute(sql).fetchall()
    finally:
        connection.close()


def kept(database: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Return both tables' rows, without the times."""
    tables = {"car_park": load("datasets").PARKING, "availability": load("datasets").AVAILABILITY}
    return {
        table: query(database, f"SELECT {', '.join(dataset.columns)} FROM {table} WHERE gone_at IS NULL ORDER BY id")  # noqa: S608
        for table, dataset in tables.items()
    }


def _value(name: str, text: str) -> str | float | None:
    """Say what must become of a good row's text: worked out here anew, to be compared."""
    if text in {"", "-9"}:
        return None
    if name.startswith(("TOTAL", "AVAILABLE")):
        return int(text)
    return float(text) if name.startswith("TW97") else text


def _expected(rows: list[dict[str, str]]) -> list[tuple[Any, ...]]:
    by_id = {row["ID"]: tuple(_value(name, text) for name, text in row.items()) for row in rows}
    return [by_id[key] for key in sorted(by_id)]


def car_parks() -> list[tuple[Any, ...]]:
    """Return what `sync-parking` must have kept of the rehearsal's rows."""
    return _expected(load("open_data").CAR_PARKS)


def spaces() -> list[tuple[Any, ...]]:
    """Return what `sync-availability` must have kept of them."""
    return _expected(load("open_data").SPACES)
