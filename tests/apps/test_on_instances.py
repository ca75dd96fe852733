"""What runs on machines of the cluster's own: one section of a stack file says it, and the workload nothing."""

from __future__ import annotations

import itertools
import json
from typing import TYPE_CHECKING, Any

import pytest

import settings
from apps._platform import Platform
from apps._web import WebSettings, WebWorkload
from components.container import Container
from components.errors import InvalidArgsError
from components.task import Task
from tests.apps.stacks import IMAGE, provider, stack
from tests.components.recorder import Recorded, of_type, one, record

if TYPE_CHECKING:
    from apps._workload import Outputs

GENERAL: dict[str, Any] = {"general": {"maximum": 4}}
ARM: dict[str, Any] = {"arm": {"maximum": 4, "architecture": "ARM64", "instance_types": ["m7g.large"]}}
MANAGED: dict[str, Any] = {"patched": {"kind": "managed"}}
BRIDGE: dict[str, Any] = {
    "capacity": [{"provider": "general"}],
    "network_mode": "bridge",
    "size": {"cpu": 1024, "memory": 1024},
}


class Workloads(settings.Workloads):
    """The one that there is."""

    web: WebSettings


class Web(WebWorkload):
    """A workload that says nothing of machines."""

    def deploy(self) -> Outputs:
        """Serve it."""
        return self.serve(image=self.image(), port=8080)


class Pair(Web):
    """Two containers that listen."""

    def deploy(self) -> Outputs:
        """Run them."""
        containers = [Container(image=self.image(), name=name, port=port) for name, port in (("a", 80), ("b", 81))]
        Task(self.name, self.task_args(self.settings, containers), self.child())
        return {}


def made(section: dict[str, Any], instances: dict[str, Any] = GENERAL, of: type[Web] = Web) -> list[Recorded]:
    """Register a stack with *instances*, an internal and a public load balancer, and one workload."""
    said = WebSettings.model_validate_json(json.dumps({"image": IMAGE, **section}))
    said_of_all = stack(cluster={"instances": instances}, internal_load_balancer={}, public_load_balancer={})
    chosen = said_of_all.model_copy(update={"workloads": Workloads(web=said)})

    def build() -> None:
        opts = provider()
        of("web", Platform("platform", chosen, opts), said, opts).deploy()

    return record(build)


def service(resources: list[Recorded]) -> dict[str, Any]:
    return dict(one(resources, "ecs/service:Service").inputs)


def definition(resources: list[Recorded]) -> dict[str, Any]:
    return dict(one(resources, ":TaskDefinition").inputs)


def port_mapping(resources: list[Recorded]) -> dict[str, Any]:
    (container,) = json.loads(definition(resources)["containerDefinitions"])
    (mapping,) = container["portMappings"]
    return mapping


def test_a_section_puts_its_service_on_instances_in_bridge_mode() -> None:
    """Launch type, size, network and capacity provider all follow from three words."""
    resources = made(BRIDGE)
    task = definition(resources)
    assert (task["requiresCompatibilities"], task["networkMode"]) == (["EC2"], "bridge")
    assert (task["cpu"], task["memory"]) == ("1024", "1024")
    assert port_mapping(resources) == {"containerPort": 8080, "hostPort": 0, "protocol": "tcp"}
    assert service(resources)["capacityProviderStrategies"][0]["capacityProvider"] == "test-general.name"
    assert "networkConfiguration" not in service(resources)
    assert one(resources, ":TargetGroup").inputs["targetType"] == "instance"


def test_a_host_port_leads_to_the_container_that_listens() -> None:
    resources = made({**BRIDGE, "host_port": 80, "desired_count": 1})
    assert port_mapping(resources) == {"containerPort": 8080, "hostPort": 80, "protocol": "tcp"}
    assert one(resources, ":SecurityGroupIngressRule", "web-80-from-balancer").inputs["fromPort"] == 80


