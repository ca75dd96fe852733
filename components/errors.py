"""The one error a component raises for arguments that AWS would refuse, or accept and then break on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pulumi

if TYPE_CHECKING:
    from collections.abc import Collection


class InvalidArgsError(pulumi.RunError, ValueError):
    """An argument that cannot work: which one, the value it had, and what would do.

    A `pulumi.RunError`, so that the engine shows the message alone: a wrong value is its giver's to mend,
    and a traceback through this library would not help them.
    """

    def __init__(self, field: str, *, got: object, want: str) -> None:
        """Name *field* as ``Component.argument``, the value it *got*, and what would do (*want*)."""
        super().__init__(f"{field}: got {got!r}; {want}")


def within(owner: object, field: str, low: int, high: int, unit: str = "") -> None:
    """Refuse ``owner.field`` outside *low* to *high*, both allowed. None stands for "not given" and passes."""
    value = getattr(owner, field)
    if value is None:
        return
    # bool is an int in Python: a port of `True` is a slip, not a port.
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise InvalidArgsError(
            of(owner, field), got=value, want=f"a whole number from {low} to {high}{' ' if unit else ''}{unit}"
        )


def one_of(owner: object, field: str, choices: Collection[object]) -> None:
    """Refuse ``owner.field`` outside *choices*. None stands for "not given" and passes."""
    value = getattr(owner, field)
    if value is not None and value not in choices:
        raise InvalidArgsError(of(owner, field), got=value, want=f"one of {', '.join(map(repr, choices))}")


def of(owner: object, field: str) -> str:
    """Name *field* of an arguments object as its user knows it: ``Task.size`` for ``TaskArgs.size``."""
    return f"{type(owner).__name__.removesuffix('Args')}.{field}"
