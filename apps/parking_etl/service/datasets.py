"""The two datasets of New Taipei City's open data, and what is kept of their rows.

Each is a JSON array of objects, given in pages: `/api/datasets/<id>/json?page=0&size=1000`. The page behind the last
one is empty. Every value is text, `""` where there is none; a count of -9 means that the source was not told.

https://data.ntpc.gov.tw/datasets/b1464ef0-9c7c-4a6f-abf7-6bdf32847e68 (https://data.gov.tw/dataset/122955)
https://data.ntpc.gov.tw/datasets/e09b35a5-a738-48cc-b0f5-570b67ad9c78 (https://data.gov.tw/dataset/122902)
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Value = str | int | float | None
Row = tuple[Value, ...]
"""A row's values in the order of its dataset's columns; the first is its `id`."""

LONGEST_TEXT: Final = 4000
"""Characters. The longest that is known, a car park's prices, has some hundreds."""
MOST_SPACES: Final = 100_000
"""No car park has as many."""
_NOT_TOLD: Final = -9

_ID: Final = re.compile(r"[0-9A-Za-z-]{1,32}")
# What neither SQLite's text nor a log can carry: control characters but tab and line ends, and halves of characters.
_UNSOUND: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_WHOLE: Final = re.compile(r"-?[0-9]{1,6}")
_METRES: Final = re.compile(r"[0-9]{1,7}(\.[0-9]{1,12})?")


class RowError(Exception):
    """A row is unusable; the message says why in few words, the same ones for the same reason."""


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """One dataset, and the table it is kept in."""

    id: str
    """The source's name for it."""
    table: str
    columns: Mapping[str, Callable[[Any], Value]]
    """What reads each column's value, by the column's name: the source's own, in small letters. `id` comes first."""

    def read(self, row: Any) -> Row:
        """Return the row's values; what the dataset has beside its columns is not looked at.

        Raises:
            RowError: one of them is unusable.

        """
        said = _small(row)
        if said is None:
            raise RowError("the row is no object")
        values: list[Value] = []
        for name, value in self.columns.items():
            try:
                values.append(value(said.get(name)))
            except RowError as error:
                raise RowError(f"{name} {error}") from error
        return tuple(values)


def id_of(row: Any) -> str | None:
    """The id of a row that may be unusable otherwise; None where it has none."""
    try:
        return _id((_small(row) or {}).get("id"))
    except RowError:
        return None


def _small(row: Any) -> dict[str, Any] | None:
    """The row with its names in small letters: the catalogue writes them so, and the source in capitals."""
    return {name.lower(): value for name, value in cast("dict[str, Any]", row).items()} if type(row) is dict else None


def _id(value: Any) -> str:
    # Text alone: as a number, 010056 would be somebody else's.
    if not isinstance(value, str) or not _ID.fullmatch(value.strip()):
        raise RowError("is no identifier")
    return value.strip()


def _text(value: Any) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str):
        raise RowError("is no text")
    if len(value) > LONGEST_TEXT:
        raise RowError("is too long")
    if _UNSOUND.search(value):
        raise RowError("has unsound characters")
    return value.strip() or None


def _name(value: Any) -> str:
    text = _text(value)
    if text is None:
        raise RowError("is missing")
    return text


def _spaces(value: Any) -> int | None:
    text = _number(value)
    if text is None:
        return None
    if not _WHOLE.fullmatch(text):
        raise RowError("is no whole number")
    if int(text) == _NOT_TOLD:
        return None
    if not 0 <= int(text) <= MOST_SPACES:
        raise RowError("is out of bounds")
    return int(text)


def _between(low: int, high: int) -> Callable[[Any], float | None]:
    def metres(value: Any) -> float | None:
        text = _number(value)
        if text is None:
            return None
        if not _METRES.fullmatch(text):
            raise RowError("is no coordinate")
        if float(text) == 0:  # what the source has for a car park that nobody measured
            return None
        if not low <= float(text) <= high:
            raise RowError("is out of bounds")
        return float(text)

    return metres


def _number(value: Any) -> str | None:
    """A number's text, whether it came as text or as a number; None where there is none."""
    if value is None:
        return None
    # Not isinstance: a boolean is an integer to Python.
    if type(value) not in (str, int, float):
        raise RowError("is no number")
    return str(value).strip() or None


PARKING: Final = Dataset(
    id="b1464ef0-9c7c-4a6f-abf7-6bdf32847e68",
    table="car_park",
    columns={
        "id": _id,
        "area": _text,
        "name": _name,
        "type": _text,
        "summary": _text,
        "address": _text,
        "tel": _text,
        "payex": _text,
        "servicetime": _text,
        # TWD97 / TM2 zone 121 (EPSG:3826), in metres; the bounds are those of Taiwan, so that the two cannot change
        # places.
        "tw97x": _between(50_000, 400_000),
        "tw97y": _between(2_400_000, 2_900_000),
        "totalcar": _spaces,
        "totalmotor": _spaces,
        "totalbike": _spaces,
    },
)

AVAILABILITY: Final = Dataset(
    id="e09b35a5-a738-48cc-b0f5-570b67ad9c78",
    table="availability",
    columns={"id": _id, "availablecar": _spaces},
)
