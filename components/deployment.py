"""How a service's new version takes over from the old one, in one value."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, get_args

from components.errors import InvalidArgsError, of, one_of, within

if TYPE_CHECKING:
    import pulumi_aws as aws

Strategy = Literal["rolling", "blue_green", "linear", "canary"]

_DAY: Final = 1440
_STEADY: Final = 20
"""Minutes in which tasks start and pass their checks, or the circuit breaker speaks."""
_BAKE: Final = 5
"""Minutes; the API has no default, and wants a time of blue/green."""
_ERROR_PERCENT: Final = 5
ERROR_MINUTES: Final = 2
"""For which errors must go on before an alarm speaks: one minute's may be chance."""
_SEEN: Final = ERROR_MINUTES + 1
"""Minutes after which it does: a minute's measurements are there when it is over."""

_BELONGS: Final[dict[str, tuple[str, ...]]] = {
    "bake_minutes": ("blue_green", "linear", "canary"),
    "step_percent": ("linear",),
    "step_minutes": ("linear",),
    "canary_percent": ("canary",),
    "canary_minutes": ("canary",),
    "approval_minutes": ("blue_green", "linear", "canary"),
}
"""What only some strategies know: the texts of `DeploymentConfiguration` in botocore's `ecs` model."""


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """The strategy of a service's deployments, and what makes one wait, or fail.

    Bounds and defaults: the texts of `DeploymentConfiguration`, `LinearConfiguration`, `CanaryConfiguration` and
    `DeploymentLifecycleHookTimeoutConfiguration` in botocore's `ecs` model.

    Raises:
        InvalidArgsError: a bound broken, or what the strategy does not know.

    """

    strategy: Strategy = "rolling"
    """``rolling``: tasks are replaced a few at a time, and the load balancer knows no versions. The others start all
    tasks of the new version beside the old ones and shift requests: ``blue_green`` all at once, ``linear`` in equal
    steps, ``canary`` a few first and then the rest."""
    bake_minutes: int | None = None
    """Minutes in which both versions run once all requests are shifted, 0 to 1440: so long a roll back is but a shift
    back. Default: 5. Not for rolling. With alarms, 3 at least together with the minutes in which requests are shifted:
    else the old version is gone before they speak."""
    step_percent: float | None = None
    """Of linear: percent of the requests shifted at a time, 3 to 100 in tenths. Default: 10."""
    step_minutes: int | None = None
    """Of linear: minutes between two steps, 0 to 1440. Default: 6."""
    canary_percent: float | None = None
    """Of canary: percent of the requests shifted first, 0.1 to 100 in tenths. Default: 5."""
    canary_minutes: int | None = None
    """Of canary: minutes until the rest follows, 0 to 1440. Default: 10."""
    approval_minutes: int | None = None
    """Minutes in which somebody must approve, or the deployment is rolled back, 1 to 20160 (two weeks). The new version
    answers test requests alone until then. Default: nobody is asked. Not for rolling, where nothing can be looked at
    before it serves."""
    alarms: bool | None = None
    """Whether errors and failing health checks behind the load balancer roll a deployment back. Default: yes, but for
    rolling, where the circuit breaker alone does."""
    error_percent: int | None = None
    """Percent of a version's requests in a minute above which it counts as failed when they are answered with 5xx, or
    it takes no connection for them, 1 to 99. Default: 5."""

    def __post_init__(self) -> None:
        one_of(self, "strategy", get_args(Strategy))
        for field, strategies in _BELONGS.items():
            if getattr(self, field) is not None and self.strategy not in strategies:
                raise InvalidArgsError(
                    of(self, field), got=getattr(self, field), want=f"none with {self.strategy!r}: {strategies} know it"
                )
        within(self, "bake_minutes", 0, _DAY, "minutes")
        within(self, "step_minutes", 0, _DAY, "minutes")
        within(self, "canary_minutes", 0, _DAY, "minutes")
        within(self, "approval_minutes", 1, 14 * _DAY, "minutes")
        within(self, "error_percent", 1, 99, "percent")
        self._check_tenths("step_percent", 3)
        self._check_tenths("canary_percent", 0.1)
        if self.error_percent is not None and not self.watched:
            raise InvalidArgsError(of(self, "error_percent"), got=self.error_percent, want="alarms=True, which count")
        if self.shifts and self.watched and self._baked + self._between < _SEEN:
            raise InvalidArgsError(
                of(self, "bake_minutes"),
                got=self._baked,
                want=f"{_SEEN - self._between} or more, since the old version must stay until alarms have seen errors; "
                "or alarms=False",
            )

    @property
    def shifts(self) -> bool:
        """Whether ECS shifts requests from one target group to another."""
        return self.strategy != "rolling"

    @property
    def watched(self) -> bool:
        """Whether alarms roll a deployment back."""
        return self.shifts if self.alarms is None else self.alarms

    @property
    def most_errors(self) -> int:
        """Percent of errors that is still well."""
        return self.error_percent or _ERROR_PERCENT

    @property
    def minutes(self) -> int:
        """How long a deployment may take before it counts as stuck, with all that it waits for."""
        return _STEADY + self._baked + self._between + (self.approval_minutes or 0)

    def configuration(self) -> aws.ecs.ServiceDeploymentConfigurationArgsDict | None:
        """Return it as the provider takes it: nothing for rolling, which is ECS's own default."""
        if not self.shifts:
            return None
        said: aws.ecs.ServiceDeploymentConfigurationArgsDict = {
            "strategy": self.strategy.upper(),
            "bake_time_in_minutes": str(self._baked),
        }
        if self.strategy == "linear":
            said["linear_configuration"] = {
                "step_percent": self._step_percent,
                "step_bake_time_in_minutes": str(self._step_minutes),
            }
        if self.strategy == "canary":
            said["canary_configuration"] = {
                "canary_percent": 5.0 if self.canary_percent is None else float(self.canary_percent),
                "canary_bake_time_in_minutes": str(self._canary_minutes),
            }
        if self.approval_minutes is not None:
            # The stage at which test requests, and no others, reach the new version.
            # https://docs.aws.amazon.com/AmazonECS/latest/developerguide/pause-lifecycle-hooks.html
            said["lifecycle_hooks"] = [
                {
                    "target_type": "PAUSE",
                    "lifecycle_stages": ["POST_TEST_TRAFFIC_SHIFT"],
                    "timeout_configuration": {"timeout_in_minutes": str(self.approval_minutes), "action": "ROLLBACK"},
                }
            ]
        return said

    @property
    def _baked(self) -> int:
        if not self.shifts:
            return 0
        return _BAKE if self.bake_minutes is None else self.bake_minutes

    @property
    def _step_percent(self) -> float:
        return 10.0 if self.step_percent is None else float(self.step_percent)

    @property
    def _step_minutes(self) -> int:
        return 6 if self.step_minutes is None else self.step_minutes

    @property
    def _canary_minutes(self) -> int:
        return 10 if self.canary_minutes is None else self.canary_minutes

    @property
    def _between(self) -> int:
        """Minutes from the first request shifted to the last."""
        if self.strategy == "canary":
            return self._canary_minutes
        # None is waited for after the last step.
        steps = math.ceil(round(1000 / self._step_percent, 6) / 10) - 1
        return steps * self._step_minutes if self.strategy == "linear" else 0

    def _check_tenths(self, field: str, low: float) -> None:
        value = getattr(self, field)
        if value is None:
            return
        known = isinstance(value, int | float) and not isinstance(value, bool)
        if not known or not low <= value <= 100 or round(value * 10, 6) % 1:  # noqa: PLR2004 - percent
            raise InvalidArgsError(of(self, field), got=value, want=f"{low} to 100 percent, in tenths")


def read(said: Deployment | Strategy) -> Deployment:
    """Return the deployment that a bare strategy stands for, with its defaults; one that is said whole stays it."""
    return said if isinstance(said, Deployment) else Deployment(strategy=said)
