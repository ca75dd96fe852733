"""A request as it was read, and a response as it will be written."""

from __future__ import annotations

import json
import re
import time
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from serving.faults import RefusalError

JSON: Final = "application/json"
REQUEST_ID: Final = "x-request-id"

# What a log and a header can carry as it is.
_SANE_ID: Final = re.compile(r"[A-Za-z0-9._:-]{1,128}")


@dataclass(frozen=True, kw_only=True)
class Request:
    """A request, read to its end."""

    method: str
    target: str
    """The path, with its query."""
    headers: Mapping[str, str]
    """Names in lower case; of a header that came twice the last."""
    body: bytes
    started: float = field(default_factory=time.monotonic)

    @property
    def id(self) -> str:
        """The caller's `X-Request-Id`, if it has one that is fit to be passed on, or else a new one."""
        given = self.headers.get(REQUEST_ID, "")
        return given if _SANE_ID.fullmatch(given) else new_id()


@dataclass(frozen=True, kw_only=True)
class Response:
    """A response."""

    status: int
    body: bytes = b""
    content_type: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


def told(status: int, value: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Response:
    """Make a response of *value* as JSON."""
    body = json.dumps(value, separators=(",", ":")).encode()
    return Response(status=status, body=body, headers=headers or {})


def refused(refusal: RefusalError, request_id: str) -> Response:
    """Tell a caller why there is no answer."""
    body = {"error": refusal.error, "request_id": request_id}
    return told(refusal.status, body, {**refusal.headers, REQUEST_ID: request_id})


def new_id() -> str:
    """Make the id of a request that came without one."""
    return uuid.uuid4().hex
