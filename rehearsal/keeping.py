"""What a script keeps of one answer for its later requests: the token that a login gives, say."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, cast

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rehearsal.script import Request

_NAMED: Final = re.compile(r"\$\{(\w+)\}")


def names(request: Request) -> set[str]:
    """Return what *request* has of earlier answers: each ``${name}`` in its path, its headers and its body."""
    said = json.dumps([request.path, request.headers, request.json_, request.text], default=str)
    return set(_NAMED.findall(said))


class Kept:
    """What one workload's requests have kept so far. Nothing prints it: a token is as good as a password."""

    def __init__(self) -> None:
        """Nothing yet."""
        self._values: dict[str, str] = {}

    def fill(self, request: Request) -> Request:
        """Return *request* as it is sent: with what was kept in the place of each ``${name}``."""
        if not names(request):
            return request
        filled = {
            "path": self._filled(request.path),
            "headers": self._filled(request.headers),
            "json_": self._filled(request.json_),
            "text": self._filled(request.text),
        }
        return request.model_copy(update=filled)

    def missing(self, request: Request) -> list[str]:
        """Return what *request* has of earlier answers and none gave."""
        return sorted(names(request) - self._values.keys())

    def take(self, request: Request, content: bytes) -> Iterator[str]:
        """Keep what *request* says of its answer's *content*; yield what was not there."""
        for name, field in request.keep.items():
            value = _field(content, field)
            if value is None:
                yield f"expected text in {field!r}, to keep it as {name!r}, got none"
            else:
                self._values[name] = value

    def hide(self, text: str) -> str:
        """Return *text* without what was kept."""
        for name, value in self._values.items():
            text = text.replace(value, f"${{{name}}}")
        return text

    def _filled(self, said: Any) -> Any:
        if isinstance(said, str):
            return _NAMED.sub(lambda found: self._values[found[1]], said)
        if isinstance(said, Mapping):
            return {name: self._filled(each) for name, each in cast("Mapping[str, Any]", said).items()}
        return [self._filled(each) for each in cast("list[Any]", said)] if isinstance(said, list) else said


def _field(content: bytes, path: str) -> str | None:
    """Return the text at *path*, such as ``login.token``, of a JSON answer; None where there is none."""
    try:
        at: Any = json.loads(content)
    except ValueError:
        return None
    for step in path.split("."):
        at = cast("dict[str, Any]", at).get(step) if isinstance(at, dict) else None
    return at if isinstance(at, str) and at else None
