"""What is seen while a rehearsal works."""

from __future__ import annotations

import contextlib
import io
import time

from rich.console import Console

from rehearsal.graph import Registered
from rehearsal.progress import Progress

VPC = Registered(
    urn="urn:vpc",
    type="aws:ec2/vpc:Vpc",
    name="main",
    parent="",
    custom=True,
    inputs={},
    seconds=1.234,
    proof="enacted",
)


def screen(*, terminal: bool) -> Console:
    return Console(file=io.StringIO(), force_terminal=terminal, width=60, highlight=False)


def test_without_a_terminal_each_resource_is_a_plain_line() -> None:
    """A CI log takes no moving lines."""
    console = screen(terminal=False)
    progress = Progress(console)
    with progress.shown(), progress.phase("deployment", "deploying dev"):
        progress.begin(VPC)
        progress.made(VPC)
    assert console.file.getvalue() == "deploying dev …\n    1.23 s  aws:ec2/vpc:Vpc  main\n"  # type: ignore[attr-defined]


def test_on_a_terminal_what_moves_leaves_nothing_behind() -> None:
    console = screen(terminal=True)
    progress = Progress(console)
    with progress.shown(), progress.phase("deployment", "deploying dev"):
        progress.made(VPC)
        time.sleep(0.3)
    printed = console.file.getvalue()  # type: ignore[attr-defined]
    assert "deploying dev" in printed
    assert "aws:ec2/vpc:Vpc" in printed
    assert printed.rstrip("\n").endswith("\x1b[2K"), "the last thing it does is to erase"


def test_phases_are_timed_also_when_they_fail() -> None:
    progress = Progress(screen(terminal=False))

    def fail() -> None:
        time.sleep(0.01)
        raise ZeroDivisionError

    for _ in range(2):
        with contextlib.suppress(ZeroDivisionError), progress.phase("services", "waiting"):
            fail()
    assert progress.seconds["services"] >= 0.02
