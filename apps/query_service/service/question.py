"""What a caller may ask: a user's newest rows, and how many of them.

The function behind the private API holds its own callers to the same rules; a test holds the two together.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, Final, NoReturn, cast

from faults import field_at_fault

LARGEST_LIMIT: Final = 100
DEFAULT_LIMIT: Final = 10

_USER_ID: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}")
_USER_ID_EXPECTED: Final = "1 to 64 letters, digits, '_', '.' or '-', the first of them no '.' or '-',"


@dataclass(frozen=True, kw_only=True)
class Question:
    """A question that may be asked."""

    user_id: str
    limit: int = DEFAULT_LIMIT
    """Rows wanted at most, the newest first; 1 to 100."""


def parse(body: bytes) -> Question:
    """Read the question in a request's *body*.

    Raises:
        RefusalError: 400, naming the field, its value and what would do.

    """
    given = _object(body)
    for name, value in given.items():
        if name not in {"user_id", "limit"}:
            raise field_at_fault(name[:64], value, "no field but user_id and limit")
    limit = given.get("limit", DEFAULT_LIMIT)
    # A bool is an int to Python, and no number to anybody else.
    if type(limit) is not int or not 1 <= limit <= LARGEST_LIMIT:
        raise field_at_fault("limit", limit, f"a whole number from 1 to {LARGEST_LIMIT}")
    return Question(user_id=user_id(given.get("user_id")), limit=limit)


def user_id(value: object) -> str:
    """Let a user's id through.

    Raises:
        RefusalError: 400, where it is none.

    """
    if not isinstance(value, str) or not _USER_ID.fullmatch(value):
        raise field_at_fault("user_id", value, _USER_ID_EXPECTED)
    return value


def _object(body: bytes) -> dict[str, Any]:
    try:
        given: object = json.loads(body.decode(), parse_constant=_no_constant)
    except (ValueError, RecursionError):  # not UTF-8, not JSON, or nested beyond reason
        raise field_at_fault("body", body[:64].decode(errors="replace"), "a JSON object in UTF-8") from None
    if not isinstance(given, dict):
        raise field_at_fault("body", given, 'a JSON object such as {"user_id": "test_user_001", "limit": 10}')
    return cast("dict[str, Any]", given)


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)  # NaN and the infinities are Python's, not JSON's
