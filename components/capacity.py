"""What a cluster's tasks run on: capacity providers, and the shares that tasks are spread over them by."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from components.errors import InvalidArgsError, of, within

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pulumi import Input

LaunchType = Literal["FARGATE", "EC2", "MANAGED_INSTANCES"]
"""What kind of machine a task runs on, as ECS spells it."""

Architecture = Literal["X86_64", "ARM64"]
"""A processor's, as ECS spells it."""

PROVIDERS: Final = ("FARGATE", "FARGATE_SPOT")
"""Those that every account has; they need only be associated with a cluster."""

INSTANCES: Final = re.compile(r"(?!aws|ecs|fargate)[a-z][a-z0-9-]*")
"""What a cluster may call instances of its own. ECS keeps the three beginnings for itself."""

_MOST: Final = 20
"""Providers of one strategy: the text of `CapacityProviderStrategyItem` in botocore's `ecs` model."""


@dataclass(frozen=True)
class Capacity:
    """One capacity provider's part of a strategy.

    Bounds from botocore's `ecs` model, ``CapacityProviderStrategyItem``.

    Raises:
        InvalidArgsError: a provider that cannot be one, a weight or a base out of bounds.

    """

    provider: Input[str]
    """``FARGATE``; ``FARGATE_SPOT``: about 70 % cheaper, and taken away at two minutes' notice; or what the cluster
    calls instances of its own."""
    weight: int = 1
    """Its share of the tasks above the base, relative to the other providers' weights. 0 to 1000."""
    base: int = 0
    """Tasks that it runs before weights count, 0 to 100000. One provider of a strategy may have one."""

    def __post_init__(self) -> None:
        known = isinstance(self.provider, str)
        if known and self.provider not in PROVIDERS and not INSTANCES.fullmatch(str(self.provider)):
            raise InvalidArgsError(
                of(self, "provider"),
                got=self.provider,
                want=f"one of {', '.join(map(repr, PROVIDERS))}, or the name of the cluster's instances, in lower case",
            )
        within(self, "weight", 0, 1000)
        within(self, "base", 0, 100_000, "tasks")


def check_strategy(capacity: Sequence[Capacity]) -> None:
    """Refuse *capacity* unless it is a strategy that ECS takes and that can place a task.

    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_CapacityProviderStrategyItem.html
    """
    names = [str(item.provider) for item in capacity]
    if not 1 <= len(names) <= _MOST:
        raise InvalidArgsError("capacity", got=names, want=f"one capacity provider or more, {_MOST} at most")
    if len(set(names)) < len(names):
        raise InvalidArgsError("capacity", got=names, want="each capacity provider once")
    if 0 < len(set(names) & set(PROVIDERS)) < len(names):
        raise InvalidArgsError("capacity", got=names, want="Fargate's providers or instances, as ECS mixes them never")
    weights = {str(item.provider): item.weight for item in capacity}
    if not any(weights.values()):
        raise InvalidArgsError("capacity", got=weights, want="a weight above 0 on at least one of them")
    bases = {str(item.provider): item.base for item in capacity if item.base}
    if len(bases) > 1:
        raise InvalidArgsError("capacity", got=bases, want="a base on one of them only")
