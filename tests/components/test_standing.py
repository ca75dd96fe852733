"""A service's tasks stand where its cluster's machines can run them, and never in each other's way."""

from __future__ import annotations

from typing import Any

import pytest

from components.account import Account
from components.capacity import Capacity
from components.cluster import Cluster, ClusterArgs
from components.container import Container
from components.discovery import CloudMap, Discovery, DiscoveryArgs
from components.ec2_instances import Ec2Instances
from components.errors import InvalidArgsError
from components.image import Image
from components.load_balancer import LoadBalancer, LoadBalancerArgs
from components.managed_instances import ManagedInstances
from components.placement import Placement, Strategy
from components.rollout import Rollout
from components.scaling import Scaling
from components.service import Service, ServiceArgs
from components.task import Task, TaskArgs
from tests.components.recorder import Recorded, of_type, one, record
from tests.components.samples import NETWORK

ACCOUNT = Account(id="111122223333", region="eu-west-1")
IMAGE = Image.at("public.ecr.aws/docker/library/busybox@sha256:" + "a" * 64)


class Stack:
    """A load balancer, a cluster with each kind of machine, and services as they come."""

    def __init__(self, **instances: Any) -> None:
        self.balancer = LoadBalancer("public", LoadBalancerArgs(network=NETWORK))
        general: dict[str, Any] = {"network": NETWORK, "maximum": 4, "balancers": [self.balancer]} | instances
        self.cluster = Cluster(
            "main",
            ClusterArgs(
                account=ACCOUNT,
                capacity=[Capacity("general")],
                instances={
                    "general": Ec2Instances(**general),
                    "spare": Ec2Instances(network=NETWORK, maximum=1),
                    "managed": ManagedInstances(network=NETWORK),
                },
            ),
        )

    def task(self, name: str, mode: str = "bridge", port: int | None = 8080, **said: Any) -> Task:
        """Make a task for EC2."""
        container = Container(image=IMAGE, port=port, host_port=said.pop("host_port", None))
        of: dict[str, Any] = {"launch_type": "EC2", "network_mode": mode, "containers": [container]} | said
        return Task(name, TaskArgs(account=ACCOUNT, **of))

    def serve(self, name: str, task: Task, *, behind: bool = False, **said: Any) -> Service:
        """Make a service of *task*."""
        entrance = self.balancer.route(path=f"/{name}") if behind else None
        args: dict[str, Any] = {"cluster": self.cluster, "network": NETWORK, "entrance": entrance, **said}
        return Service(name, ServiceArgs(task=task, **args))


def served(mode: str = "bridge", *, behind: bool = False, of: dict[str, Any] | None = None, **said: Any) -> Any:
    """Register a service of a task in *mode*, and return what was registered."""

    def build() -> None:
        stack = Stack()
        stack.serve("web", stack.task("web", mode, **(of or {})), behind=behind, **said)

    return record(build)


def service(resources: list[Recorded], name: str = "web") -> dict[str, Any]:
    return dict(one(resources, "aws:ecs/service:Service", name).inputs)


def test_a_service_on_instances_names_their_provider_as_ecs_does() -> None:
    """The name in the settings is the cluster's own for it; AWS has another, which tells stacks apart."""
    assert service(served())["capacityProviderStrategies"] == [
        {"capacityProvider": "main-general.name", "weight": 1, "base": 0}
    ]


@pytest.mark.parametrize("mode", ["bridge", "host"])
def test_tasks_that_share_their_instances_network_have_none_of_their_own(mode: str) -> None:
    """ECS refuses a network configuration for them; and their group is the instances'."""
    resources = served(mode, behind=True)
    assert "networkConfiguration" not in service(resources)
    assert one(resources, ":TargetGroup").inputs["targetType"] == "instance"
    assert "web" not in of_type(resources, ":SecurityGroup")
    assert one(resources, "drydock:index:Service").outputs["security_group_id"] == "main-general-id"


def test_tasks_with_addresses_of_their_own_stand_on_instances_as_on_fargate() -> None:
    resources = served("awsvpc", behind=True)
    assert service(resources)["networkConfiguration"]["securityGroups"] == ["web-id"]
    assert one(resources, ":TargetGroup").inputs["targetType"] == "ip"


def test_a_dynamic_port_opens_nothing_more_than_the_instances_have_open() -> None:
    """A second service behind the same balancer would ask EC2 for the same rule, and be refused."""

    def build() -> None:
        stack = Stack()
        for name in ("web", "shop"):
            stack.serve(name, stack.task(name), behind=True)

    assert list(of_type(record(build), ":SecurityGroupIngressRule")) == ["main-general-from-public"]


