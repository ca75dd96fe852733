"""Servers that stand for the internet: what a workload calls outside its account is answered on this machine."""

from __future__ import annotations

import contextlib
import os
import re
import sys
import time
import urllib.request
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Generator, Mapping
    from pathlib import Path

    from rehearsal.keeper import Run

_READY_WITHIN: Final = 10.0
"""Seconds for a server to say where it listens."""
_LISTENING: Final = re.compile(r"listening on (http://\S+)")
_NORMAL: Final = "normal"


class OutsideError(Exception):
    """A server that did not start, or does not know a mode."""


class Outside:
    """The servers of a run."""

    def __init__(self, run: Run) -> None:
        """Start servers in *run*, which ends them."""
        self._run = run
        self._addresses: dict[str, str] = {}

    def start(self, origin: str, file: Path) -> None:
        """Start the server *file* for *origin*, such as ``https://data.example.com``.

        Raises:
            OutsideError: another stands for the origin, there is no such file, or it did not say in time where it
                listens; in its own last words.

        """
        if origin in self._addresses:
            raise OutsideError(f"{origin} is stood for already, and all workloads see the same: {file} is one too many")
        if not file.is_file():
            raise OutsideError(f"{origin} is to be stood for by {file}, which is no file")
        said = self._run.folder / f"outside-{len(self._addresses)}.log"
        with said.open("wb") as output:
            process = self._run.start(
                [sys.executable, str(file)],
                environment={
                    "PATH": os.environ.get("PATH", os.defpath),
                    "BIND_ADDRESS": "127.0.0.1",
                    "PORT": "0",
                    "PYTHONUNBUFFERED": "1",
                    "PYTHONDONTWRITEBYTECODE": "1",
                },
                folder=file.parent,
                output=output,
            )
        self._addresses[origin] = _address(file, said, process)

    def translated(self, environment: Mapping[str, str]) -> dict[str, str]:
        """Return *environment* with each value that begins with an origin at the server that stands for it."""
        return {name: self._translated(value) for name, value in environment.items()}

    def _translated(self, value: str) -> str:
        for origin, address in self._addresses.items():
            if value == origin or value.startswith(f"{origin}/"):
                return f"{address}{value.removeprefix(origin)}"
        return value

    @contextlib.contextmanager
    def in_modes(self, modes: Mapping[str, str]) -> Generator[None]:
        """Have the servers answer in these *modes* (origin → mode) while the block runs, and normally after it.

        Raises:
            OutsideError: a server refuses the mode.

        """
        try:
            for origin, mode in modes.items():
                self._set(origin, mode)
            yield
        finally:
            for origin in modes:
                self._set(origin, _NORMAL)

    def _set(self, origin: str, mode: str) -> None:
        request = urllib.request.Request(f"{self._addresses[origin]}/_mode", data=mode.encode(), method="POST")  # noqa: S310 - its own server's
        try:
            # No proxy of the developer's is between here and here.
            urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=10).close()
        except OSError as error:
            raise OutsideError(f"what stands for {origin} does not take the mode {mode!r}: {error}") from error


def _address(file: Path, said: Path, process: subprocess.Popen[bytes]) -> str:
    deadline = time.monotonic() + _READY_WITHIN
    while time.monotonic() < deadline:
        if match := _LISTENING.search(said.read_text(errors="replace")):
            return match[1].rstrip("/")
        if process.poll() is not None:
            break
        time.sleep(0.02)
    words = "\n".join(said.read_text(errors="replace").splitlines()[-10:]) or "nothing"
    raise OutsideError(f"{file} did not say 'listening on http://...' within {_READY_WITHIN:.0f} s; it said:\n{words}")
