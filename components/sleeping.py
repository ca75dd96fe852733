"""What a sleep makes: scheduled actions on services and on groups of instances, and rules that keep alarms quiet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pulumi_aws as aws
from pulumi import ResourceOptions

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta

    from pulumi import Input, Resource

    from components.base import Owner, Part
    from components.sleep import Sleep

_UNCHANGED: Final = -1
"""The provider's word for a size that a scheduled action leaves as it is; its default would be 0."""


def tasks(owner: Owner, name: str, sleep: Sleep, target: aws.appautoscaling.Target, bounds: tuple[int, int]) -> None:
    """Let the service of *target* have no task while *sleep* lasts, and from *bounds* on as many else.

    Both bounds are 0 at night: a maximum of 0 is what no policy adds a task above.
    """
    before: Resource = target
    for what, moment, (low, high) in (("sleep", sleep.tasks_sleep, (0, 0)), ("wake", sleep.tasks_wake, bounds)):
        # One after the other: Application Auto Scaling refuses two changes of one target at once.
        before = aws.appautoscaling.ScheduledAction(
            f"{name}-{what}",
            resource_id=target.resource_id,
            scalable_dimension=target.scalable_dimension,
            service_namespace=target.service_namespace,
            schedule=moment.for_application_auto_scaling,
            timezone=sleep.time_zone,
            scalable_target_action={"min_capacity": low, "max_capacity": high},
            opts=owner.child(ResourceOptions(depends_on=[before])),
        )


def instances(owner: Owner, name: str, sleep: Sleep, group: aws.autoscaling.Group, minimum: int) -> None:
    """Let *group* be empty while *sleep* lasts, and have its *minimum* again before the tasks wake.

    The minimum alone is scheduled. How many instances there are is ECS's to say: it takes away those without a task,
    drained, and lifts their protection, which a desired capacity of 0 would run against; and a maximum of 0 would
    leave a service that does not sleep without a machine.
    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/managed-termination-protection.html
    """
    if not minimum:
        return  # it is as empty as its tasks let it be, at any hour
    before: Resource = group
    for what, moment, low in (("sleep", sleep.instances_sleep, 0), ("wake", sleep.instances_wake, minimum)):
        before = aws.autoscaling.Schedule(
            f"{name}-{what}",
            scheduled_action_name=what,
            autoscaling_group_name=group.name,
            recurrence=moment.for_auto_scaling,
            time_zone=sleep.time_zone,
            min_size=low,
            max_size=_UNCHANGED,
            desired_capacity=_UNCHANGED,
            opts=owner.child(
                ResourceOptions(
                    # One after the other: EC2 Auto Scaling refuses two at once on one group.
                    depends_on=[before],
                    # An update would send the first run's time with it, which is past by then and refused. Deleted
                    # first, since the name stays.
                    # https://github.com/pulumi/pulumi-aws/issues/2473
                    replace_on_changes=["minSize", "recurrence", "timeZone"],
                    delete_before_replace=True,
                )
            ),
        )


def mute(part: Part, name: str, sleep: Sleep, alarms: Sequence[Input[str]]) -> None:
    """Keep *alarms*, by their names, from telling anybody of what sleeps.

    They change their state as ever. Who is still in alarm when the night is over tells it then.
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-mute-rules.html
    """
    for moment, length in sleep.quiet.items():
        suffix = muted(moment.named_days)
        aws.cloudwatch.AlarmMuteRule(
            f"{name}{suffix}",
            description=f"asleep from {moment}",
            rule={
                "schedule": {
                    "expression": moment.for_cloudwatch,
                    "duration": _iso(length),
                    "timezone": sleep.time_zone,
                }
            },
            mute_targets={"alarm_names": list(alarms)},
            tags=part.tags,
            opts=part.child(suffix=suffix),
        )


def muted(days: str) -> str:
    """Return what the rule for the nights after *days* is called behind its alarms' name."""
    return f"-asleep-{days.lower().replace(',', '-')}"


def _iso(length: timedelta) -> str:
    """Write *length* as ISO 8601 has it, such as ``P2DT12H30M``."""
    hours, minutes = divmod(length.seconds // 60, 60)
    time = "".join(f"{value}{unit}" for value, unit in ((hours, "H"), (minutes, "M")) if value)
    return "P" + (f"{length.days}D" if length.days else "") + (f"T{time}" if time else "")
