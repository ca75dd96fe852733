"""What is said to a caller whose request is not answered."""

from __future__ import annotations

from typing import Any, Final

_LONGEST_ECHO: Final = 64


class RefusalError(Exception):
    """A request that ends with an error, and what the caller is told: never a traceback, never AWS's own words."""

    def __init__(
        self, status: int, message: str, *, headers: dict[str, str] | None = None, details: dict[str, Any] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.headers = headers or {}
        self.error: dict[str, Any] = {"message": message, **(details or {})}
        """The body's `error`: `message`, and for a field at fault `field`, `value` and `expected` too."""


class StorageError(Exception):
    """What AWS refused, or did not answer. Where nobody knows better, the caller is told to try again."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        """AWS's error code, such as `ConditionalCheckFailedException`; without an answer the exception's name."""
        self.message = message


def field_at_fault(field: str, value: object, expected: str, *, status: int = 400) -> RefusalError:
    """The refusal of a request for one field of it; *expected* says what would do."""
    echo = _echo(value)
    found = "is missing or null" if value is None else f"is {echo!r}"
    details = {"field": field, "value": echo, "expected": expected}
    return RefusalError(status, f"{field} {found}: {expected} would do", details=details)


def _echo(value: object) -> object:
    """The value, as far as it is short, and can be sent: JSON may name half a character, which UTF-8 cannot."""
    match value:
        case None | bool() | float():
            return value
        case int():
            return value if abs(value) < 10**18 else "a very large number"
        case str():
            short = value if len(value) <= _LONGEST_ECHO else value[:_LONGEST_ECHO] + "…"
            return short.encode(errors="replace").decode()
        case list():
            return "a list"
        case _:
            return "an object"
