"""What a new version is made of: the old one's source unless the script says otherwise, and what is laid over it."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from rehearsal import versions
from rehearsal.script_replacements import Replacement

if TYPE_CHECKING:
    from pathlib import Path


def write(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        path = folder / name.replace("__", "/").replace("_js", ".js")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


@pytest.fixture
def beside(tmp_path: Path) -> Path:
    """A script's folder, with an image, a source apart and files to lay over either."""
    package = {"node_modules__greeting__index_js": "export default 'hello'"}
    write(tmp_path / "image", main_js="old", parts__a="1", **package)
    write(tmp_path / "apart", main_js="apart")
    write(tmp_path / "new", main_js="new", parts__b="2")
    return tmp_path


def folder(beside: Path, **said: Any) -> Path:
    replacement = Replacement(name="web is replaced", service="web", entrance="url", **said)
    return versions.folder_of(replacement, beside=beside, old=beside / "image", room=beside / "room")


def files(made: Path) -> dict[str, str]:
    return {str(each.relative_to(made)): each.read_text() for each in made.rglob("*") if each.is_file()}


def test_a_version_is_the_old_source_or_one_of_its_own(beside: Path) -> None:
    """Nothing is copied for it."""
    assert folder(beside) == beside / "image"
    assert folder(beside, source="apart") == beside / "apart"
    assert not (beside / "room").exists()


def test_what_it_adds_stands_beside_and_in_the_place_of_the_sources_own(beside: Path) -> None:
    before = files(beside / "image")
    made = files(folder(beside, adds="new"))
    assert made.items() >= {"main.js": "new", "parts/a": "1", "parts/b": "2"}.items()
    assert files(beside / "image") == before, "the old version still runs"


def test_it_may_be_laid_over_a_source_of_its_own(beside: Path) -> None:
    assert files(folder(beside, source="apart", adds="new")) == {"main.js": "new", "parts/b": "2"}


def test_node_finds_what_was_added_and_the_packages_that_the_image_has(beside: Path) -> None:
    """It looks where a file really is: through a link it would find the old version's files."""
    write(beside / "image", main_js="import x from './part.js'; import y from 'greeting'; console.log(x, y)")
    write(beside / "image", part_js="export default 'old'")
    (beside / "new/main.js").unlink()
    write(beside / "new", part_js="export default 'new'")
    for name in ("package.json", "node_modules/greeting/package.json"):
        (beside / "image" / name).write_text('{"type": "module"}')
    made = folder(beside, adds="new")
    said = subprocess.run(["node", "main.js"], cwd=made, capture_output=True, text=True, check=True)  # noqa: S607
    assert said.stdout == "new hello\n"


def test_a_folder_that_is_not_there_is_named(beside: Path) -> None:
    replacement = Replacement(name="x", service="web", entrance="url", source="image", adds="nowhere")
    assert [*versions.missing(replacement, beside)] == [beside / "nowhere"]
