"""The sizes of task that Fargate has, and those that instances have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from components.errors import InvalidArgsError, within

_GIB: Final = 1024

# CPU units → MiB of memory.
# https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html#fargate-tasks-size
MEMORY_OF: Final[dict[int, tuple[int, ...]]] = {
    256: (512, 1 * _GIB, 2 * _GIB),
    512: tuple(gib * _GIB for gib in range(1, 5)),
    1024: tuple(gib * _GIB for gib in range(2, 9)),
    2048: tuple(gib * _GIB for gib in range(4, 17)),
    4096: tuple(gib * _GIB for gib in range(8, 31)),
    8192: tuple(gib * _GIB for gib in range(16, 61, 4)),
    16384: tuple(gib * _GIB for gib in range(32, 121, 8)),
}


@dataclass(frozen=True)
class Size:
    """CPU units and MiB of memory of one task, in a pair that Fargate has.

    AWS answers a wrong pair with "No Fargate configuration exists for given values", naming neither.

    Raises:
        InvalidArgsError: naming the pair, and the nearest that would do.

    """

    cpu: int = 256
    """CPU units: 1024 are one vCPU. 256, 512, 1024, 2048, 4096, 8192 or 16384."""
    memory: int = 512
    """MiB."""

    def __post_init__(self) -> None:
        if self.cpu not in MEMORY_OF:
            raise InvalidArgsError(
                "size.cpu", got=self.cpu, want=f"CPU units that Fargate has: {', '.join(map(str, MEMORY_OF))}"
            )
        choices = MEMORY_OF[self.cpu]
        if self.memory not in choices:
            nearest = min(choices, key=lambda memory: abs(memory - self.memory))
            bigger = next((cpu for cpu, memory in MEMORY_OF.items() if self.memory in memory), None)
            raise InvalidArgsError(
                "size.memory",
                got=self.memory,
                want=f"with {self.cpu} CPU units Fargate has {_in_words(choices)} MiB: nearest is {nearest}"
                + (f", or take {bigger} CPU units" if bigger else ""),
            )


@dataclass(frozen=True)
class InstanceSize(Size):
    """CPU units and MiB of memory of one task on instances, which know no pairs.

    Raises:
        InvalidArgsError: a bound of ECS's broken.

    """

    cpu: int = 256
    """CPU units: 1024 are one vCPU. 128 to 196608, in sum no more than the instance has."""
    memory: int = 512
    """MiB, 4 or more, in sum no more than the instance has left."""

    def __post_init__(self) -> None:
        # https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_definition_parameters.html#task_size
        within(self, "cpu", 128, 196_608, "CPU units")
        within(self, "memory", 4, 24 * 1024 * _GIB, "MiB")


def _in_words(choices: tuple[int, ...]) -> str:
    if len(choices) <= 4:  # noqa: PLR2004 - as many as are read at a glance
        return ", ".join(map(str, choices))
    return f"{choices[0]} to {choices[-1]} in steps of {choices[1] - choices[0]}"