@pytest.mark.parametrize(("mode", "of", "port"), [("bridge", {"host_port": 80}, 80), ("host", {}, 8080)])
def test_a_static_port_is_opened_to_the_balancer_alone(mode: str, of: dict[str, Any], port: int) -> None:
    """On both sides, between the two groups."""
    resources = served(mode, of=of, behind=True)
    ingress = one(resources, ":SecurityGroupIngressRule", f"web-{port}-from-balancer").inputs
    egress = one(resources, ":SecurityGroupEgressRule", f"web-{port}-balancer-out").inputs
    assert (ingress["securityGroupId"], ingress["referencedSecurityGroupId"]) == ("main-general-id", "public-id")
    assert (egress["securityGroupId"], egress["referencedSecurityGroupId"]) == ("public-id", "main-general-id")
    assert {(rule["fromPort"], rule["toPort"]) for rule in (ingress, egress)} == {(port, port)}
    (said,) = service(resources)["loadBalancers"]
    assert said["containerPort"] == 8080, "ECS finds the host's port by the container's"


def test_it_outlives_neither_its_instances_ways_nor_their_rules() -> None:
    """A task that is being drained still answers through them."""
    resources = served(behind=True)
    waits = one(resources, "aws:ecs/service:Service").dependencies
    assert one(resources, ":SecurityGroupIngressRule", "main-general-from-public").urn in waits
    assert one(resources, ":SecurityGroupEgressRule", "main-general-to-443").urn in waits


def test_placement_is_said_on_instances_and_nowhere_else() -> None:
    """ECS refuses it on Fargate, and in a change of what runs each word would be a new deployment."""
    said = service(served())
    assert said["orderedPlacementStrategies"] == [
        {"type": "spread", "field": "attribute:ecs.availability-zone"},
        {"type": "binpack", "field": "memory"},
    ]
    assert said["availabilityZoneRebalancing"] == "ENABLED"
    fargate = service(
        served("awsvpc", of={"launch_type": "FARGATE"}, capacity=[Capacity("FARGATE")]),
    )
    managed = service(
        served("awsvpc", of={"launch_type": "MANAGED_INSTANCES"}, capacity=[Capacity("managed")]),
    )
    for other in (fargate, managed):
        assert not {"orderedPlacementStrategies", "placementConstraints", "schedulingStrategy"} & other.keys()


def test_a_daemon_has_neither_count_nor_strategy() -> None:
    """ECS refuses each of them; without a launch type it would take the cluster's strategy, and refuse that."""
    said = service(daemon())
    assert said["schedulingStrategy"] == "DAEMON"
    assert said["launchType"] == "EC2"
    assert not {"desiredCount", "capacityProviderStrategies", "orderedPlacementStrategies"} & said.keys()
    assert (said["deploymentMinimumHealthyPercent"], said["deploymentMaximumPercent"]) == (50, 100)
    assert said["availabilityZoneRebalancing"] == "DISABLED"


def daemon(**said: Any) -> list[Recorded]:
    """Register a daemon whose tasks have addresses of their own, as there are two kinds of instances."""
    return served("awsvpc", scheduling="DAEMON", **said)


def test_a_daemons_placement_is_its_constraints_alone() -> None:
    said = service(daemon(placement=Placement(strategies=(), constraints=("attribute:gpu exists",))))
    assert said["placementConstraints"] == [{"type": "memberOf", "expression": "attribute:gpu exists"}]
    assert "orderedPlacementStrategies" not in said


CLASHES = [
    (("bridge", {"host_port": 80}), ("bridge", {"host_port": 80}), 80),
    (("host", {}), ("bridge", {"host_port": 8080}), 8080),
    (("host", {}), ("host", {}), 8080),
]


@pytest.mark.parametrize(("one_of_them", "other", "port"), CLASHES)
def test_two_services_with_one_host_port_are_refused_before_anything_of_the_second_is_made(
    one_of_them: tuple[str, dict[str, Any]], other: tuple[str, dict[str, Any]], port: int
) -> None:
    """ECS takes both, starts one, and says of the other only that no instance met its requirements."""

    def build() -> None:
        stack = Stack()
        for name, (mode, of) in (("web", one_of_them), ("shop", other)):
            stack.serve(name, stack.task(name, mode, **of), desired_count=1)

    with pytest.raises(InvalidArgsError, match=f"Container.host_port: got {port}; another one: 'web' has it"):
        record(build)


