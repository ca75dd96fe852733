"""Shows what a rehearsal is doing: a few moving lines on a terminal, plain lines anywhere else."""

from __future__ import annotations

import contextlib
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Final

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Generator

    from rehearsal.graph import Registered

_LATEST: Final = 8
"""Resources shown at once on a terminal."""
_PLAIN_WIDTH: Final = 120


def console() -> Console:
    """Return where everything is printed: as wide as the terminal, or 120 where there is none."""
    found = Console(highlight=False)
    return found if found.is_terminal else Console(highlight=False, width=_PLAIN_WIDTH)


class Progress:
    """What is being done now, and how long each phase took. Called on several threads at once."""

    def __init__(self, screen: Console) -> None:
        """Show on *screen*."""
        self.seconds: dict[str, float] = {}
        """Phase → seconds of wall clock; a phase that is entered again adds to it."""
        self._screen = screen
        self._lock = threading.Lock()
        self._phase = ""
        self._began = time.monotonic()
        self._making: dict[str, float] = {}
        self._latest: deque[str] = deque(maxlen=_LATEST)
        self._made = 0

    @contextlib.contextmanager
    def shown(self) -> Generator[None]:
        """Show progress while the block runs, and leave nothing of it on a terminal."""
        if not self._screen.is_terminal:
            yield
            return
        with Live(get_renderable=self._moving, console=self._screen, refresh_per_second=8, transient=True):
            yield

    @contextlib.contextmanager
    def phase(self, name: str, doing: str) -> Generator[None]:
        """Say what is being *doing*, and count the block's time as the phase *name*."""
        started = time.monotonic()
        with self._lock:
            self._phase, self._began, self._made = doing, started, 0
            self._latest.clear()
        self._plain(f"{doing} …")
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + time.monotonic() - started

    def begin(self, resource: Registered) -> None:
        """Tell that the making of *resource* begins."""
        with self._lock:
            self._making[resource.urn] = time.monotonic()

    def made(self, resource: Registered) -> None:
        """Tell that *resource* is there."""
        if resource.proof != "local":
            self.note(f"{resource.seconds:6.2f} s  {resource.type}  {resource.name}")
        with self._lock:
            self._making.pop(resource.urn, None)
            self._made += 1

    def note(self, line: str) -> None:
        """Tell one thing that happened."""
        with self._lock:
            self._latest.append(line)
        self._plain(f"  {line}")

    def _plain(self, line: str) -> None:
        if not self._screen.is_terminal:
            self._screen.print(line, markup=False, soft_wrap=True)

    def _moving(self) -> Group:
        with self._lock:
            counts = f"  {self._made} made, {len(self._making)} under way" if self._making or self._made else ""
            head = f"{self._phase} … {time.monotonic() - self._began:.1f} s{counts}"
            lines = [Text(f"  {line}", style="dim", no_wrap=True, overflow="ellipsis") for line in self._latest]
        return Group(Text(head, style="bold"), *lines)
