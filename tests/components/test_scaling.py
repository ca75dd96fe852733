"""Load decides how many tasks run, within bounds that can work."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from components import scaling
from components.base import Component
from components.errors import InvalidArgsError
from components.scaling import Scaling
from tests.components.recorder import Recorded, of_type, one, record

if TYPE_CHECKING:
    from pulumi import ResourceOptions


class _Owner(Component):
    def __init__(self, name: str, opts: ResourceOptions | None = None) -> None:
        super().__init__(name, {}, opts, tags={"Service": "orders"})


def _attached(how: Scaling, **suffixes: str) -> list[Recorded]:
    def build() -> None:
        scaling.attach(_Owner("orders"), "orders", how, cluster_name="main", service_name="orders-1", **suffixes)

    return record(build)


def test_the_target_is_the_services_desired_count_within_its_bounds() -> None:
    target = one(_attached(Scaling(minimum=2, maximum=4, cpu_percent=60)), ":Target")
    assert {key: value for key, value in target.inputs.items() if not key.startswith("__")} == {
        "minCapacity": 2,
        "maxCapacity": 4,
        "resourceId": "service/main/orders-1",
        "scalableDimension": "ecs:service:DesiredCount",
        "serviceNamespace": "ecs",
        "tags": {"Service": "orders"},
    }


def test_each_target_value_is_a_policy_of_its_own() -> None:
    how = Scaling(minimum=2, maximum=4, cpu_percent=60, memory_percent=70, requests_per_target=1000)
    resources = _attached(how, load_balancer_arn_suffix="app/lb/1", target_group_arn_suffix="targetgroup/tg/2")
    policies = of_type(resources, "aws:appautoscaling/policy:Policy")
    tracked = {
        name: policy.inputs["targetTrackingScalingPolicyConfiguration"]
        | {"predefinedMetricSpecification": _known(policy)}
        for name, policy in policies.items()
    }
    cooldowns = {"scaleInCooldown": 300, "scaleOutCooldown": 60}
    assert tracked == {
        "orders-cpu": {
            "predefinedMetricSpecification": {"predefinedMetricType": "ECSServiceAverageCPUUtilization"},
            "targetValue": 60,
            **cooldowns,
        },
        "orders-memory": {
            "predefinedMetricSpecification": {"predefinedMetricType": "ECSServiceAverageMemoryUtilization"},
            "targetValue": 70,
            **cooldowns,
        },
        "orders-requests": {
            "predefinedMetricSpecification": {
                "predefinedMetricType": "ALBRequestCountPerTarget",
                "resourceLabel": "app/lb/1/targetgroup/tg/2",
            },
            "targetValue": 1000,
            **cooldowns,
        },
    }
    target = one(resources, ":Target")
    owner = one(resources, ":_Owner")
    for policy in policies.values():
        assert target.urn in policy.property_dependencies["resourceId"], "a policy needs its target registered"
        assert policy.parent == target.parent == owner.urn


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"minimum": 0}, r"Scaling.minimum: got 0; a whole number from 1 to 5000 tasks"),
        ({"maximum": 1}, r"Scaling.maximum: got 1; a whole number from 2 to 5000 tasks"),
        ({"maximum": 5001}, r"Scaling.maximum: got 5001"),
        ({"cpu_percent": 0}, r"Scaling.cpu_percent: got 0; a whole number from 1 to 100 percent"),
        ({"cpu_percent": 101}, r"Scaling.cpu_percent: got 101"),
        ({"memory_percent": 101}, r"Scaling.memory_percent: got 101"),
        ({"requests_per_target": 0}, r"Scaling.requests_per_target: got 0"),
        ({"scale_in_cooldown": -1}, r"Scaling.scale_in_cooldown: got -1"),
        ({"scale_out_cooldown": 3601}, r"Scaling.scale_out_cooldown: got 3601"),
        ({"cpu_percent": None}, r"one of cpu_percent, memory_percent and requests_per_target"),
    ],
)
def test_bounds_that_cannot_work_are_refused(wrong: dict[str, Any], says: str) -> None:
    with pytest.raises(InvalidArgsError, match=says):
        Scaling(**({"minimum": 2, "maximum": 4, "cpu_percent": 60} | wrong))


def test_requests_without_a_load_balancer_are_refused_before_anything_is_registered() -> None:
    with pytest.raises(InvalidArgsError, match=r"Scaling.requests_per_target: got 1000; a service behind"):
        _attached(Scaling(minimum=2, maximum=4, requests_per_target=1000))


def _known(policy: Recorded) -> dict[str, Any]:
    metric = policy.inputs["targetTrackingScalingPolicyConfiguration"]["predefinedMetricSpecification"]
    return {key: value for key, value in metric.items() if value is not None}
