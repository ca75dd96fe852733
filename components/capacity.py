"""What a cluster's tasks run on: capacity providers, and the shares that tasks are spread over them by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from components.errors import InvalidArgsError, one_of, within

if TYPE_CHECKING:
    from collections.abc import Sequence

CapacityProvider = Literal["FARGATE", "FARGATE_SPOT"]

PROVIDERS: Final[tuple[CapacityProvider, ...]] = ("FARGATE", "FARGATE_SPOT")
"""Those that every account has; they need only be associated with a cluster."""


@dataclass(frozen=True)
class Capacity:
    """One capacity provider's part of a strategy.

    Bounds from botocore's `ecs` model, ``CapacityProviderStrategyItem``.

    Raises:
        InvalidArgsError: an unknown provider, a weight or a base out of bounds.

    """

    provider: CapacityProvider
    """``FARGATE``, or ``FARGATE_SPOT``: about 70 % cheaper, and taken away at two minutes' notice."""
    weight: int = 1
    """Its share of the tasks above the base, relative to the other providers' weights. 0 to 1000."""
    base: int = 0
    """Tasks that it runs before weights count, 0 to 100000. One provider of a strategy may have one."""

    def __post_init__(self) -> None:
        one_of(self, "provider", PROVIDERS)
        within(self, "weight", 0, 1000)
        within(self, "base", 0, 100_000, "tasks")


def check_strategy(capacity: Sequence[Capacity]) -> None:
    """Refuse *capacity* unless it is a strategy that ECS takes and that can place a task.

    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_CapacityProviderStrategyItem.html
    """
    names = [item.provider for item in capacity]
    if not names:
        raise InvalidArgsError("capacity", got=names, want="one capacity provider or more")
    if len(set(names)) < len(names):
        raise InvalidArgsError("capacity", got=names, want="each capacity provider once")
    weights = {item.provider: item.weight for item in capacity}
    if not any(weights.values()):
        raise InvalidArgsError("capacity", got=weights, want="a weight above 0 on at least one of them")
    bases = {item.provider: item.base for item in capacity if item.base}
    if len(bases) > 1:
        raise InvalidArgsError("capacity", got=bases, want="a base on one of them only")
