"""microservices as it is deployed, on both stacks: what each service runs on, who reaches it, and by which name."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.apps import exact
from tests.apps.exact import ACCOUNTS, doors, exits

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.whole import Whole

SERVICES = ("blog", "market", "news", "user")
PARTS = (*SERVICES, "web")
PORTS = dict.fromkeys(SERVICES, 8080) | {"web": 3000}

each_stack = pytest.mark.parametrize("stack", ACCOUNTS)
each_service = pytest.mark.parametrize("name", SERVICES)
each_part = pytest.mark.parametrize("name", PARTS)


def deployed(stack: str) -> Whole:
    return exact.deployed(stack).of_workload("microservices")


def service(stack: str, name: str) -> Mapping[str, Any]:
    return deployed(stack).one("ecs/service:Service", f"microservices-{name}").inputs


def definition(stack: str, name: str) -> Mapping[str, Any]:
    return deployed(stack).one(":TaskDefinition", f"microservices-{name}").inputs


def container(stack: str, name: str) -> dict[str, Any]:
    (only,) = json.loads(definition(stack, name)["containerDefinitions"])
    return only


def environment(stack: str, name: str) -> dict[str, str]:
    return {each["name"]: each["value"] for each in container(stack, name)["environment"]}


def group(name: str) -> str:
    return f"Service/ec2.SecurityGroup microservices-{name}"


# What runs.


@each_stack
@each_service
def test_a_service_is_the_one_image_told_its_name_and_where_its_data_is(stack: str, name: str) -> None:
    """And nothing of another's: what it is told is its own table or bucket."""
    handed_out = deployed(stack).outputs["workloads"]["microservices"]
    said = container(stack, name)
    assert said["command"] == ["python", "main.py", name]
    assert said["image"] == container(stack, "user")["image"]
    where = "BUCKET_NAME" if name == "market" else "TABLE_NAME"
    own = handed_out[f"{name}_{where.lower()}"]
    assert environment(stack, name) == {"AWS_DEFAULT_REGION": exact.REGION, "PORT": "8080", where: own}


@pytest.mark.parametrize(
    ("stack", "url"),
    [("dev", "http://LoadBalancer/lb.LoadBalancer dev-public.dnsName"), ("prod", "https://shop.example.com")],
)
def test_web_asks_the_services_where_everybody_does(stack: str, url: str) -> None:
    """On a port that needs no privilege; in one order, whatever the stack file's."""
    assert container(stack, "web")["command"] == ["node", "main.js"]
    assert environment(stack, "web") == {"PORT": "3000", "SERVICES": "blog market news user", "SERVICES_URL": url}
    assert deployed(stack).outputs["workloads"]["microservices"]["url"] == url


@each_stack
@each_part
def test_a_container_can_write_nothing_and_has_a_check_of_its_own(stack: str, name: str) -> None:
    said = container(stack, name)
    assert said["readonlyRootFilesystem"] is True
    own = ["node", "healthcheck.js"] if name == "web" else ["python", "healthcheck.py"]
    assert said["healthCheck"]["command"] == ["CMD", *own]
    assert "secrets" not in said


@each_service
def test_a_table_has_the_keys_that_the_services_code_has(name: str) -> None:
    if name == "market":
        assert deployed("prod").one("s3/bucket:Bucket", "microservices-market")
        return
    said = deployed("prod").one("dynamodb/table:Table", f"microservices-{name}").inputs
    assert (said["hashKey"], said["rangeKey"], said["ttl"]["attributeName"]) == ("pk", "sk", "expires_at")
    assert said["deletionProtectionEnabled"] is True


@pytest.mark.parametrize(("stack", "days"), [("dev", 7), ("prod", 90)])
@each_part
def test_each_has_a_log_group_of_its_own(stack: str, days: int, name: str) -> None:
    said = deployed(stack).one(":LogGroup", f"microservices-{name}").inputs
    assert (said["name"], said["retentionInDays"]) == (f"/ecs/microservices-{name}", days)
    assert container(stack, name)["logConfiguration"]["options"]["awslogs-group"] == said["name"]


@each_stack
@each_part
def test_each_has_alarms_that_the_stacks_topic_hears_of(stack: str, name: str) -> None:
    for metric in ("cpu", "memory"):
        said = deployed(stack).one(":MetricAlarm", f"microservices-{name}-{metric}").inputs
        assert said["dimensions"]["ServiceName"] == service(stack, name)["name"]
        assert said["alarmActions"] == [f"arn:aws:sns:{exact.REGION}:{ACCOUNTS[stack]}:alerts"]


# What it runs on, and how it is deployed.


