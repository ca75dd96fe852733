"""Policy documents as statements, whichever way they were written: JSON text, a mapping, or a declaration."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, cast

from policies.reading import Tree, listed
from policies.rules.iam import actions

if TYPE_CHECKING:
    from collections.abc import Mapping

VERSION: Final = "2012-10-17"


@dataclass(frozen=True, kw_only=True)
class Statement:
    """One statement of an identity policy, whichever way it was written."""

    index: int
    allows: bool = True
    actions: tuple[Tree, ...] = ()
    resources: tuple[Tree, ...] = ()
    """A leaf not known yet is some resource's own ARN."""
    conditions: Mapping[str, Mapping[str, tuple[Tree, ...]]] = field(
        default_factory=dict[str, dict[str, tuple[Tree, ...]]]
    )
    """Operator → key → values."""
    inverted: tuple[str, ...] = ()
    """`NotAction` and `NotResource`, where used."""

    def expanded(self) -> set[str]:
        """Every action it allows, in lower case."""
        return {it.name.lower() for text in self.actions if isinstance(text, str) for it in actions.expand(text)}


@dataclass(frozen=True, kw_only=True)
class Document:
    """A policy document, or what a component declares one to be."""

    statements: tuple[Statement, ...]
    version: Tree = VERSION

    def expanded(self) -> set[str]:
        """Every action it allows, in lower case."""
        return {action for it in self.statements if it.allows for action in it.expanded()}


def parse(raw: Tree) -> Document | None:
    """Read a policy document, given as JSON text or as a mapping; nothing where it is neither."""
    if isinstance(raw, str):
        try:
            raw = cast("Tree", json.loads(raw))
        except ValueError:
            return None
    if not isinstance(raw, dict):
        return None
    statements = listed(raw.get("Statement"))
    if not all(isinstance(it, dict) for it in statements):
        return None
    parsed = (_parse_statement(index, it) for index, it in enumerate(cast("list[dict[str, Tree]]", statements)))
    return Document(statements=tuple(parsed), version=raw.get("Version"))


def _parse_statement(index: int, raw: Mapping[str, Tree]) -> Statement:
    return Statement(
        index=index,
        allows=raw.get("Effect") != "Deny",
        actions=tuple(listed(raw.get("Action"))),
        resources=tuple(listed(raw.get("Resource"))),
        conditions=conditions_of(raw.get("Condition")),
        inverted=tuple(key for key in ("NotAction", "NotResource") if key in raw),
    )


def declared(raw: Tree) -> Document | None:
    """Read what a component declares under `policies`: a list of statements, all of them allowing."""
    if not isinstance(raw, list) or not all(isinstance(it, dict) for it in raw):
        return None
    entries = cast("list[dict[str, Tree]]", raw)
    return Document(
        statements=tuple(
            Statement(
                index=index,
                actions=tuple(listed(it.get("actions"))),
                resources=tuple(listed(it.get("resources"))),
                conditions=conditions_of(it.get("conditions")),
            )
            for index, it in enumerate(entries)
        )
    )


def conditions_of(raw: Tree) -> dict[str, dict[str, tuple[Tree, ...]]]:
    """Conditions as operator → key → values. What is unknown as a whole narrows nothing, so it is left out."""
    if not isinstance(raw, dict):
        return {}
    return {
        operator: {key: tuple(listed(values)) for key, values in by_key.items()}
        for operator, by_key in raw.items()
        if isinstance(by_key, dict)
    }
