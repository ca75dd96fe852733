"""Reads a pack's configuration: every error at once, no unknown key, every exception with a reason and an end."""

from __future__ import annotations

import re
from datetime import date
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, TypeVar, cast

from policies.findings import Exemption

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from policies.findings import OnUnknown

_T = TypeVar("_T")

SCHEMA: dict[str, dict[str, Any]] = {
    "exceptions": {
        "type": "array",
        "items": {"type": "object", "required": ["rule", "resource", "reason", "until"]},
        "description": "Rules not held against some resources until a day, for a reason.",
    },
    "onUnknown": {
        "type": "string",
        "enum": ["deny", "report"],
        "description": "What is not proved is refused, or listed.",
    },
}
"""The keys every pack takes, as JSON schema, for `pulumi policy` to show and the engine to check."""


class ConfigurationError(Exception):
    """A pack's configuration cannot be used. Its text has every reason, one a line."""


def nearest(name: str, among: Collection[str]) -> str:
    """Say which of *among* was likely meant by *name*, or list them all."""
    close = get_close_matches(name, among, n=1)
    return f"did you mean {close[0]!r}?" if close else f"there are {', '.join(sorted(among))}"


class Given:
    """A policy's configuration while it is read: asks for keys, gathers errors, and at the end refuses the rest."""

    def __init__(self, policy: str, values: Mapping[str, Any]) -> None:
        self._policy, self._values = policy, values
        self._asked: set[str] = set()
        self.errors: list[str] = []

    def _get(self, key: str, default: _T, kind: type | tuple[type, ...], want: str) -> _T:
        self._asked.add(key)
        value = self._values.get(key, default)
        if isinstance(value, kind):
            return cast("_T", value)
        self.errors.append(f"{self._policy}.{key} is {value!r}; it must be {want}")
        return default

    def flag(self, key: str, *, default: bool) -> bool:
        """A boolean."""
        return self._get(key, default, bool, "true or false")

    def strings(self, key: str, default: tuple[str, ...] = ()) -> tuple[str, ...]:
        """A list of strings."""
        values = self._get(key, default, (list, tuple), "a list of strings")
        if all(isinstance(value, str) for value in cast("tuple[object, ...]", values)):
            return tuple(values)
        self.errors.append(f"{self._policy}.{key} is {list(values)!r}; it must be a list of strings")
        return default

    def texts(self, key: str, default: Mapping[str, str]) -> Mapping[str, str]:
        """An object whose values are strings, laid over *default*."""
        values = self._get(key, cast("dict[str, str]", {}), dict, "an object of strings")
        if all(isinstance(value, str) for value in cast("dict[str, object]", values).values()):
            return {**default, **values}
        self.errors.append(f"{self._policy}.{key} is {values!r}; it must be an object of strings")
        return default

    def patterns(self, key: str, default: Mapping[str, str]) -> Mapping[str, str]:
        """An object of regular expressions, laid over *default*."""
        texts = self.texts(key, default)
        for name, pattern in texts.items():
            try:
                re.compile(pattern)
            except re.error as error:
                self.errors.append(
                    f"{self._policy}.{key}.{name} is {pattern!r}; it must be a regular expression: {error}"
                )
        return texts

    def on_unknown(self) -> OnUnknown:
        """`deny` or `report`."""
        value = self._get("onUnknown", "deny", str, '"deny" or "report"')
        if value in ("deny", "report"):
            return value
        self.errors.append(f'{self._policy}.onUnknown is {value!r}; it must be "deny" or "report"')
        return "deny"

    def exceptions(self, rules: Collection[str]) -> tuple[Exemption, ...]:
        """Read the exceptions, each to one of *rules*."""
        entries = self._get("exceptions", cast("list[object]", []), list, "a list of objects")
        return tuple(it for index, entry in enumerate(entries) if (it := self._exception(index, entry, rules)))

    def _exception(self, index: int, entry: object, rules: Collection[str]) -> Exemption | None:
        where = f"{self._policy}.exceptions[{index}]"
        fields = cast("dict[str, object]", entry) if isinstance(entry, dict) else {}
        wanted = ("rule", "resource", "reason", "until")
        errors = [f"{where}.{key} is unknown; {nearest(key, wanted)}" for key in fields if key not in wanted]
        texts = {key: value.strip() for key in wanted if isinstance(value := fields.get(key), str) and value.strip()}
        errors += [
            f"{where}.{key} is missing; an exception has {', '.join(wanted)}" for key in wanted if key not in texts
        ]
        if "rule" in texts and texts["rule"] not in rules:
            errors.append(
                f"{where}.rule is {texts['rule']!r}, which is no rule of this pack; {nearest(texts['rule'], rules)}"
            )
        until = _day(texts.get("until", ""))
        if "until" in texts and until is None:
            errors.append(f"{where}.until is {texts['until']!r}; it must be a day, such as 2026-12-31")
        self.errors += errors
        if errors or until is None:
            return None
        return Exemption(rule=texts["rule"], resource=texts["resource"], reason=texts["reason"], until=until)

    def finish(self) -> None:
        """Refuse keys that nobody asked for.

        Raises:
            ConfigurationError: something in the configuration cannot be used.

        """
        unknown = sorted(set(self._values) - self._asked)
        self.errors += [f"{self._policy}.{key} is unknown; {nearest(key, self._asked)}" for key in unknown]
        if self.errors:
            raise ConfigurationError("\n".join(self.errors))


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
