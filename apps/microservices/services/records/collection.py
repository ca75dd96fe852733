"""The HTTP side of a service that keeps items: list, create, read, change, delete, and the latest for a page."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from serving import asking
from serving.faults import RefusalError, field_at_fault
from serving.messages import JSON, Response, told
from serving.service import Asked, Route, Service

from records.fields import Fields, checked
from records.item import ID, Item

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from serving.environment import Environment

    from records.table import Table

LARGEST_PAGE: Final = 100
MOST_LATEST: Final = 10

_OWN: Final = {"id", "version", "created_at", "updated_at"}
_LONGEST_SUMMARY: Final = 200
_KEY: Final = re.compile(r"[A-Za-z0-9_.:-]{1,64}")


@dataclass(frozen=True, kw_only=True)
class Headline:
    """An item in two lines, for whoever shows it among others."""

    title: str
    summary: str
    """Of any length: it is cut."""


def service(fields: Fields, headline: Callable[[dict[str, Any]], Headline]) -> Service:
    """Make a service of items with *fields*, each shown among the latest by its *headline*."""
    if own := _OWN & fields.keys():
        raise ValueError(
            f"fields: got {', '.join(sorted(own))}, which every item has of its own: another name would do"
        )

    def connect(environment: Environment) -> Sequence[Route]:
        # The SDK is slow to import: /health is answered meanwhile.
        from serving.aws import client  # noqa: PLC0415
        from serving.routes import ROOM  # noqa: PLC0415

        from records.table import Table  # noqa: PLC0415

        table = Table(client("dynamodb", environment, ROOM), environment.storage_name)
        return Collection(environment.base_path, fields, headline, table).routes()

    return Service(storage="TABLE_NAME", connect=connect)


class Collection:
    """The items of one service, as callers see them."""

    def __init__(
        self, base_path: str, fields: Fields, headline: Callable[[dict[str, Any]], Headline], table: Table
    ) -> None:
        self._base_path = base_path
        self._fields = fields
        self._headline = headline
        self._table = table

    def routes(self) -> list[Route]:
        """Return what may be done."""
        return [
            Route(method="GET", path="", handle=self._list, query=("limit", "cursor")),
            Route(method="POST", path="", handle=self._create, content_type=JSON),
            Route(method="GET", path="/latest", handle=self._latest, query=("limit",)),
            Route(method="GET", path="/{id}", handle=self._read),
            Route(method="PUT", path="/{id}", handle=self._change, content_type=JSON),
            Route(method="DELETE", path="/{id}", handle=self._delete),
        ]

    def _list(self, asked: Asked) -> Response:
        limit = asking.limit(asked.query, default=20, most=LARGEST_PAGE)
        page = self._table.list(limit, asking.cursor(asked.query, ID))
        following = asking.next_cursor(page.items[-1].id) if page.more else None
        return told(200, {"items": [_shown(item) for item in page.items], "next": following})

    def _latest(self, asked: Asked) -> Response:
        page = self._table.list(asking.limit(asked.query, default=3, most=MOST_LATEST), None)
        items: list[dict[str, str]] = []
        for item in page.items:
            said = self._headline(item.fields)
            items.append({"title": said.title, "summary": _brief(said.summary), "at": item.created_at})
        return told(200, {"all": self._base_path, "items": items})

    def _create(self, asked: Asked) -> Response:
        key = asked.request.headers.get("idempotency-key")
        if key is not None and not _KEY.fullmatch(key):
            raise field_at_fault("Idempotency-Key", key, "1 to 64 letters, digits, '_', '.', ':' or '-'")
        item = self._table.create(self._body(asked), key)
        return told(201, _shown(item), {"location": f"{self._base_path}/{item.id}", "etag": item.etag})

    def _read(self, asked: Asked) -> Response:
        item = self._table.read(_id(asked))
        if item is None:
            raise RefusalError(404, f"there is no item {_id(asked)}")
        return told(200, _shown(item), {"etag": item.etag})

    def _change(self, asked: Asked) -> Response:
        etag = asking.if_match(asked.request)
        if etag is None:
            raise field_at_fault("If-Match", None, "the ETag that the item was read with, or *,", status=428)
        item = self._table.change(_id(asked), self._body(asked), etag)
        return told(200, _shown(item), {"etag": item.etag})

    def _delete(self, asked: Asked) -> Response:
        self._table.delete(_id(asked), asking.if_match(asked.request) or "*")
        return Response(status=204)

    def _body(self, asked: Asked) -> dict[str, Any]:
        return checked(asking.json_object(asked.request.body), self._fields)


def _id(asked: Asked) -> str:
    given = asked.parts["id"]
    if not ID.fullmatch(given):
        raise RefusalError(404, "there is no such item: an id has 32 digits, 0 to 9 and a to f")
    return given


def _shown(item: Item) -> dict[str, Any]:
    own = {"id": item.id, "version": item.version, "created_at": item.created_at, "updated_at": item.updated_at}
    return own | item.fields


def _brief(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST_SUMMARY else line[: _LONGEST_SUMMARY - 1] + "…"
