"""What the image is made of, as far as that can be seen without building it."""

from __future__ import annotations

import ast
import re
import sys
from importlib.metadata import requires, version
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def pins(folder: Path) -> dict[str, str]:
    """Package → version of the image."""
    text = (folder / "service" / "requirements.txt").read_text()
    return dict(re.findall(r"^([a-z0-9-]+)==(\S+) \\\n    --hash=sha256:[0-9a-f]{64}$", text, re.MULTILINE))


def test_the_image_holds_what_the_service_is_tested_with(pins: dict[str, str]) -> None:
    """Raise a version in both places, or what runs is not what was rehearsed."""
    assert pins == {name: version(name) for name in pins}


def test_the_pins_are_whole(pins: dict[str, str], folder: Path) -> None:
    """With hashes asked for, pip refuses a package whose own needs are not pinned as well."""
    needed = {
        re.split(r"[^A-Za-z0-9_.-]", need)[0].lower().replace("_", "-")
        for name in pins
        for need in requires(name) or []
        if "extra ==" not in need
    }
    assert needed <= set(pins)
    lines = (folder / "service" / "requirements.txt").read_text().splitlines()
    assert len(lines) == len([line for line in lines if line.startswith("#")]) + 2 * len(pins), "a line is no pin"


def test_the_source_imports_nothing_but_itself_the_standard_library_and_the_pins(
    pins: dict[str, str], folder: Path
) -> None:
    """Whatever else this environment has, the image has not."""
    own = {path.stem for path in (folder / "service").glob("*.py")}
    imported = {
        name.split(".")[0]
        for path in (folder / "service").glob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert imported - own - sys.stdlib_module_names <= set(pins)
    assert not own & sys.stdlib_module_names, "a module of ours would hide one of Python's"


def test_the_image_runs_without_root_or_shell(folder: Path) -> None:
    """A name would do for Docker, but ECS and scanners can tell only a number from root; a shell eats SIGTERM."""
    dockerfile = (folder / "service" / "Dockerfile").read_text()
    assert re.findall(r"^USER (.*)$", dockerfile, re.MULTILINE) == ["10001:10001"]
    assert re.findall(r"^CMD (.*)$", dockerfile, re.MULTILINE) == ['["python", "main.py"]']
    assert "--require-hashes" in dockerfile
