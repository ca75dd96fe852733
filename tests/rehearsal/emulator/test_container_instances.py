"""A task on EC2 runs on a container instance of its group, behind a host port that is its own there."""

from __future__ import annotations

import http.client
import json
import time
import uuid
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from tests.rehearsal.containers.conftest import Site, _open

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture(scope="module")
def plain() -> Iterator[Site]:
    with _open("container_instances.place_on_instances", "container_instances.lead_to_host_ports") as opened:
        yield opened


class Served(NamedTuple):
    """A service on instances, in a cluster of its own."""

    cluster: str
    name: str
    group: str
    """Of Auto Scaling."""
    targets: str
    """The target group's ARN."""
    balancer: str
    """The load balancer's DNS name."""


def serve(site: Site, *, count: int = 1, maximum: int = 2, host_port: int = 0, mode: str = "bridge") -> Served:
    """Make a service of *count* tasks on a group of *maximum* instances, behind a load balancer."""
    name, client = f"web-{uuid.uuid4().hex[:8]}", site.aws.client
    client("ecs").create_cluster(clusterName=name)
    client("autoscaling").create_auto_scaling_group(AutoScalingGroupName=name, MinSize=0, MaxSize=maximum)
    (group,) = client("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=[name])["AutoScalingGroups"]
    client("ecs").create_capacity_provider(
        name=name, autoScalingGroupProvider={"autoScalingGroupArn": group["AutoScalingGroupARN"]}
    )
    balancer = client("elbv2").create_load_balancer(Name=name, Subnets=["subnet-1", "subnet-2"])["LoadBalancers"][0]
    targets = client("elbv2").create_target_group(
        Name=name, Protocol="HTTP", Port=8000, VpcId="vpc-1", TargetType="instance", HealthCheckPath="/health"
    )["TargetGroups"][0]["TargetGroupArn"]
    client("elbv2").create_listener(
        LoadBalancerArn=balancer["LoadBalancerArn"],
        Protocol="HTTP",
        Port=80,
        DefaultActions=[{"Type": "forward", "TargetGroupArn": targets}],
    )
    definition = client("ecs").register_task_definition(
        family=name,
        networkMode=mode,
        requiresCompatibilities=["EC2"],
        cpu="256",
        memory="512",
        containerDefinitions=[
            {
                "name": "web",
                # Of nobody's registry, so that a task starts without a role.
                "image": "tiny-web",
                "command": ["python", "main.py"],
                "environment": [{"name": "PORT", "value": "8000"}],
                "portMappings": [{"containerPort": 8000, "hostPort": 8000 if mode == "host" else host_port}],
            }
        ],
    )["taskDefinition"]["taskDefinitionArn"]
    client("ecs").create_service(
        cluster=name,
        serviceName=name,
        taskDefinition=definition,
        desiredCount=count,
        capacityProviderStrategy=[{"capacityProvider": name, "weight": 1}],
        loadBalancers=[{"targetGroupArn": targets, "containerName": "web", "containerPort": 8000}],
    )
    return Served(name, name, name, targets, balancer["DNSName"])


def instances(site: Site, served: Served) -> list[str]:
    """Return the ids of the group's instances."""
    found = site.aws.client("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=[served.group])
    return [each["InstanceId"] for each in found["AutoScalingGroups"][0]["Instances"]]


def join(site: Site, served: Served, instance: str) -> str:
    """Register *instance*, as its agent does; the container instance's ARN."""
    made = site.aws.client("ecs").register_container_instance(
        cluster=served.cluster, instanceIdentityDocument=json.dumps({"instanceId": instance})
    )
    return made["containerInstance"]["containerInstanceArn"]


def tasks(site: Site, served: Served) -> list[dict[str, Any]]:
    ecs = site.aws.client("ecs")
    arns = ecs.list_tasks(cluster=served.cluster)["taskArns"]
    return ecs.describe_tasks(cluster=served.cluster, tasks=arns)["tasks"] if arns else []


def running(site: Site, served: Served) -> list[dict[str, Any]]:
    return [each for each in tasks(site, served) if each["lastStatus"] == "RUNNING"]


def targets(site: Site, served: Served) -> list[dict[str, Any]]:
    return site.aws.client("elbv2").describe_target_health(TargetGroupArn=served.targets)["TargetHealthDescriptions"]


def until(holds: Callable[[], object], seconds: float = 10) -> None:
    """Wait until it *holds*."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it never held"
        time.sleep(0.05)


def asked(site: Site, served: Served) -> int:
    """Ask the load balancer for the tasks' health; the answer's status."""
    host, _, port = site.aws.endpoint.removeprefix("http://").partition(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=5)
    connection.request("GET", "/health", headers={"Host": served.balancer})
    status = connection.getresponse().status
    connection.close()
    return status


def test_a_task_waits_for_an_instance_of_its_group_that_has_joined(site: Site, plain: Site) -> None:
    """A group that is never scaled, or an agent that cannot register, is a service that never starts."""
    uncorrected = serve(plain)
    until(lambda: running(plain, uncorrected))
    assert instances(plain, uncorrected) == [], "the emulator has learnt it: the correction is needless"

    served = serve(site)
    until(lambda: instances(site, served))
    time.sleep(0.5)
    assert [each["lastStatus"] for each in tasks(site, served)] == ["PROVISIONING"]
    (instance,) = instances(site, served)
    arn = join(site, served, instance)
    until(lambda: running(site, served))
    ecs = site.aws.client("ecs")
    assert ecs.list_container_instances(cluster=served.cluster)["containerInstanceArns"] == [arn]
    found = ecs.describe_container_instances(cluster=served.cluster, containerInstances=[arn, "other"])
    (described,) = found["containerInstances"]
    assert (described["ec2InstanceId"], described["runningTasksCount"]) == (instance, 1)
    assert found["failures"] == [{"arn": "other", "reason": "MISSING"}]
    assert running(site, served)[0]["containerInstanceArn"] == arn


@pytest.mark.parametrize(("mode", "given", "first"), [("bridge", 0, 32768), ("bridge", 80, 80), ("host", 0, 8000)])
def test_a_request_reaches_a_task_by_its_host_port(site: Site, mode: str, given: int, first: int) -> None:
    """Dynamic, static and the host's own: each is what the load balancer has as the target's port."""
    served = serve(site, mode=mode, host_port=given)
    until(lambda: instances(site, served))
    join(site, served, instances(site, served)[0])
    until(lambda: [each["TargetHealth"]["State"] for each in targets(site, served)] == ["healthy"])
    (binding,) = running(site, served)[0]["containers"][0]["networkBindings"]
    assert (binding["containerPort"], binding["hostPort"]) == (8000, first)
    assert targets(site, served)[0]["Target"]["Port"] == first
    assert asked(site, served) == 200


def test_without_the_correction_a_target_has_the_containers_port(plain: Site) -> None:
    served = serve(plain, host_port=80)
    until(lambda: targets(plain, served))
    assert targets(plain, served)[0]["Target"]["Port"] == 8000, "the emulator has learnt it"


def test_tasks_with_dynamic_ports_share_an_instance(site: Site) -> None:
    served = serve(site, count=2)
    until(lambda: instances(site, served))
    join(site, served, instances(site, served)[0])
    until(lambda: len(running(site, served)) == 2)
    bindings = [each["containers"][0]["networkBindings"][0]["hostPort"] for each in running(site, served)]
    assert (sorted(bindings), len(instances(site, served))) == ([32768, 32769], 1)


def test_two_tasks_with_one_host_port_are_on_two_instances_and_a_third_waits(site: Site) -> None:
    """The group grows by one for each, up to its maximum: what is beyond it waits for ever, as in an account."""
    served = serve(site, count=3, maximum=2, host_port=80)
    joined: set[str] = set()
    for count in (1, 2):
        until(lambda count=count: len(instances(site, served)) == count)
        joined |= {join(site, served, each) for each in instances(site, served)[count - 1 :]}
        until(lambda count=count: len(running(site, served)) == count)
    time.sleep(0.5)
    assert sorted(each["lastStatus"] for each in tasks(site, served)) == ["PROVISIONING", "RUNNING", "RUNNING"]
    assert {each["containerInstanceArn"] for each in running(site, served)} == joined
    assert len(instances(site, served)) == 2


def test_a_cluster_that_is_not_there_has_no_instances(site: Site) -> None:
    ecs = site.aws.client("ecs")
    with pytest.raises(ecs.exceptions.ClusterNotFoundException):
        ecs.register_container_instance(cluster="nobodys", instanceIdentityDocument='{"instanceId": "i-1"}')
