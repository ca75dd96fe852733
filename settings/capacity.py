"""What tasks run on, as a stack file says it."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import AfterValidator, Field

from components.capacity import INSTANCES, PROVIDERS, Capacity, check_strategy
from settings.section import Section, Text

_OWN: Final = Text(
    rf"{'|'.join(PROVIDERS)}|{INSTANCES.pattern}",
    "one of 'FARGATE' or 'FARGATE_SPOT', or the name of instances in `cluster: {instances: {...}}`, in lower case",
)


class CapacitySettings(Section):
    """One part of a capacity strategy."""

    provider: Annotated[str, _OWN]
    """`FARGATE`, `FARGATE_SPOT`, or what `cluster: {instances: {...}}` calls instances of its own."""
    weight: Annotated[int, Field(ge=0, le=1000)] = 1
    """The share of tasks beyond the bases."""
    base: Annotated[int, Field(ge=0, le=100_000)] = 0
    """Tasks that come first; one provider of a strategy may have a base."""

    def value(self) -> Capacity:
        """Return the part as the components take it."""
        return Capacity(provider=self.provider, weight=self.weight, base=self.base)


def _strategy(parts: tuple[CapacitySettings, ...]) -> tuple[CapacitySettings, ...]:
    check_strategy([part.value() for part in parts])
    # Their order says nothing, and documents that hold them must not differ by it.
    return tuple(sorted(parts, key=lambda part: part.provider))


Strategy = Annotated[tuple[CapacitySettings, ...], AfterValidator(_strategy)]
