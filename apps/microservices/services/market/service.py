"""market: what was paid for what. A day's quotes are imported as CSV; ranges of days are answered from them."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from market import quotes
from serving import asking
from serving.faults import RefusalError, field_at_fault
from serving.messages import Response, told
from serving.service import Asked, Route, Service

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from market.bucket import Bucket
    from serving.environment import Environment

CSV: Final = "text/csv"
LARGEST_DAY: Final = 1024 * 1024
"""Bytes of a day: twice what 10 000 rows have."""
LARGEST_PAGE: Final = 62
"""Days that one answer looks at; each is an object to be read."""
MOST_LATEST: Final = 10

_AT_ONCE: Final = 8
"""Objects read at once, by all requests together: each may be a megabyte, more than once over."""
_BEGINNING: Final = "0001-01-01"
_END: Final = "9999-12-31"
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_RECENT: Final = timedelta(days=14)


class Market:
    """The days of one bucket, as callers see them."""

    def __init__(self, base_path: str, bucket: Bucket, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._base_path = base_path
        self._bucket = bucket
        self._now = now
        self._pool = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="object")

    def routes(self) -> list[Route]:
        """Return what may be done."""
        pages = ("from", "to", "limit", "cursor")
        return [
            Route(method="GET", path="/days", handle=self._list, query=pages),
            Route(method="GET", path="/days/{day}", handle=self._read),
            Route(method="PUT", path="/days/{day}", handle=self._import, content_type=CSV),
            Route(method="DELETE", path="/days/{day}", handle=self._delete),
            Route(method="GET", path="/quotes/{symbol}", handle=self._quotes, query=pages),
            Route(method="GET", path="/latest", handle=self._latest, query=("limit",)),
        ]

    def _list(self, asked: Asked) -> Response:
        days, following = self._page(asked)
        return told(200, {"items": [{"day": day, "href": self._href(day)} for day in days], "next": following})

    def _read(self, asked: Asked) -> Response:
        day = quotes.day("day", asked.parts["day"])
        found = self._bucket.read(day)
        if found is None:
            raise RefusalError(404, f"{day} is not there")
        return Response(
            status=200, body=found.text.encode(), content_type=f"{CSV}; charset=utf-8", headers={"etag": found.etag}
        )

    def _import(self, asked: Asked) -> Response:
        day = quotes.day("day", asked.parts["day"])
        etag = asking.if_match(asked.request)
        text = quotes.parse(asked.request.body)
        new = self._bucket.write(day, text, etag)
        headers = {"etag": new} | ({"location": self._href(day)} if etag is None else {})
        return told(201 if etag is None else 200, {"day": day, "quotes": text.count("\n") - 1}, headers)

    def _delete(self, asked: Asked) -> Response:
        self._bucket.delete(quotes.day("day", asked.parts["day"]), asking.if_match(asked.request) or "*")
        return Response(status=204)

    def _quotes(self, asked: Asked) -> Response:
        """Answer from `limit` days: fewer items where the symbol was not traded on each of them."""
        symbol = quotes.symbol(asked.parts["symbol"])
        days, following = self._page(asked)
        items: list[dict[str, Any]] = []
        for day, found in zip(days, self._pool.map(self._bucket.read, days), strict=True):
            quote = quotes.of_symbol(found.text, symbol) if found else None
            if quote:
                items.append({"day": day, **quote})
        return told(200, {"symbol": symbol, "items": items, "next": following})

    def _latest(self, asked: Asked) -> Response:
        limit = asking.limit(asked.query, default=3, most=MOST_LATEST)
        recent = (self._now() - _RECENT).date().isoformat()
        # S3 lists the earliest first: a whole history is looked through only where nothing is recent.
        days = list(self._bucket.days(recent, _END)) or list(self._bucket.days(_BEGINNING, _END))
        found = self._bucket.read(days[-1]) if days else None
        items = [
            {"title": symbol, "summary": f"{quote['close']} at the close", "at": days[-1]}
            for symbol, quote in (quotes.first(found.text, limit) if found else [])
        ]
        return told(200, {"all": f"{self._base_path}/days", "items": items})

    def _page(self, asked: Asked) -> tuple[list[str], str | None]:
        """Return the days of a page, and the cursor of the next."""
        limit = asking.limit(asked.query, default=31, most=LARGEST_PAGE)
        low = quotes.day("from", asked.query.get("from", _BEGINNING))
        high = quotes.day("to", asked.query.get("to", _END))
        if low > high:
            raise field_at_fault("from", low, f"a day no later than {high}")
        after = asking.cursor(asked.query, _DAY)
        # Past the key of the day that the page before ended with.
        begin = low if after is None or after < low else f"{after}~"
        days = list(islice(self._bucket.days(begin, high), limit + 1))
        more = len(days) > limit
        return days[:limit], asking.next_cursor(days[limit - 1]) if more else None

    def _href(self, day: str) -> str:
        return f"{self._base_path}/days/{day}"


def connect(environment: Environment) -> Sequence[Route]:
    """Make the client, and of it the routes."""
    # The SDK is slow to import: /health is answered meanwhile.
    from market.bucket import Bucket  # noqa: PLC0415
    from serving.aws import client  # noqa: PLC0415
    from serving.routes import ROOM  # noqa: PLC0415

    bucket = Bucket(client("s3", environment, ROOM + _AT_ONCE), environment.storage_name)
    return Market(environment.base_path, bucket).routes()


SERVICE: Final = Service(storage="BUCKET_NAME", connect=connect, largest_body=LARGEST_DAY)
