"""A rehearsal that a test starts as a user would and ends before its time, or keeps; and what is left of it."""

from __future__ import annotations

import contextlib
import subprocess
import time
from pathlib import Path
from typing import Final

from rehearsal import keeper
from tests.rehearsal.copies import COMMAND, ENGINEERS, PROJECT

GONE_WITHIN: Final = 2.0
"""Seconds after which nothing of an ended rehearsal may be left."""


class Started:
    """A rehearsal under way, and what it started."""

    def __init__(self, output: Path, project: Path, *words: str, stack: str = "dev", **environment: str) -> None:
        self._output = output
        with output.open("wb") as file:
            self.process = subprocess.Popen(  # noqa: S603 - the command under test
                [*COMMAND, "up", "--stack", stack, "--project", str(project), *words],
                cwd=PROJECT,
                stdout=file,
                stderr=subprocess.STDOUT,
                env={**ENGINEERS, **environment},
            )

    def output(self) -> str:
        """Return what it has printed."""
        return self._output.read_text()

    def wait_for(self, words: str) -> None:
        """Wait until it has printed *words*."""
        deadline = time.monotonic() + 60
        while words not in self.output():
            assert self.process.poll() is None, f"it ended before {words!r}: {self.output()}"
            assert time.monotonic() < deadline, f"never came to {words!r}: {self.output()}"
            time.sleep(0.01)

    def watchdog(self) -> tuple[str, Path]:
        """Return its run's marker and folder, from its watchdog's command line."""
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            for pid in below(self.process.pid):
                with contextlib.suppress(OSError):
                    words = Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")
                    if "watch" in words:
                        return words[words.index("watch") + 1], Path(words[words.index("watch") + 2])
            time.sleep(0.01)
        raise AssertionError("no watchdog")


def below(ancestor: int) -> set[int]:
    """Return *ancestor*'s children, and theirs."""
    children: dict[int, set[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            children.setdefault(int(stat.read_text().rpartition(")")[2].split()[1]), set()).add(int(stat.parent.name))
    found, new = set[int](), {ancestor}
    while new:
        new = {pid for parent in new for pid in children.get(parent, set())} - found
        found |= new
    return found


def of_the_run(marker: str) -> dict[int, str]:
    """Return the living processes that carry *marker*, the watchdog among them, and their commands."""
    found: dict[int, str] = {}
    for path in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            command = (path / "cmdline").read_bytes()
            carried = f"{keeper.MARKER}={marker}".encode() in (path / "environ").read_bytes()
            if is_alive(int(path.name)) and (carried or marker.encode() in command):
                found[int(path.name)] = command.replace(b"\0", b" ").decode()
    return found


def is_alive(pid: int) -> bool:
    """Say whether the process is there and has not ended; one that nobody has asked about since is a zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def assert_nothing_is_left(marker: str, folder: Path, since: float) -> None:
    """Fail unless all processes that carry *marker*, and *folder*, are gone soon after *since*."""
    while (left := of_the_run(marker)) and time.monotonic() < since + GONE_WITHIN:
        time.sleep(0.02)
    assert left == {}
    assert not folder.exists()
