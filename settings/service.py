"""What a section may say of tasks that are kept running: how many, and how they are replaced."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Self

from pydantic import Field, model_validator

from components.container import NetworkMode
from components.rollout import Rollout
from components.scaling import Scaling
from settings import on_instances
from settings.deployment import Deployed, DeploymentSettings
from settings.placement import PlacementSettings
from settings.section import Section
from settings.workload import TaskSettings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from settings.platform import Settings


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

    listens_on: ClassVar[tuple[int, ...]] = ()
    """The ports of its containers, as its workload's code has them: in mode `host` they are its instance's."""
    own_address: ClassVar[str | None] = None
    """What each of its tasks needs an address of its own for, which mode `awsvpc` gives. Default: none needs one."""

    desired_count: Annotated[int, Field(ge=0, le=5000)] = 2
    """Tasks kept running. Default: 2, so that one zone may be lost."""
    scaling: ScalingSettings | None = None
    """Default: none; the count stands."""
    sleeps: bool = True
    """Whether it sleeps when the stack does. Off, who calls a service that sleeps gets no answer from that one."""
    rollout: RolloutSettings = RolloutSettings()
    deployment: Deployed = DeploymentSettings()
    """How a new version takes over: a strategy's name, or all of it. Those that shift requests need an entrance."""
    network_mode: NetworkMode = "awsvpc"
    """`awsvpc`: an address of its own. On EC2 instances also `bridge`: behind ports of its instance, as many tasks as
    fit; and `host`: its ports are the instance's. Both share the instance's security group with all others there."""
    host_port: int | None = None
    """The instance's port that leads to it in bridge mode, 1 to 32767 but for 22, 2375 and 2376: an instance has room
    for one such task. Default, and 0: one that ECS gives out, and another for each task."""
    placement: PlacementSettings | None = None
    """Which EC2 instances its tasks go to. Default: evenly over the zones, then on as few as will do."""

    def problems(self, stack: Settings) -> Iterator[str]:
        """Yield what its tasks need of the stack and do not find there, and what they could not do there together."""
        yield from super().problems(stack)
        yield from on_instances.problems(self, stack.cluster)

    @model_validator(mode="after")
    def _has_a_host_port_to_have(self) -> Self:
        on_instances.check_said(self.network_mode, self.host_port)
        return self

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
    def _can_be_shifted(self) -> Self:
        if self.deployment.value().shifts and self.scaling and self.scaling.requests_per_target is not None:
            raise ValueError(
                f"scaling.requests_per_target: got {self.scaling.requests_per_target}; leave it out with deployment "
                f"{self.deployment.strategy!r}, whose requests go to two target groups, of which only one is counted"
            )
        return self

    @model_validator(mode="after")
    def _can_be_replaced(self) -> Self:
        self.rollout.value().check(self.scaling.minimum if self.scaling else self.desired_count)
        return self
