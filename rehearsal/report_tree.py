"""The resources of a stack as a tree, as narrow as the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.text import Text
from rich.tree import Tree

from rehearsal.systems import short_type

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rehearsal.result import Resource

_INDENT: Final = 4
"""Columns that a level of the tree takes."""
_BETWEEN: Final = "  "
_SLOW: Final = 0.5
"""Seconds from which on a creation's time is shown in bold."""


def of(stack: str, resources: Sequence[Resource], width: int) -> Tree:
    """Return the *resources* of *stack* as a tree for a terminal that is *width* wide."""
    children: dict[str, list[Resource]] = {}
    for each in resources:
        children.setdefault(each.parent, []).append(each)
    known = {each.urn for each in resources}
    root = Tree(Text(stack, style="bold"), guide_style="dim")
    for parent in [parent for parent in children if parent not in known]:
        _grow(root, children[parent], children, width - _INDENT)
    return root


def _grow(branch: Tree, here: Sequence[Resource], children: Mapping[str, Sequence[Resource]], width: int) -> None:
    """Add components as branches; what has no children shares lines between them, since a line each would be many.

    *width* is what a line has room for in *branch*.
    """
    leaves = [_leaf(each) for each in here if each.urn not in children]
    parents = [each for each in here if each.urn in children]
    for line in _filled(leaves, width):
        branch.add(line)
    for each in parents:
        label = Text.assemble((short_type(each.type), "bold"), " ", each.name)
        below = children[each.urn]
        short = _filled([label, *map(_leaf, below)], width)
        if len(short) == 1 and not any(child.urn in children for child in below):
            branch.add(short[0])
        else:
            _grow(branch.add(label), below, children, width - _INDENT)


def _filled(words: Sequence[Text], width: int) -> list[Text]:
    """Join *words* into lines of at most *width*; no word is broken, which rich would do at any space."""
    lines: list[Text] = []
    for word in words:
        if lines and lines[-1].cell_len + len(_BETWEEN) + word.cell_len <= width:
            lines[-1] = Text(_BETWEEN).join([lines[-1], word])
        else:
            lines.append(word)
    return lines


def _leaf(resource: Resource) -> Text:
    text = Text.assemble((short_type(resource.type), "cyan"), " ", resource.name)
    if resource.seconds:
        text.append(f" {resource.seconds:.2f}", style="bold" if resource.seconds >= _SLOW else "dim")
    if resource.proof == "validated":
        text.append(" (validated)", style="yellow")
    return text