def test_a_host_port_for_two_that_listen_is_refused() -> None:
    """It leads to one of them, and nobody said to which."""
    with pytest.raises(InvalidArgsError, match=r"host_port: got 80; none, since \['a', 'b'\] listen"):
        made({**BRIDGE, "host_port": 80, "desired_count": 1}, of=Pair)


def test_a_task_with_an_address_of_its_own_runs_on_instances_too() -> None:
    resources = made({**BRIDGE, "network_mode": "awsvpc"})
    assert (definition(resources)["requiresCompatibilities"], definition(resources)["networkMode"]) == (
        ["EC2"],
        "awsvpc",
    )
    assert service(resources)["networkConfiguration"]["assignPublicIp"] is False


def test_a_tasks_architecture_is_that_of_its_instances() -> None:
    """Otherwise ECS finds no instance for it, and waits."""
    task = definition(made({"capacity": [{"provider": "arm"}]}, ARM))
    assert task["runtimePlatform"]["cpuArchitecture"] == "ARM64"


def test_managed_instances_run_a_task_that_is_for_them() -> None:
    task = definition(made({"capacity": [{"provider": "patched"}]}, MANAGED))
    assert task["requiresCompatibilities"] == ["MANAGED_INSTANCES"]


def test_where_a_service_goes_is_said_beside_it() -> None:
    """A placement that does not begin with zones is one under which ECS evens none of them out."""
    placement = {"strategies": [{"kind": "binpack", "by": "cpu"}], "distinct_instances": True}
    said = service(made({**BRIDGE, "placement": placement}))
    assert said["orderedPlacementStrategies"] == [{"type": "binpack", "field": "cpu"}]
    assert said["placementConstraints"] == [{"type": "distinctInstance"}]
    assert said["availabilityZoneRebalancing"] == "DISABLED"
    assert service(made(BRIDGE))["availabilityZoneRebalancing"] == "ENABLED"


def test_dynamic_ports_are_open_to_balancers_only_where_some_task_has_one() -> None:
    """Half of a machine's ports are not opened for nobody."""

    def ways_in(section: dict[str, Any]) -> set[str]:
        rules = of_type(made(section), ":SecurityGroupIngressRule").values()
        return {each.name for each in rules if each.inputs["securityGroupId"] == "test-general-id"}

    assert ways_in(BRIDGE) == {"test-general-from-test-internal", "test-general-from-test-public"}
    assert ways_in({**BRIDGE, "host_port": 80, "desired_count": 1}) == {"web-80-from-balancer"}
    assert ways_in({}) == set()


def test_every_tag_reaches_instances_and_their_disks() -> None:
    """The provider's default tags reach neither, and a bill without CostCenter is nobody's."""
    resources = made({})
    expected = {**stack().tags(), "Service": "platform"}
    specified = one(resources, ":LaunchTemplate").inputs["tagSpecifications"]
    assert {each["resourceType"]: each["tags"] for each in specified} == {"instance": expected, "volume": expected}
    group = {each["key"]: each["value"] for each in one(resources, "autoscaling/group:Group").inputs["tags"]}
    assert group.items() >= expected.items()
    managed = one(made({}, MANAGED), ":CapacityProvider")
    assert managed.inputs["tags"].items() >= expected.items()


def test_it_can_be_destroyed_from_the_service_down_to_the_machines() -> None:
    """Service, association, capacity provider, group, template: the engine deletes in the order of dependencies."""
    resources = made(BRIDGE)
    order = [
        one(resources, token)
        for token in (
            "ecs/service:Service",
            ":ClusterCapacityProviders",
            ":CapacityProvider",
            "autoscaling/group:Group",
            ":LaunchTemplate",
            "ecs/cluster:Cluster",
        )
    ]
    for first, then in itertools.pairwise(order):
        assert then.urn in first.dependencies, f"{first.type} must go before {then.type}"


def test_a_stack_without_instances_makes_none_of_it() -> None:
    resources = made({}, {})
    for token in (":LaunchTemplate", "autoscaling/group:Group", ":CapacityProvider", ":InstanceProfile"):
        assert not of_type(resources, token)
