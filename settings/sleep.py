"""When a stack sleeps, as its file says it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from pydantic import model_validator

from components.sleep import Sleep
from settings.section import Section

if TYPE_CHECKING:
    from collections.abc import Iterator


class SleepSettings(Section):
    """Working hours: outside them no service has a task, and groups of instances may be empty."""

    time_zone: str
    """IANA's name of the zone in which the times are, such as `Asia/Taipei`."""
    awake_from: str = "08:00"
    """When services wake, `HH:MM` in quotes."""
    awake_to: str = "20:00"
    """When they sleep. Before `awake_from`, it is of the day after."""
    days: str = "MON-FRI"
    """On which days they wake: `MON-FRI`, `SUN-THU`, `MON,WED`."""
    even_protected: bool = False
    """The second word that a stack with `protect: true` needs to sleep: it serves nobody then."""

    @model_validator(mode="after")
    def _as_a_component_takes_it(self) -> Self:
        self.value()
        return self

    def problems(self, *, protect: bool) -> Iterator[str]:
        """Yield what a stack that is to *protect* what it has must say besides."""
        if protect and not self.even_protected:
            yield (
                "even_protected: got False, and the stack has `protect: true`; true, if all of it is to stop serving "
                "outside working hours, or take `sleep` out"
            )

    def value(self) -> Sleep:
        """Return the hours as the components take them."""
        return Sleep(time_zone=self.time_zone, awake_from=self.awake_from, awake_to=self.awake_to, days=self.days)
