"""Priorities come from what a route says, never from its place among others."""

from __future__ import annotations

import itertools
import random
import re
from typing import Any, cast

import pytest

from components import patterns, routes
from components.errors import InvalidArgsError
from components.routes import Route, Routes

CHANCE_SEEDS = range(20)


def claims(*said: dict[str, Any]) -> list[Route]:
    on = Routes(cast("Any", None))
    return [on.claim(**{"path": None, "host": None, "priority": None, **one}) for one in said]


def priority(path: str | tuple[str, ...] | None = None, host: str | None = None) -> int:
    return claims({"path": path, "host": host})[0].priority


def some_routes(chance: random.Random) -> list[dict[str, Any]]:
    """Return routes as stacks have them, with overlaps and now and then a priority by hand."""
    words = ("orders", "users", "query", "blog", "health", "orders-archive")
    shapes = ("/{}", "/{}/*", "/{}*", "/{}/{}", "/{}/{}/*", "/*", "/{}/?")
    hosts = (None, None, "shop.example.com", "*.example.com", "blog.example.com")
    return [
        {
            "path": chance.choice(shapes).format(chance.choice(words), chance.choice(words)),
            "host": chance.choice(hosts),
            "priority": chance.choice((None, None, None, chance.randint(1, 40))),
        }
        for _ in range(chance.randint(2, 7))
    ]


def outcome(said: list[dict[str, Any]]) -> set[tuple[str, int]] | None:
    """Return what a load balancer would get, or None where some pair is refused."""
    try:
        return {(str(route), route.priority) for route in claims(*said)}
    except InvalidArgsError:
        return None


@pytest.mark.parametrize("seed", CHANCE_SEEDS)
def test_the_order_of_claims_changes_neither_a_priority_nor_what_is_refused(seed: int) -> None:
    """Otherwise moving a line in a program would reorder the rules of every other workload."""
    chance = random.Random(seed)  # noqa: S311 - the same every time
    for _ in range(20):
        said = some_routes(chance)
        shuffled = chance.sample(said, k=len(said))
        assert outcome(said) == outcome(shuffled)


