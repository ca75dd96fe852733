"""Refuses to deploy what is older than what a stack runs: turns are one at a time, and not by the order of commits."""

from __future__ import annotations

import argparse
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


class OrderError(Exception):
    """A commit that something newer was deployed after."""


def branch(stack: str) -> str:
    """Return the branch that is at the commit which *stack* was deployed from last."""
    return f"deployed/{stack}"


def check(root: Path, stack: str) -> None:
    """Return if what is checked out in *root* may be deployed to *stack*: origin's branches are as they were fetched.

    The same commit may be deployed again, and so may one that main was rewritten to.

    Raises:
        OrderError: what runs was made of it, so that it would be taken back.

    """
    there = f"refs/remotes/origin/{branch(stack)}"
    head, runs = _commit(root, "HEAD"), _commit(root, there)
    if head != runs is not None and not _git(root, "merge-base", "--is-ancestor", "HEAD", there).returncode:
        raise OrderError(
            f"{stack} runs {runs} already, which is newer than {head}: to go back by an image, run `rollback`; "
            f"to go back by anything else, revert it on main"
        )


def _commit(root: Path, revision: str) -> str | None:
    asked = _git(root, "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}")
    return asked.stdout.strip() or None


def _git(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = ["git", "-C", str(root), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - names of the repository


def main(arguments: Sequence[str] | None = None, root: Path = Path()) -> None:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(prog="python -m pipeline.order", description="Refuses what is older than runs.")
    parser.add_argument("stack", help="its name")
    said = parser.parse_args(arguments)
    try:
        check(root, said.stack)
    except OrderError as error:
        parser.error(str(error))


if __name__ == "__main__":
    main()
