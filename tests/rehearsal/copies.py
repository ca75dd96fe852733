"""Copies of the project for tests to change, and the rehearsal's command run on them as a user would."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

PROJECT: Final = Path(__file__).parents[2]
_NOT_COPIED: Final = shutil.ignore_patterns("__pycache__")
_PARTS: Final = ("apps", "bootstrap", "components", "deployments", "pipeline", "policies", "settings")


def copy(to: Path, *, only: str | None = None) -> Path:
    """Copy what the program and its packs are made of to the new folder *to*.

    With *only* its stacks have that one workload, and are rehearsed in a quarter of the time.
    """
    to.mkdir(parents=True)
    for part in _PARTS:
        shutil.copytree(PROJECT / part, to / part, ignore=_NOT_COPIED)
    for file in (*PROJECT.glob("Pulumi*.yaml"), PROJECT / "__main__.py", PROJECT / "outputs.py"):
        shutil.copy(file, to)
    if only:
        for file in to.glob("Pulumi.*.yaml"):
            file.write_text(_with_one_workload(file.read_text(), only))
    return to


def _with_one_workload(text: str, name: str) -> str:
    """Return a stack file's *text* with the section of the workload *name* and no other."""
    before, key, sections = text.partition("  drydock:workloads:\n")
    assert key, "the stack file names no workloads"
    found = re.search(rf"^    {name}:\n(?:      .*\n|\n)+", sections, re.MULTILINE)
    assert found, f"the stack file has no section {name}"
    return before + key + found[0]


def change(file: Path, old: str, new: str) -> None:
    """Put *new* in the place of *old*, which *file* must have exactly once."""
    text = file.read_text()
    assert text.count(old) == 1, f"{file} has {old!r} {text.count(old)} times"
    file.write_text(text.replace(old, new))


@dataclass(frozen=True, kw_only=True)
class Ended:
    """How a command ended."""

    code: int
    output: str
    """What it printed, errors too."""
    result: dict[str, Any]
    """What it wrote with ``--json``; empty when that was not asked for."""

    @property
    def errors(self) -> list[str]:
        """Why it failed, as it wrote."""
        return self.result["errors"]


def rehearse(
    command: str,
    project: Path,
    *words: str,
    json_file: Path | None = None,
    reads_result: bool = True,
    within: float = 120,
    by: Sequence[str] = (sys.executable, "-m", "rehearsal"),
    **environment: str,
) -> Ended:
    """Run ``python -m rehearsal`` *command* on *project*, or what runs it *by* its own, and wait for its end."""
    written = ["--json", str(json_file)] if json_file else []
    done = subprocess.run(  # noqa: S603 - the command under test
        [*by, command, "--project", str(project), *words, *written],
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=within,
        env={**ENGINEERS, **environment},
        check=False,
    )
    result = json.loads(json_file.read_text()) if reads_result and json_file and json_file.exists() else {}
    return Ended(code=done.returncode, output=done.stdout, result=result)


COMMAND: Final = (sys.executable, "-m", "rehearsal")
ENGINEERS: Final = {
    **os.environ,
    # What an engineer's shell may well have. Nothing may go there: a rehearsal that uses any of it fails.
    "AWS_PROFILE": "production",
    "AWS_ACCESS_KEY_ID": "AKIAENGINEERSOWN",
    "AWS_SECRET_ACCESS_KEY": "the engineer's own",
    "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
    "http_proxy": "http://127.0.0.1:9",
    "https_proxy": "http://127.0.0.1:9",
}
"""The environment that the command is run with."""
