"""An alarm rings when a service is too busy, too few or unhealthy, and when it is silent."""

from __future__ import annotations

from typing import Any

import pytest
from pulumi import Output

from components.alarms import Alarms, AlarmsArgs
from components.errors import InvalidArgsError
from tests.components.recorder import Recorded, of_type, record

GIVEN: dict[str, Any] = {"cluster_name": "main", "service_name": "orders-1", "actions": ["arn:topic"]}


def _made(**more: Any) -> dict[str, Recorded]:
    return of_type(record(lambda: Alarms("orders", AlarmsArgs(**(GIVEN | more)))), ":MetricAlarm")


def test_by_default_cpu_over_70_and_memory_over_80_ring_after_two_periods_of_five_minutes() -> None:
    alarms = _made()
    assert {
        name: (made.inputs["namespace"], made.inputs["metricName"], made.inputs["threshold"])
        for name, made in alarms.items()
    } == {
        "orders-cpu": ("AWS/ECS", "CPUUtilization", 70),
        "orders-memory": ("AWS/ECS", "MemoryUtilization", 80),
    }
    for made in alarms.values():
        assert made.inputs["comparisonOperator"] == "GreaterThanThreshold"
        assert made.inputs["statistic"] == "Average"
        assert (made.inputs["period"], made.inputs["evaluationPeriods"]) == (300, 2)
        assert made.inputs["dimensions"] == {"ClusterName": "main", "ServiceName": "orders-1"}
        assert made.inputs["alarmActions"] == made.inputs["okActions"] == ["arn:topic"]


def test_silence_rings_too() -> None:
    """A service without a running task sends no metric: taken for good, an outage would ring nowhere."""
    alarms = _made(
        running_tasks_below=2, load_balancer_arn_suffix="app/lb/1", target_group_arn_suffix="targetgroup/tg/2"
    )
    assert len(alarms) == 4
    assert {made.inputs["treatMissingData"] for made in alarms.values()} == {"breaching"}


def test_too_few_tasks_ring_by_container_insights() -> None:
    alarm = _made(running_tasks_below=2)["orders-running-tasks"].inputs
    assert (alarm["namespace"], alarm["metricName"]) == ("ECS/ContainerInsights", "RunningTaskCount")
    assert (alarm["comparisonOperator"], alarm["threshold"]) == ("LessThanThreshold", 2)
    assert alarm["dimensions"] == {"ClusterName": "main", "ServiceName": "orders-1"}


def test_one_unhealthy_target_rings() -> None:
    alarm = _made(load_balancer_arn_suffix="app/lb/1", target_group_arn_suffix="targetgroup/tg/2")[
        "orders-unhealthy-hosts"
    ].inputs
    assert (alarm["namespace"], alarm["metricName"]) == ("AWS/ApplicationELB", "UnHealthyHostCount")
    assert (alarm["comparisonOperator"], alarm["threshold"], alarm["statistic"]) == (
        "GreaterThanThreshold", 0, "Maximum",
    )  # fmt: skip
    assert alarm["dimensions"] == {"LoadBalancer": "app/lb/1", "TargetGroup": "targetgroup/tg/2"}


def test_an_alarm_that_is_not_wanted_is_not_made() -> None:
    assert list(_made(memory_percent=None)) == ["orders-cpu"]


def test_m_out_of_n_is_sent_when_it_is_given() -> None:
    assert _made(evaluation_periods=5, datapoints_to_alarm=3)["orders-cpu"].inputs["datapointsToAlarm"] == 3
    assert "datapointsToAlarm" not in _made()["orders-cpu"].inputs


def test_names_that_are_known_later_are_wired() -> None:
    assert _made(service_name=Output.from_input("later"))["orders-cpu"].inputs["dimensions"]["ServiceName"] == "later"


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"cpu_percent": 0}, r"Alarms.cpu_percent: got 0; a whole number from 1 to 100 percent"),
        ({"memory_percent": 101}, r"Alarms.memory_percent: got 101"),
        ({"running_tasks_below": 0}, r"Alarms.running_tasks_below: got 0"),
        ({"period": 30}, r"Alarms.period: got 30"),
        ({"period": 90}, r"Alarms.period: got 90; a multiple of 60 seconds"),
        ({"evaluation_periods": 0}, r"Alarms.evaluation_periods: got 0"),
        ({"evaluation_periods": 289}, r"Alarms.evaluation_periods: got 289; .* 1 to 288 periods of 300 seconds"),
        ({"period": 3600, "evaluation_periods": 169}, r"Alarms.evaluation_periods: got 169; .* 1 to 168 periods"),
        ({"datapoints_to_alarm": 3}, r"Alarms.datapoints_to_alarm: got 3; a whole number from 1 to 2"),
        ({"actions": []}, r"Alarms.actions: got 0; 1 to 5 ARNs"),
        ({"actions": ["arn:topic"] * 6}, r"Alarms.actions: got 6; 1 to 5 ARNs"),
        ({"load_balancer_arn_suffix": "app/lb/1"}, r"Alarms.target_group_arn_suffix: got None; both suffixes"),
    ],
)
def test_what_cloudwatch_would_refuse_is_refused(wrong: dict[str, Any], says: str) -> None:
    with pytest.raises(InvalidArgsError, match=says):
        AlarmsArgs(**(GIVEN | wrong))


def test_a_week_is_looked_back_over_by_the_hour() -> None:
    assert AlarmsArgs(**GIVEN, period=3600, evaluation_periods=168).evaluation_periods == 168


@pytest.mark.parametrize("name", ["a" * 244, "with:colon"])
def test_a_name_that_cloudwatch_refuses_is_refused(name: str) -> None:
    with pytest.raises(InvalidArgsError, match="alarm name"):
        record(lambda: Alarms(name, AlarmsArgs(**GIVEN)))
