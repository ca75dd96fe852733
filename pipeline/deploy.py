"""Runs Pulumi on one stack: always with the policy packs, and never with a question that nobody is there to answer."""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, get_args

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Action = Literal["up", "drift", "destroy"]

_COMMANDS: Final[Mapping[Action, tuple[str, ...]]] = {
    # It previews first, and a pack refuses there, before anything is made.
    "up": ("up", "--yes"),
    "drift": ("preview", "--refresh", "--expect-no-changes", "--diff"),
    "destroy": ("destroy", "--yes"),
}
_NO_CONFIGURATION: Final = "pipeline/no_configuration.json"


def command(root: Path, action: Action, stack: str) -> list[str]:
    """Return the command line of *action* on *stack*."""
    said = ["pulumi", *_COMMANDS[action], "--stack", stack, "--non-interactive", "--color", "never"]
    return said if action == "destroy" else [*said, *_packs(root, stack)]


def _packs(root: Path, stack: str) -> list[str]:
    """Return the flags for every pack, each with its configuration for *stack* where there is any.

    The CLI matches configurations to packs by their order alone, so that all have one as soon as one has.
    """
    folders = sorted(path.parent for path in (root / "policies").glob("*/PulumiPolicy.yaml"))
    configured = [folder / f"config.{stack}.json" for folder in folders]
    flags = [flag for folder in folders for flag in ("--policy-pack", folder.relative_to(root).as_posix())]
    if any(path.is_file() for path in configured):
        for path in configured:
            named = path.relative_to(root).as_posix() if path.is_file() else _NO_CONFIGURATION
            flags += ["--policy-pack-config", named]
    return flags


def main(arguments: Sequence[str] | None = None, root: Path = Path()) -> None:
    """Do what the command line says, and end as Pulumi ends."""
    parser = argparse.ArgumentParser(prog="python -m pipeline.deploy", description="Runs Pulumi on a stack.")
    parser.add_argument("action", choices=get_args(Action))
    parser.add_argument("stack", help="its name")
    parser.add_argument("--confirmation", default="", help="of a destruction: the words `destroy <stack>`")
    said = parser.parse_args(arguments)
    if said.action == "destroy" and said.confirmation != (wanted := f"destroy {said.stack}"):
        parser.error(f"--confirmation: got {said.confirmation!r}; to take all of the stack away, type {wanted!r}")
    sys.exit(subprocess.run(command(root, said.action, said.stack), cwd=root, check=False).returncode)  # noqa: S603


if __name__ == "__main__":
    main()
