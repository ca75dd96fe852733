"""Where among EC2 instances a service's tasks go, as a stack file says it."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import model_validator

from components.placement import Placement, Strategy
from settings.section import Section


class PlacementStrategySettings(Section):
    """One rule by which ECS chooses among the instances that could take a task."""

    kind: Literal["spread", "binpack", "random"]
    """`spread`: evenly over `by`; `binpack`: on the fullest instance; `random`: anywhere."""
    by: str | None = None
    """Of `spread`: `instanceId` or an attribute. Of `binpack`: `cpu` or `memory`."""

    @model_validator(mode="after")
    def _as_a_component_takes_it(self) -> Self:
        self.value()
        return self

    def value(self) -> Strategy:
        """Return the rule as the components take it."""
        return Strategy(kind=self.kind, by=self.by)


class PlacementSettings(Section):
    """Which EC2 instances may take a service's tasks, and which of them do."""

    strategies: tuple[PlacementStrategySettings, ...] = tuple(
        PlacementStrategySettings(kind=each.kind, by=each.by) for each in Placement().strategies
    )
    """The first counts most. Default: evenly over the zones, and within each on as few instances as will do."""
    constraints: tuple[str, ...] = ()
    """Expressions of ECS's cluster query language that an instance must fit: `attribute:ecs.instance-type =~ m6*`."""
    distinct_instances: bool = False
    """Whether no two tasks of the service share an instance."""

    @model_validator(mode="after")
    def _as_a_component_takes_it(self) -> Self:
        self.value()
        return self

    def value(self) -> Placement:
        """Return the placement as the components take it."""
        return Placement(
            strategies=[each.value() for each in self.strategies],
            constraints=self.constraints,
            distinct_instances=self.distinct_instances,
        )
