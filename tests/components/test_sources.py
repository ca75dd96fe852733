"""How the library is written, file by file, as far as that can be held."""

from __future__ import annotations

import ast
import dataclasses
import sys
from typing import TYPE_CHECKING, Any, Final

import pytest

from components.capacity import Capacity
from components.fargate import InstanceSize, Size
from tests.components.library import FOLDER, classes, modules

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

POSITIONAL: Final = (Size, InstanceSize, Capacity)
"""Values that are read like a literal: ``Size(256, 512)``."""

each_source = pytest.mark.parametrize("source", sorted(FOLDER.rglob("*.py")), ids=lambda each: each.stem)


def _arguments() -> list[type]:
    found = (each for module in modules() for each in classes(module))
    return [each for each in found if dataclasses.is_dataclass(each)]


@pytest.mark.parametrize("value", _arguments(), ids=lambda each: each.__name__)
def test_values_are_frozen_and_said_by_name(value: Any) -> None:
    """What was checked when it was made is still so when it is used; and no call hangs on the order of fields."""
    assert value.__dataclass_params__.frozen
    if value not in POSITIONAL:
        assert all(field.kw_only for field in dataclasses.fields(value))


@each_source
def test_what_is_public_is_documented(source: Path) -> None:
    """Classes, functions and methods; and each field of a value, whose meaning, unit and bounds stand nowhere else."""
    tree = ast.parse(source.read_text())
    assert ast.get_docstring(tree), "the module"
    mute = [each.name for each in _public(tree) if not ast.get_docstring(each)]
    for each in _public(tree):
        if isinstance(each, ast.ClassDef) and any("dataclass" in ast.unparse(one) for one in each.decorator_list):
            mute += [f"{each.name}.{field}" for field in _undocumented_fields(each)]
    assert not mute


@each_source
def test_it_knows_pulumi_aws_and_the_library_alone(source: Path) -> None:
    """The library is used by programs of any kind: what reads settings or calls AWS is theirs."""
    allowed = {"components", "pulumi", "pulumi_aws", "pulumi_awsx"} | sys.stdlib_module_names
    for node in ast.walk(ast.parse(source.read_text())):
        names = [each.name for each in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0
            names = [node.module or ""]
        for name in names:
            assert name.partition(".")[0] in allowed, name


@each_source
def test_it_asks_aws_nothing(source: Path) -> None:
    """A look-up is a call at every preview and a stub in every test; the recorder refuses those that it meets."""
    for node in ast.walk(ast.parse(source.read_text())):
        if isinstance(node, ast.Call) and (called := ast.unparse(node.func)).startswith(("aws.", "awsx.", "pulumi.")):
            assert not called.rpartition(".")[2].startswith(("get_", "invoke")), called


def _public(tree: ast.Module) -> Iterator[ast.ClassDef | ast.FunctionDef]:
    for node in tree.body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and not node.name.startswith("_"):
            yield node
            for inner in node.body if isinstance(node, ast.ClassDef) else []:
                if isinstance(inner, ast.FunctionDef) and not inner.name.startswith("_"):
                    yield inner


def _undocumented_fields(node: ast.ClassDef) -> Iterator[str]:
    for field, after in zip(node.body, [*node.body[1:], None], strict=True):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
            said = isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant)
            if not said:
                yield field.target.id
