"""Commits to a branch what a stack runs now, after it was deployed: the branch may have moved on meanwhile."""

from __future__ import annotations

import argparse
import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pipeline import images, order, pins, promote, target

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_TRIES: Final = 5
_WHO: Final = {
    f"GIT_{who}_{what}": value
    for who in ("AUTHOR", "COMMITTER")
    for what, value in (
        ("NAME", "github-actions[bot]"),
        # https://github.com/actions/checkout#push-a-commit-using-the-built-in-token
        ("EMAIL", "41898282+github-actions[bot]@users.noreply.github.com"),
    )
}


class RecordError(Exception):
    """The branch could not be pushed to."""


def move(root: Path, stack: str, commit: str) -> None:
    """Move the branch that tells what *stack* was deployed from, `order.branch`, to *commit*, which origin has.

    By force, since whether it may be deployed was asked before it was, and main may have been rewritten.

    Raises:
        RecordError: pushing is not allowed.

    """
    _git(root, "push", "--quiet", "--force", "origin", f"{commit}:refs/heads/{order.branch(stack)}")


def record(root: Path, stack: str, digests: Mapping[str, str], *, branch: str) -> bool:
    """Commit *digests* to the file of *stack* on *branch* of origin; return whether anything was to be committed.

    On top of whatever the branch is by then, so that nobody's commit is lost. What is not committed in *root* is.

    Raises:
        RecordError: somebody else pushed each time, or pushing is not allowed.

    """
    refused = ""
    for _ in range(_TRIES):
        _git(root, "fetch", "--quiet", "--depth=1", "origin", branch)
        _git(root, "checkout", "--quiet", "--force", "--detach", "FETCH_HEAD")
        lines = promote.pin(root, stack, digests)
        if not lines:
            return False
        message = "\n".join([f"{stack} runs {', '.join(line.partition(':')[0] for line in lines)}", "", *lines])
        _git(root, "commit", "--quiet", "--message", message, "--", f"Pulumi.{stack}.yaml")
        pushed = _run(root, "push", "--quiet", "origin", f"HEAD:refs/heads/{branch}")
        if not pushed.returncode:
            return True
        refused = pushed.stderr.strip()
    raise RecordError(f"{branch} took no commit in {_TRIES} tries: {refused}")


def _git(root: Path, *arguments: str) -> None:
    done = _run(root, *arguments)
    if done.returncode:
        raise RecordError(f"git {arguments[0]}: {done.stderr.strip()}")


def _run(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = ["git", "-C", str(root), *arguments]
    return subprocess.run(  # noqa: S603 - git, with names of the repository
        command, env={**os.environ, **_WHO}, capture_output=True, text=True, check=False
    )


def main(arguments: Sequence[str] | None = None, root: Path = Path()) -> None:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(prog="python -m pipeline.record", description="Commits what a stack runs.")
    parser.add_argument("stack", help="whose file is changed")
    parser.add_argument("--digests", metavar="JSON", required=True, help="repository and digest of each image")
    parser.add_argument("--branch", default="main", help="where to (default: main)")
    parser.add_argument("--commit", default="", help="what it was deployed from (default: the same as before)")
    said = parser.parse_args(arguments)
    try:
        if said.commit:
            move(root, said.stack, said.commit)
        recorded = record(root, said.stack, promote.given(said.digests), branch=said.branch)
    except (RecordError, images.ImagesError, pins.PinError, target.TargetError) as error:
        parser.error(str(error))
    print(f"recorded on {said.branch}" if recorded else "recorded already")  # noqa: T201 - what the command is for


if __name__ == "__main__":
    main()
