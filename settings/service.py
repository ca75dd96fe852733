"""What a section may say of tasks that are kept running: how many, and how they are replaced."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from components.rollout import Rollout
from components.scaling import Scaling
from settings.section import Section
from settings.workload import TaskSettings


class ScalingSettings(Section):
    """Between how many tasks a service breathes, and what it holds its load at."""

    minimum: Annotated[int, Field(ge=1)]
    maximum: Annotated[int, Field(ge=1)]
    cpu_percent: int | None = 70
    """Average CPU held, 1 to 100."""
    memory_percent: int | None = None
    """Average memory held, 1 to 100."""
    requests_per_target: int | None = None
    """Requests a minute and task held."""

    @model_validator(mode="after")
    def _as_a_component_takes_it(self) -> Self:
        self.value()
        return self

    def value(self) -> Scaling:
        """Return the scaling as the components take it."""
        return Scaling(
            minimum=self.minimum,
            maximum=self.maximum,
            cpu_percent=self.cpu_percent,
            memory_percent=self.memory_percent,
            requests_per_target=self.requests_per_target,
        )


class RolloutSettings(Section):
    """How a service's tasks are replaced."""

    minimum_healthy_percent: int = 100
    """Percent of the count that must stay healthy, 0 to 100."""
    maximum_percent: int = 200
    """Percent of the count that may run, 100 to 200."""

    @model_validator(mode="after")
    def _as_a_component_takes_it(self) -> Self:
        self.value()
        return self

    def value(self) -> Rollout:
        """Return the rollout as the components take it."""
        return Rollout(
            minimum_healthy_percent=self.minimum_healthy_percent,
            maximum_percent=self.maximum_percent,
            zone_rebalancing=self.maximum_percent > 100,  # noqa: PLR2004 - percent
        )


class ServiceSettings(TaskSettings):
    """What a section may say of a service: tasks of one image, kept running."""

    desired_count: Annotated[int, Field(ge=0, le=5000)] = 2
    """Tasks kept running. Default: 2, so that one zone may be lost."""
    scaling: ScalingSettings | None = None
    """Default: none; the count stands."""
    rollout: RolloutSettings = RolloutSettings()

    @model_validator(mode="after")
    def _begins_within_its_scaling(self) -> Self:
        within, said = self.scaling, "desired_count" in self.model_fields_set
        if within and said and not within.minimum <= self.desired_count <= within.maximum:
            raise ValueError(
                f"desired_count: got {self.desired_count}; `scaling` keeps it from {within.minimum} to "
                f"{within.maximum}: say one of these, or leave it out"
            )
        return self

    @model_validator(mode="after")
    def _can_be_replaced(self) -> Self:
        self.rollout.value().check(self.scaling.minimum if self.scaling else self.desired_count)
        return self
