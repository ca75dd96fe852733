"""How many tasks may be missing, and how many too many, while a service's tasks are replaced."""

from __future__ import annotations

import math
from dataclasses import dataclass

from components.errors import InvalidArgsError, of, within


@dataclass(frozen=True, kw_only=True)
class Rollout:
    """The bounds of a rolling deployment, in percent of the count of tasks.

    Raises:
        InvalidArgsError: a percent out of bounds, or rebalancing where no task may start before another stops.

    """

    minimum_healthy_percent: int = 100
    """Percent that must stay healthy, 0 to 100. Default: nobody is missed."""
    maximum_percent: int = 200
    """Percent that may run, 100 to 200."""
    zone_rebalancing: bool = True
    """Whether ECS evens the tasks out over the zones once all are back. Needs *maximum_percent* over 100, as it starts
    a task before it stops one.
    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-rebalancing.html"""

    def __post_init__(self) -> None:
        within(self, "minimum_healthy_percent", 0, 100, "percent")
        within(self, "maximum_percent", 100, 200, "percent")
        if self.zone_rebalancing and self.maximum_percent == 100:  # noqa: PLR2004 - percent
            raise InvalidArgsError(
                of(self, "maximum_percent"), got=100, want="over 100, or zone_rebalancing off: it starts a task first"
            )

    def together(self, count: int) -> int:
        """Return how many tasks there are at the most while *count* are replaced."""
        return math.floor(count * self.maximum_percent / 100)

    def check(self, count: int) -> None:
        """Refuse bounds under which none of *count* tasks could ever be replaced: ECS waits in silence there.

        ECS rounds what must stay up, and what may run down.
        https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service_definition_parameters.html
        """
        keep = math.ceil(count * self.minimum_healthy_percent / 100)
        allow = self.together(count)
        if count and keep >= allow:
            raise InvalidArgsError(
                of(self, "minimum_healthy_percent"),
                got=self.minimum_healthy_percent,
                want=f"of {count} task(s) {keep} must stay and {allow} may run, so none can be replaced: "
                "lower it, or raise maximum_percent",
            )
