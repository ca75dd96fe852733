"""Which requests a load balancer sends where: the patterns, and the order in which its rules are tried.

A rule's priority comes from what it says and from nothing else, so that adding, dropping or reordering workloads
changes no other's. The more specific a route is, the sooner its band of priorities; within the band a hash of its
patterns says where. Two routes may so meet on one number (of 20 routes ``/name/*``, in one stack of 60), and a hash
knows nothing of patterns that overlap within a band: both are refused when they happen, with the number that would
do. Numbers below 1000 and from 49000 on are never given out: they are for whoever gives one by hand.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import itertools
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from components.errors import InvalidArgsError
from components.patterns import LONGEST, beginning, beginnings, covers, meet

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pulumi_aws as aws

    from components.load_balancer import LoadBalancer

_LAST_PRIORITY: Final = 50_000
"""`RulePriority` in botocore's `elbv2` model: 1 to 50000."""
_FIRST_GIVEN: Final = 1_000

# Both of a rule, paths and hosts together. AWS's pages say five wildcards in one place and six in the other.
# https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-limits.html
_MOST_VALUES: Final = 5
_MOST_WILDCARDS: Final = 5

# The text of `RuleCondition` in botocore's `elbv2` model, for both of these.
_PATH: Final = re.compile(r"""[/*][A-Za-z0-9_\-.$/~"'@:+&*?]*""")
_HOST: Final = re.compile(r"[a-z0-9_\-.*?]*\.[a-z]+")

# Band widths: host (named, by pattern, any) times path (segments before its first wildcard, four or more as four).
# Widest where most routes are: one segment and a wildcard.
_HOST_SHARES: Final = {"named": 400, "pattern": 100, "any": 700}
_PATH_SHARES: Final = {
    "4": 1, "4*": 1, "3": 1, "3*": 2, "2": 3, "2*": 6, "1": 3, "1*": 16, "0": 1, "0*": 1, "any": 5,
}  # fmt: skip

_ANY: Final = "*"
_ANY_PATH: Final = "/*"


@dataclass(frozen=True, kw_only=True)
class Route:
    """A claim on some of a load balancer's requests, which a service takes as its entrance.

    `LoadBalancer.route` makes it, and refuses what clashes with those that it made before.
    """

    load_balancer: LoadBalancer
    """Whose requests."""
    paths: tuple[str, ...]
    """Patterns of which one must fit; empty for any path."""
    hosts: tuple[str, ...]
    """Host names or patterns, lower-case, of which one must fit; empty for any host."""
    priority: int
    """1 to 50000; the smallest is tried first."""
    header: tuple[str, str] | None = None
    """Name and value of a header that they have too. Default: any headers."""

    def conditions(self) -> list[aws.lb.ListenerRuleConditionArgsDict]:
        """Return the conditions as a listener rule takes them."""
        said: list[aws.lb.ListenerRuleConditionArgsDict] = []
        if self.hosts:
            said.append({"host_header": {"values": list(self.hosts)}})
        if self.paths:
            said.append({"path_pattern": {"values": list(self.paths)}})
        if self.header:
            said.append({"http_header": {"http_header_name": self.header[0], "values": [self.header[1]]}})
        return said

    def patterns(self) -> Sequence[tuple[str, str]]:
        """Return each pair of a host's and a path's pattern that fits."""
        return _pairs(self.hosts or (_ANY,), self.paths or (_ANY_PATH,))

    def beginnings(self) -> tuple[str, ...]:
        """Return what each path's pattern begins with, up to its first wildcard."""
        return beginnings(self.paths or (_ANY_PATH,))

    def __str__(self) -> str:
        """Say the patterns, for an error's text."""
        return " ".join(" or ".join(patterns) for patterns in (self.hosts, self.paths) if patterns)


