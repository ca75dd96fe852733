"""What a report quotes of an answer, without what somebody could log in with."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, cast

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rehearsal.script import Request

HIDDEN: Final = "[secret]"
_SAYS_SO: Final = re.compile(r"passw|secret|token|authorization|cookie|api-?_?key", re.IGNORECASE)
"""Names of fields and headers whose values are not shown."""
_TOKEN: Final = re.compile(r"\beyJ[\w-]+\.[\w-]+\.[\w-]*")
"""A JSON Web Token, wherever it is: each begins with an object in Base64."""
_SHORTEST: Final = 4
"""Characters of a value that is hidden: less would tear holes into all that is quoted."""


class Hiding:
    """What is not to be quoted of one request and its answers: values by their names, and tokens by their form."""

    def __init__(self, sent: Request) -> None:
        """Hide what *sent* has in headers and in its body."""
        self._values: set[str] = set()
        self._add(sent.headers)
        self._add(sent.json_)

    def add(self, headers: Mapping[str, str], content: bytes) -> None:
        """Hide what an answer has in its *headers* and in its *content* if that is JSON."""
        self._add(dict(headers))
        try:
            self._add(json.loads(content))
        except ValueError:
            return

    def __call__(self, text: str) -> str:
        """Return *text*, which is whole yet: of a value that is cut the rest would be shown."""
        for value in sorted(self._values, key=len, reverse=True):
            for form in (value, json.dumps(value)[1:-1]):
                text = text.replace(form, HIDDEN)
        return _TOKEN.sub(HIDDEN, text)

    def _add(self, said: Any) -> None:
        self._values |= {each for each in _named(said, says_so=False) if len(each) >= _SHORTEST}


def _named(said: Any, *, says_so: bool) -> Iterator[str]:
    """Yield the texts in *said* below a name that tells of a secret."""
    if isinstance(said, Mapping):
        for name, each in cast("Mapping[str, Any]", said).items():
            yield from _named(each, says_so=says_so or bool(_SAYS_SO.search(name)))
    elif isinstance(said, list):
        for each in cast("list[Any]", said):
            yield from _named(each, says_so=says_so)
    elif says_so and isinstance(said, str):
        yield said
        yield said.removeprefix("Bearer ")
