"""Patterns of paths and hosts, as a listener rule has them: what one fits, and whether another fits all of it."""

from __future__ import annotations

import functools
import itertools
import re
from typing import Final

LONGEST: Final = 128
"""Characters of one. The text of `RuleCondition` in botocore's `elbv2` model."""
_NO_PATTERN_HAS: Final = "\n"


def covers(pattern: str, other: str) -> bool:
    """Say whether *pattern* fits all that *other* fits.

    *other* stands for its words: each of its ``*`` once nothing, and once more of a foreign character than any
    pattern could name one by one.
    """
    begins = beginning(pattern)
    if begins == pattern:
        return pattern == other
    fits = _regex(pattern).fullmatch
    return all(fits(word) for word in _words(other))


def meet(these: tuple[str, ...], those: tuple[str, ...]) -> bool:
    """Say whether something may begin with one of each: where nothing does, no request fits a pattern of each."""
    return any(map(str.startswith, these, itertools.repeat(those))) or any(
        map(str.startswith, those, itertools.repeat(these))
    )


@functools.cache
def beginnings(patterns: tuple[str, ...]) -> tuple[str, ...]:
    """Return the `beginning` of each of *patterns*."""
    return tuple(map(beginning, patterns))


@functools.cache
def beginning(pattern: str) -> str:
    """Return what *pattern* begins with, up to its first wildcard."""
    return re.split(r"[*?]", pattern, maxsplit=1)[0]


@functools.cache
def _regex(pattern: str) -> re.Pattern[str]:
    wild = {"*": ".*", "?": "."}
    return re.compile("".join(wild.get(char) or re.escape(char) for char in pattern), re.DOTALL)


@functools.cache
def _words(pattern: str) -> tuple[str, ...]:
    parts = pattern.replace("?", _NO_PATTERN_HAS).split("*")
    fillings = itertools.product(("", _NO_PATTERN_HAS * (LONGEST + 1)), repeat=len(parts) - 1)
    return tuple("".join(itertools.chain(*zip(parts, (*filling, ""), strict=True))) for filling in fillings)
