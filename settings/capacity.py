"""What tasks run on, as a stack file says it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from components.capacity import Capacity, check_strategy
from settings.section import Section


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
