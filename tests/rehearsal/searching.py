"""Finds secrets in texts by their values, in each of the forms in which one gets about."""

from __future__ import annotations

import base64
import json
import re
import urllib.parse
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SHORTEST: Final = 8
"""Characters of what can be searched for: less is found by chance."""
_WINDOW: Final = 8
"""Characters that are looked at together, one window after the other. What is at least two long has one in it whole,
wherever it begins."""
_LONG: Final = 32
"""Characters of a secret of which a piece is one still."""
_PIECE: Final = 20
SHAPES: Final = {
    "a signed token": re.compile(r"\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{16,}"),
    "a private key": re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----"),
    "what PostgreSQL has of a password": re.compile(r"SCRAM-SHA-256\$\d+:[\w+/=]{8,}"),
    "what the API has of a password": re.compile(r"scrypt\$\d+\$\d+\$\d+\$[\w-]{8,}"),
}
"""Kinds of secrets that are known by how they look: whoever made it, and whether anybody has told of it."""


class Search:
    """A search for some secrets, however many, at the cost of one look at each part of a text."""

    def __init__(self, secrets: Mapping[str, str]) -> None:
        """Search for *secrets*, what each is → its value."""
        self._short: dict[str, str] = {}
        self._windows: dict[str, list[tuple[int, str, str]]] = {}
        for what, value in secrets.items():
            assert len(value) >= SHORTEST, f"{what} is too short to be searched for"
            for form in set(forms(value)):
                if len(form) < 2 * _WINDOW:
                    self._short[form] = what
                    continue
                for at in range(_WINDOW):
                    self._windows.setdefault(form[at : at + _WINDOW], []).append((at, form, what))

    def found(self, text: str) -> set[str]:
        """Return what of the secrets is in *text*, and what else there looks like one. No value is among it."""
        shaped = {what for what, shape in SHAPES.items() if shape.search(text)}
        # A terminal breaks lines where it likes.
        return shaped | self._found(text) | self._found("".join(text.split()))

    def _found(self, text: str) -> set[str]:
        windows = self._windows
        return {what for form, what in self._short.items() if form in text} | {
            what
            for start in range(0, len(text), _WINDOW)
            for at, form, what in windows.get(text[start : start + _WINDOW], ())
            if start >= at and text.startswith(form, start - at)
        }


def forms(value: str) -> Iterator[str]:
    """Yield *value* as it is, cut, without spaces, and as it is written in JSON, URLs, Base64 and hexadecimal."""
    for each in {value, "".join(value.split())}:
        yield each
        yield json.dumps(each)[1:-1]
        yield json.dumps(json.dumps(each)[1:-1])[1:-1]
        yield urllib.parse.quote(each, safe="")
        yield urllib.parse.quote_plus(each, safe="")
        yield each.encode().hex()
    if len(value) >= _LONG:  # which may have been cut
        yield from (value[:_PIECE], value[-_PIECE:])
    # What comes before it, a user's name and a colon, say, shifts it by a number of bytes.
    for before in range(3):
        encoded = base64.b64encode(b"\0" * before + value.encode()).decode().rstrip("=")
        # The characters at both ends have bits of what is beside it.
        own = encoded[(0, 2, 3)[before] : None if (before + len(value.encode())) % 3 == 0 else -1]
        if len(own) >= SHORTEST:
            yield own
            yield own.replace("+", "-").replace("/", "_")