@pytest.mark.parametrize("seed", CHANCE_SEEDS)
def test_a_route_more_or_less_moves_no_other(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - the same every time
    for _ in range(20):
        said = some_routes(chance)
        whole = outcome(said)
        if whole is not None:
            left_out = chance.randrange(len(said))
            assert (outcome([one for at, one in enumerate(said) if at != left_out]) or set()) <= whole


@pytest.mark.parametrize("seed", CHANCE_SEEDS)
def test_no_route_that_was_accepted_is_shadowed_by_an_earlier_one(seed: int) -> None:
    """Asked of the rules as a load balancer walks them: a request of a route's own reaches it, or a narrower one."""
    chance = random.Random(seed)  # noqa: S311 - the same every time
    for _ in range(20):
        said = some_routes(chance)
        if outcome(said) is None:
            continue
        in_order = sorted(claims(*said), key=lambda route: route.priority)
        for route in in_order:
            # A letter that no other pattern has, so that only wildcards can take the request away.
            own = tuple(pattern.replace("*", "~~").replace("?", "~") for pattern in route.patterns()[0])
            first = next(rule for rule in in_order if any(_fits(pair, own) for pair in rule.patterns()))
            assert first is route or not patterns.covers(first.patterns()[0][1], route.patterns()[0][1])


def _fits(pair: tuple[str, str], request: tuple[str, ...]) -> bool:
    return all(
        re.fullmatch(re.escape(pattern).replace(r"\*", ".*").replace(r"\?", "."), said)
        for pattern, said in zip(pair, request, strict=True)
    )


@pytest.mark.parametrize("seed", CHANCE_SEEDS)
def test_covers_agrees_with_trying_every_short_word(seed: int) -> None:
    """A false yes refuses good routes; a false no lets a dead one deploy."""
    chance = random.Random(seed)  # noqa: S311 - the same every time
    words = ["".join(letters) for length in range(6) for letters in itertools.product("ab", repeat=length)]

    def matched(pattern: str) -> set[str]:
        regex = re.compile(pattern.replace("*", ".*").replace("?", "."))
        return {word for word in words if regex.fullmatch(word)}

    for _ in range(50):
        one, other = ("".join(chance.choices("ab*?", k=chance.randint(0, 3))) for _ in range(2))
        # Words of two letters alone cannot tell `*` from `a` or `b` in its place: covers may say no, never yes.
        if patterns.covers(one, other):
            assert matched(other) <= matched(one), (one, other)
        else:
            assert not _covers_by_letters(one, other), (one, other)


def test_a_wildcard_stands_for_more_than_one_letter() -> None:
    """With nothing or one letter in its place, the first takes all of the second: `abb`, `acbb`, but not `accbb`."""
    assert not patterns.covers("*a?b*", "a*bb")
    assert patterns.covers("*a*b*", "a*bb")


def _covers_by_letters(one: str, other: str) -> bool:
    """Ask with a third letter that neither pattern has, in every filling up to four long."""
    regex = re.compile(one.replace("*", ".*").replace("?", "."))
    fillings = itertools.product(*(["", "c", "cc", "ccc", "cccc"] if char == "*" else [char] for char in other))
    return all(regex.fullmatch("".join(filling).replace("?", "c")) for filling in fillings)


@pytest.mark.parametrize(
    ("sooner", "later"),
    [
        ({"path": "/orders"}, {"path": "/orders*"}),
        ({"path": "/orders/archive*"}, {"path": "/orders*"}),
        ({"path": "/orders/archive/*"}, {"path": "/orders/*"}),
        ({"path": "/a/b/c/d"}, {"path": "/a/b/c/*"}),
        ({"path": "/a/b/c/d/e"}, {"path": "/a/b/c/d/*"}),
        ({"path": "/orders*"}, {"path": "/*"}),
        ({"path": "/"}, {"path": "/*"}),
        ({"path": "*.png"}, {"path": "/*"}),
        ({"path": "/orders*", "host": "shop.example.com"}, {"path": "/orders*"}),
        ({"path": "/orders*", "host": "shop.example.com"}, {"host": "shop.example.com"}),
        ({"host": "shop.example.com"}, {"path": "/orders*"}),
        ({"host": "shop.example.com"}, {"host": "*.example.com"}),
        ({"host": "*.example.com"}, {"path": "/orders/archive"}),
    ],
)
def test_the_more_specific_is_tried_first(sooner: dict[str, Any], later: dict[str, Any]) -> None:
    assert priority(**sooner) < priority(**later)


def test_given_priorities_leave_both_ends_to_hands() -> None:
    bands = sorted(routes._bands().values())
    assert bands[0][0] == 1_000
    assert sum(bands[-1]) <= 49_000
    assert all(first + width == after for (first, width), (after, _) in itertools.pairwise(bands)), "no overlap, no gap"


def test_priorities_do_not_change_from_one_release_to_the_next() -> None:
    """A changed priority reorders the rules of stacks that nobody touched."""
    given = (priority("/orders"), priority(("/query/*", "/health")), priority(host="shop.example.com"))
    assert given == (31_718, 37_271, 16_030)


def test_of_a_routes_patterns_neither_order_nor_case_of_host_says_anything() -> None:
    one = claims({"path": ("/a", "/b/*"), "host": "Shop.Example.COM"})[0]
    other = claims({"path": ("/b/*", "/a"), "host": "shop.example.com"})[0]
    assert one.priority == other.priority
    assert one.hosts == other.hosts == ("shop.example.com",)


def test_conditions_are_as_a_listener_rule_takes_them() -> None:
    route = claims({"path": "/orders/*", "host": ("a.example.com", "b.example.com")})[0]
    assert route.conditions() == [
        {"host_header": {"values": ["a.example.com", "b.example.com"]}},
        {"path_pattern": {"values": ["/orders/*"]}},
    ]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"path": "/orders"}, {"path": "/orders"}),
        ({"path": "/orders"}, {"path": "/orders", "priority": 7}),
        ({"path": ("/a", "/b")}, {"path": ("/b", "/a")}),
        ({"path": ("/query/*", "/health")}, {"path": "/health"}),
        ({"path": "*"}, {"path": "/*"}),
        ({"host": "a.example.com"}, {"host": "A.example.com", "path": "/*"}),
    ],
)
def test_the_same_requests_claimed_twice_are_refused(first: dict[str, Any], second: dict[str, Any]) -> None:
    for said in itertools.permutations((first, second)):
        with pytest.raises(InvalidArgsError, match="other requests than"):
            claims(*said)


