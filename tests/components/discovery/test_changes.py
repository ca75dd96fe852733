"""Another way changes what is registered where and what clients are told: what runs, and what is common, stays."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.components.discovery.stack import made

if TYPE_CHECKING:
    from tests.components.recorder import Recorded

WAYS: Final = ("cloud_map+nlb", "service_connect", "nlb", "lattice", "address", "cloud_map+nlb")
"""Five changes over one program, the last of them back."""

SERVER, GATEWAY = "ecs/service:Service workflow-agent", "ecs/service:Service api-gateway"
TOLD = "ecs/taskDefinition:TaskDefinition api-gateway"
IN_PLACE: Final = {
    "ecs/service:Service": {
        "loadBalancers", "serviceRegistries", "serviceConnectConfiguration", "vpcLatticeConfigurations",
        "healthCheckGracePeriodSeconds", "taskDefinition",
    },
    "ecs/taskDefinition:TaskDefinition": {"containerDefinitions"},
    "iam/rolePolicy:RolePolicy": {"policy"},
}  # fmt: skip
"""What may change of what stays: all that the provider updates in place, or, a task definition, by a revision."""


def inventory(kind: str) -> dict[str, Recorded]:
    """Return the resources of the program by type and name."""
    # A task definition's ARN changes with its revision; the recorder's does not.
    return {f"{each.type.removeprefix('aws:')} {each.name}": each for each in made(kind) if each.custom}


def changed(before: Recorded, after: Recorded) -> set[str]:
    said: tuple[dict[str, Any], dict[str, Any]] = (dict(before.inputs), dict(after.inputs))
    return {key for key in said[0].keys() | said[1].keys() if said[0].get(key) != said[1].get(key)}


@pytest.mark.parametrize(("old", "new"), list(itertools.pairwise(WAYS)))
def test_what_stays_is_updated_in_place(old: str, new: str) -> None:
    """Neither service is replaced, and of nothing that stays does anything change that AWS cannot change."""
    before, after = inventory(old), inventory(new)
    stays = before.keys() & after.keys()
    assert {SERVER, GATEWAY, "ec2/securityGroup:SecurityGroup agent"} <= stays
    for each in stays:
        allowed = IN_PLACE.get(each.split()[0], set[str]())
        assert changed(before[each], after[each]) <= allowed, each


@pytest.mark.parametrize(("old", "new"), list(itertools.pairwise(WAYS)))
def test_the_servers_task_definition_stays_as_it_is(old: str, new: str) -> None:
    """How it is found is nothing that its container need know."""
    before, after = (inventory(each)["ecs/taskDefinition:TaskDefinition workflow-agent"] for each in (old, new))
    assert not changed(before, after)


@pytest.mark.parametrize(
    ("old", "new", "gone", "come", "other"),
    [
        (
            "cloud_map+nlb",
            "service_connect",
            {
                "servicediscovery/service:Service agent",
                "lb/loadBalancer:LoadBalancer agent-nlb",
                "lb/targetGroup:TargetGroup agent-nlb-50051",
                "lb/listener:Listener agent-nlb-50051",
                "ec2/securityGroup:SecurityGroup agent-nlb",
                "vpc/securityGroupEgressRule:SecurityGroupEgressRule agent-from-nlb",
                "vpc/securityGroupIngressRule:SecurityGroupIngressRule agent-from-nlb",
                "vpc/securityGroupEgressRule:SecurityGroupEgressRule api-gateway-to-agent-nlb",
                "vpc/securityGroupIngressRule:SecurityGroupIngressRule api-gateway-to-agent-nlb",
                "iam/rolePolicy:RolePolicy api-gateway-task",
            },
            set[str](),
            {SERVER, GATEWAY, TOLD},
        ),
        (
            "nlb",
            "cloud_map+nlb",
            set[str](),
            {
                "servicediscovery/service:Service agent",
                "vpc/securityGroupEgressRule:SecurityGroupEgressRule api-gateway-to-agent",
                "vpc/securityGroupIngressRule:SecurityGroupIngressRule api-gateway-to-agent",
                "iam/rolePolicy:RolePolicy api-gateway-task",
            },
            {SERVER, TOLD},
        ),
    ],
)
def test_one_way_for_another_makes_and_removes_what_it_takes(
    old: str, new: str, gone: set[str], come: set[str], other: set[str]
) -> None:
    """The whole difference of two inventories."""
    before, after = inventory(old), inventory(new)
    assert before.keys() - after.keys() == gone
    assert after.keys() - before.keys() == come
    assert {each for each in before.keys() & after.keys() if changed(before[each], after[each])} == other
