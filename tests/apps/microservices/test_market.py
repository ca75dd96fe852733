"""market: a day's quotes imported whole or not at all, and ranges of days answered from them."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.apps.microservices.processes import Container, Emulator, service

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType

HEADER = "symbol,open,high,low,close,volume"
ABC = "ABC,12.50,13.00,12.25,12.75,1000"
XYZ = "XYZ,0.0001,0.0002,0.0001,0.0001,0"


@pytest.fixture
def fresh(emulator: Emulator) -> Iterator[Container]:
    """A market whose bucket is empty."""
    with service("market", **emulator.bucket()) as running:
        yield running


def csv(*rows: str) -> str:
    return "\n".join([HEADER, *rows])


def put(market: Container, day: str, text: str, **headers: str) -> Any:
    return market.send("PUT", f"/market/days/{day}", text.encode(), Content_Type="text/csv", **headers)


def refused(answer: Any) -> tuple[int, Any]:
    """The status and the field at fault."""
    return answer.status, answer.json["error"].get("field")


def test_a_day_is_imported_read_replaced_and_deleted(market: Container) -> None:
    imported = put(market, "2026-01-05", csv(ABC, XYZ))
    assert (imported.status, imported.json) == (201, {"day": "2026-01-05", "quotes": 2})
    where = imported.headers["Location"]
    assert where == "/market/days/2026-01-05"
    read = market.send("GET", where)
    assert (read.text, read.headers["Content-Type"]) == (f"{csv(ABC, XYZ)}\n", "text/csv; charset=utf-8")
    assert read.etag == imported.etag
    assert put(market, "2026-01-05", csv(ABC)).status == 409, (
        "what is there is replaced by those alone who have read it"
    )
    replaced = put(market, "2026-01-05", csv(ABC), If_Match=read.etag)
    assert (replaced.status, replaced.json["quotes"]) == (200, 1)
    assert put(market, "2026-01-05", csv(XYZ), If_Match=read.etag).status == 412
    assert market.send("DELETE", where, If_Match=read.etag).status == 412
    assert market.send("GET", where).text == f"{csv(ABC)}\n"
    assert market.send("DELETE", where, If_Match=replaced.etag).status == 204
    assert [market.send(method, where).status for method in ("GET", "DELETE")] == [404, 404]
    assert put(market, "2026-01-05", csv(ABC), If_Match='"gone"').status == 404


def test_of_several_imports_of_a_day_at_one_moment_one_is_kept(fresh: Container) -> None:
    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(lambda _: put(fresh, "2026-01-05", csv(ABC)).status, range(8)))
    assert sorted(statuses) == [201] + [409] * 7


def test_a_range_is_answered_day_by_day_and_paged(fresh: Container) -> None:
    days = [(date(2026, 1, 28) + timedelta(days=number)).isoformat() for number in range(8)]
    for number, day in enumerate(days):
        rows = [f"ABC,1.10,2.20,1.05,1.1{number},{number}", *([XYZ] if number % 2 else [])]
        assert put(fresh, day, csv(*rows)).status == 201
    path = f"/market/quotes/ABC?from={days[1]}&to={days[6]}&limit=4"
    first = fresh.send("GET", path).json
    second = fresh.send("GET", f"{path}&cursor={first['next']}").json
    assert [item["day"] for item in first["items"] + second["items"]] == days[1:7]
    assert second["next"] is None
    assert first["items"][0] == {
        "day": days[1], "open": "1.10", "high": "2.20", "low": "1.05", "close": "1.11", "volume": 1,
    }  # fmt: skip
    assert [item["day"] for item in fresh.send("GET", "/market/quotes/XYZ").json["items"]] == days[1::2]
    assert fresh.send("GET", "/market/quotes/AB").json["items"] == [], "no symbol is taken for a longer one"
    assert fresh.send("GET", f"/market/quotes/ABC?from={days[-1]}").json["items"][0]["day"] == days[-1]
    assert fresh.send("GET", f"/market/quotes/ABC?to={days[0]}").json["items"][0]["day"] == days[0]
    listed = fresh.send("GET", "/market/days?limit=5").json
    rest = fresh.send("GET", f"/market/days?limit=5&cursor={listed['next']}").json
    assert [item["day"] for item in listed["items"] + rest["items"]] == days
    assert listed["items"][0]["href"] == f"/market/days/{days[0]}"


def test_the_latest_are_of_the_last_day(fresh: Container) -> None:
    """Whether that was yesterday, or long ago, or never."""
    assert fresh.send("GET", "/market/latest").json == {"all": "/market/days", "items": []}
    put(fresh, "2001-02-03", csv(ABC))
    assert [item["at"] for item in fresh.send("GET", "/market/latest").json["items"]] == ["2001-02-03"]
    today = datetime.now(UTC).date().isoformat()
    put(fresh, today, csv(ABC, XYZ, "Z,1,1,1,1,1"))
    items = fresh.send("GET", "/market/latest?limit=2").json["items"]
    assert items[0] == {"title": "ABC", "summary": "12.75 at the close", "at": today}
    assert [item["title"] for item in items] == ["ABC", "XYZ"]


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("", "line 1"),
        ("symbol,close\nABC,1", "line 1"),
        (HEADER, "body"),
        (csv("ABC,1,1,1,1"), "line 2"),
        (csv(ABC, "", XYZ), "line 3"),
        (csv("abc,1,1,1,1,1"), "line 2, symbol"),
        (csv("ABC/../x,1,1,1,1,1"), "line 2, symbol"),
        (csv(ABC, "XYZ,1,1,-1,1,1"), "line 3, low"),
        (csv("ABC,1,1e3,1,1,1"), "line 2, high"),
        (csv("ABC,1,NaN,1,1,1"), "line 2, high"),
        (csv('ABC,"1,5",2,1,1,1'), "line 2, open"),
        (csv("ABC,2,1,1,1,1"), "line 2, high"),
        (csv("ABC,2,3,2.5,2,1"), "line 2, low"),
        (csv("ABC,1,1,1,1,1.5"), "line 2, volume"),
        (csv("ABC,1,1,1,1,"), "line 2, volume"),
        (csv(ABC, XYZ, ABC), "line 4, symbol"),
        (csv('"ABC'), "body"),
        (csv("=cmd(),1,1,1,1,1"), "line 2, symbol"),
    ],
)
def test_a_row_that_will_not_do_is_named_and_nothing_is_kept(text: str, field: str, market: Container) -> None:
    """Half a day would be taken for a whole one."""
    assert refused(put(market, "1999-01-01", text)) == (400, field)
    assert market.send("GET", "/market/days/1999-01-01").status == 404


@pytest.mark.parametrize("day", ["2026-02-30", "2026-1-5", "20260105", "today", "2026-01-05T00:00", "%2e%2e"])
def test_a_day_that_is_none_is_refused(day: str, market: Container) -> None:
    assert refused(put(market, day, csv(ABC))) == (400, "day")
    assert refused(market.send("GET", f"/market/days/{day}")) == (400, "day")


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("quotes/abc", "symbol"),
        ("quotes/.%2a", "symbol"),
        ("quotes/ABC?from=2026-02-01&to=2026-01-01", "from"),
        ("quotes/ABC?to=tomorrow", "to"),
        ("quotes/ABC?limit=63", "limit"),
        ("days?cursor=AAAA", "cursor"),
        ("days?day=2026-01-05", "day"),
    ],
)
def test_a_range_that_cannot_be_is_refused_by_name(path: str, field: str, market: Container) -> None:
    assert refused(market.send("GET", f"/market/{path}")) == (400, field)


def test_what_is_no_csv_of_a_days_size_is_refused(market: Container) -> None:
    day = "/market/days/1999-01-01"
    assert market.send("PUT", day, csv(ABC).encode(), Content_Type="application/json").status == 415
    assert market.send("PUT", day, b"x" * (1024 * 1024 + 1), Content_Type="text/csv").status == 413
    rows = csv(*(f"A{number},1,1,1,1,1" for number in range(10_001)))
    assert refused(put(market, "1999-01-01", rows)) == (400, "body")
    assert market.send("POST", "/market/days", csv(ABC)).headers["Allow"] == "GET"


def test_a_full_day_is_imported(fresh: Container) -> None:
    """10 000 rows, in the shape that spreadsheets give: a byte order mark, and lines that end with CR LF."""
    rows = "\r\n".join([HEADER, *(f"A{number},10.50,11.00,10.25,10.75,123456789" for number in range(10_000))])
    assert put(fresh, "2026-01-05", f"\ufeff{rows}\r\n").json["quotes"] == 10_000
    quote = fresh.send("GET", "/market/quotes/A9999?from=2026-01-05").json["items"][0]
    assert quote["volume"] == 123_456_789


def test_whatever_comes_is_quotes_or_a_refusal(load: Callable[[str], ModuleType]) -> None:
    """Text that is kept is read again as what it was."""
    quotes, faults = load("market.quotes"), load("serving.faults")
    chance = random.Random(5)  # noqa: S311 -- the same each time
    whole = csv(ABC, XYZ).encode()
    kept = 0
    for _ in range(3000):
        body = bytearray(whole)
        for _ in range(chance.randrange(1, 4)):
            body[chance.randrange(len(body))] = chance.choice(b'\x00\xff",\n\r09.ABC-')
        text = None
        with suppress(faults.RefusalError):
            text = quotes.parse(bytes(body))
        if text is not None:
            kept += 1
            assert quotes.parse(text.encode()) == text
            assert len(quotes.first(text, 10)) == text.count("\n") - 1
            assert all(quotes.of_symbol(text, symbol) == quote for symbol, quote in quotes.first(text, 10))
    assert 0 < kept < 3000
