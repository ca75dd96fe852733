"""The ECS cluster of a stack, as its file says it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final, Literal

from pydantic import Field

from components import naming
from components.capacity import INSTANCES, PROVIDERS, Architecture, LaunchType
from components.errors import InvalidArgsError
from settings.capacity import CapacitySettings, Strategy
from settings.instances import Ec2Settings, Instances, ManagedSettings
from settings.section import Section, Text

if TYPE_CHECKING:
    from collections.abc import Iterator

InstancesName = Annotated[
    str,
    Text(
        INSTANCES.pattern,
        "small letters, digits and hyphens, a letter first, and neither 'aws', 'ecs' nor 'fargate' at the beginning",
    ),
]

_MADE_OF_THE_NAME: Final = {"": naming.CAPACITY_PROVIDER, "-infrastructure": naming.ROLE}
"""The longest of the names that are made of what instances are called: what is put behind it → its rule."""


class ClusterSettings(Section):
    """The ECS cluster."""

    capacity: Strategy = (CapacitySettings(provider="FARGATE"),)
    """What services run on unless they say otherwise."""
    instances: dict[InstancesName, Instances] = Field(default_factory=dict[str, Instances])
    """Machines of its own beside Fargate, each kind by the name that `capacity` calls it. Default: none."""
    container_insights: Literal["disabled", "enabled", "enhanced"] = "enhanced"
    exec_audit: bool = False
    """Whether ECS Exec sessions are possible, encrypted, and recorded."""

    def problems(self, stage: str) -> Iterator[str]:
        """Yield what its own strategy cannot be, and names of instances that are too long for a cluster of *stage*."""
        yield from self.problems_of(self.capacity)
        for name in self.instances:
            try:
                for what, rule in _MADE_OF_THE_NAME.items():
                    naming.autonamed(f"{stage}-{name}{what}", rule)
            except InvalidArgsError as error:
                yield f"instances: got {name!r}; {error}"

    def problems_of(self, capacity: Strategy) -> Iterator[str]:
        """Yield why nothing could be placed by *capacity* here: instances that are not there, or not all of a kind."""
        have = (*PROVIDERS, *sorted(self.instances))
        unknown = [part.provider for part in capacity if part.provider not in have]
        for name in unknown:
            yield (
                f"capacity: got {name!r}; one of {', '.join(map(repr, have))}, or add `{name}` to "
                "`cluster: {instances: {...}}`"
            )
        kinds = {part.provider: self._machine(part.provider) for part in capacity if part.provider not in unknown}
        if len(set(kinds.values())) > 1:
            told = ", ".join(f"{name} ({' '.join(kind)})" for name, kind in kinds.items())
            yield f"capacity: got {told}; machines of one kind, as a task is made for one"

    def launch_type(self, capacity: Strategy) -> LaunchType | None:
        """Return the kind of machine that *capacity* is; None where it names no machines that are there."""
        machine = self._first(capacity)
        return machine and machine[0]

    def architecture(self, capacity: Strategy) -> Architecture | None:
        """Return the processors' architecture of *capacity*; None where it names no machines that are there."""
        machine = self._first(capacity)
        return machine and machine[1]

    def too_large(self, capacity: Strategy, *, cpu: int, memory: int) -> Iterator[str]:
        """Yield why a task of so many CPU units and MiB has no room on Managed Instances that *capacity* names.

        What an EC2 type has, AWS alone knows.
        """
        for part in capacity or self.capacity:
            own = self.instances.get(part.provider)
            if not isinstance(own, ManagedSettings):
                continue
            if cpu > own.cpus[1] * 1024:
                yield f"cpu: got {cpu}; {part.provider!r} has instances of {own.cpus[1]} vCPU at the most (its `cpus`)"
            # Some of an instance's is always the system's:
            # https://docs.aws.amazon.com/AmazonECS/latest/developerguide/memory-management.html
            if memory >= own.memory[1]:
                yield (
                    f"memory: got {memory}; {part.provider!r} has instances of {own.memory[1]} MiB at the most (its "
                    "`memory`), some of which is the system's"
                )

    def ec2(self, capacity: Strategy) -> dict[str, Ec2Settings]:
        """Return the EC2 instances that *capacity* names, by their names."""
        named = {part.provider: self.instances.get(part.provider) for part in capacity or self.capacity}
        return {name: each for name, each in named.items() if isinstance(each, Ec2Settings)}

    def ec2_names(self) -> list[str]:
        """Return what its EC2 instances are called."""
        return sorted(name for name, each in self.instances.items() if isinstance(each, Ec2Settings))

    def _first(self, capacity: Strategy) -> tuple[LaunchType, Architecture] | None:
        for part in capacity or self.capacity:
            if part.provider in (*PROVIDERS, *self.instances):
                return self._machine(part.provider)
        return None

    def _machine(self, provider: str) -> tuple[LaunchType, Architecture]:
        own = self.instances.get(provider)
        if isinstance(own, Ec2Settings):
            return "EC2", own.architecture
        return "MANAGED_INSTANCES" if own else "FARGATE", "X86_64"
