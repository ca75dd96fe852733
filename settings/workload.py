"""What `workloads: <name>:` may say, before the workload adds its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from components import naming
from components.capacity import Capacity, check_strategy
from components.fargate import Size
from components.logs import RETENTION_DAYS
from components.rollout import Rollout
from components.scaling import Scaling
from settings.section import ACCOUNT_ID, REGION, Section, Text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from settings.platform import Settings


def _retention(days: int) -> int:
    if days not in RETENTION_DAYS:
        raise ValueError(f"CloudWatch keeps logs for one of {', '.join(map(str, RETENTION_DAYS))} days")
    return days


RetentionDays = Annotated[int, AfterValidator(_retention)]


def _named(url: str) -> str:
    naming.fixed(url.partition("/")[2], naming.REPOSITORY)  # which is only so long
    return url


Digest = Annotated[str, Text(r"sha256:[0-9a-f]{64}", "'sha256:' and 64 hexadecimal digits")]
RepositoryUrl = Annotated[
    str,
    Text(
        rf"{ACCOUNT_ID}\.dkr\.ecr\.{REGION}\.amazonaws\.com(\.cn)?/{naming.REPOSITORY.pattern}",
        f"<account>.dkr.ecr.<region>.amazonaws.com/<name> without tag or digest, the name {naming.REPOSITORY.reads}",
    ),
    AfterValidator(_named),
]


class ImageSettings(Section):
    """Which image runs: built from the sources at each `pulumi up`, or one that exists, by its digest."""

    build: bool = False
    """Build `apps/<workload>/service` and push it to the stack's repository. For development."""
    digest: Digest | None = None
    """The digest of an image that exists, such as `sha256:` and 64 hexadecimal digits."""
    repository: RepositoryUrl | None = None
    """ECR repository of another stack or account to take `digest` from. Default: the stack's own repository."""

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if self.build == (self.digest is not None):
            raise ValueError("say one of `build: true` and `digest: sha256:<64 hexadecimal digits>`")
        if self.repository and not self.digest:
            raise ValueError("`repository` says where `digest` is: add the digest, or take `repository` out")
        return self


class SizeSettings(Section):
    """CPU units and MiB of one task, in a pair that Fargate has."""

    cpu: int = 256
    """CPU units: 256, 512, 1024, 2048, 4096, 8192 or 16384."""
    memory: int = 512
    """MiB; which ones depends on `cpu`."""

    @model_validator(mode="after")
    def _a_pair(self) -> Self:
        self.value()
        return self

    def value(self) -> Size:
        """Return the pair as the components take it."""
        return Size(self.cpu, self.memory)


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


class CapacitySettings(Section):
    """One part of a capacity strategy."""

    provider: Literal["FARGATE", "FARGATE_SPOT"]
    weight: Annotated[int, Field(ge=0, le=1000)] = 1
    """The share of tasks beyond the bases."""
    base: Annotated[int, Field(ge=0, le=100_000)] = 0
    """Tasks that come first; one provider of a strategy may have a base."""

    def value(self) -> Capacity:
        """Return the part as the components take it."""
        return Capacity(provider=self.provider, weight=self.weight, base=self.base)


def _strategy(parts: tuple[CapacitySettings, ...]) -> tuple[CapacitySettings, ...]:
    check_strategy([part.value() for part in parts])
    return parts


Strategy = Annotated[tuple[CapacitySettings, ...], AfterValidator(_strategy)]


class WorkloadSettings(Section):
    """What every workload's section may say: nothing, before the workload adds its own."""

    def problems(self, stack: Settings) -> Iterator[str]:  # noqa: ARG002 - what a workload overrides
        """Yield what this section needs of the rest of the stack's settings and does not find there."""
        yield from ()


class TaskSettings(WorkloadSettings):
    """What a section may say of tasks of one image."""

    image: ImageSettings = Field(default_factory=ImageSettings.model_construct)
    """Which image runs."""
    size: SizeSettings = SizeSettings()
    capacity: Strategy = ()
    """Default: the cluster's strategy."""
    execute_command: bool = False
    """Whether ECS Exec may open a shell in its containers; their root is then writable."""
    log_retention_days: RetentionDays = 30
    """Days its logs are kept."""

    @model_validator(mode="after")
    def _an_image(self) -> Self:
        if not self.image.build and self.image.digest is None:
            raise ValueError("say which image runs: add `image: {build: true}`, or `image: {digest: sha256:...}`")
        return self

    def problems(self, stack: Settings) -> Iterator[str]:
        """Yield what ECS Exec needs of the stack and does not find there."""
        if self.execute_command and not stack.cluster.exec_audit:
            yield "execute_command: got True; needs `cluster: {exec_audit: true}`, so that sessions are recorded"


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
