"""What the image is made of, as far as that can be seen without building it."""

from __future__ import annotations

import ast
import re
import sys

from tests.apps.parking_etl.conftest import SERVICE


def test_the_source_imports_nothing_but_itself_and_the_standard_library() -> None:
    """Whatever else this environment has, the image has not."""
    own = {path.stem for path in SERVICE.glob("*.py")}
    imported: set[str] = set()
    for path in SERVICE.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                imported |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                imported.add((node.module or "").split(".")[0])
    assert {"sqlite3", "store"} < imported
    assert imported - own <= sys.stdlib_module_names
    assert not own & sys.stdlib_module_names, "a module of ours would hide one of Python's"


def test_the_image_runs_as_the_access_points_owner_without_a_shell() -> None:
    """A name would do for Docker, but ECS and scanners can tell only a number from root; a shell eats SIGTERM."""
    dockerfile = (SERVICE / "Dockerfile").read_text()
    assert re.findall(r"^USER (.*)$", dockerfile, re.MULTILINE) == ["1000:1000"]
    assert re.findall(r"^ENTRYPOINT (.*)$", dockerfile, re.MULTILINE) == ['["python", "main.py"]']
    assert re.findall(r"^CMD (.*)$", dockerfile, re.MULTILINE) == ['["cron"]']


def test_the_image_has_no_folder_where_the_file_system_is_mounted() -> None:
    """Without its mount a run must fail (74), not write where nothing stays."""
    steps = [line for line in (SERVICE / "Dockerfile").read_text().splitlines() if not line.startswith("#")]
    assert "data" not in "\n".join(steps)
