"""An error names the argument, the value, and what would do."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pytest

from components.errors import InvalidArgsError, of, one_of, within


@dataclass(frozen=True, kw_only=True)
class ShopArgs:
    """Arguments of a component called Shop."""

    port: object = None
    mode: object = None


def test_it_names_the_argument_the_value_and_what_would_do() -> None:
    error = InvalidArgsError("Shop.port", got="http", want="a number")
    assert str(error) == "Shop.port: got 'http'; a number"


def test_the_engine_shows_its_message_without_a_traceback() -> None:
    """It does so for `RunError` alone; and whoever checks values expects a `ValueError`."""
    assert issubclass(InvalidArgsError, pulumi.RunError)
    assert issubclass(InvalidArgsError, ValueError)


def test_an_argument_is_named_as_its_user_knows_it() -> None:
    """The user writes `Shop(..., ShopArgs(port=...))` and thinks of the shop."""
    assert of(ShopArgs(), "port") == "Shop.port"


@pytest.mark.parametrize("value", [1, 80, 100, None])
def test_within_takes_both_bounds_and_what_is_not_given(value: int | None) -> None:
    within(ShopArgs(port=value), "port", 1, 100)


@pytest.mark.parametrize("value", [0, 101, True, 1.0, "80"])
def test_within_refuses_what_is_outside_or_no_whole_number(value: object) -> None:
    """`True` is an int in Python; a port of it is a slip."""
    with pytest.raises(InvalidArgsError) as refused:
        within(ShopArgs(port=value), "port", 1, 100, "ports")
    assert str(refused.value) == f"Shop.port: got {value!r}; a whole number from 1 to 100 ports"


def test_one_of_lists_the_choices() -> None:
    one_of(ShopArgs(mode="on"), "mode", ("on", "off"))
    one_of(ShopArgs(), "mode", ("on", "off"))
    with pytest.raises(InvalidArgsError) as refused:
        one_of(ShopArgs(mode="maybe"), "mode", ("on", "off"))
    assert str(refused.value) == "Shop.mode: got 'maybe'; one of 'on', 'off'"
