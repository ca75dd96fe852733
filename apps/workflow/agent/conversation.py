"""What may be said to the agent, and what it answers: one message a word."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from workflow_api.workflow_agent_pb2 import ConversationRequest

LONGEST_STREAM: Final = 20.0
"""Seconds that a conversation may be paced over: less than a stopping agent waits for it, so that none is cut."""

MOST_WORDS: Final = 1000
LONGEST_TEXT: Final = 8000
LONGEST_PACE: Final = 1000
"""Milliseconds."""

_ID: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}")


class InvalidRequestError(Exception):
    """A field out of bounds; the message names it, its value, and what would do."""


@dataclass(frozen=True, kw_only=True)
class Conversation:
    """A conversation that may be answered."""

    id: str
    words: list[str]
    pace: float
    """Seconds before each message."""

    def answers(self) -> Iterator[str]:
        """Work on one word after the other; the same words have the same answers, whoever gives them."""
        return (word.upper() for word in self.words)


def parse(request: ConversationRequest) -> Conversation:
    """Let a request through.

    Raises:
        InvalidRequestError: a field is out of bounds.

    """
    if not _ID.fullmatch(request.conversation_id):
        raise InvalidRequestError(
            f"conversation_id is {request.conversation_id[:64]!r}: 1 to 64 letters, digits, '_', '.' or '-', "
            "the first of them no '.' or '-', would do"
        )
    words = request.text.split()
    if len(request.text) > LONGEST_TEXT or not 1 <= len(words) <= MOST_WORDS:
        raise InvalidRequestError(
            f"text has {len(words)} words in {len(request.text)} characters: 1 to {MOST_WORDS} words in "
            f"{LONGEST_TEXT} characters at most would do"
        )
    if request.pace_ms > LONGEST_PACE:
        raise InvalidRequestError(f"pace_ms is {request.pace_ms}: 0 to {LONGEST_PACE} would do")
    if len(words) * request.pace_ms > LONGEST_STREAM * 1000:
        most = int(LONGEST_STREAM * 1000 / len(words))
        raise InvalidRequestError(
            f"pace_ms is {request.pace_ms} and text has {len(words)} words, over {LONGEST_STREAM:g} s together: "
            f"{most} or less would do"
        )
    return Conversation(id=request.conversation_id, words=words, pace=request.pace_ms / 1000)
