"""workflow as it is deployed, on both stacks: who finds the agents, who reaches them, and how many there are."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.apps import exact
from tests.apps.exact import ACCOUNTS, REGION, doors, exits

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.whole import Whole

each_stack = pytest.mark.parametrize("stack", ACCOUNTS)
each_part = pytest.mark.parametrize("part", ["agent", "gateway"])

ZONES = {"dev": "ab", "prod": "abc"}
AGENTS = "Discovery/ec2.SecurityGroup workflow-agent"
"""What the agents wear, beside a group of their service's own that lets nobody in."""
BALANCER = "Discovery/ec2.SecurityGroup workflow-agent-nlb"
GATEWAYS = "Service/ec2.SecurityGroup workflow-gateway"


def deployed(stack: str) -> Whole:
    return exact.deployed(stack).of_workload("workflow")


def service(stack: str, part: str) -> Mapping[str, Any]:
    return deployed(stack).one("ecs/service:Service", f"workflow-{part}").inputs


def definition(stack: str, part: str) -> Mapping[str, Any]:
    return deployed(stack).one(":TaskDefinition", f"workflow-{part}").inputs


def container(stack: str, part: str) -> dict[str, Any]:
    (only,) = json.loads(definition(stack, part)["containerDefinitions"])
    return only


def environment(stack: str, part: str) -> dict[str, str]:
    return {each["name"]: each["value"] for each in container(stack, part)["environment"]}


def subnets(stack: str) -> list[str]:
    return [f"Network/ec2.Subnet {stack}-app-{zone}" for zone in ZONES[stack]]


# How agents are found.


@each_stack
def test_the_namespace_is_private_to_the_network(stack: str) -> None:
    namespace = deployed(stack).one(":PrivateDnsNamespace").inputs
    assert namespace["name"] == "workflow.local"
    assert namespace["vpc"] == f"Network/ec2.Vpc {stack}"


@each_stack
def test_every_agent_is_an_a_record_for_ten_seconds_as_long_as_it_is_well(stack: str) -> None:
    """MULTIVALUE gives all of them out; the health is what ECS says."""
    registry = deployed(stack).one("servicediscovery/service:Service").inputs
    assert registry["name"] == "workflow-agent"
    assert registry["dnsConfig"] == {
        "namespaceId": "Discovery/servicediscovery.PrivateDnsNamespace workflow-agent",
        "dnsRecords": [{"type": "A", "ttl": 10}],
        "routingPolicy": "MULTIVALUE",
    }
    assert registry["healthCheckCustomConfig"] == {"failureThreshold": 1}
    assert "healthCheckConfig" not in registry, "Route 53's own checkers reach no private address"


@each_stack
def test_the_network_load_balancer_is_internal_and_in_every_zone(stack: str) -> None:
    balancer = deployed(stack).one("lb/loadBalancer:LoadBalancer", "workflow-agent-nlb").inputs
    assert (balancer["loadBalancerType"], balancer["internal"]) == ("network", True)
    assert balancer["subnets"] == subnets(stack)
    assert balancer["securityGroups"] == [BALANCER]


@each_stack
def test_its_target_group_takes_addresses_and_asks_each_every_half_minute(stack: str) -> None:
    """The source's had instances, which Fargate has not."""
    group = deployed(stack).one(":TargetGroup", "workflow-agent-nlb-50051").inputs
    assert (group["targetType"], group["protocol"], group["port"]) == ("ip", "TCP", 50051)
    health = group["healthCheck"]
    assert (health["protocol"], health["interval"]) == ("TCP", 30)
    assert (health["healthyThreshold"], health["unhealthyThreshold"]) == (2, 2)


@each_stack
def test_its_listener_passes_tcp_on(stack: str) -> None:
    listener = deployed(stack).one(":Listener", "workflow-agent-nlb-50051").inputs
    assert (listener["protocol"], listener["port"]) == ("TCP", 50051)
    assert listener["loadBalancerArn"].endswith("/workflow-agent-nlb")
    (action,) = listener["defaultActions"]
    group = deployed(stack).one(":TargetGroup", "workflow-agent-nlb-50051")
    assert (action["type"], action["targetGroupArn"]) == ("forward", group.outputs["arn"])


