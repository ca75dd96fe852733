"""The service's log: one JSON object a line on standard output."""

from __future__ import annotations

import json
import sys
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from typing import TextIO

# One for the process: a text stream's write is not atomic, and half a line is no JSON.
_LOCK: Final = threading.Lock()


class Journal:
    """Writes lines that all carry the fields it is bound to."""

    def __init__(self, stream: TextIO | None = None, **fields: Any) -> None:
        self._stream = stream or sys.stdout
        self._fields = fields

    def bind(self, **fields: Any) -> Journal:
        """Another journal on the same stream, whose lines carry *fields* too."""
        return Journal(self._stream, **self._fields, **fields)

    def info(self, message: str, **fields: Any) -> None:
        """What happened as it should."""
        self._write("info", message, fields)

    def warning(self, message: str, **fields: Any) -> None:
        """What was coped with."""
        self._write("warning", message, fields)

    def error(self, message: str, **fields: Any) -> None:
        """What somebody should look at; AWS's own words go in `error_code` and `error_message`."""
        self._write("error", message, fields)

    def _write(self, level: str, message: str, fields: dict[str, Any]) -> None:
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        line = {"time": now, "level": level, "message": message, **self._fields, **fields}
        text = json.dumps(line, default=str, separators=(",", ":")) + "\n"
        with _LOCK:
            self._stream.write(text)
            self._stream.flush()
