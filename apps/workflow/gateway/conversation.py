"""What a caller may say: the shape of it. What the values may be is the agent's to say, in one place."""

from __future__ import annotations

import json
from typing import Any, Final, NoReturn, cast

from faults import field_at_fault
from workflow_api.workflow_agent_pb2 import ConversationRequest

_LARGEST: Final = 2**32 - 1  # of the contract's uint32
_EXAMPLE: Final = '{"conversation_id": "c-1", "text": "how are you"}'


def parse(body: bytes) -> ConversationRequest:
    """Read the conversation in a request's *body*.

    Raises:
        RefusalError: 400, naming the field, its value and what would do.

    """
    given = _object(body)
    for name, value in given.items():
        if name not in {"conversation_id", "text", "pace_ms"}:
            raise field_at_fault(name[:64], value, "no field but conversation_id, text and pace_ms")
    for name in ("conversation_id", "text"):
        if not isinstance(given.get(name), str) or not _is_text(given[name]):
            raise field_at_fault(name, given.get(name), "text")
    pace = given.get("pace_ms", 0)
    # A bool is an int to Python, and no number to anybody else.
    if type(pace) is not int or not 0 <= pace <= _LARGEST:
        raise field_at_fault("pace_ms", pace, "a whole number of milliseconds")
    return ConversationRequest(conversation_id=given["conversation_id"], text=given["text"], pace_ms=pace)


def _object(body: bytes) -> dict[str, Any]:
    try:
        given: object = json.loads(body.decode(), parse_constant=_no_constant)
    except (ValueError, RecursionError):  # not UTF-8, not JSON, or nested beyond reason
        raise field_at_fault("body", body[:64].decode(errors="replace"), "a JSON object in UTF-8") from None
    if not isinstance(given, dict):
        raise field_at_fault("body", given, f"a JSON object such as {_EXAMPLE}")
    return cast("dict[str, Any]", given)


def _is_text(value: str) -> bool:
    """Tell whether it can be sent: JSON may name half a character, which UTF-8 cannot."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)  # NaN and the infinities are Python's, not JSON's
