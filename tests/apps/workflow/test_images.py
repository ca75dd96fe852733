"""What the two images are made of, as far as that can be seen without building them."""

from __future__ import annotations

import ast
import re
import shlex
import subprocess
import sys
from importlib.metadata import packages_distributions, requires, version
from typing import TYPE_CHECKING

import pytest
import yaml

from tests.apps.workflow.fleet import FOLDER

if TYPE_CHECKING:
    from pathlib import Path

IMAGES = ("agent", "gateway")
ROOT = FOLDER.parents[1]


def pins(image: str) -> dict[str, str]:
    """Package → version of an image."""
    text = (FOLDER / image / "requirements.txt").read_text()
    pin = r"^([a-z0-9-]+)==(\S+)(?: \\\n    --hash=sha256:[0-9a-f]{64})+$"
    found = dict(re.findall(pin, text, re.MULTILINE))
    assert not re.sub(pin, "", re.sub(r"^#.*$", "", text, flags=re.MULTILINE), flags=re.MULTILINE).strip()
    return found


def sources(image: str) -> list[Path]:
    return [path for path in sorted((FOLDER / image).rglob("*.py")) if "__pycache__" not in path.parts]


@pytest.mark.parametrize("image", IMAGES)
def test_an_image_holds_what_it_is_tested_with(image: str) -> None:
    """Raise a version in both places, or what runs is not what was rehearsed."""
    assert pins(image) == {name: version(name) for name in pins(image)}


@pytest.mark.parametrize("image", IMAGES)
def test_the_pins_are_whole(image: str) -> None:
    """With hashes asked for, pip refuses a package whose own needs are not pinned as well."""
    needed = {
        re.split(r"[^A-Za-z0-9_.-]", need)[0].lower().replace("_", "-")
        for name in pins(image)
        for need in requires(name) or []
        if "extra ==" not in need
    }
    assert needed <= set(pins(image))


@pytest.mark.parametrize("image", IMAGES)
def test_the_source_imports_nothing_but_itself_the_standard_library_and_the_pins(image: str) -> None:
    """Whatever else this environment has, the image has not."""
    own = {path.relative_to(FOLDER / image).parts[0].removesuffix(".py") for path in sources(image)}
    imported: set[str] = set()
    for path in sources(image):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                imported |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                imported.add((node.module or "").split(".")[0])
    assert not own & sys.stdlib_module_names, "a module of ours would hide one of Python's"
    outside = imported - own - sys.stdlib_module_names
    distributions = packages_distributions()
    packages = {distributions[name][0].lower().replace("_", "-") for name in outside - {"google"}}
    assert packages | ({"protobuf"} if "google" in outside else set()) <= set(pins(image))


@pytest.mark.parametrize("image", IMAGES)
def test_an_image_holds_every_source_file(image: str) -> None:
    """A package that neither is copied nor gets past .dockerignore is missed when the task starts, not before."""
    dockerfile = (FOLDER / image / "Dockerfile").read_text()
    admitted = (FOLDER / image / ".dockerignore").read_text().splitlines()
    for package in {path.parent.name for path in sources(image)} - {image}:
        assert f"COPY {package} ./{package}\n" in dockerfile
        assert f"!{package}/*.py" in admitted
    assert "COPY *.py ./\n" in dockerfile
    assert {"!*.py", "!requirements.txt"} <= set(admitted)


@pytest.mark.parametrize("image", IMAGES)
def test_an_image_runs_without_root_or_shell(image: str) -> None:
    """A name would do for Docker, but ECS and scanners can tell only a number from root; a shell eats SIGTERM."""
    dockerfile = (FOLDER / image / "Dockerfile").read_text()
    assert re.findall(r"^USER (.*)$", dockerfile, re.MULTILINE) == ["10001:10001"]
    assert re.findall(r"^CMD (.*)$", dockerfile, re.MULTILINE) == ['["python", "main.py"]']
    assert "--require-hashes" in dockerfile


def test_the_generated_code_is_what_the_contract_says(tmp_path: Path) -> None:
    """By the command that the contract itself gives."""
    said = (FOLDER / "agent" / "workflow_api" / "workflow_agent.proto").read_text()
    lines = [line.removeprefix("//").rstrip(" \\") for line in said.splitlines() if line.startswith("//  ")]
    options = shlex.split(" ".join(lines).partition("grpc_tools.protoc")[2].partition(";")[0])
    for image in IMAGES:
        out = tmp_path / image
        out.mkdir()
        command = [each.replace("apps/workflow/$place", str(out)) for each in options]
        subprocess.run([sys.executable, "-m", "grpc_tools.protoc", *command], cwd=ROOT, check=True, timeout=30)  # noqa: S603 -- our own
        written = {path.name: path.read_text() for path in (out / "workflow_api").iterdir()}
        assert len(written) == 3
        for name, text in written.items():
            assert (FOLDER / image / "workflow_api" / name).read_text() == text, (
                f"{image}/{name} is not of this contract"
            )


def test_what_several_images_hold_is_the_same_in_each() -> None:
    """An image is built from one folder, so each has its copy: mend one, mend all."""
    service = FOLDER.parent / "query_service" / "service"
    assert len({(place / "journal.py").read_text() for place in (service, FOLDER / "agent", FOLDER / "gateway")}) == 1
    assert (service / "faults.py").read_text() == (FOLDER / "gateway" / "faults.py").read_text()


def test_compose_builds_both_and_lets_a_developer_override_where_the_agent_is() -> None:
    services = yaml.safe_load((FOLDER / "compose.yaml").read_text())["services"]
    assert set(services) == set(IMAGES)
    for name, service in services.items():
        assert (FOLDER / service["build"] / "Dockerfile").is_file()
        assert service["build"] == name
        assert (FOLDER / name / service["healthcheck"]["test"][-1]).is_file()
    told = services["gateway"]["environment"]
    assert told["WORKFLOW_SERVICE_HOST"] == "${WORKFLOW_SERVICE_HOST:-agent}"
    assert told["WORKFLOW_SERVICE_PORT"] == "${WORKFLOW_SERVICE_PORT:-50051}"
    assert all(port.startswith("127.0.0.1:") for port in services["gateway"]["ports"])
