"""A deployment's strategy has its own bounds, and what it waits for is waited for."""

from __future__ import annotations

from typing import Any, get_args

import pytest

from components.deployment import Deployment, Strategy, read
from components.errors import InvalidArgsError

SHIFTED = ("blue_green", "linear", "canary")


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"strategy": "bluegreen"}, "strategy"),
        ({"strategy": "blue_green", "bake_minutes": -1}, "bake_minutes"),
        ({"strategy": "blue_green", "bake_minutes": 1441}, "bake_minutes"),
        ({"strategy": "linear", "step_percent": 2.9}, "step_percent"),
        ({"strategy": "linear", "step_percent": 100.1}, "step_percent"),
        ({"strategy": "linear", "step_percent": 12.55}, "step_percent"),
        ({"strategy": "linear", "step_percent": True}, "step_percent"),
        ({"strategy": "linear", "step_minutes": 1441}, "step_minutes"),
        ({"strategy": "canary", "canary_percent": 0}, "canary_percent"),
        ({"strategy": "canary", "canary_percent": float("nan")}, "canary_percent"),
        ({"strategy": "canary", "canary_minutes": 1441}, "canary_minutes"),
        ({"strategy": "canary", "approval_minutes": 0}, "approval_minutes"),
        ({"strategy": "canary", "approval_minutes": 20161}, "approval_minutes"),
        ({"strategy": "canary", "error_percent": 100}, "error_percent"),
    ],
)
def test_what_ecs_refuses_is_refused_before_anything_is_made(said: dict[str, Any], field: str) -> None:
    """Else it is found out once the target groups and the role are there."""
    with pytest.raises(InvalidArgsError, match=rf"^Deployment\.{field}: "):
        Deployment(**said)


@pytest.mark.parametrize(
    "said",
    [
        {"strategy": "linear", "step_percent": 3, "step_minutes": 0},
        {"strategy": "linear", "step_percent": 33.3, "step_minutes": 1440},
        {"strategy": "canary", "canary_percent": 0.1, "canary_minutes": 0, "bake_minutes": 3},
        {"strategy": "canary", "canary_minutes": 3, "bake_minutes": 0},
        {"strategy": "canary", "canary_percent": 100, "canary_minutes": 1440},
        {"strategy": "blue_green", "bake_minutes": 0, "alarms": False, "approval_minutes": 20160},
        {"strategy": "blue_green", "bake_minutes": 1440, "approval_minutes": 1},
    ],
)
def test_what_ecs_takes_is_taken(said: dict[str, Any]) -> None:
    assert Deployment(**said).configuration() is not None


@pytest.mark.parametrize(
    ("field", "value", "known"),
    [
        ("bake_minutes", 5, SHIFTED),
        ("step_percent", 10, ("linear",)),
        ("step_minutes", 5, ("linear",)),
        ("canary_percent", 10, ("canary",)),
        ("canary_minutes", 5, ("canary",)),
        ("approval_minutes", 60, SHIFTED),
    ],
)
@pytest.mark.parametrize("strategy", get_args(Strategy))
def test_what_a_strategy_does_not_know_is_refused(
    strategy: Strategy, field: str, value: int, known: tuple[Strategy, ...]
) -> None:
    """A bake time of a rolling deployment would look as if something waited."""
    given: dict[str, Any] = {field: value}
    if strategy in known:
        Deployment(strategy=strategy, **given)
        return
    with pytest.raises(InvalidArgsError, match=rf"^Deployment\.{field}: .*'{strategy}'"):
        Deployment(strategy=strategy, **given)


def test_nothing_is_said_of_a_rolling_deployment() -> None:
    """It is ECS's own default, and a plain service is to stay plain."""
    rolling = Deployment()
    assert (rolling.shifts, rolling.watched, rolling.configuration()) == (False, False, None)


@pytest.mark.parametrize("strategy", SHIFTED)
def test_alarms_watch_what_is_shifted_unless_it_says_otherwise(strategy: Strategy) -> None:
    assert Deployment(strategy=strategy).watched
    assert not Deployment(strategy=strategy, alarms=False).watched
    assert Deployment(alarms=True).watched


def test_a_share_of_errors_that_nobody_counts_is_refused() -> None:
    with pytest.raises(InvalidArgsError, match=r"^Deployment\.error_percent: "):
        Deployment(error_percent=3)
    assert Deployment(alarms=True, error_percent=3).most_errors == 3


@pytest.mark.parametrize(
    ("said", "least"),
    [
        ({"strategy": "blue_green", "bake_minutes": 2}, 3),
        ({"strategy": "canary", "canary_minutes": 0, "bake_minutes": 0}, 3),
        ({"strategy": "canary", "canary_minutes": 1, "bake_minutes": 1}, 2),
        ({"strategy": "linear", "step_percent": 50, "step_minutes": 2, "bake_minutes": 0}, 1),
        ({"strategy": "linear", "step_percent": 100, "step_minutes": 9, "bake_minutes": 0}, 3),
    ],
)
def test_alarms_that_the_old_version_does_not_live_to_see_are_refused(said: dict[str, Any], least: int) -> None:
    """They look at whole minutes, two of them; what is to be rolled back to is gone by then."""
    with pytest.raises(InvalidArgsError, match=rf"^Deployment\.bake_minutes: got \d; {least} or more"):
        Deployment(**said)
    assert Deployment(**said, alarms=False)
    said = {**said, "bake_minutes": least}
    assert Deployment(**said)


@pytest.mark.parametrize(
    ("deployment", "minutes"),
    [
        (Deployment(), 20),
        (Deployment(strategy="blue_green"), 20 + 5),
        (Deployment(strategy="blue_green", bake_minutes=0, alarms=False), 20),
        (Deployment(strategy="blue_green", bake_minutes=60, approval_minutes=1440), 20 + 60 + 1440),
        (Deployment(strategy="canary", canary_minutes=30), 20 + 5 + 30),
        (Deployment(strategy="linear"), 20 + 5 + 9 * 6),
        (Deployment(strategy="linear", step_percent=33.3, step_minutes=10), 20 + 5 + 3 * 10),
        (Deployment(strategy="linear", step_percent=12.5, step_minutes=10), 20 + 5 + 7 * 10),
        (Deployment(strategy="linear", step_percent=100, step_minutes=10), 20 + 5),
    ],
    ids=repr,
)
def test_it_may_take_as_long_as_all_that_it_waits_for(deployment: Deployment, minutes: int) -> None:
    """`pulumi up` would give up in the midst of a shift, and the next one would find it undone."""
    assert deployment.minutes == minutes


def test_a_strategys_name_stands_for_its_defaults() -> None:
    assert read("canary") == Deployment(strategy="canary")
    assert read(said := Deployment(strategy="canary", canary_percent=1)) is said
