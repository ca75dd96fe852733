"""Requests for the version under test are told by a header, and tried just before the others of their route."""

from __future__ import annotations

from typing import Any, cast

import pytest

from components.errors import InvalidArgsError
from components.routes import Route, Routes

HEADER = ("X-Drydock-Test", "orders")


def claimed(on: Routes, path: str, priority: int | None = None) -> Route:
    return on.claim(path=path, host=None, priority=priority)


@pytest.fixture
def on() -> Routes:
    return Routes(cast("Any", None))


def test_they_are_the_routes_own_requests_that_have_the_header(on: Routes) -> None:
    """A test of another path would show another service."""
    route = on.claim(path=("/orders", "/orders/*"), host="shop.example.com", priority=None)
    test = on.claim_for_tests(route, HEADER)
    header = {"http_header": {"http_header_name": "X-Drydock-Test", "values": ["orders"]}}
    assert test.conditions() == [*route.conditions(), header]
    assert test.patterns() == route.patterns()


def test_they_are_tried_just_before_it(on: Routes) -> None:
    """After it they would never be: it takes them all. And a place between the two is nobody's."""
    route = claimed(on, "/orders")
    assert on.claim_for_tests(route, HEADER).priority == route.priority - 1


@pytest.mark.parametrize("tests_first", [True, False], ids=["tests first", "tests last"])
def test_two_rules_in_one_place_are_refused_in_whatever_order_they_come(on: Routes, *, tests_first: bool) -> None:
    """AWS takes one rule a priority, and which one is refused must not hang on the order of workloads."""
    route = claimed(on, "/orders", 70)

    def all_of_it() -> None:
        if tests_first:
            on.claim_for_tests(route, HEADER)
        other = claimed(on, "/users", 69)
        if not tests_first:
            on.claim_for_tests(route, HEADER)
        assert other is None, "both were let in"

    with pytest.raises(InvalidArgsError, match=r"^route\.priority: got 69; .*give priority=71 to one of them"):
        all_of_it()


def test_no_number_is_proposed_that_tests_have(on: Routes) -> None:
    """Whoever follows the advice would be refused again."""
    on.claim_for_tests(claimed(on, "/orders", 72), HEADER)
    claimed(on, "/users", 70)
    with pytest.raises(InvalidArgsError, match=r"give priority=73$"):
        claimed(on, "/news", 70)


def test_the_first_priority_leaves_no_place_for_tests(on: Routes) -> None:
    with pytest.raises(InvalidArgsError, match=r"^route\.priority: got 1; 2 or more"):
        on.claim_for_tests(claimed(on, "/orders", 1), HEADER)


def test_a_route_of_five_patterns_has_no_room_for_the_header(on: Routes) -> None:
    """AWS counts the values of a rule's conditions, five in all.

    https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-limits.html
    """
    four, five = ([f"/orders-{letter}" for letter in letters] for letters in ("abcd", "efghi"))
    on.claim_for_tests(on.claim(path=four, host=None, priority=None), HEADER)
    with pytest.raises(InvalidArgsError, match="at most 4 paths and hosts together, beside the header"):
        on.claim_for_tests(on.claim(path=five, host=None, priority=None), HEADER)
