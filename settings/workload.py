"""What `workloads: <name>:` may say, before the workload adds its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from components.errors import InvalidArgsError
from components.fargate import InstanceSize, Size
from components.logs import RETENTION_DAYS
from settings.capacity import Strategy
from settings.image import ImageSettings
from settings.section import Section

if TYPE_CHECKING:
    from collections.abc import Iterator

    from components.capacity import Architecture, LaunchType
    from settings.platform import Settings


def _retention(days: int) -> int:
    if days not in RETENTION_DAYS:
        raise ValueError(f"CloudWatch keeps logs for one of {', '.join(map(str, RETENTION_DAYS))} days")
    return days


RetentionDays = Annotated[int, AfterValidator(_retention)]


class SizeSettings(Section):
    """CPU units and MiB of one task: on Fargate one of its pairs, on instances any that they have room for."""

    cpu: int = 256
    """CPU units, 1024 of which are a vCPU. On Fargate 256, 512, 1024, 2048, 4096, 8192 or 16384."""
    memory: int = 512
    """MiB; on Fargate, which ones depends on `cpu`."""

    @model_validator(mode="after")
    def _as_instances_take_it(self) -> Self:
        self.value("EC2")
        return self

    def value(self, launch_type: LaunchType) -> Size:
        """Return the size as the components take it for machines of *launch_type*.

        Raises:
            InvalidArgsError: Fargate has no such pair.

        """
        return Size(self.cpu, self.memory) if launch_type == "FARGATE" else InstanceSize(self.cpu, self.memory)


class WorkloadSettings(Section):
    """What every workload's section may say: nothing, before the workload adds its own."""

    def problems(self, stack: Settings) -> Iterator[str]:  # noqa: ARG002 - what a workload overrides
        """Yield what this section needs of the rest of the stack's settings and does not find there."""
        yield from ()


class ImagedSettings(WorkloadSettings):
    """What a section may say that has an image of its own."""

    image: ImageSettings = Field(default_factory=ImageSettings.model_construct)
    """Which image runs."""

    @model_validator(mode="after")
    def _an_image(self) -> Self:
        if not self.image.build and self.image.digest is None:
            raise ValueError("say which image runs: add `image: {build: true}`, or `image: {digest: sha256:...}`")
        return self

    def problems_on(self, architecture: Architecture | None, stack: Settings) -> Iterator[str]:
        """Yield why its image cannot run on processors of *architecture*: the pipeline builds for X86_64 alone."""
        by_digest = self.image.digest and not self.image.repository
        if architecture == "ARM64" and by_digest and stack.image_registry:
            yield (
                f"image.digest: got one of {stack.image_registry}, whose images the pipeline builds for X86_64, on "
                "ARM64; `image: {build: true}`, the `repository` of an image that is for ARM64, or other `capacity`"
            )


class TaskSettings(ImagedSettings):
    """What a section may say of tasks of one image."""

    size: SizeSettings = SizeSettings()
    capacity: Strategy = ()
    """Default: the cluster's strategy."""
    execute_command: bool = False
    """Whether ECS Exec may open a shell in its containers; their root is then writable."""
    log_retention_days: RetentionDays = 30
    """Days its logs are kept."""

    def problems(self, stack: Settings) -> Iterator[str]:
        """Yield what ECS Exec and its tasks need of the stack and do not find there: machines, of its size."""
        if self.execute_command and not stack.cluster.exec_audit:
            yield "execute_command: got True; needs `cluster: {exec_audit: true}`, so that sessions are recorded"
        if self.capacity:
            yield from stack.cluster.problems_of(self.capacity)
        if (launch_type := stack.cluster.launch_type(self.capacity)) is not None:
            try:
                self.size.value(launch_type)
            except InvalidArgsError as error:
                yield f"size: {error}"
        yield from self.problems_on(stack.cluster.architecture(self.capacity), stack)
        for problem in stack.cluster.too_large(self.capacity, cpu=self.size.cpu, memory=self.size.memory):
            yield f"size.{problem}"
