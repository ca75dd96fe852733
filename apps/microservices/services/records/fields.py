"""What the fields of an item may say. A service lists its own; whatever is not listed is refused."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, cast

from serving.faults import field_at_fault

if TYPE_CHECKING:
    import re
    from collections.abc import Mapping


class Field(Protocol):
    """One field's rule."""

    @property
    def needed(self) -> bool:
        """Whether an item without it is refused."""
        ...

    def check(self, name: str, value: object) -> Any:
        """Return *value* as it is kept; RefusalError where it will not do."""
        ...


Fields = dict[str, Field]
"""Name → rule."""


@dataclass(frozen=True, kw_only=True)
class Text:
    """Text with neither blanks around it nor control characters in it."""

    longest: int
    """Characters, 1 to 20 000: at four bytes each it is far from the 400 KB that an item may have."""
    needed: bool = True
    lines: bool = False
    """Whether it may have several."""
    pattern: re.Pattern[str] | None = None
    """What it must be as a whole."""
    expected: str = "text"
    """What *pattern* means, in words."""

    def check(self, name: str, value: object) -> str:
        """Return *value*; RefusalError where it will not do."""
        lines = " and line ends" if self.lines else ""
        expected = f"{self.expected} of 1 to {self.longest} characters without blanks around and controls within{lines}"
        if not isinstance(value, str) or not 1 <= len(value) <= self.longest or value != value.strip():
            raise field_at_fault(name, value, expected)
        # Cc: controls; Cs: half a character, which JSON may name and UTF-8 cannot.
        if any(unicodedata.category(each) in {"Cc", "Cs"} for each in value if not (self.lines and each in "\n\t")):
            raise field_at_fault(name, value, expected)
        if self.pattern is not None and not self.pattern.fullmatch(value):
            raise field_at_fault(name, value, self.expected)
        return value


@dataclass(frozen=True, kw_only=True)
class Texts:
    """A list of texts, each of them once."""

    most: int
    each: Text
    needed: bool = False

    def check(self, name: str, value: object) -> list[str]:
        """Return *value*; RefusalError where it will not do."""
        given = cast("list[object]", value) if isinstance(value, list) else None
        if given is None or len(given) > self.most:
            raise field_at_fault(name, cast("object", value), f"a list of {self.most} texts at most")
        texts = [self.each.check(f"{name}[{place}]", one) for place, one in enumerate(given)]
        for place, one in enumerate(texts):
            if one in texts[:place]:
                raise field_at_fault(f"{name}[{place}]", one, "each text once")
        return texts


def checked(given: Mapping[str, object], fields: Fields) -> dict[str, Any]:
    """Return *given* as it is kept; a field that is null is one that is not there.

    Raises:
        RefusalError: 400, naming the field, its value and what would do.

    """
    for name, value in given.items():
        if name not in fields:
            raise field_at_fault(name[:64], value, f"no field but {', '.join(fields)}")
    kept: dict[str, Any] = {}
    for name, field in fields.items():
        value = given.get(name)
        if value is not None or field.needed:
            kept[name] = field.check(name, value)
    return kept
