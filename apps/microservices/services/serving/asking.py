"""The parts of a request that several routes ask for: a page of a list, an ETag, a JSON object."""

from __future__ import annotations

import base64
import binascii
import json
import re
from typing import TYPE_CHECKING, Any, Final, NoReturn, cast

from serving.faults import RefusalError, field_at_fault

if TYPE_CHECKING:
    from collections.abc import Mapping

    from serving.messages import Request

_ETAG: Final = re.compile(r'"[\x21\x23-\x7e]{1,128}"')


def limit(query: Mapping[str, str], *, default: int, most: int) -> int:
    """Return how many are asked for.

    Raises:
        RefusalError: 400, where it is no whole number from 1 to *most*.

    """
    given = query.get("limit", str(default))
    if not re.fullmatch(r"[0-9]{1,4}", given) or not 1 <= int(given) <= most:
        raise field_at_fault("limit", given, f"a whole number from 1 to {most}")
    return int(given)


def cursor(query: Mapping[str, str], place: re.Pattern[str]) -> str | None:
    """Return the *place* after which a page begins; None for the first page.

    Raises:
        RefusalError: 400, where it is none that this service gave out.

    """
    given = query.get("cursor")
    if given is None:
        return None
    try:
        found = base64.b64decode(
            given.encode("ascii") + b"=" * (-len(given) % 4), altchars=b"-_", validate=True
        ).decode()
    except (binascii.Error, ValueError):
        found = ""
    if not place.fullmatch(found):
        raise field_at_fault("cursor", given, "the `next` of the page before, as it is,")
    return found


def next_cursor(place: str) -> str:
    """Make the cursor of the page that begins after *place*."""
    return base64.urlsafe_b64encode(place.encode()).decode().rstrip("=")


def if_match(request: Request) -> str | None:
    """Return the ETag, quotes and all, that what is changed must still have: or `*`, or None where none is asked for.

    Raises:
        RefusalError: 400, where it is no ETag, or several.

    """
    given = request.headers.get("if-match")
    if given is not None and given != "*" and not _ETAG.fullmatch(given):
        raise field_at_fault("If-Match", given, 'one strong ETag with its quotes, such as "3", or *')
    return given


def json_object(body: bytes) -> dict[str, Any]:
    """Read a request's *body*.

    Raises:
        RefusalError: 400, where it is no JSON object.

    """
    try:
        given: object = json.loads(body.decode(), parse_constant=_no_constant, object_pairs_hook=_each_once)
    except (ValueError, RecursionError):  # not UTF-8, not JSON, or nested beyond reason
        raise field_at_fault("body", body[:64].decode(errors="replace"), "a JSON object in UTF-8") from None
    if not isinstance(given, dict):
        raise field_at_fault("body", given, "a JSON object")
    return cast("dict[str, Any]", given)


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)  # NaN and the infinities are Python's, not JSON's


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for name, value in pairs:
        if name in fields:
            raise RefusalError(400, "a field is there twice: once would do", details={"field": name[:64]})
        fields[name] = value
    return fields
