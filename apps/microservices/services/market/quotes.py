"""A day's quotes as CSV: a header, and one row for each symbol."""

from __future__ import annotations

import csv
import io
import re
from datetime import date
from decimal import Decimal
from typing import Final

from serving.faults import RefusalError, field_at_fault

COLUMNS: Final = ("symbol", "open", "high", "low", "close", "volume")
MOST_ROWS: Final = 10_000

_HEADER: Final = ",".join(COLUMNS)
_SYMBOL: Final = re.compile(r"[A-Z][A-Z0-9.-]{0,11}")
# Prices stay the text that they are: a binary fraction is not what was traded at.
_PRICE: Final = re.compile(r"(0|[1-9][0-9]{0,8})(\.[0-9]{1,6})?")
_VOLUME: Final = re.compile(r"0|[1-9][0-9]{0,14}")


def parse(body: bytes) -> str:
    """Return a day's quotes, in UTF-8, in one shape: lines that end with a line feed, no quotation marks.

    Raises:
        RefusalError: 400, naming the line and column, the value and what would do.

    """
    try:
        text = body.decode("utf-8-sig")
        rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise RefusalError(400, f"the body is no CSV in UTF-8: {error}", details={"field": "body"}) from None
    if not rows or tuple(rows[0]) != COLUMNS:
        raise field_at_fault("line 1", ",".join(rows[0]) if rows else None, _HEADER)
    if not 1 <= len(rows) - 1 <= MOST_ROWS:
        raise field_at_fault("body", f"{len(rows) - 1} rows", f"1 to {MOST_ROWS} rows after the header")
    seen: dict[str, int] = {}
    for line, row in enumerate(rows[1:], start=2):
        _check(line, row)
        if (first := seen.setdefault(row[0], line)) != line:
            raise field_at_fault(f"line {line}, symbol", row[0], f"one row a symbol (it is in line {first} too)")
    return "".join(f"{','.join(row)}\n" for row in rows)


def of_symbol(text: str, wanted: str) -> dict[str, str | int] | None:
    """Return what a day's quotes say of a symbol; None where they say nothing."""
    found = re.search(rf"^{re.escape(wanted)},(.*)$", text, re.MULTILINE)
    return _quote(found[1].split(",")) if found else None


def first(text: str, count: int) -> list[tuple[str, dict[str, str | int]]]:
    """Return the first *count* symbols of a day, and what it says of them."""
    rows = [line.split(",") for line in text.split("\n", count + 1)[1 : count + 1] if line]
    return [(row[0], _quote(row[1:])) for row in rows]


def symbol(given: str) -> str:
    """Let a symbol through.

    Raises:
        RefusalError: 400, where it is none.

    """
    if not _SYMBOL.fullmatch(given):
        raise field_at_fault("symbol", given, "1 to 12 of A to Z, 0 to 9, '.' and '-', the first a letter,")
    return given


def day(field: str, given: str) -> str:
    """Let a day through, as ISO 8601 has it.

    Raises:
        RefusalError: 400, where there is no such day.

    """
    try:
        # What fromisoformat reads besides, such as 20260105, would be a second name of one day.
        if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", given) and date.fromisoformat(given):
            return given
    except ValueError:
        pass
    raise field_at_fault(field, given, "a day such as 2026-01-05")


def _check(line: int, row: list[str]) -> None:
    if len(row) != len(COLUMNS):
        raise field_at_fault(f"line {line}", ",".join(row), f"{len(COLUMNS)} values: {_HEADER}")
    if not _SYMBOL.fullmatch(row[0]):
        raise field_at_fault(f"line {line}, symbol", row[0], "a symbol such as ABC")
    for name, value in zip(COLUMNS[1:5], row[1:5], strict=True):
        if not _PRICE.fullmatch(value):
            raise field_at_fault(f"line {line}, {name}", value, "a price such as 12.50")
    if not _VOLUME.fullmatch(row[5]):
        raise field_at_fault(f"line {line}, volume", row[5], "a whole number of shares")
    opened, high, low, closed = (Decimal(value) for value in row[1:5])
    if high < max(opened, closed, low):
        raise field_at_fault(f"line {line}, high", row[2], "a price no lower than the other three")
    if low > min(opened, closed):
        raise field_at_fault(f"line {line}, low", row[3], "a price no higher than the other three")


def _quote(values: list[str]) -> dict[str, str | int]:
    return {**dict(zip(COLUMNS[1:5], values[:4], strict=True)), "volume": int(values[4])}
