"""A service stands in private subnets, is reached from its entrance alone, and can always be replaced."""

from __future__ import annotations

from typing import Any

import pytest

from components.account import Account
from components.adopted_network import AdoptedNetwork
from components.capacity import Capacity
from components.cluster import Cluster, ClusterArgs
from components.container import Container
from components.errors import InvalidArgsError
from components.image import Image
from components.load_balancer import LoadBalancer, LoadBalancerArgs
from components.rollout import Rollout
from components.scaling import Scaling
from components.service import Service, ServiceArgs, TargetHealth
from components.task import Task, TaskArgs
from tests.components.recorder import Recorded, of_type, one, record

ACCOUNT = Account(id="111122223333", region="eu-west-1")
IMAGE = Image.at("public.ecr.aws/docker/library/busybox@sha256:" + "a" * 64)
NETWORK = AdoptedNetwork(
    vpc_id="vpc-0a1b2c3d",
    cidr="10.0.0.0/16",
    zones=("a", "b"),
    app_subnet_ids=("subnet-0a1b2c3d", "subnet-1a1b2c3d"),
)


def made(*, containers: list[Container] | None = None, behind: bool = True, **said: Any) -> list[Recorded]:
    def build() -> None:
        cluster = Cluster("main", ClusterArgs(account=ACCOUNT))
        task = Task("orders", TaskArgs(account=ACCOUNT, containers=containers or [Container(image=IMAGE, port=8080)]))
        entrance = LoadBalancer("main", LoadBalancerArgs(network=NETWORK)).route(path="/orders*") if behind else None
        Service("orders", ServiceArgs(task=task, cluster=cluster, network=NETWORK, entrance=entrance, **said))

    return record(build)


def service(resources: list[Recorded]) -> Recorded:
    return one(resources, "aws:ecs/service:Service")


def test_its_tasks_stand_in_the_app_subnets_without_a_public_address() -> None:
    """The whole point of a private subnet."""
    network = service(made()).inputs["networkConfiguration"]
    assert network["subnets"] == ["subnet-0a1b2c3d", "subnet-1a1b2c3d"]
    assert network["assignPublicIp"] is False
    assert network["securityGroups"] == ["orders-id"]


def test_its_port_is_open_to_the_load_balancer_alone() -> None:
    """Both ends of the way, each naming the other's group; no block of addresses."""
    resources = made()
    ingress = one(resources, ":SecurityGroupIngressRule", "orders-8080-from-balancer").inputs
    egress = one(resources, ":SecurityGroupEgressRule", "orders-8080-balancer-out").inputs
    assert (ingress["securityGroupId"], ingress["referencedSecurityGroupId"]) == ("orders-id", "main-id")
    assert (egress["securityGroupId"], egress["referencedSecurityGroupId"]) == ("main-id", "orders-id")
    for rule in (ingress, egress):
        assert (rule["fromPort"], rule["toPort"], rule["ipProtocol"]) == (8080, 8080, "tcp")
        assert "cidrIpv4" not in rule


def test_it_waits_for_its_listener_rule() -> None:
    """ECS refuses a target group that no load balancer uses."""
    resources = made()
    assert one(resources, ":ListenerRule").urn in service(resources).dependencies


def test_a_failed_rollout_is_rolled_back_and_up_waits_for_the_end() -> None:
    """Without these `pulumi up` says success while nothing runs."""
    said = service(made()).inputs
    assert said["deploymentCircuitBreaker"] == {"enable": True, "rollback": True}
    assert said["waitForSteadyState"] is True
    assert said["availabilityZoneRebalancing"] == "ENABLED"
    assert (said["deploymentMinimumHealthyPercent"], said["deploymentMaximumPercent"]) == (100, 200)
    assert said["propagateTags"] == "SERVICE"
    assert said["enableEcsManagedTags"] is True, "or costs cannot be told apart by cluster and service"


def test_it_runs_on_the_clusters_capacity_unless_it_says_otherwise() -> None:
    """A launch type beside a strategy is refused by ECS; so a strategy is always stated."""
    assert service(made()).inputs["capacityProviderStrategies"] == [
        {"capacityProvider": "FARGATE", "weight": 1, "base": 0}
    ]
    spot = service(made(capacity=[Capacity("FARGATE_SPOT", weight=3)])).inputs
    assert spot["capacityProviderStrategies"] == [{"capacityProvider": "FARGATE_SPOT", "weight": 3, "base": 0}]


def test_another_capacity_strategy_is_a_deployment_and_no_new_service() -> None:
    """Without this the provider replaces the service, and all its tasks stop."""
    assert service(made()).inputs["forceNewDeployment"] is True


