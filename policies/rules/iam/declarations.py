"""What a component says of the policies and trusts it makes: known at a first preview, when rendered JSON is not."""

from __future__ import annotations

import json
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Final, cast

from policies.reading import Absent, Known, Reading, Tree, Unknown, read
from policies.resources import Resource, ancestors
from policies.rules.iam import trusts
from policies.rules.iam.actions import covers, shown
from policies.rules.iam.statements import Fault

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from policies.rules.iam.documents import Document, Statement

DECLARED: Final = "declared"
"""JSON of all that a component declares, in which null stands for what is not known before it is made."""
POLICIES: Final = "policies"
TRUSTS: Final = "trusts"


def said(component: Resource, prop: str) -> Reading:
    """Read what a component says under *prop*: in a prop of that name, or in the JSON of its `declared`."""
    own = component.read(prop)
    if not isinstance(own, Absent):
        return own
    whole = component.read(DECLARED)
    if not isinstance(whole, Known) or not isinstance(whole.value, str):
        return whole
    try:
        return read(_unknown(cast("Tree", json.loads(whole.value)), DECLARED), prop)
    except ValueError:
        return whole


def _unknown(tree: Tree, path: str) -> Tree:
    """Return *tree* with an `Unknown` for each null."""
    if isinstance(tree, dict):
        return {key: _unknown(value, f"{path}.{key}") for key, value in tree.items()}
    if isinstance(tree, list):
        return [_unknown(value, f"{path}.{index}") for index, value in enumerate(tree)]
    return Unknown(path) if tree is None else tree


@dataclass(frozen=True)
class Declaration:
    """What the ancestors of a resource say of it under one prop."""

    entry: Tree
    """The entry of its own name, or nothing."""
    by: Resource | None
    """The component whose entry it is."""
    spoken: bool
    """Whether any ancestor has the prop at all: then what it leaves out is not meant to be."""


def find(resource: Resource, seen: Mapping[str, Resource], prop: str) -> Declaration:
    """Look for *resource*'s logical name in the *prop* of its ancestors, nearest first."""
    spoken = False
    for ancestor in ancestors(resource, seen):
        reading = said(ancestor, prop)
        if isinstance(reading, Known) and isinstance(reading.value, dict) and ":" in ancestor.type:
            spoken = True
            if resource.name in reading.value:
                return Declaration(reading.value[resource.name], ancestor, spoken=True)
    return Declaration(None, None, spoken)


def for_tasks(component: Resource | None) -> bool:
    """Whether every role that *component* declares is for tasks: then its policies are task roles'."""
    reading = said(component, TRUSTS) if component else None
    if not isinstance(reading, Known) or not isinstance(reading.value, dict) or not reading.value:
        return False
    found = [trusts.declared(it) for it in reading.value.values()]
    return all(it and trusts.services([it]) == {trusts.TASKS} for it in found)


def beyond(raw: Document, meant: Document) -> list[Fault]:
    """Whatever *raw* allows that *meant* does not."""
    return [
        Fault(
            rule="undeclared",
            statement=statement.index,
            action=shown(action),
            reason=f"its resource {index} is more than its component declares",
            fix="declare it in the component's `policies`, or leave it out",
        )
        for statement in raw.statements
        if statement.allows
        for action in statement.actions
        for index, resource in enumerate(statement.resources)
        if not any(_within(action, resource, statement, it) for it in meant.statements)
    ]


def _within(action: Tree, resource: Tree, statement: Statement, meant: Statement) -> bool:
    return (
        isinstance(action, str)
        and any(isinstance(it, str) and covers(it, action) for it in meant.actions)
        and any(_names(it, resource) for it in meant.resources)
        and _as_narrow(statement.conditions, meant.conditions)
    )


def _names(meant: Tree, resource: Tree) -> bool:
    """Whether the declared resource is *resource* or has it within its wildcards; what is not known yet may be it."""
    if isinstance(meant, Unknown) or isinstance(resource, Unknown):
        return True
    return isinstance(meant, str) and isinstance(resource, str) and fnmatchcase(resource, meant.replace("[", "[[]"))


def _as_narrow(
    held: Mapping[str, Mapping[str, Sequence[Tree]]], meant: Mapping[str, Mapping[str, Sequence[Tree]]]
) -> bool:
    """Whether *held* has every condition of *meant*, with no value more."""
    return all(
        _subset(held.get(operator, {}).get(key), values)
        for operator, by_key in meant.items()
        for key, values in by_key.items()
    )


def _subset(held: Sequence[Tree] | None, meant: Sequence[Tree]) -> bool:
    if held is None:
        return False
    open_ended = any(isinstance(it, Unknown) for it in meant)
    return open_ended or all(isinstance(it, Unknown) or it in meant for it in held)


def beyond_trust(raw: Sequence[trusts.Trust], meant: trusts.Trust) -> list[Fault]:
    """Whoever *raw* trusts that *meant* does not."""
    return [
        Fault(
            rule="undeclared",
            statement=it.index,
            action="sts:AssumeRole",
            reason="it trusts beyond what its component declares",
            fix="declare it in the component's `trusts`, or leave it out",
        )
        for it in raw
        if it.kind != "Service" or it.principal != meant.principal or not _as_narrow(it.conditions, meant.conditions)
    ]
