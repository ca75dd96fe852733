"""What the two images are made of, as far as that can be seen without building them."""

from __future__ import annotations

import ast
import json
import re
import sys
from importlib.metadata import requires, version

import pytest

from tests.apps.microservices.processes import FOLDER, SERVICES, WEB

PIN = r"^([a-z0-9-]+)==(\S+)((?: \\\n    --hash=sha256:[0-9a-f]{64})+)$"


@pytest.fixture
def pins() -> dict[str, str]:
    """Package → version of the services' image."""
    text = (SERVICES / "requirements.txt").read_text()
    rest = re.sub(PIN, "", re.sub(r"^#.*$", "", text, flags=re.MULTILINE), flags=re.MULTILINE)
    assert not rest.strip(), "a line is no pin"
    return {name: pinned for name, pinned, _ in re.findall(PIN, text, re.MULTILINE)}


def test_the_services_image_holds_what_they_are_tested_with(pins: dict[str, str]) -> None:
    """Raise a version in both places, or what runs is not what was rehearsed."""
    assert pins == {name: version(name) for name in pins}


def test_the_pins_are_whole(pins: dict[str, str]) -> None:
    """With hashes asked for, pip refuses a package whose own needs are not pinned as well."""
    needed = {
        re.split(r"[^A-Za-z0-9_.-]", need)[0].lower().replace("_", "-")
        for name in pins
        for need in requires(name) or []
        if "extra ==" not in need
    }
    assert needed <= set(pins)


def test_the_services_import_nothing_but_themselves_the_standard_library_and_the_pins(pins: dict[str, str]) -> None:
    """Whatever else this environment has, the image has not."""
    sources = [path for path in SERVICES.rglob("*.py") if "__pycache__" not in path.parts]
    own = {path.relative_to(SERVICES).parts[0].removesuffix(".py") for path in sources}
    imported = {
        name.split(".")[0]
        for path in sources
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


@pytest.mark.parametrize(("image", "command"), [("services", '["python", "main.py"]'), ("web", '["node", "main.js"]')])
def test_an_image_runs_without_root_or_shell(image: str, command: str) -> None:
    """A name would do for Docker, but ECS and scanners can tell only a number from root; a shell eats SIGTERM."""
    dockerfile = (FOLDER / image / "Dockerfile").read_text()
    assert re.findall(r"^USER (.*)$", dockerfile, re.MULTILINE) == ["10001:10001"]
    assert re.findall(r"^CMD (.*)$", dockerfile, re.MULTILINE) == [command]
    assert "ENTRYPOINT" not in dockerfile, "a task's command is the whole command"
    assert (FOLDER / image / ".dockerignore").read_text().startswith("*\n"), "what is no source stays out"


def test_the_page_is_locked_whole_and_names_no_registry() -> None:
    """`npm ci` installs what was tested, from wherever the installer gets its packages."""
    said = json.loads((WEB / "package.json").read_text())
    locked = json.loads((WEB / "package-lock.json").read_text())["packages"]
    for name, wanted in said["dependencies"].items():
        assert wanted == locked[f"node_modules/{name}"]["version"], "a range would be another page tomorrow"
    own = locked.pop("")
    assert own["dependencies"] == said["dependencies"]
    assert all(package["integrity"].startswith("sha512-") for package in locked.values())
    assert not any("resolved" in package for package in locked.values())
    assert not any(package.get("hasInstallScript") for package in locked.values()), "the image runs none"


def test_the_page_is_of_bootstrap_and_express_alone() -> None:
    """And needs a Node that has not reached its end of life."""
    said = json.loads((WEB / "package.json").read_text())
    assert set(said["dependencies"]) == {"bootstrap", "express"}
    assert said["engines"] == {"node": ">=20"}
    assert (WEB / "Dockerfile").read_text().count("FROM node:24-slim") == 2