@each_stack
def test_agents_are_registered_in_both(stack: str) -> None:
    """And wait for the listener: ECS refuses a target group that no balancer uses."""
    whole, said = deployed(stack), service(stack, "agent")
    registry = whole.one("servicediscovery/service:Service")
    assert said["serviceRegistries"] == {"registryArn": registry.outputs["arn"]}
    group = whole.one(":TargetGroup", "workflow-agent-nlb-50051")
    assert said["loadBalancers"] == [
        {"containerName": "workflow-agent", "containerPort": 50051, "targetGroupArn": group.outputs["arn"]}
    ]
    listener = whole.one(":Listener", "workflow-agent-nlb-50051")
    assert listener.urn in whole.one("ecs/service:Service", "workflow-agent").dependencies


@each_stack
def test_the_gateway_is_told_every_way_in_the_order_it_tries_them(stack: str) -> None:
    """DNS, the same by API, and the load balancer; what each is comes from the resources themselves."""
    balancer = deployed(stack).one("lb/loadBalancer:LoadBalancer", "workflow-agent-nlb")
    assert environment(stack, "gateway") == {
        "BASE_PATH": "/workflow",
        "PORT": "8080",
        "REQUEST_TIMEOUT": "30",
        "WORKFLOW_SERVICE_DNS": "workflow-agent.workflow.local",
        "WORKFLOW_SERVICE_PORT": "50051",
        "WORKFLOW_SERVICE_NAMESPACE": "workflow.local",
        "WORKFLOW_SERVICE_NAME": "workflow-agent",
        "WORKFLOW_SERVICE_FALLBACK_HOST": balancer.outputs["dnsName"],
    }
    assert deployed(stack).outputs["workloads"]["workflow"]["found_by"] == "cloud_map nlb"


# Who reaches whom.


@each_stack
def test_agents_are_open_to_the_gateway_and_the_load_balancer_and_nobody_else(stack: str) -> None:
    """And the load balancer to the gateway alone: whoever reaches it reaches them."""
    inner = f"LoadBalancer/ec2.SecurityGroup {stack}-internal"
    of_platform = ("LoadBalancer/", "Network/", "Ec2Capacity/")
    assert {door for door in doors(deployed(stack)) if not door[0].startswith(of_platform)} == {
        (AGENTS, 50051, GATEWAYS),
        (AGENTS, 50051, BALANCER),
        (BALANCER, 50051, GATEWAYS),
        (GATEWAYS, 8080, inner),
    }


@each_stack
def test_each_may_call_what_it_must_and_https(stack: str) -> None:
    inner = f"LoadBalancer/ec2.SecurityGroup {stack}-internal"
    instances = "Ec2Capacity/"  # the platform's, as what leads to them
    assert {
        way for way in exits(deployed(stack)) if not (way[0].startswith(instances) or way[2].startswith(instances))
    } == {
        (inner, 8080, GATEWAYS),
        (BALANCER, 50051, AGENTS),
        (GATEWAYS, 50051, AGENTS),
        (GATEWAYS, 50051, BALANCER),
        (GATEWAYS, 443, "0.0.0.0/0"),
        ("Service/ec2.SecurityGroup workflow-agent", 443, "0.0.0.0/0"),
    }


@each_part
@each_stack
def test_tasks_stand_in_private_subnets_of_every_zone(stack: str, part: str) -> None:
    own = f"Service/ec2.SecurityGroup workflow-{part}"
    assert service(stack, part)["networkConfiguration"] == {
        "subnets": subnets(stack),
        "securityGroups": [own, AGENTS] if part == "agent" else [own],
        "assignPublicIp": False,
    }


@each_stack
def test_the_gateway_is_behind_the_internal_load_balancer(stack: str) -> None:
    whole = deployed(stack)
    assert whole.one("lb/loadBalancer:LoadBalancer", f"{stack}-internal").inputs["internal"] is True
    rule = whole.one(":ListenerRule", "workflow-gateway").inputs
    assert rule["conditions"] == [{"pathPattern": {"values": ["/workflow", "/workflow/*"]}}]
    group = whole.one(":TargetGroup", "workflow-gateway").inputs
    assert (group["protocol"], group["healthCheck"]["path"]) == ("HTTP", "/health")
    (entrance,) = service(stack, "gateway")["loadBalancers"]
    assert (entrance["containerName"], entrance["containerPort"]) == ("api-gateway", 8080)
    assert "protocolVersion" not in group


# What runs.