def test_a_slow_start_has_its_grace_behind_a_balancer_alone() -> None:
    """Without it a task that starts slowly is killed over and over; ECS refuses it where no balancer checks."""
    assert service(made()).inputs["healthCheckGracePeriodSeconds"] == 60
    assert service(made(health_check_grace_period=300)).inputs["healthCheckGracePeriodSeconds"] == 300
    assert "healthCheckGracePeriodSeconds" not in service(made(behind=False)).inputs


def test_without_an_entrance_nothing_can_call_it() -> None:
    """A worker has no target group, no rule, and no way in."""
    resources = made(behind=False)
    assert not of_type(resources, ":TargetGroup")
    assert not of_type(resources, ":SecurityGroupIngressRule")
    assert "loadBalancers" not in service(resources).inputs


def test_scaling_counts_requests_of_its_own_target_group() -> None:
    """The label joins the two suffixes; another order is refused by AWS."""
    resources = made(scaling=Scaling(minimum=2, maximum=8, requests_per_target=500))
    policy = one(resources, "appautoscaling/policy:Policy").inputs["targetTrackingScalingPolicyConfiguration"]
    label = policy["predefinedMetricSpecification"]["resourceLabel"]
    assert label == "main.arnSuffix/orders.arnSuffix"


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"desired_count": -1}, "Service.desired_count: got -1; a whole number from 0 to 5000 tasks"),
        (
            {"desired_count": 1, "rollout": Rollout(minimum_healthy_percent=50, maximum_percent=150)},
            "of 1 task(s) 1 must stay and 1 may run, so none can be replaced",
        ),
        ({"port": 9090}, "Service.port: got 9090; one port of the task's containers, which have 8080"),
        ({"health_check_grace_period": -1}, "Service.health_check_grace_period: got -1"),
        ({"deregistration_delay": 3601}, "Service.deregistration_delay: got 3601"),
        ({"capacity": [Capacity("FARGATE", base=1), Capacity("FARGATE_SPOT", base=1)]}, "a base on one of them only"),
        ({"containers": [Container(image=IMAGE)]}, "one port of the task's containers, which have none"),
        (
            {"containers": [Container(image=IMAGE, port=1), Container(image=IMAGE, name="b", port=2)]},
            "Service.port: got None; one port of the task's containers, which have 1, 2",
        ),
    ],
)
def test_what_cannot_work_is_refused(said: dict[str, Any], message: str) -> None:
    """AWS takes most of these, and the service then never becomes steady."""
    with pytest.raises(InvalidArgsError) as refused:
        made(**said)
    assert message in str(refused.value)


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"path": "health"}, "TargetHealth.path: got 'health'; begin with '/'"),
        ({"interval": 4}, "TargetHealth.interval: got 4; a whole number from 5 to 300 seconds"),
        ({"timeout": 121}, "TargetHealth.timeout: got 121"),
        ({"interval": 10, "timeout": 10}, "TargetHealth.timeout: got 10; under the interval, 10 s"),
        ({"healthy": 1}, "TargetHealth.healthy: got 1; a whole number from 2 to 10"),
        ({"unhealthy": 11}, "TargetHealth.unhealthy: got 11"),
    ],
)
def test_the_health_checks_bounds_are_kept(said: dict[str, Any], message: str) -> None:
    """The bounds of elbv2's own model."""
    with pytest.raises(InvalidArgsError) as refused:
        TargetHealth(**said)
    assert message in str(refused.value)


def test_rebalancing_needs_room_to_start_a_task_first() -> None:
    """ECS refuses the pair."""
    with pytest.raises(InvalidArgsError, match="over 100, or zone_rebalancing off"):
        Rollout(minimum_healthy_percent=0, maximum_percent=100)


def test_a_name_that_leaves_no_room_in_a_target_groups_32_characters_is_refused() -> None:
    """Pulumi's suffix is not cut, and AWS would refuse in the middle."""

    def build() -> None:
        cluster = Cluster("main", ClusterArgs(account=ACCOUNT))
        task = Task("orders", TaskArgs(account=ACCOUNT, containers=[Container(image=IMAGE, port=8080)]))
        entrance = LoadBalancer("main", LoadBalancerArgs(network=NETWORK)).route(path="/orders*")
        Service("o" * 25, ServiceArgs(task=task, cluster=cluster, network=NETWORK, entrance=entrance))

    with pytest.raises(InvalidArgsError, match="at most 24 characters"):
        record(build)
