"""A strategy that ECS would refuse, or that could place no task, is refused first."""

from __future__ import annotations

import pytest

from components.capacity import Capacity, check_strategy
from components.errors import InvalidArgsError


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"provider": "FARGATE-SPOT"}, r"Capacity.provider: got 'FARGATE-SPOT'; one of 'FARGATE', 'FARGATE_SPOT'"),
        ({"weight": 1001}, r"Capacity.weight: got 1001; a whole number from 0 to 1000"),
        ({"weight": -1}, r"Capacity.weight: got -1"),
        ({"base": 100_001}, r"Capacity.base: got 100001; a whole number from 0 to 100000 tasks"),
    ],
)
def test_a_bound_of_a_provider_is_named_when_it_is_broken(wrong: dict[str, object], says: str) -> None:
    with pytest.raises(InvalidArgsError, match=says):
        Capacity(**({"provider": "FARGATE"} | wrong))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("strategy", "says"),
    [
        ([], "one capacity provider or more"),
        ([Capacity("FARGATE"), Capacity("FARGATE")], "each capacity provider once"),
        ([Capacity("FARGATE", weight=0), Capacity("FARGATE_SPOT", weight=0)], "a weight above 0"),
        ([Capacity("FARGATE", base=1), Capacity("FARGATE_SPOT", base=1)], "a base on one of them only"),
    ],
)
def test_a_strategy_that_cannot_work_is_refused(strategy: list[Capacity], says: str) -> None:
    with pytest.raises(InvalidArgsError, match=says):
        check_strategy(strategy)


def test_spot_above_a_base_on_demand_is_a_strategy() -> None:
    """The usual way to use Spot in prod must not fall to the checks of bases and weights."""
    check_strategy([Capacity("FARGATE", weight=0, base=1), Capacity("FARGATE_SPOT", weight=4)])


def test_instances_are_called_by_the_clusters_name_for_them() -> None:
    check_strategy([Capacity("general", base=1), Capacity("spot-2", weight=3)])


@pytest.mark.parametrize("name", ["ecs-general", "aws2", "General", "2nd", ""])
def test_a_name_that_no_instances_can_have_is_refused(name: str) -> None:
    """A misspelt FARGATE among them."""
    with pytest.raises(InvalidArgsError, match="or the name of the cluster's instances, in lower case"):
        Capacity(name)


def test_fargate_and_instances_are_never_in_one_strategy() -> None:
    """ECS refuses the two together."""
    with pytest.raises(InvalidArgsError, match="Fargate's providers or instances"):
        check_strategy([Capacity("FARGATE"), Capacity("general")])


def test_a_strategy_has_as_many_providers_as_ecs_takes() -> None:
    check_strategy([Capacity(f"c{number}") for number in range(20)])
    with pytest.raises(InvalidArgsError, match="20 at most"):
        check_strategy([Capacity(f"c{number}") for number in range(21)])
