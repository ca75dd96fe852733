"""Alarms on an ECS service: too busy, too few, or not healthy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import pulumi_aws as aws

from components import naming, sleeping
from components.base import Part
from components.errors import InvalidArgsError, of, within

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pulumi import Input, ResourceOptions

    from components.sleep import Sleep

_HOUR: Final = 3600
_DAY: Final = 24 * _HOUR


@dataclass(frozen=True, kw_only=True)
class AlarmsArgs:
    """What `Alarms` takes. Bounds: the texts of `PutMetricAlarm` in botocore's `cloudwatch` model.

    Raises:
        InvalidArgsError: a bound broken, more datapoints than periods, too long a look back, or half a target group.

    """

    cluster_name: Input[str]
    """The cluster's name, not its ARN: metrics know it by that."""
    service_name: Input[str]
    """The service's name, likewise."""
    actions: Sequence[Input[str]]
    """ARNs, such as a topic's, told when an alarm starts and when it ends; 1 to 5."""
    cpu_percent: int | None = 70
    """Average CPU above which to alarm, percent of what the tasks have, 1 to 100. None: no such alarm."""
    memory_percent: int | None = 80
    """Average memory above which to alarm, likewise."""
    running_tasks_below: int | None = None
    """Running tasks under which to alarm, on average over a period. Default: no such alarm. It needs Container
    Insights on the cluster, which counts them."""
    load_balancer_arn_suffix: Input[str] | None = None
    """With the next: alarm on any unhealthy target. The part of the ARN from ``app/`` on. Default: no such alarm."""
    target_group_arn_suffix: Input[str] | None = None
    """The part of the target group's ARN from ``targetgroup/`` on."""
    period: int = 300
    """Seconds of one datapoint, a multiple of 60: ECS sends one a minute."""
    evaluation_periods: int = 2
    """Periods looked back over (the N of "M out of N"). With `period` within a day, or within 7 days where a period
    is an hour or more."""
    datapoints_to_alarm: int | None = None
    """Periods of those that must be bad (M), at most `evaluation_periods`. Default: all."""
    sleep: Sleep | None = None
    """When the service has no tasks, and nobody is to be told so; and half an hour longer, until it is well again.
    Default: never."""

    def __post_init__(self) -> None:
        if not 1 <= len(self.actions) <= 5:  # noqa: PLR2004 - the model's
            raise InvalidArgsError(
                of(self, "actions"),
                got=len(self.actions),
                want="1 to 5 ARNs: CloudWatch takes no more, and an alarm that tells nobody helps nobody",
            )
        within(self, "cpu_percent", 1, 100, "percent")
        within(self, "memory_percent", 1, 100, "percent")
        within(self, "running_tasks_below", 1, 5000, "tasks")
        within(self, "period", 60, 7 * _DAY, "seconds")
        if self.period % 60:
            raise InvalidArgsError(of(self, "period"), got=self.period, want="a multiple of 60 seconds")
        longest = _DAY if self.period < _HOUR else 7 * _DAY
        within(self, "evaluation_periods", 1, longest // self.period, f"periods of {self.period} seconds")
        within(self, "datapoints_to_alarm", 1, self.evaluation_periods, "of the evaluation periods")
        if (self.load_balancer_arn_suffix is None) != (self.target_group_arn_suffix is None):
            raise InvalidArgsError(
                of(self, "target_group_arn_suffix"),
                got=self.target_group_arn_suffix,
                want="both suffixes or neither: the metric is one of the pair",
            )


@dataclass(frozen=True, kw_only=True)
class _Watch:
    """One metric, and where it turns bad."""

    suffix: str
    means: str
    namespace: str
    metric: str
    dimensions: Mapping[str, Input[str]]
    statistic: str
    comparison: str
    threshold: int


class Alarms(Part):
    """The alarms of one service. All treat missing data as bad: a service without a running task sends none.

    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/available-metrics.html

    Raises:
        InvalidArgsError: a name that leaves no room for Pulumi's suffix in CloudWatch's 255 characters.

    """

    def __init__(self, name: str, args: AlarmsArgs, opts: ResourceOptions | None = None) -> None:
        watches = _watches(args)
        for watch in watches:
            naming.autonamed(f"{name}-{watch.suffix}", naming.ALARM)
        for moment in args.sleep.quiet if args.sleep else ():
            naming.autonamed(f"{name}{sleeping.muted(moment.named_days)}", naming.MUTE_RULE)
        super().__init__(opts)

        alarms = [
            aws.cloudwatch.MetricAlarm(
                f"{name}-{watch.suffix}",
                alarm_description=f"{name}: {watch.means}",
                namespace=watch.namespace,
                metric_name=watch.metric,
                dimensions=watch.dimensions,
                statistic=watch.statistic,
                comparison_operator=watch.comparison,
                threshold=watch.threshold,
                period=args.period,
                evaluation_periods=args.evaluation_periods,
                datapoints_to_alarm=args.datapoints_to_alarm,
                treat_missing_data="breaching",
                alarm_actions=list(args.actions),
                ok_actions=list(args.actions),
                tags=self.tags,
                opts=self.child(suffix=f"-{watch.suffix}"),
            )
            for watch in watches
        ]
        if args.sleep and alarms:
            sleeping.mute(self, name, args.sleep, [alarm.name for alarm in alarms])


def _watches(args: AlarmsArgs) -> list[_Watch]:
    service = {"ClusterName": args.cluster_name, "ServiceName": args.service_name}
    found = [
        _Watch(
            suffix=kind,
            means=f"{kind} over {percent} % on average, or no task that runs",
            namespace="AWS/ECS",
            metric=metric,
            dimensions=service,
            statistic="Average",
            comparison="GreaterThanThreshold",
            threshold=percent,
        )
        for kind, metric, percent in (
            ("cpu", "CPUUtilization", args.cpu_percent),
            ("memory", "MemoryUtilization", args.memory_percent),
        )
        if percent is not None
    ]
    if args.running_tasks_below is not None:
        found.append(
            _Watch(
                suffix="running-tasks",
                means=f"fewer than {args.running_tasks_below} tasks run",
                namespace="ECS/ContainerInsights",
                metric="RunningTaskCount",
                dimensions=service,
                statistic="Average",
                comparison="LessThanThreshold",
                threshold=args.running_tasks_below,
            )
        )
    if args.load_balancer_arn_suffix is not None and args.target_group_arn_suffix is not None:
        found.append(
            _Watch(
                suffix="unhealthy-hosts",
                means="a target fails its health check, or none is registered",
                namespace="AWS/ApplicationELB",
                metric="UnHealthyHostCount",
                dimensions={
                    "LoadBalancer": args.load_balancer_arn_suffix,
                    "TargetGroup": args.target_group_arn_suffix,
                },
                statistic="Maximum",
                comparison="GreaterThanThreshold",
                threshold=0,
            )
        )
    return found
