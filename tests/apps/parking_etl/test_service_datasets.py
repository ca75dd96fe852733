"""What of a row is kept, and which rows are not."""

from __future__ import annotations

import math
import random
from typing import Any

import pytest

from tests.apps.parking_etl.conftest import load

# As the city publishes them.
CAR_PARK = {
    "ID": "010056",
    "AREA": "板橋區",
    "NAME": "遠東百貨停車場",
    "TYPE": "1",
    "SUMMARY": "立體式建築附設停車空間",
    "ADDRESS": "板橋區中山路一段152號",
    "TEL": "",
    "PAYEX": "小型車計時60元;",
    "SERVICETIME": "0~24時",
    "TW97X": "296882",
    "TW97Y": "2767068",
    "TOTALCAR": "453",
    "TOTALMOTOR": "0",
    "TOTALBIKE": "-9",
}


def parking(**changes: Any) -> dict[str, Any]:
    """Read the car park with *changes*."""
    dataset = load("datasets").PARKING
    return dict(zip(dataset.columns, dataset.read(CAR_PARK | changes), strict=True))


def test_a_car_park_is_kept_under_the_sources_own_names() -> None:
    assert parking() == {
        "id": "010056",
        "area": "板橋區",
        "name": "遠東百貨停車場",
        "type": "1",
        "summary": "立體式建築附設停車空間",
        "address": "板橋區中山路一段152號",
        "tel": None,
        "payex": "小型車計時60元;",
        "servicetime": "0~24時",
        "tw97x": 296882.0,
        "tw97y": 2767068.0,
        "totalcar": 453,
        "totalmotor": 0,
        "totalbike": None,
    }


def test_names_are_taken_in_small_letters_as_well() -> None:
    """The catalogue writes them so: should the source do as it says one day, nothing is lost."""
    dataset = load("datasets").PARKING
    assert dataset.read({name.lower(): value for name, value in CAR_PARK.items()}) == dataset.read(CAR_PARK)


@pytest.mark.parametrize(
    ("told", "kept"), [("24", 24), ("0", 0), (24, 24), (" 24 ", 24), ("-9", None), (-9, None), ("", None), (None, None)]
)
def test_spaces_that_the_source_was_not_told_are_null_and_not_a_number(told: Any, kept: int | None) -> None:
    row = load("datasets").AVAILABILITY.read({"ID": "010056", "AVAILABLECAR": told})
    assert row == ("010056", kept)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"ID": ""}, "id is no identifier"),
        ({"ID": None}, "id is no identifier"),
        ({"ID": 10056}, "id is no identifier"),
        ({"ID": "010056;"}, "id is no identifier"),
        ({"ID": "x" * 33}, "id is no identifier"),
        ({"NAME": " "}, "name is missing"),
        ({"NAME": None}, "name is missing"),
        ({"NAME": 7}, "name is no text"),
        ({"AREA": "區" * 4001}, "area is too long"),
        ({"TEL": "02\x00"}, "tel has unsound characters"),
        ({"TEL": "\ud800"}, "tel has unsound characters"),
        ({"TOTALCAR": "-1"}, "totalcar is out of bounds"),
        ({"TOTALCAR": 100_001}, "totalcar is out of bounds"),
        ({"TOTALCAR": "1.5"}, "totalcar is no whole number"),
        ({"TOTALCAR": "\uff14\uff15\uff13"}, "totalcar is no whole number"),
        ({"TOTALCAR": "1_000"}, "totalcar is no whole number"),
        ({"TOTALCAR": "9" * 5000}, "totalcar is no whole number"),
        ({"TOTALMOTOR": True}, "totalmotor is no number"),
        ({"TW97X": "2767068", "TW97Y": "296882"}, "tw97x is out of bounds"),
        ({"TW97X": math.nan}, "tw97x is no coordinate"),
        ({"TW97Y": "1e6"}, "tw97y is no coordinate"),
        ({"TW97Y": []}, "tw97y is no number"),
    ],
)
def test_an_unusable_value_rejects_its_row_and_is_named(changes: dict[str, Any], why: str) -> None:
    with pytest.raises(load("datasets").RowError) as raised:
        parking(**changes)
    assert str(raised.value) == why


@pytest.mark.parametrize("row", [None, "010056", 1, [], [CAR_PARK]])
def test_a_row_that_is_no_object_is_rejected(row: Any) -> None:
    datasets = load("datasets")
    with pytest.raises(datasets.RowError, match="the row is no object"):
        datasets.PARKING.read(row)
    assert datasets.id_of(row) is None


def test_coordinates_that_nobody_measured_are_null() -> None:
    assert parking(TW97X="0", TW97Y="")["tw97x"] is None
    assert parking(TW97X="0", TW97Y="")["tw97y"] is None


def test_the_id_of_a_row_that_is_rejected_otherwise_is_known() -> None:
    """The row is in the source: it must not be taken for one that is gone."""
    assert load("datasets").id_of(CAR_PARK | {"NAME": ""}) == "010056"


def test_any_value_in_any_column_is_read_or_rejected_and_nothing_else() -> None:
    datasets, chance = load("datasets"), random.Random(20)  # noqa: S311 -- it decides nothing secret
    odd = [None, True, -1, 10**30, -0.0, 1e300, math.inf, "", " ", "0", "-9", "\ud83d", "\u202e新", "9" * 400, [], {}]
    read = 0
    for _ in range(3000):
        row = {name: chance.choice(odd) if chance.random() < 0.2 else value for name, value in CAR_PARK.items()}
        try:
            values = datasets.PARKING.read(row)
        except datasets.RowError:
            continue
        read += 1
        assert all(value is None or type(value) in (str, int, float) for value in values)
    assert 100 < read < 2900, "the values are too good, or too bad, to show anything"