def test_a_priority_taken_twice_is_refused_with_one_that_is_free() -> None:
    taken = [{"path": f"/{number}", "priority": number} for number in (5, 6)]
    with pytest.raises(InvalidArgsError, match=r"another for /x, since /5 has it: give priority=7") as refused:
        claims(*taken, {"path": "/x", "priority": 5})
    assert "got 5" in str(refused.value)
    claims(*taken, {"path": "/x", "priority": 7})


def test_two_routes_that_hash_to_one_number_are_refused_with_one_that_is_free() -> None:
    one, other = _twins()
    with pytest.raises(InvalidArgsError) as refused:
        claims({"path": one}, {"path": other})
    free = int(str(refused.value).rpartition("=")[2])
    assert len(claims({"path": one}, {"path": other, "priority": free})) == 2


def _twins() -> tuple[str, str]:
    seen: dict[int, str] = {}
    for number in itertools.count():
        path = f"/{number}/*"
        if (at := priority(path)) in seen:
            return seen[at], path
        seen[at] = path
    raise AssertionError


@pytest.mark.parametrize(
    ("first", "second", "advice"),
    [
        ({"path": "/a/b"}, {"path": "/a*", "priority": 5}, "/a* after /a/b"),
        ({"path": "/*", "priority": 5}, {"path": "/orders"}, "/orders before /*"),
        ({"path": "/*", "host": "a.example.com"}, {"path": "/*", "priority": 9}, r"/* after a.example.com /*"),
    ],
)
def test_a_route_that_would_take_all_of_anothers_requests_is_refused_with_the_number_that_would_do(
    first: dict[str, Any], second: dict[str, Any], advice: str
) -> None:
    with pytest.raises(InvalidArgsError, match=re.escape(advice)) as refused:
        claims(first, second)
    would_do = int(str(refused.value).rpartition("=")[2])
    assert len(claims(first, {**second, "priority": would_do})) == 2


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({}, "route"),
        ({"path": ()}, "route"),
        ({"path": "orders"}, "route.path"),
        ({"path": ""}, "route.path"),
        ({"path": "/orders?id=7"}, "route.path"),
        ({"path": "/caf\N{LATIN SMALL LETTER E WITH ACUTE}"}, "route.path"),
        ({"path": "/" + "a" * 128}, "route.path"),
        ({"path": ("/a", "/a")}, "route.path"),
        ({"host": "localhost"}, "route.host"),
        ({"host": "example.com:80"}, "route.host"),
        ({"host": "10.0.0.1"}, "route.host"),
        ({"host": "example.*"}, "route.host"),
        ({"host": "a" * 125 + ".com"}, "route.host"),
        ({"path": tuple(f"/{number}" for number in range(6))}, "route"),
        ({"path": ("/a", "/b", "/c", "/d"), "host": ("a.example.com", "b.example.com")}, "route"),
        ({"path": ("/*/*/*", "/a/*/*/*")}, "route"),
        ({"path": "/a", "priority": 0}, "route.priority"),
        ({"path": "/a", "priority": 50_001}, "route.priority"),
    ],
)
def test_what_aws_refuses_of_a_rule_is_refused_here(said: dict[str, Any], field: str) -> None:
    """The emulator takes them all, and AWS says so only after the load balancer's three minutes."""
    with pytest.raises(InvalidArgsError, match=rf"^{field}: got "):
        claims(said)


@pytest.mark.parametrize("said", [{"path": "/" + "a" * 127}, {"path": tuple(f"/{n}*" for n in range(5))}])
def test_what_is_at_its_limit_passes(said: dict[str, Any]) -> None:
    assert claims(said)
