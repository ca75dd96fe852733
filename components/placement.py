"""Where among a cluster's EC2 instances a service's tasks go."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from components.errors import InvalidArgsError, of, one_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pulumi_aws as aws

ZONE: Final = "attribute:ecs.availability-zone"
"""What each instance has in its zone: `spread` over it survives the loss of one."""

_MOST_STRATEGIES: Final = 5
_MOST_CONSTRAINTS: Final = 10
_LONGEST_EXPRESSION: Final = 2000


@dataclass(frozen=True, kw_only=True)
class Strategy:
    """One rule by which ECS chooses among the instances that could take a task.

    The text of `PlacementStrategy` in botocore's `ecs` model.

    Raises:
        InvalidArgsError: a kind that ECS has not, or a field that the kind does not take.

    """

    kind: Literal["spread", "binpack", "random"]
    """``spread``: evenly over *by*; ``binpack``: on the fullest instance; ``random``: anywhere."""
    by: str | None = None
    """Of ``spread``: ``instanceId``, or an attribute such as `ZONE`. Of ``binpack``: ``cpu`` or ``memory``."""

    def __post_init__(self) -> None:
        one_of(self, "kind", ("spread", "binpack", "random"))
        fits = {
            "spread": self.by in ("instanceId", "host") or str(self.by).startswith("attribute:"),
            "binpack": self.by in ("cpu", "memory"),
            "random": self.by is None,
        }
        if not fits[self.kind]:
            wants = {
                "spread": "'instanceId' or an attribute, such as 'attribute:ecs.availability-zone'",
                "binpack": "'cpu' or 'memory'",
                "random": "nothing",
            }
            raise InvalidArgsError(of(self, "by"), got=self.by, want=f"{wants[self.kind]}, for {self.kind}")


@dataclass(frozen=True, kw_only=True)
class Placement:
    """Which instances may take a service's tasks, and which of them do.

    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-placement.html

    Raises:
        InvalidArgsError: more rules than ECS takes, or an expression too long or empty.

    """

    strategies: Sequence[Strategy] = (Strategy(kind="spread", by=ZONE), Strategy(kind="binpack", by="memory"))
    """The first counts most; 5 at the most. Default: evenly over the zones, and within each on as few instances as
    will do."""
    constraints: Sequence[str] = ()
    """Expressions of ECS's cluster query language that an instance must fit, ``attribute:ecs.instance-type =~ m6*``;
    10 at the most, with *distinct_instances*, each of 2000 characters. Default: any instance."""
    distinct_instances: bool = False
    """Whether no two tasks of the service share an instance. Default: they may."""

    def __post_init__(self) -> None:
        if len(self.strategies) > _MOST_STRATEGIES:
            raise InvalidArgsError(
                of(self, "strategies"), got=len(self.strategies), want=f"{_MOST_STRATEGIES} at the most"
            )
        if len(self.constraints) + self.distinct_instances > _MOST_CONSTRAINTS:
            raise InvalidArgsError(
                of(self, "constraints"),
                got=len(self.constraints),
                want=f"{_MOST_CONSTRAINTS} at the most, distinct_instances among them",
            )
        for expression in self.constraints:
            if not 1 <= len(expression) <= _LONGEST_EXPRESSION:
                raise InvalidArgsError(
                    of(self, "constraints"), got=expression[:80], want=f"1 to {_LONGEST_EXPRESSION} characters"
                )

    @property
    def can_rebalance_zones(self) -> bool:
        """Whether ECS can even the service's tasks out over the zones beside it.

        https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-rebalancing.html
        """
        first = self.strategies[0] if self.strategies else None
        return (first is None or (first.kind, first.by) == ("spread", ZONE)) and not any(
            ZONE in expression for expression in self.constraints
        )

    def ordered_strategies(self) -> list[aws.ecs.ServiceOrderedPlacementStrategyArgsDict] | None:
        """Return the strategies as a service takes them."""
        return [
            {"type": each.kind} if each.by is None else {"type": each.kind, "field": each.by}
            for each in self.strategies
        ] or None

    def placement_constraints(self) -> list[aws.ecs.ServicePlacementConstraintArgsDict] | None:
        """Return the constraints as a service takes them."""
        said: list[aws.ecs.ServicePlacementConstraintArgsDict] = [
            # Sorted: ECS reads them as a set.
            {"type": "memberOf", "expression": expression}
            for expression in sorted(self.constraints)
        ]
        return [*said, {"type": "distinctInstance"}] if self.distinct_instances else said or None
