"""A rollout can always move."""

from __future__ import annotations

from typing import Any

import pytest

from components.errors import InvalidArgsError
from components.rollout import Rollout


def test_by_default_nobody_is_missed() -> None:
    assert Rollout() == Rollout(minimum_healthy_percent=100, maximum_percent=200, zone_rebalancing=True)


@pytest.mark.parametrize(
    ("minimum", "maximum", "count"),
    [
        (100, 200, 1),  # one more, then one less
        (50, 100, 2),  # one less, then one more
        (50, 200, 1),  # ECS rounds what must stay up, but a second may run
        (0, 100, 1),  # none for a while
        (100, 150, 2),
        (100, 200, 0),  # nothing to replace
        (100, 100, 0),
    ],
)
def test_bounds_that_let_one_task_be_replaced_are_good(minimum: int, maximum: int, count: int) -> None:
    _rollout(minimum, maximum).check(count)


@pytest.mark.parametrize(
    ("minimum", "maximum", "count", "says"),
    [
        (100, 100, 2, "of 2 task(s) 2 must stay and 2 may run"),
        (50, 100, 1, "of 1 task(s) 1 must stay and 1 may run"),  # half a task must stay: one
        (100, 150, 1, "of 1 task(s) 1 must stay and 1 may run"),  # one and a half may run: one
        (90, 110, 3, "of 3 task(s) 3 must stay and 3 may run"),
    ],
)
def test_bounds_that_hold_every_task_are_refused(minimum: int, maximum: int, count: int, says: str) -> None:
    """ECS takes them, and the deployment then waits in silence until it times out."""
    with pytest.raises(
        InvalidArgsError, match="so none can be replaced: lower it, or raise maximum_percent"
    ) as refused:
        _rollout(minimum, maximum).check(count)
    assert f"Rollout.minimum_healthy_percent: got {minimum}; {says}" in str(refused.value)


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"minimum_healthy_percent": 101}, "Rollout.minimum_healthy_percent: got 101; a whole number from 0 to 100"),
        ({"minimum_healthy_percent": -1}, "Rollout.minimum_healthy_percent: got -1"),
        ({"maximum_percent": 201}, "Rollout.maximum_percent: got 201; a whole number from 100 to 200 percent"),
        ({"maximum_percent": 99}, "Rollout.maximum_percent: got 99"),
        ({"maximum_percent": 100}, "over 100, or zone_rebalancing off"),
    ],
)
def test_percents_out_of_bounds_are_refused(said: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidArgsError) as refused:
        Rollout(**said)
    assert message in str(refused.value)


def _rollout(minimum: int, maximum: int) -> Rollout:
    return Rollout(minimum_healthy_percent=minimum, maximum_percent=maximum, zone_rebalancing=maximum > 100)
