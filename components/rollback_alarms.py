"""Alarms that roll a deployment back: a version that answers with errors, or fails its health checks."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import pulumi_aws as aws

from components import naming
from components.deployment import ERROR_MINUTES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from components.base import Owner
    from components.load_balancer import LoadBalancer

_MINUTE: Final = 60
_NAMESPACE: Final = "AWS/ApplicationELB"
_COUNTED: Final = {
    "errors": "HTTPCode_Target_5XX_Count",
    # For these the balancer answers 502 itself, which it counts among its own, of all services together.
    "refused": "TargetConnectionErrorCount",
    "requests": "RequestCount",
}
"""What is known of each target group by itself; the first two only of minutes in which there were some.
https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-cloudwatch-metrics.html"""
_PERCENT: Final = "100 * (FILL(errors, 0) + FILL(refused, 0)) / requests"
"""Without requests there is none: a minute that nothing is said of."""


def watch(
    owner: Owner,
    target_groups: Mapping[str, aws.lb.TargetGroup],
    balancer: LoadBalancer,
    *,
    most_errors: int,
    grace: int,
) -> aws.ecs.ServiceAlarmsArgsDict:
    """Watch each of *target_groups*, by logical name, and return what the service is told of the alarms.

    Each by itself: among all answers, the errors of a canary's few would be lost. Nothing measured is well, since the
    one without requests sends nothing. Nobody is told: ECS looks at them, and only while it deploys.
    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-alarm-failure.html

    Args:
        owner: whose children they are.
        target_groups: of one service.
        balancer: before them.
        most_errors: percent of a minute's requests that may be answered with 5xx, or find no connection.
        grace: seconds in which a task that has just started may fail its checks.

    """
    alarms: list[aws.cloudwatch.MetricAlarm] = []
    for name, target_group in target_groups.items():
        dimensions = {"LoadBalancer": balancer.arn_suffix, "TargetGroup": target_group.arn_suffix}
        alarms.append(
            aws.cloudwatch.MetricAlarm(
                naming.autonamed(f"{name}-errors", naming.ALARM),
                alarm_description=f"{name}: over {most_errors} % of the requests fail",
                metric_queries=[
                    {"id": "percent", "expression": _PERCENT, "label": "failed", "return_data": True},
                    *(
                        aws.cloudwatch.MetricAlarmMetricQueryArgs(
                            id=kind,
                            metric=aws.cloudwatch.MetricAlarmMetricQueryMetricArgs(
                                namespace=_NAMESPACE,
                                metric_name=metric,
                                dimensions=dimensions,
                                period=_MINUTE,
                                stat="Sum",
                            ),
                        )
                        for kind, metric in _COUNTED.items()
                    ),
                ],
                comparison_operator="GreaterThanThreshold",
                threshold=most_errors,
                evaluation_periods=ERROR_MINUTES,
                treat_missing_data="notBreaching",
                tags=owner.tags,
                opts=owner.child(),
            )
        )
        alarms.append(
            aws.cloudwatch.MetricAlarm(
                naming.autonamed(f"{name}-unhealthy", naming.ALARM),
                alarm_description=f"{name}: a target fails its health check",
                namespace=_NAMESPACE,
                metric_name="UnHealthyHostCount",
                dimensions=dimensions,
                statistic="Maximum",
                period=_MINUTE,
                comparison_operator="GreaterThanThreshold",
                threshold=0,
                # Longer than a start may take: a day at the most, which is as far back as an alarm looks.
                evaluation_periods=min(ERROR_MINUTES + math.ceil(grace / _MINUTE), 1440),
                treat_missing_data="notBreaching",
                tags=owner.tags,
                opts=owner.child(),
            )
        )
    return {"enable": True, "rollback": True, "alarm_names": [alarm.name for alarm in alarms]}
