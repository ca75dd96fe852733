"""What could not be delivered is kept for as long as SQS can, and told."""

from __future__ import annotations

from components import undelivered
from components.base import Component
from tests.components.recorder import one, record


class Shop(Component):
    """Somebody who has something to deliver."""

    def __init__(self) -> None:
        super().__init__("shop", {}, None, tags={"Service": "shop"})
        undelivered.keep(self, "shop-undelivered", "arn:aws:sns:eu-west-1:123456789012:alerts")
        self.register_outputs({})


def test_the_queue_keeps_all_for_two_weeks_and_gives_nothing_up() -> None:
    queue = one(record(Shop), "aws:sqs/queue:Queue").inputs
    assert queue["name"] == "shop-undelivered"
    assert queue["messageRetentionSeconds"] == 14 * 24 * 3600
    assert "redrivePolicy" not in queue


def test_one_message_is_enough_for_the_alarm_and_silence_is_none() -> None:
    """SQS sends no metrics of a queue in which nothing happens: that is the good case here."""
    alarm = one(record(Shop), ":MetricAlarm").inputs
    assert alarm["namespace"] == "AWS/SQS"
    assert alarm["metricName"] == "ApproximateNumberOfMessagesVisible"
    assert alarm["dimensions"] == {"QueueName": "shop-undelivered"}
    assert (alarm["statistic"], alarm["comparisonOperator"], alarm["threshold"]) == (
        "Maximum",
        "GreaterThanThreshold",
        0,
    )
    assert alarm["treatMissingData"] == "notBreaching"
    assert alarm["alarmActions"] == alarm["okActions"] == ["arn:aws:sns:eu-west-1:123456789012:alerts"]
    assert alarm["tags"] == {"Service": "shop"}
