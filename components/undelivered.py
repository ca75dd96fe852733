"""What a service could not deliver: kept in a queue, with an alarm that stands as long as anything is in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pulumi_aws as aws

from components.queue import Queue, QueueArgs

if TYPE_CHECKING:
    from pulumi import Input

    from components.base import Owner

_KEPT: Final = 14 * 24 * 3600
"""Seconds: the longest that SQS keeps a message."""


def keep(within: Owner, name: str, alerts: Input[str]) -> Queue:
    """Make the queue, of which *name* is the physical name too, and the alarm that tells *alerts*, within *within*."""
    queue = Queue(name, QueueArgs(queue_name=name, retention=_KEPT, max_receives=None), within.child())
    aws.cloudwatch.MetricAlarm(
        name,
        alarm_description=f"Something could not be delivered: queue {name} says what",
        namespace="AWS/SQS",
        metric_name="ApproximateNumberOfMessagesVisible",
        dimensions={"QueueName": name},
        statistic="Maximum",
        comparison_operator="GreaterThanThreshold",
        threshold=0,
        period=300,
        evaluation_periods=1,
        # SQS sends no metrics of a queue in which nothing has happened for six hours.
        treat_missing_data="notBreaching",
        alarm_actions=[alerts],
        ok_actions=[alerts],
        tags=within.tags,
        opts=within.child(),
    )
    return queue
