"""The three-valued reader: a property is known, unknown (not before the deployment), or absent. Never a bare value.

Reading an unknown through Pulumi's own proxy raises, and the engine turns even a mandatory policy into a note: a hole.
So properties are thawed once, each unknown leaf becoming an `Unknown` that a rule has to look at.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from pulumi_policy.proxy import UnknownValueError

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True)
class Unknown:
    """A value that cannot be known during a preview."""

    path: str
    """Where it stands, such as `networkConfiguration.subnets.0`."""


@dataclass(frozen=True)
class Absent:
    """A property that was not given."""

    path: str


@dataclass(frozen=True)
class Known:
    """A value that is here; within it, leaves may still be `Unknown`."""

    value: Tree


Tree: TypeAlias = "bool | float | str | Unknown | list[Tree] | dict[str, Tree] | None"
"""Properties as they came, with `Unknown` where a value is not known yet."""

Reading: TypeAlias = Known | Unknown | Absent


def thaw(value: object, path: str = "") -> Tree:
    """Copy *value* out of Pulumi's proxies, so that looking at it never raises."""
    if isinstance(value, Mapping):
        held = cast("Mapping[str, Any]", value)
        return {key: _member(held, key, f"{path}.{key}" if path else key) for key in held}
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        items = cast("Sequence[Any]", value)
        return [_member(items, index, f"{path}.{index}") for index in range(len(items))]
    if value is None or isinstance(value, bool | float | str):
        return value
    return float(value) if isinstance(value, int) else f"<{type(value).__name__}>"  # an asset: nothing is read in it


def _member(container: Mapping[str, Any] | Sequence[Any], key: str | int, path: str) -> Tree:
    try:
        return thaw(cast("Any", container)[key], path)
    except UnknownValueError:
        return Unknown(path)


def read(tree: Tree, path: str) -> Reading:
    """Follow *path* (`a.b.0`) into *tree*. A null is absent; whatever lies below an unknown is unknown."""
    here: Tree = tree
    for step in path.split("."):
        if isinstance(here, Unknown):
            return Unknown(path)
        if isinstance(here, list):
            here = here[int(step)] if step.isdigit() and int(step) < len(here) else None
        elif isinstance(here, dict):
            here = here.get(step)
        else:
            return Absent(path)
    if here is None:
        return Absent(path)
    return Unknown(path) if isinstance(here, Unknown) else Known(here)


def listed(tree: Tree) -> list[Tree]:
    """*tree* as a list: AWS and Pulumi write a list of one as the one."""
    if tree is None:
        return []
    return tree if isinstance(tree, list) else [tree]


def leaves(tree: Tree) -> Iterator[Tree]:
    """Every leaf of *tree*, depth first."""
    if isinstance(tree, dict):
        for value in tree.values():
            yield from leaves(value)
    elif isinstance(tree, list):
        for value in tree:
            yield from leaves(value)
    else:
        yield tree
