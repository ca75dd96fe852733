"""What the provider would call to change what is there, as far as a second run of a program needs it.

Whatever is not named here is made and never changed: a program that would change it is refused, and told so.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from rehearsal.monitor import Refused
from rehearsal.stand_ins import compute, identity, monitoring

if TYPE_CHECKING:
    from rehearsal.graph import Answer, Registered
    from rehearsal.stand_ins.calls import Making

STEADY_WITHIN: Final = 120.0
"""Seconds for a service to be steady after an update. The provider waits as long as the program says."""
_LOOKED_EVERY: Final = 0.2

_FIXED: Final = frozenset({"cluster", "iamRole", "launchType", "name", "schedulingStrategy"})
"""Inputs of a service for whose change the provider makes another."""
_NOT_TOLD: Final = _FIXED | {"deploymentController"}


def _task_definition(this: Making, _before: Registered, _changed: frozenset[str]) -> Answer:
    """Register another revision; the one before is deregistered when the program has ended."""
    return compute.TABLE["aws:ecs/taskDefinition:TaskDefinition"](this)


def _service(this: Making, before: Registered, changed: frozenset[str]) -> Answer:
    if replaced := changed & _FIXED:
        raise Refused(
            f"{this.resource.type} {this.resource.name!r}: a change of its {', '.join(sorted(replaced))} replaces it, "
            "which a rehearsal does not do"
        )
    untold = _NOT_TOLD | set(this.resource.ignore_changes)
    inputs = {name: value for name, value in compute.service_inputs(this).items() if name not in untold}
    given = {"service": before.id, "cluster": this["cluster"]}
    if this.get("forceNewDeployment"):
        given["forceNewDeployment"] = True
    this.create("ecs:UpdateService", given, inputs=inputs, rename=compute.SERVICE_RENAME, tagged=False)
    if changed & {"tags", "tagsAll"}:
        tags = [{"key": name, "value": value} for name, value in this.tags.items()]
        this.call("ecs:TagResource", resourceArn=before.id, tags=tags)
    if this.get("waitForSteadyState"):
        _wait_until_steady(this, before.id)
    return this.answer(before.id, arn=before.id)


def _wait_until_steady(this: Making, arn: str) -> None:
    """Wait as the provider does: until one deployment is left with all its tasks, be it the new one or the old."""
    deadline = time.monotonic() + STEADY_WITHIN
    while time.monotonic() < deadline:
        found = this.call("ecs:DescribeServices", cluster=this["cluster"], services=[arn])["services"][0]
        going_on = [each for each in found["deployments"] if each["rolloutState"] == "IN_PROGRESS"]
        if not going_on and found["runningCount"] >= found["desiredCount"]:
            return
        time.sleep(_LOOKED_EVERY)
    raise Refused(
        f"{this.resource.type} {this.resource.name!r}: it is not steady {STEADY_WITHIN:.0f} s after its update"
    )


def _put(table: Mapping[str, Callable[[Making], Answer]], token: str) -> Update:
    """Return an update by the call that makes it, which puts one in the place of what is there."""
    return lambda this, _before, _changed: table[token](this)


Update = Callable[["Making", "Registered", frozenset[str]], "Answer"]
"""Changes one resource: what is wanted, what was there, and the inputs that differ."""

_POLICY: Final = "aws:iam/rolePolicy:RolePolicy"
_ALARM: Final = "aws:cloudwatch/metricAlarm:MetricAlarm"

TABLE: Final[Mapping[str, Update]] = {
    "aws:ecs/service:Service": _service,
    "aws:ecs/taskDefinition:TaskDefinition": _task_definition,
    _ALARM: _put(monitoring.TABLE, _ALARM),
    _POLICY: _put(identity.TABLE, _POLICY),
}
"""Type → its update."""
