"""What is not proved is said."""

from __future__ import annotations

import ast

from rehearsal.unproved import CORRECTED
from tests.rehearsal.copies import PROJECT


def test_every_correction_of_the_emulator_is_printed_with_the_results() -> None:
    """One that is applied and not told is taken for the emulator's own answer."""
    module = ast.parse((PROJECT / "rehearsal/emulator/corrections.py").read_text())
    (apply,) = [each for each in module.body if isinstance(each, ast.FunctionDef) and each.name == "apply"]
    called = [each.func for each in ast.walk(apply) if isinstance(each, ast.Call)]
    names = [each.id if isinstance(each, ast.Name) else each.attr for each in called]  # type: ignore[attr-defined]
    assert sorted(names) == sorted(CORRECTED)