@each_part
def test_dev_is_on_fargate_spot_but_for_one_on_instances(name: str) -> None:
    """Behind a port that ECS gives out; one task each."""
    said, task = service("dev", name), definition("dev", name)
    assert said["desiredCount"] == 1
    (part,) = said["capacityProviderStrategies"]
    (port,) = container("dev", name)["portMappings"]
    if name == "user":
        assert part["capacityProvider"].startswith("dev-general-")
        assert (task["requiresCompatibilities"], task["networkMode"]) == (["EC2"], "bridge")
        assert (task["cpu"], task["memory"], port["hostPort"]) == ("1024", "1024", 0)
        assert "networkConfiguration" not in said
    else:
        assert part["capacityProvider"] == "FARGATE_SPOT"
        assert (task["requiresCompatibilities"], task["networkMode"]) == (["FARGATE"], "awsvpc")
        assert (task["cpu"], task["memory"], port["hostPort"]) == ("256", "512", PORTS[name])


@each_part
def test_prod_is_on_fargate_and_grows_from_two_tasks_to_eight(name: str) -> None:
    said, task = service("prod", name), definition("prod", name)
    assert said["capacityProviderStrategies"] == [{"capacityProvider": "FARGATE", "weight": 1, "base": 0}]
    assert (task["cpu"], task["memory"], task["networkMode"]) == ("256", "512", "awsvpc")
    target = deployed("prod").one("appautoscaling/target:Target", f"microservices-{name}").inputs
    assert (target["minCapacity"], target["maxCapacity"]) == (2, 8)
    assert said["networkConfiguration"] == {
        "subnets": [f"Network/ec2.Subnet prod-app-{zone}" for zone in "abc"],
        "securityGroups": [group(name)],
        "assignPublicIp": False,
    }


@each_part
def test_prods_web_is_deployed_blue_and_green_and_all_else_task_by_task(name: str) -> None:
    strategy = service("prod", name).get("deploymentConfiguration", {}).get("strategy")
    assert strategy == ("BLUE_GREEN" if name == "web" else None)
    assert "deploymentConfiguration" not in service("dev", name)


# Who reaches it.


def test_without_a_domain_a_path_says_whom_a_request_is_for() -> None:
    rules = deployed("dev").of(":ListenerRule")
    assert {name: rule.inputs["conditions"] for name, rule in rules.items()} == {
        **{f"microservices-{name}": [{"pathPattern": {"values": [f"/{name}", f"/{name}/*"]}}] for name in SERVICES},
        "microservices-web": [{"pathPattern": {"values": ["/*"]}}],
    }


@each_part
def test_with_a_domain_each_has_a_host_of_its_own_too(name: str) -> None:
    """And by another name, such as the load balancer's own, nobody is reached."""
    host, path = deployed("prod").one(":ListenerRule", f"microservices-{name}").inputs["conditions"]
    assert host == {"hostHeader": {"values": ["shop.example.com", f"{name}.shop.example.com"]}}
    assert path == {"pathPattern": {"values": ["/*"] if name == "web" else [f"/{name}", f"/{name}/*"]}}


@each_stack
def test_web_takes_what_no_service_does(stack: str) -> None:
    """Its rule is tried last."""
    priorities = {name: rule.inputs["priority"] for name, rule in deployed(stack).of(":ListenerRule").items()}
    assert max(priorities, key=lambda name: priorities[name]) == "microservices-web"


@each_stack
def test_tasks_are_open_to_the_load_balancer_and_nobody_else(stack: str) -> None:
    balancer = f"LoadBalancer/ec2.SecurityGroup {stack}-public"
    own = [name for name in PARTS if (stack, name) != ("dev", "user")]
    assert {door for door in doors(deployed(stack)) if door[0].startswith("Service/")} == {
        (group(name), PORTS[name], balancer) for name in own
    }


def test_the_one_on_instances_is_open_to_load_balancers_on_the_ports_that_are_given_out() -> None:
    instances = "Ec2Capacity/ec2.SecurityGroup dev-general"
    assert {door for door in doors(deployed("dev")) if door[0] == instances} == {
        (instances, (32768, 60999), f"LoadBalancer/ec2.SecurityGroup dev-{kind}") for kind in ("internal", "public")
    }


@pytest.mark.parametrize(("stack", "ports"), [("dev", {80, 443}), ("prod", {443})])
def test_web_gets_out_to_where_the_load_balancer_listens(stack: str, ports: set[int]) -> None:
    """By plain HTTP only where the load balancer has nothing else; the services call AWS alone."""
    ways = [way for way in exits(deployed(stack)) if way[0].startswith("Service/")]
    assert {way for way in ways if way[0] == group("web")} == {(group("web"), port, "0.0.0.0/0") for port in ports}
    assert {(port, to) for who, port, to in ways if who != group("web")} == {(443, "0.0.0.0/0")}


@each_stack
def test_the_load_balancer_is_the_public_one(stack: str) -> None:
    balancer = deployed(stack).one("lb/loadBalancer:LoadBalancer", f"{stack}-public").inputs
    assert balancer["internal"] is False
    zones = {"dev": "ab", "prod": "abc"}[stack]
    assert balancer["subnets"] == [f"Network/ec2.Subnet {stack}-public-{zone}" for zone in zones]
