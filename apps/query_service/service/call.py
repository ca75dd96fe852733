"""What goes along with a request on its way through: its id, its log, and the moment by which it is answered."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from journal import Journal


class DeadlineError(Exception):
    """The request's time is up."""


class Deadline:
    """A number of seconds that began to run when it was made."""

    def __init__(self, seconds: float) -> None:
        self._ends = time.monotonic() + seconds

    def left(self) -> float:
        """Seconds left, more than 0.

        Raises:
            DeadlineError: there are none.

        """
        left = self._ends - time.monotonic()
        if left <= 0:
            raise DeadlineError
        return left


@dataclass(frozen=True, kw_only=True)
class Call:
    """One request's company."""

    request_id: str
    deadline: Deadline
    journal: Journal
    """Bound to the request's id."""
