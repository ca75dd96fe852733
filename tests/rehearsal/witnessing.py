"""Rehearsals that are witnessed (see `witnessed`), and one of them for several processes that run tests."""

from __future__ import annotations

import fcntl
import json
import os
import pickle
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.rehearsal.copies import Ended, rehearse
from tests.rehearsal.searching import Search

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    import pytest


@dataclass(frozen=True, kw_only=True)
class Witnessed:
    """A rehearsal that has ended, and what there was to read of it."""

    ended: Ended
    secrets: Mapping[str, str]
    """What each is → its value. All are dead with the rehearsal."""
    places: Mapping[str, str]
    """Place → what was to be read there; what the command printed and wrote is among it."""

    def leaks(self) -> dict[str, list[str]]:
        """Return where a secret is to be read → which."""
        search = Search(self.secrets)
        found = {place: search.found(text) for place, text in self.places.items()}
        return {place: sorted(what) for place, what in found.items() if what}


def witness(folder: Path, project: Path, stack: str = "dev") -> Witnessed:
    """Rehearse *stack* of *project*; *folder* is for files."""
    written = folder / "result.json"
    ended = rehearse(
        "up",
        project,
        "--stack",
        stack,
        json_file=written,
        within=240,  # what it takes on a machine that does other things too
        by=(sys.executable, "-m", "tests.rehearsal.witnessed", str(folder)),
    )
    secrets, places = (json.loads((folder / f"{name}.json").read_text()) for name in ("secrets", "places"))
    places |= {"what it printed": ended.output, "its --json": written.read_text()}
    return Witnessed(ended=ended, secrets=secrets, places=places)


def once(name: str, factory: pytest.TempPathFactory, make: Callable[[Path], Witnessed]) -> Witnessed:
    """Return what *make* made of a folder, in whichever process that runs tests came first."""
    folder = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    kept = folder / f"{name}.pickle"
    with (folder / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not kept.exists():
            made = make(factory.mktemp(name))
            kept.write_bytes(pickle.dumps(made))
        return pickle.loads(kept.read_bytes())  # noqa: S301 - our own
