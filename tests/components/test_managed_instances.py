"""Managed Instances stand in private subnets, hand their tags on, and ECS can launch nothing else by their role."""

from __future__ import annotations

import json
from typing import Any

import pytest

from components.account import Account
from components.errors import InvalidArgsError
from components.managed_instances import ManagedCapacity, ManagedCapacityArgs, ManagedInstances
from tests.components.recorder import Recorded, of_type, one, record
from tests.components.samples import NETWORK

ACCOUNT = Account(id="111122223333", region="eu-west-1")


def made(**said: Any) -> list[Recorded]:
    instances = ManagedInstances(**({"network": NETWORK} | said))
    args = ManagedCapacityArgs(account=ACCOUNT, cluster_name="main", instances=instances)
    return record(lambda: ManagedCapacity("managed", args))


def allowed(resources: list[Recorded]) -> list[dict[str, Any]]:
    return json.loads(one(resources, ":RolePolicy", "managed-infrastructure").inputs["policy"])["Statement"]


def test_the_provider_says_where_what_and_whose() -> None:
    resources = made(spot=True, instance_types=("m7i.*", "m6i.*"), cpus=(1, 4), memory=(2048, 8192), disk=100)
    provider = one(resources, ":CapacityProvider").inputs
    assert provider["cluster"] == "main"
    said = provider["managedInstancesProvider"]
    assert said["propagateTags"] == "CAPACITY_PROVIDER", "or instances and disks have none"
    assert said["infrastructureRoleArn"] == "managed-infrastructure.arn"
    assert said["instanceLaunchTemplate"] == {
        "ec2InstanceProfileArn": "managed-instance.arn",
        "capacityOptionType": "SPOT",
        "networkConfiguration": {"subnets": list(NETWORK.app_subnet_ids), "securityGroups": ["managed-id"]},
        "storageConfiguration": {"storageSizeGib": 100},
        "instanceRequirements": {
            "vcpuCount": {"min": 1, "max": 4},
            "memoryMib": {"min": 2048, "max": 8192},
            "instanceGenerations": ["current"],
            "allowedInstanceTypes": ["m6i.*", "m7i.*"],
        },
    }


def test_they_are_on_demand_unless_said_otherwise() -> None:
    said = one(made(), ":CapacityProvider").inputs["managedInstancesProvider"]["instanceLaunchTemplate"]
    assert said["capacityOptionType"] == "ON_DEMAND"
    assert "allowedInstanceTypes" not in said["instanceRequirements"]


def test_the_role_of_their_agent_is_for_their_cluster_alone() -> None:
    policy = json.loads(one(made(), ":RolePolicy", "managed-instance").inputs["policy"])
    granted = {action: statement["Resource"] for statement in policy["Statement"] for action in statement["Action"]}
    cluster = ["arn:aws:ecs:eu-west-1:111122223333:cluster/main"]
    instances = ["arn:aws:ecs:eu-west-1:111122223333:container-instance/main/*"]
    assert granted == {
        "ecs:DiscoverPollEndpoint": ["*"],
        "ecs:RegisterContainerInstance": cluster,
        "ecs:SubmitAttachmentStateChanges": cluster,
        "ecs:SubmitTaskStateChange": cluster,
        "ecs:Poll": instances,
        "ecs:PutSystemLogEvents": instances,
        "ecs:StartTelemetrySession": instances,
    }


def test_ecs_launches_them_in_these_subnets_and_this_group_alone() -> None:
    """AWS's own policy says any of either."""
    (stands,) = (each for each in allowed(made()) if any(":subnet/" in arn for arn in each["Resource"]))
    assert stands["Action"] == ["ec2:CreateFleet", "ec2:RunInstances"]
    assert stands["Resource"] == [
        *(f"arn:aws:ec2:eu-west-1:111122223333:subnet/{subnet}" for subnet in NETWORK.app_subnet_ids),
        "arn:aws:ec2:eu-west-1:111122223333:security-group/managed-id",
        "arn:aws:ec2:eu-west-1::image/*",
    ]


def test_ecs_passes_them_their_own_role_and_no_other() -> None:
    """Whoever may pass any role to an instance has them all."""
    (passing,) = (each for each in allowed(made()) if "iam:PassRole" in each["Action"])
    assert passing["Resource"] == ["managed-instance.arn"]
    assert passing["Condition"] == {"StringEquals": {"iam:PassedToService": "ec2.amazonaws.com"}}


def test_whatever_ecs_makes_is_marked_as_its_own() -> None:
    """Or it could change and launch what others made."""
    for statement in allowed(made()):
        unmarked = [arn for arn in statement["Resource"] if arn.endswith(("instance/*", "volume/*", "template/*"))]
        assert not unmarked or statement["Condition"], statement


def test_the_provider_waits_for_its_roles_and_is_gone_before_them() -> None:
    """ECS takes the instances away by the role: without it they would stay, and cost."""
    resources = made()
    provider = one(resources, ":CapacityProvider")
    assert {each.urn for each in of_type(resources, ":RolePolicy").values()} <= provider.dependencies


@pytest.mark.parametrize(
    ("said", "says"),
    [
        ({"cpus": (4, 2)}, "ManagedInstances.cpus: got (4, 2); the least and the most, from 1 to 1024"),
        ({"memory": (512, 1024)}, "ManagedInstances.memory: got (512, 1024)"),
        ({"disk": 29}, "ManagedInstances.disk: got 29"),
        ({"open_ports": (1,)}, "ManagedInstances.open_ports: got [1]; TCP ports from 1 to 65535, each once, and 443"),
        (
            {"instance_types": ("",)},
            "ManagedInstances.instance_types: got ''; a type or a pattern, such as 'm6i.large'",
        ),
        ({"instance_types": ("m6i.*", "m6i.*")}, "instance_types: got ['m6i.*', 'm6i.*']; 400 or fewer, each once"),
        ({"instance_types": tuple(f"m{n}.*" for n in range(401))}, "400 or fewer, each once"),
        ({"instance_types": ("m7g.*",)}, "instance_types: got 'm7g.*'; processors of the architecture X86_64"),
    ],
)
def test_a_bound_that_is_broken_is_named(said: dict[str, Any], says: str) -> None:
    with pytest.raises(InvalidArgsError) as refused:
        made(**said)
    assert says in str(refused.value)
