"""The log: one JSON object a line on standard output."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from typing import Any


def now() -> str:
    """The time, as logs and rows have it: UTC, to the second."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Journal:
    """Writes lines that all carry the fields it is bound to."""

    def __init__(self, **fields: Any) -> None:
        self._fields = fields

    def bind(self, **fields: Any) -> Journal:
        """Another journal, whose lines carry *fields* too."""
        return Journal(**self._fields, **fields)

    def info(self, message: str, **fields: Any) -> None:
        """What happened as it should."""
        self._write("info", message, fields)

    def warning(self, message: str, **fields: Any) -> None:
        """What was coped with."""
        self._write("warning", message, fields)

    def error(self, message: str, **fields: Any) -> None:
        """What somebody should look at."""
        self._write("error", message, fields)

    def _write(self, level: str, message: str, fields: dict[str, Any]) -> None:
        line = {"time": now(), "level": level, "message": message, **self._fields, **fields}
        # In one write: the clock's process and its job's share the stream, and half a line is no JSON.
        sys.stdout.write(json.dumps(line, default=str, separators=(",", ":")) + "\n")
        sys.stdout.flush()