class Routes:
    """The routes claimed on one load balancer."""

    def __init__(self, load_balancer: LoadBalancer) -> None:
        self._load_balancer = load_balancer
        self._by_priority: dict[int, Route] = {}
        self._tests: dict[int, Route] = {}

    def claim(
        self, *, path: str | Sequence[str] | None, host: str | Sequence[str] | None, priority: int | None
    ) -> Route:
        """Return the route of what is given, kept for those that follow; `LoadBalancer.route` says what is refused."""
        paths = _checked_paths(tuple(_ANY_PATH if pattern == _ANY else pattern for pattern in _values(path)))
        hosts = _checked_hosts(tuple(name.lower() for name in _values(host)))
        _check_counts(paths, hosts)
        if priority is not None and not 1 <= priority <= _LAST_PRIORITY:
            raise InvalidArgsError("route.priority", got=priority, want=f"1 to {_LAST_PRIORITY}, or none")
        route = Route(
            load_balancer=self._load_balancer,
            paths=paths,
            hosts=hosts,
            priority=given_priority(paths, hosts) if priority is None else priority,
        )
        for other in self._by_priority.values():
            # Most routes of a load balancer begin differently, and each is held against all others.
            if route.priority == other.priority or meet(route.beginnings(), other.beginnings()):
                self._check_pair(route, other)
        self._check_free(route, self._tests)
        self._by_priority[route.priority] = route
        return route

    def claim_for_tests(self, route: Route, header: tuple[str, str]) -> Route:
        """Return the route of those of *route*'s requests that have *header*, just before it."""
        _check_counts(route.paths, route.hosts, more=1)
        if route.priority == 1:
            raise InvalidArgsError("route.priority", got=1, want=f"2 or more for {route}: its tests are tried before")
        test = dataclasses.replace(route, priority=route.priority - 1, header=header)
        self._check_free(test, self._tests | self._by_priority)
        self._tests[test.priority] = test
        return test

    def _check_free(self, route: Route, others: Mapping[int, Route]) -> None:
        """Refuse *route* if one of *others*, of which one or both are for tests, has its priority."""
        if other := others.get(route.priority):
            raise InvalidArgsError(
                "route.priority",
                got=route.priority,
                want=f"another for {route}, since {other} has it, and tests of one are just before it: "
                f"give priority={self._free(route.priority + 1, 1)} to one of them",
            )

    def _check_pair(self, route: Route, other: Route) -> None:
        first, second = (route, other) if route.priority <= other.priority else (other, route)
        for taker, taken in itertools.product(first.patterns(), second.patterns()):
            if not _takes_all(taker, taken):
                continue
            if _takes_all(taken, taker):
                raise InvalidArgsError(
                    "route", got=str(route), want=f"other requests than {other}, which has {_said(taken)} too"
                )
            if first.priority != second.priority:
                side, step = ("after", 1) if route is first else ("before", -1)
                raise InvalidArgsError(
                    "route.priority",
                    got=route.priority,
                    want=f"{route} {side} {other}, which has {other.priority}, since {_said(taker)} takes every "
                    f"request for {_said(taken)}: give priority={self._free(other.priority, step)}",
                )
        if first.priority == second.priority:
            raise InvalidArgsError(
                "route.priority",
                got=route.priority,
                want=f"another for {route}, since {other} has it: give priority={self._free(route.priority, 1)}",
            )

    def _free(self, taken: int, step: int) -> int:
        """Return the free number next to *taken*: upwards with *step* 1, downwards with -1, round at the ends."""
        number = taken
        while number in self._by_priority or number in self._tests:
            number = (number - 1 + step) % _LAST_PRIORITY + 1
        return number


def given_priority(paths: Sequence[str], hosts: Sequence[str]) -> int:
    """Return the priority of a route by its patterns, whose order says nothing."""
    first, width = _bands()[_host_kind(hosts), _path_kind(paths)]
    said = "\n".join([*sorted(hosts), "", *sorted(paths)])
    return first + int.from_bytes(hashlib.sha256(said.encode()).digest()) % width


