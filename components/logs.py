"""How long logs are kept, and how a container's reach CloudWatch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from components.errors import one_of, within

# Days, from the text of `retentionInDays` in botocore's `logs` model.
RETENTION_DAYS: Final = (
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Logs:
    """Where one task's containers log to, and what happens when CloudWatch is slower than they are.

    Raises:
        InvalidArgsError: a retention that CloudWatch has not, or a buffer out of bounds.

    """

    retention_days: int = 30
    """Days. Default: 30. One of CloudWatch's own choices, 1 to 3653."""
    mode: Literal["non-blocking", "blocking"] = "non-blocking"
    """``non-blocking`` drops lines when the buffer is full; ``blocking`` stops the container's writes instead.

    Stated always, since the default of ECS changed in 2025. Default: a service that answers beats a full log.
    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/using_awslogs.html
    """
    buffer_mib: int = 25
    """MiB of buffer a container in ``non-blocking`` mode, 1 to 500. Default: 25, which AWS's tests found enough."""

    def __post_init__(self) -> None:
        one_of(self, "retention_days", RETENTION_DAYS)
        one_of(self, "mode", ("non-blocking", "blocking"))
        within(self, "buffer_mib", 1, 500, "MiB")

    def options(self, group: str, region: str, prefix: str) -> dict[str, str]:
        """Return the awslogs driver's options for log *group* in *region*, streams beginning with *prefix*."""
        said = {
            "awslogs-group": group,
            "awslogs-region": region,
            "awslogs-stream-prefix": prefix,
            "mode": self.mode,
        }
        return said | ({"max-buffer-size": f"{self.buffer_mib}m"} if self.mode == "non-blocking" else {})