def test_one_host_port_on_other_instances_is_no_clash() -> None:
    def build() -> None:
        stack = Stack()
        for name, provider in (("web", "general"), ("shop", "spare")):
            task = stack.task(name, host_port=80)
            stack.serve(name, task, desired_count=1, capacity=[Capacity(provider)], rollout=ONE_BY_ONE)

    assert len(of_type(record(build), "aws:ecs/service:Service")) == 2


ONE_BY_ONE = Rollout(minimum_healthy_percent=0, maximum_percent=100, zone_rebalancing=False)
NO_ROOM = {"desired_count": 3, "of": {"host_port": 80}}


@pytest.mark.parametrize(
    ("said", "says"),
    [
        (NO_ROOM, "Service.desired_count: got 3; host port 80 is once on an instance, 4 at the most"),
        (
            {"of": {"host_port": 80}, "scaling": Scaling(minimum=2, maximum=8, cpu_percent=50)},
            "Service.desired_count: got 8",
        ),
        ({"open_ports": (443, 5432)}, "Service.open_ports: got [5432]; ports of Ec2Instances.open_ports, [443]"),
        (
            {"capacity": [Capacity("general"), Capacity("spare")]},
            "Service.capacity: got \"2 kinds of instances, for a task in mode 'bridge'\"",
        ),
        ({"behind": True, "capacity": [Capacity("spare")]}, "one of Ec2Instances.balancers, []"),
        ({"capacity": [Capacity("FARGATE")]}, "Task.launch_type of 'web': got 'EC2'; 'FARGATE', which FARGATE is"),
        ({"capacity": [Capacity("managed")]}, "'MANAGED_INSTANCES', which managed is"),
        ({"capacity": [Capacity("large")]}, "Capacity.provider: got 'large'; one of FARGATE, FARGATE_SPOT, general"),
        (
            {"of": {"architecture": "ARM64"}},
            "Task.architecture of 'web': got 'ARM64'; 'X86_64', which general is",
        ),
        (
            {"placement": Placement(strategies=[Strategy(kind="random")])},
            "a spread over zones first and none of them excluded, or a Rollout with zone_rebalancing off",
        ),
        (
            {
                "mode": "awsvpc",
                "of": {"launch_type": "FARGATE"},
                "capacity": [Capacity("FARGATE")],
                "placement": Placement(),
            },
            "Service.placement: got Placement(",
        ),
        ({"scheduling": "daemon"}, "Service.scheduling: got 'daemon'; one of 'REPLICA', 'DAEMON'"),
        ({"scheduling": "DAEMON", "behind": True}, "Service.entrance"),
        ({"scheduling": "DAEMON", "capacity": [Capacity("general")]}, "Service.capacity"),
        ({"scheduling": "DAEMON", "scaling": Scaling(minimum=2, maximum=3, cpu_percent=50)}, "Service.scaling"),
        ({"scheduling": "DAEMON", "placement": Placement()}, "Service.placement"),
        ({"scheduling": "DAEMON", "rollout": Rollout(minimum_healthy_percent=50)}, "Service.rollout"),
        (
            {"scheduling": "DAEMON", "mode": "awsvpc", "of": {"launch_type": "FARGATE"}},
            "Task.launch_type: got 'FARGATE'; EC2: others have no daemons",
        ),
    ],
)
def test_what_could_never_run_is_refused_with_what_would_do(said: dict[str, Any], says: str) -> None:
    """Most of it AWS takes, and then waits in silence for an instance that never comes."""
    with pytest.raises(InvalidArgsError) as refused:
        served(**said)
    assert says in str(refused.value)


@pytest.mark.parametrize("field", ["discovery", "calls"])
def test_a_task_without_a_group_of_its_own_neither_is_found_nor_finds(field: str) -> None:
    """Its security group is all its neighbours': what one may call, all could."""

    def build() -> None:
        stack = Stack()
        args = DiscoveryArgs(account=ACCOUNT, network=NETWORK, ways=[CloudMap()], port=8080, namespace="shop.local")
        found = Discovery("found", args)
        stack.serve("web", stack.task("web"), **{field: found if field == "discovery" else [found]})

    with pytest.raises(InvalidArgsError, match=f"Service.{field}: .* a task in mode 'awsvpc'"):
        record(build)


def test_a_daemon_needs_instances_to_be_on() -> None:
    def build() -> None:
        cluster = Cluster("main", ClusterArgs(account=ACCOUNT))
        task = Task("web", TaskArgs(account=ACCOUNT, containers=[Container(image=IMAGE)], launch_type="EC2"))
        Service("web", ServiceArgs(task=task, cluster=cluster, network=NETWORK, scheduling="DAEMON"))

    with pytest.raises(InvalidArgsError, match=r"Cluster.instances: got \[\]; Ec2Instances, for a daemon to be on"):
        record(build)
