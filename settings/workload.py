"""What `workloads: <name>:` may say, before the workload adds its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from components.fargate import Size
from components.logs import RETENTION_DAYS
from settings.capacity import Strategy
from settings.image import ImageSettings
from settings.section import Section

if TYPE_CHECKING:
    from collections.abc import Iterator

    from settings.platform import Settings


def _retention(days: int) -> int:
    if days not in RETENTION_DAYS:
        raise ValueError(f"CloudWatch keeps logs for one of {', '.join(map(str, RETENTION_DAYS))} days")
    return days


RetentionDays = Annotated[int, AfterValidator(_retention)]


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
