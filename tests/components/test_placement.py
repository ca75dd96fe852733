"""A placement that ECS would refuse is refused first, and the default survives the loss of a zone."""

from __future__ import annotations

from typing import Any

import pytest

from components.errors import InvalidArgsError
from components.placement import ZONE, Placement, Strategy


def test_tasks_are_spread_over_the_zones_first_and_packed_within_each() -> None:
    """The other way round, all tasks of a service could be on one instance."""
    assert Placement().ordered_strategies() == [
        {"type": "spread", "field": "attribute:ecs.availability-zone"},
        {"type": "binpack", "field": "memory"},
    ]
    assert Placement().placement_constraints() is None


def test_the_order_of_constraints_says_nothing() -> None:
    """ECS reads them as a set; a sorted file must not deploy anew."""
    one, other = (Placement(constraints=said).placement_constraints() for said in (("a", "b"), ("b", "a")))
    assert one == other == [{"type": "memberOf", "expression": "a"}, {"type": "memberOf", "expression": "b"}]


def test_no_two_tasks_share_an_instance_where_that_is_said() -> None:
    placement = Placement(constraints=("a",), distinct_instances=True)
    assert placement.placement_constraints() == [
        {"type": "memberOf", "expression": "a"},
        {"type": "distinctInstance"},
    ]


def test_a_strategy_without_a_field_says_none() -> None:
    """ECS refuses a field of `random`."""
    assert Placement(strategies=[Strategy(kind="random")]).ordered_strategies() == [{"type": "random"}]
    assert Placement(strategies=()).ordered_strategies() is None


@pytest.mark.parametrize(
    ("placement", "can"),
    [
        (Placement(), True),
        (Placement(strategies=()), True),
        (Placement(strategies=[Strategy(kind="spread", by="instanceId"), Strategy(kind="spread", by=ZONE)]), False),
        (Placement(strategies=[Strategy(kind="binpack", by="cpu")]), False),
        (Placement(constraints=[f"{ZONE} == eu-west-1a"]), False),
    ],
)
def test_zones_are_evened_out_only_where_they_come_first(placement: Placement, can: bool) -> None:  # noqa: FBT001
    """ECS refuses a service that rebalances zones and is placed by something else."""
    assert placement.can_rebalance_zones is can


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Strategy(kind="spred"), "Strategy.kind: got 'spred'; one of 'spread', 'binpack', 'random'"),
        (lambda: Strategy(kind="spread"), "Strategy.by: got None; 'instanceId' or an attribute"),
        (lambda: Strategy(kind="binpack", by="disk"), "Strategy.by: got 'disk'; 'cpu' or 'memory', for binpack"),
        (lambda: Strategy(kind="random", by="cpu"), "Strategy.by: got 'cpu'; nothing, for random"),
        (lambda: Placement(strategies=[Strategy(kind="random")] * 6), "Placement.strategies: got 6; 5 at the most"),
        (
            lambda: Placement(constraints=[f"a == {number}" for number in range(10)], distinct_instances=True),
            "Placement.constraints: got 10; 10 at the most, distinct_instances among them",
        ),
        (lambda: Placement(constraints=[""]), "Placement.constraints: got ''; 1 to 2000 characters"),
    ],
)
def test_what_ecs_refuses_is_named(make: Any, says: str) -> None:
    with pytest.raises(InvalidArgsError) as refused:
        make()
    assert says in str(refused.value)
