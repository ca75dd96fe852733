"""A version that answers with errors, or fails its checks, is found out by what itself measures."""

from __future__ import annotations

from typing import Any

import pytest

from components.deployment import Deployment
from tests.components.recorder import Recorded, of_type, one
from tests.components.shifted import behind_a_balancer, made

GROUPS = ("orders", "orders-alt")
each_group = pytest.mark.parametrize("group", GROUPS)


def alarm(name: str, resources: list[Recorded] | None = None) -> dict[str, Any]:
    return dict(one(resources or made("canary"), ":MetricAlarm", name).inputs)


@each_group
def test_errors_are_a_share_of_the_version_s_own_answers(group: str) -> None:
    """A canary with five requests in a hundred, all of which fail, is five percent of all, and all of its own.

    Connections that it does not take are among them: the balancer's own 502 is nobody's.
    """
    percent, *counted = alarm(f"{group}-errors")["metricQueries"]
    assert percent["returnData"]
    metrics = {
        "errors": "HTTPCode_Target_5XX_Count",
        "refused": "TargetConnectionErrorCount",
        "requests": "RequestCount",
    }
    assert [query["id"] for query in counted] == list(metrics)
    for query, metric in zip(counted, metrics.values(), strict=True):
        said = query["metric"]
        assert (said["metricName"], said["stat"], said["period"]) == (metric, "Sum", 60)
        assert said["dimensions"] == {"LoadBalancer": "main.arnSuffix", "TargetGroup": f"{group}.arnSuffix"}
        assert "returnData" not in query


@pytest.mark.parametrize(
    ("errors", "refused", "requests", "percent"),
    [(None, None, 8, 0), (2, None, 8, 25), (None, 4, 8, 50), (2, 4, 8, 75)],
)
def test_a_kind_of_error_that_there_is_none_of_hides_no_other(
    errors: int | None, refused: int | None, requests: int, percent: float
) -> None:
    """CloudWatch measures either only where it is not zero, and a sum with what is not measured is none."""
    said = alarm("orders-errors")["metricQueries"][0]["expression"]
    known = {"FILL": _fill, "errors": errors, "refused": refused, "requests": requests}
    assert eval(said, {"__builtins__": {}}, known) == percent  # noqa: S307 - our own


def _fill(measured: int | None, otherwise: int) -> int:
    return otherwise if measured is None else measured


@each_group
def test_a_failing_health_check_is_the_version_s_own(group: str) -> None:
    said = alarm(f"{group}-unhealthy")
    assert (said["namespace"], said["metricName"]) == ("AWS/ApplicationELB", "UnHealthyHostCount")
    assert said["dimensions"] == {"LoadBalancer": "main.arnSuffix", "TargetGroup": f"{group}.arnSuffix"}


@pytest.mark.parametrize("kind", ["errors", "unhealthy"])
@each_group
def test_the_group_without_requests_is_well(group: str, kind: str) -> None:
    """One of the two always measures nothing: an alarm by that would stop every deployment."""
    assert alarm(f"{group}-{kind}")["treatMissingData"] == "notBreaching"


@pytest.mark.parametrize(("grace", "minutes"), [(0, 2), (60, 3), (61, 4), (300, 7), (2_147_483_647, 1440)])
def test_a_task_may_fail_its_checks_as_long_as_it_starts(grace: int, minutes: int) -> None:
    """ECS leaves it alone so long; and no alarm looks back more than a day."""
    resources = behind_a_balancer("blue_green", health_check_grace_period=grace)
    assert alarm("orders-unhealthy", resources)["evaluationPeriods"] == minutes


def test_how_many_errors_are_too_many_is_said() -> None:
    resources = behind_a_balancer(Deployment(strategy="canary", error_percent=9))
    assert {alarm(f"{group}-errors", resources)["threshold"] for group in GROUPS} == {9}
    assert alarm("orders-errors")["threshold"] == 5


def test_a_rolling_service_has_them_where_it_asks_for_them() -> None:
    """Of its one target group; and with none of them, nothing of it is told to ECS."""
    resources = behind_a_balancer(Deployment(alarms=True))
    assert of_type(resources, ":MetricAlarm").keys() == {"orders-errors", "orders-unhealthy"}
    told = one(resources, "aws:ecs/service:Service").inputs["alarms"]
    assert told == {"enable": True, "rollback": True, "alarmNames": ["orders-errors.name", "orders-unhealthy.name"]}
    assert "alarms" not in one(made("rolling"), "aws:ecs/service:Service").inputs
