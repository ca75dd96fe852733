"""A request as it was read, and a response as it will be written."""

from __future__ import annotations

import re
import time
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from faults import RefusalError

REQUEST_ID: Final = "x-request-id"

# What a log, a header and a function's event can carry as it is.
_SANE_ID: Final = re.compile(r"[A-Za-z0-9._:-]{1,128}")


@dataclass(frozen=True, kw_only=True)
class Request:
    """A request, read to its end."""

    method: str
    target: str
    """The path, with its query."""
    headers: dict[str, str]
    """Names in lower case; of a header that came twice the last."""
    body: bytes
    started: float = field(default_factory=time.monotonic)

    @property
    def id(self) -> str | None:
        """The caller's `X-Request-Id`, if it has one that is fit to be passed on."""
        given = self.headers.get(REQUEST_ID, "")
        return given if _SANE_ID.fullmatch(given) else None


@dataclass(frozen=True, kw_only=True)
class Response:
    """A response, its body being JSON."""

    status: int
    body: dict[str, Any]
    headers: dict[str, str] = field(default_factory=dict[str, str])


def new_id() -> str:
    """Make the id of a request that came without one."""
    return uuid.uuid4().hex


def refused(refusal: RefusalError, request_id: str) -> Response:
    """Tell a caller why there is no answer."""
    body = {"error": refusal.error, "request_id": request_id}
    return Response(status=refusal.status, body=body, headers={**refusal.headers, REQUEST_ID: request_id})
