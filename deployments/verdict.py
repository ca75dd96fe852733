"""What ECS's answers say of a deployment. Their shapes: `DescribeServices` and `ListServiceDeployments` in botocore."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

State = Literal["completed", "in progress", "rolled back", "failed"]

_ROLLING_BACK: Final = ("ROLLBACK_REQUESTED", "ROLLBACK_IN_PROGRESS")
_FAILED: Final = ("ROLLBACK_FAILED", "STOP_REQUESTED", "STOPPED")
_UNDER_WAY: Final = ("PENDING", "IN_PROGRESS", *_ROLLING_BACK)


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """How a deployment stands, and why."""

    service: str
    """The service's name."""
    state: State
    wanted: str
    """The task definition that was to run, as ``family:revision``."""
    running: str
    """The one that does."""
    reason: str
    """In ECS's words; empty where it gave none."""
    idle: bool = False
    """Whether it is completed without a task, none being wanted: asleep, maybe. It was never seen to run."""
    told: Sequence[str] = field(default_factory=tuple[str, ...])
    """The service's last events and the stopped tasks' reasons, a line each."""

    @property
    def failed(self) -> bool:
        """Whether the new version does not run, and will not by itself."""
        return self.state in ("rolled back", "failed")

    def __str__(self) -> str:
        """Write it for whoever deployed."""
        ran = f"{self.running} runs" if self.running != self.wanted else "it does not come up"
        head = f"service {self.service!r}: the deployment of {self.wanted} {_STATES[self.state]}, and {ran}"
        return "\n".join([f"{head}{f': {self.reason}' if self.reason else ''}", *(f"  {line}" for line in self.told)])


_STATES: Final[dict[State, str]] = {
    "completed": "is completed",
    "in progress": "is in progress",
    "rolled back": "was rolled back",
    "failed": "failed",
}


def judge(service: Mapping[str, Any], deployments: Sequence[Mapping[str, Any]], wanted: str) -> Verdict:
    """Return how *service* stands, whose newest service *deployments* come first, if *wanted* is what is to run.

    Args:
        service: one of `DescribeServices`, asked for after *deployments*: what is over by these is seen in it.
        deployments: of `ListServiceDeployments`; none where the service has none yet.
        wanted: the task definition's ARN.

    """
    primary = next((each for each in service["deployments"] if each["status"] == "PRIMARY"), None)
    running = primary["taskDefinition"] if primary else ""
    newest: Mapping[str, Any] = deployments[0] if deployments else {}
    there: Mapping[str, Any] = primary or {}
    gone = service.get("status", "ACTIVE") != "ACTIVE"
    state = "failed" if gone else _state(there, newest, same=running == wanted)
    said = str(newest.get("statusReason") or there.get("rolloutStateReason") or "")
    reason = f"somebody has deleted the service, which is {service['status']}" if gone else said
    return Verdict(
        service=service["serviceName"],
        state=state,
        wanted=_short(wanted),
        running=_short(running) or "nothing",
        reason="" if state == "completed" else reason,
        idle=state == "completed" and service.get("desiredCount") == 0,
    )


def _state(primary: Mapping[str, Any], newest: Mapping[str, Any], *, same: bool) -> State:
    status, rollout = newest.get("status", ""), primary.get("rolloutState", "")
    if status in _UNDER_WAY:
        # Whatever is primary: one that waits for a hook or an approval leaves the old version so, and completed.
        return "in progress"
    if not same:
        # Another version is primary: either it was brought back, or somebody else has deployed since.
        return "rolled back"
    if status in _FAILED or rollout == "FAILED":
        return "failed"
    # One that was rolled back may have been rolled back to this version, or since the service was described.
    # A deployment of its own kind of controller has no rollout state.
    return "in progress" if rollout == "IN_PROGRESS" else "completed"


def _short(task_definition: str) -> str:
    return task_definition.rpartition("/")[2]
