"""A task has a size that Fargate has."""

from __future__ import annotations

import pytest

from components.errors import InvalidArgsError
from components.fargate import MEMORY_OF, InstanceSize, Size

GIB = 1024


def test_the_smallest_is_the_default() -> None:
    assert Size() == Size(256, 512)


@pytest.mark.parametrize(
    ("cpu", "gib", "step"),
    [
        (512, (1, 4), 1),
        (1024, (2, 8), 1),
        (2048, (4, 16), 1),
        (4096, (8, 30), 1),
        (8192, (16, 60), 4),
        (16384, (32, 120), 8),
    ],
)
def test_memory_goes_from_bound_to_bound_in_its_steps(cpu: int, gib: tuple[int, int], step: int) -> None:
    """AWS's table: both ends are in it, what lies beyond either is not, nor half a step."""
    low, high = (each * GIB for each in gib)
    assert set(MEMORY_OF[cpu]) == set(range(low, high + 1, step * GIB))
    for outside in (low - step * GIB, high + step * GIB, low + step * GIB // 2):
        with pytest.raises(InvalidArgsError):
            Size(cpu, outside)


def test_a_quarter_of_a_cpu_has_three_sizes() -> None:
    assert MEMORY_OF[256] == (512, GIB, 2 * GIB)


@pytest.mark.parametrize(
    ("size", "message"),
    [
        (
            (256, 4096),
            "got 4096; with 256 CPU units Fargate has 512, 1024, 2048 MiB: nearest is 2048, or take 512 CPU units",
        ),
        ((8192, 20000), "with 8192 CPU units Fargate has 16384 to 61440 in steps of 4096 MiB: nearest is 20480"),
        ((16384, 512), "nearest is 32768, or take 256 CPU units"),
        ((300, 512), "size.cpu: got 300; CPU units that Fargate has: 256, 512, 1024, 2048, 4096, 8192, 16384"),
    ],
)
def test_a_pair_that_fargate_has_not_is_named_with_the_nearest(size: tuple[int, int], message: str) -> None:
    """AWS says "No Fargate configuration exists for given values", and names neither."""
    with pytest.raises(InvalidArgsError) as refused:
        Size(*size)
    assert message in str(refused.value)


def test_a_task_on_instances_has_any_size() -> None:
    """1 vCPU with 1 GiB is no pair of Fargate's, and fits on many an instance."""
    assert (InstanceSize(1024, 1024).cpu, InstanceSize(1000, 900).memory) == (1024, 900)


@pytest.mark.parametrize(
    ("cpu", "memory", "says"),
    [
        (127, 512, "InstanceSize.cpu: got 127; a whole number from 128 to 196608 CPU units"),
        (256, 3, "InstanceSize.memory: got 3; a whole number from 4"),
    ],
)
def test_a_size_that_ecs_has_not_is_refused_on_instances_too(cpu: int, memory: int, says: str) -> None:
    with pytest.raises(InvalidArgsError) as refused:
        InstanceSize(cpu, memory)
    assert says in str(refused.value)
