"""The benchmark compares like with like."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]


def registered(side: str) -> list[tuple[str, dict[str, Any]]]:
    """Evaluate one query-service on *side* as the benchmark does; return what it registered."""
    said = subprocess.run(  # noqa: S603 - our own script
        [sys.executable, "-W", "ignore", "benchmarks/evaluation.py", "--side", side, "--count", "1"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return [(each["type"], each["inputs"]) for each in json.loads(said.stdout)["registered"]]


@pytest.fixture(scope="module")
def sides() -> tuple[list[tuple[str, dict[str, Any]]], list[tuple[str, dict[str, Any]]]]:
    return registered("with_components"), registered("by_hand")


def test_both_sides_register_the_same_types_with_as_many_inputs(
    sides: tuple[list[tuple[str, dict[str, Any]]], list[tuple[str, dict[str, Any]]]],
) -> None:
    """By hand with less would make the components look dear; with more, cheap."""
    ours, by_hand = (
        sorted((kind, sorted(key for key, value in inputs.items() if value not in ({}, None))) for kind, inputs in side)
        for side in sides
    )
    assert ours == by_hand