@each_stack
def test_an_agent_has_half_a_cpu_and_a_gibibyte(stack: str) -> None:
    said = definition(stack, "agent")
    assert (said["family"], said["cpu"], said["memory"]) == ("workflow-agent", "512", "1024")
    assert (said["networkMode"], said["requiresCompatibilities"]) == ("awsvpc", ["FARGATE"])


@each_stack
def test_an_agent_listens_for_grpc_on_every_address_of_its_own(stack: str) -> None:
    """By a name that Service Connect and Lattice could go by: its definition is the same whatever the way."""
    assert environment(stack, "agent") == {"GRPC_HOST": "0.0.0.0", "GRPC_PORT": "50051"}
    assert container(stack, "agent")["portMappings"] == [
        {"containerPort": 50051, "hostPort": 50051, "protocol": "tcp", "name": "grpc", "appProtocol": "grpc"}
    ]


@each_part
@each_stack
def test_a_container_has_a_check_of_its_own_and_time_to_drain(stack: str, part: str) -> None:
    """Its root is read-only, and nothing in it is secret."""
    said = container(stack, part)
    assert said["healthCheck"]["command"] == ["CMD", "python", "healthcheck.py"]
    assert said["stopTimeout"] == 60, "both drain for 25 seconds"
    assert said["readonlyRootFilesystem"] is True
    assert "secrets" not in said


@pytest.mark.parametrize(
    ("stack", "part", "tasks"),
    [("dev", "agent", 2), ("prod", "agent", 2), ("dev", "gateway", 1), ("prod", "gateway", 2)],
)
def test_two_agents_on_both_stacks_and_a_cheap_gateway_in_dev(stack: str, part: str, tasks: int) -> None:
    """With one agent nobody would see that streams are spread."""
    said = service(stack, part)
    assert said["desiredCount"] == tasks
    provider = {"dev": "FARGATE_SPOT", "prod": "FARGATE"}[stack]
    assert said["capacityProviderStrategies"] == [{"capacityProvider": provider, "weight": 1, "base": 0}]


@pytest.mark.parametrize(("part", "most"), [("agent", 6), ("gateway", 4)])
def test_prod_grows_from_two_by_its_load_and_dev_does_not(part: str, most: int) -> None:
    target = deployed("prod").one("appautoscaling/target:Target", f"workflow-{part}").inputs
    assert (target["minCapacity"], target["maxCapacity"]) == (2, most)
    assert deployed("prod").one("ecs/service:Service", f"workflow-{part}").ignore_changes == ["desiredCount"]
    assert not deployed("dev").of("appautoscaling/policy:Policy")


@pytest.mark.parametrize(("stack", "healthy"), [("dev", 50), ("prod", 100)])
@each_part
def test_a_rollout_that_fails_is_undone(stack: str, part: str, healthy: int) -> None:
    """And in prod nobody is missed meanwhile."""
    said = service(stack, part)
    assert (said["deploymentMinimumHealthyPercent"], said["deploymentMaximumPercent"]) == (healthy, 200)
    assert said["deploymentCircuitBreaker"] == {"enable": True, "rollback": True}
    assert said["enableExecuteCommand"] is False


@pytest.mark.parametrize(("stack", "days"), [("dev", 7), ("prod", 90)])
@each_part
def test_logs_are_where_people_look_for_them(stack: str, part: str, days: int) -> None:
    group = deployed(stack).one(":LogGroup", f"workflow-{part}").inputs
    assert (group["name"], group["retentionInDays"]) == (f"/ecs/workflow-{part}", days)
    options = container(stack, part)["logConfiguration"]["options"]
    assert (options["awslogs-group"], options["awslogs-region"]) == (group["name"], REGION)


@each_part
def test_repositories_are_devs_own_and_images_pinned_by_digest(part: str) -> None:
    """Prod runs what was pushed to the repository that serves both stacks."""
    repository = deployed("dev").one("ecr/repository:Repository", f"workflow-{part}").inputs
    assert repository["name"] == f"dev/workflow/{part}"
    assert repository["imageScanningConfiguration"] == {"scanOnPush": True}
    assert not deployed("prod").of("ecr/repository:Repository")
    assert container("dev", part)["image"].endswith(".imageUri"), "a build answers with its digest"
    assert f"/workflow/{part}@sha256:" in container("prod", part)["image"]