@functools.cache
def _pairs(hosts: tuple[str, ...], paths: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    return tuple(itertools.product(hosts, paths))


def _takes_all(pair: tuple[str, str], other: tuple[str, str]) -> bool:
    return covers(pair[1], other[1]) and covers(pair[0], other[0])


def _said(patterns: tuple[str, str]) -> str:
    host, path = patterns
    return path if host == _ANY else f"{host}{path}"


@functools.cache
def _bands() -> dict[tuple[str, str], tuple[int, int]]:
    """Return the first number and the width of each band, by kind of host and of path."""
    bands: dict[tuple[str, str], tuple[int, int]] = {}
    first = _FIRST_GIVEN
    for (host, unit), (path, share) in itertools.product(_HOST_SHARES.items(), _PATH_SHARES.items()):
        bands[host, path] = (first, unit * share)
        first += unit * share
    return bands


def _host_kind(hosts: Sequence[str]) -> str:
    if not hosts:
        return "any"
    return "pattern" if any(_wildcards(host) for host in hosts) else "named"


def _path_kind(paths: Sequence[str]) -> str:
    """Return the kind of the least specific of *paths*, which is the last of `_PATH_SHARES` among theirs."""
    return max(map(_kind_of_path, paths), key=list(_PATH_SHARES).index, default="any")


def _kind_of_path(path: str) -> str:
    if path == _ANY_PATH:
        return "any"
    literal = beginning(path)
    segments = sum(1 for segment in literal.split("/") if segment)
    return f"{min(segments, 4)}{'' if literal == path else '*'}"


def _values(given: str | Sequence[str] | None) -> tuple[str, ...]:
    if given is None:
        return ()
    return (given,) if isinstance(given, str) else tuple(given)


def _wildcards(pattern: str) -> int:
    return pattern.count("*") + pattern.count("?")


def _checked_paths(paths: tuple[str, ...]) -> tuple[str, ...]:
    for path in paths:
        if not _PATH.fullmatch(path):
            raise InvalidArgsError(
                "route.path",
                got=path,
                want="a path or pattern that begins with / or *, of letters, digits and "
                "_-.$/~\"'@:+& with wildcards * and ?; queries are none of it",
            )
    _check_lengths("route.path", paths)
    return paths


def _checked_hosts(hosts: tuple[str, ...]) -> tuple[str, ...]:
    for host in hosts:
        if not _HOST.fullmatch(host):
            raise InvalidArgsError(
                "route.host",
                got=host,
                want="a host name or pattern such as 'shop.example.com' or '*.example.com': letters, digits and -_. "
                "with wildcards * and ?, and letters alone after its last dot",
            )
    _check_lengths("route.host", hosts)
    return hosts


def _check_lengths(field: str, patterns: tuple[str, ...]) -> None:
    for pattern in patterns:
        if len(pattern) > LONGEST:
            raise InvalidArgsError(field, got=pattern, want=f"at most {LONGEST} characters; it has {len(pattern)}")
    if len(set(patterns)) != len(patterns):
        raise InvalidArgsError(field, got=patterns, want="each pattern once")


def _check_counts(paths: tuple[str, ...], hosts: tuple[str, ...], *, more: int = 0) -> None:
    patterns = (*hosts, *paths)
    if not patterns:
        raise InvalidArgsError("route", got=None, want="a path or a host; path='/*' for every request")
    if len(patterns) > _MOST_VALUES - more:
        most = f"at most {_MOST_VALUES - more} paths and hosts together{', beside the header of tests' if more else ''}"
        raise InvalidArgsError("route", got=patterns, want=most)
    wildcards = sum(map(_wildcards, patterns))
    if wildcards > _MOST_WILDCARDS:
        raise InvalidArgsError(
            "route", got=patterns, want=f"at most {_MOST_WILDCARDS} wildcards in all; these are {wildcards}"
        )
