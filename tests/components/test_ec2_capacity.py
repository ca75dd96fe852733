"""Instances are closed, encrypted and tagged, keep their role from tasks, and can be destroyed."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from components.account import Account
from components.ec2_capacity import DYNAMIC_PORTS, Ec2Capacity, Ec2CapacityArgs
from components.ec2_instances import Ec2Instances
from components.errors import InvalidArgsError
from components.load_balancer import LoadBalancer, LoadBalancerArgs
from policies.rules.iam import documents, statements, trusts
from tests.components.recorder import Recorded, of_type, one, record
from tests.components.samples import NETWORK

ACCOUNT = Account(id="111122223333", region="eu-west-1")
CLUSTER = "arn:aws:ecs:eu-west-1:111122223333:cluster/main"
INSTANCES = "arn:aws:ecs:eu-west-1:111122223333:container-instance/main/*"


def made(name: str = "general", balanced: bool = False, **said: Any) -> list[Recorded]:  # noqa: FBT001, FBT002
    def build() -> None:
        balancers = [LoadBalancer("public", LoadBalancerArgs(network=NETWORK))] if balanced else []
        instances = Ec2Instances(**{"network": NETWORK, "maximum": 4, "balancers": balancers} | said)
        Ec2Capacity(name, Ec2CapacityArgs(account=ACCOUNT, cluster_name="main", instances=instances))

    return record(build)


def template(resources: list[Recorded]) -> dict[str, Any]:
    return dict(one(resources, ":LaunchTemplate").inputs)


def group(resources: list[Recorded]) -> dict[str, Any]:
    return dict(one(resources, "autoscaling/group:Group").inputs)


def test_the_agents_role_is_awss_own_narrowed_to_the_cluster() -> None:
    """The whole policy. AWS's reaches every cluster, repository and log group; images are for the execution role."""
    policy = json.loads(one(made(), ":RolePolicy").inputs["policy"])
    assert policy["Statement"] == [
        {"Effect": "Allow", "Action": ["ecs:DiscoverPollEndpoint"], "Resource": ["*"]},
        {
            "Effect": "Allow",
            "Action": [
                "ecs:DeregisterContainerInstance",
                "ecs:RegisterContainerInstance",
                "ecs:SubmitAttachmentStateChanges",
                "ecs:SubmitContainerStateChange",
                "ecs:SubmitTaskStateChange",
            ],
            "Resource": [CLUSTER],
        },
        {
            "Effect": "Allow",
            "Action": ["ecs:Poll", "ecs:StartTelemetrySession", "ecs:UpdateContainerInstancesState"],
            "Resource": [INSTANCES],
        },
    ]


def test_the_least_privilege_pack_finds_nothing_in_it() -> None:
    """Neither in what it may do nor in who takes it."""
    resources = made()
    document = documents.parse(one(resources, ":RolePolicy").inputs["policy"])
    assert document is not None
    assert statements.judge(document, [trusts.TASKS]) == []
    (trust,) = trusts.parse(one(resources, "iam/role:Role").inputs["assumeRolePolicy"]) or []
    assert trust.principal == "ec2.amazonaws.com"
    assert trusts.judge(trust, []) is None


def test_in_china_ec2_has_its_own_name() -> None:
    def build() -> None:
        account = Account(id="111122223333", region="cn-north-1", partition="aws-cn")
        instances = Ec2Instances(network=NETWORK, maximum=1)
        Ec2Capacity("general", Ec2CapacityArgs(account=account, cluster_name="main", instances=instances))

    trust = json.loads(one(record(build), "iam/role:Role").inputs["assumeRolePolicy"])
    assert trust["Statement"][0]["Principal"] == {"Service": "ec2.amazonaws.com.cn"}


def test_a_tasks_forged_request_does_not_get_the_instances_credentials() -> None:
    """A token is asked for, and goes one hop; tasks with addresses of their own, within it, the agent blocks."""
    resources = made()
    assert template(resources)["metadataOptions"] == {
        "httpEndpoint": "enabled",
        "httpTokens": "required",
        "httpPutResponseHopLimit": 1,
    }
    assert "ECS_AWSVPC_BLOCK_IMDS=true" in script(resources)


def script(resources: list[Recorded]) -> list[str]:
    return base64.b64decode(template(resources)["userData"]).decode().splitlines()


def test_the_instance_joins_its_cluster_at_its_first_start() -> None:
    """Without it the instance joins a cluster called `default`, and no task ever comes."""
    lines = script(made())
    assert lines[0] == "#!/bin/bash"
    assert "ECS_CLUSTER=main" in lines
    assert "ECS_ENABLE_SPOT_INSTANCE_DRAINING=true" in lines


def test_nobody_can_get_in() -> None:
    """No key, no way in for anybody, and out by HTTPS alone."""
    resources = made()
    assert "keyName" not in template(resources)
    assert not of_type(resources, ":SecurityGroupIngressRule")
    assert list(of_type(resources, ":SecurityGroupEgressRule")) == ["general-to-443"]
    assert template(resources)["vpcSecurityGroupIds"] == ["general-id"]
    assert "networkInterfaces" not in template(resources), "where a public address could be asked for"


def test_disks_are_encrypted_and_go_with_their_instance() -> None:
    (disk,) = template(made(disk=40))["blockDeviceMappings"]
    assert disk == {
        "deviceName": "/dev/xvda",
        "ebs": {"volumeType": "gp3", "volumeSize": 40, "encrypted": "true", "deleteOnTermination": "true"},
    }


@pytest.mark.parametrize(
    ("said", "path"),
    [({}, ""), ({"architecture": "ARM64", "instance_types": ("m7g.large",)}, "arm64/")],
)
def test_the_image_is_the_current_one_of_its_architecture(said: dict[str, Any], path: str) -> None:
    """AWS reads the parameter at each launch: nothing is asked at a preview, and no id ages in a file."""
    assert template(made(**said))["imageId"] == (
        f"resolve:ssm:/aws/service/ecs/optimized-ami/amazon-linux-2023/{path}recommended/image_id"
    )


def test_tags_reach_instances_and_disks() -> None:
    """The provider's default ones reach neither."""
    resources = made(tags={"Owner": "shop"})
    specifications = template(resources)["tagSpecifications"]
    assert [each["resourceType"] for each in specifications] == ["instance", "volume"]
    assert all(each["tags"]["Owner"] == "shop" for each in specifications)
    tags = {each["key"]: each["value"] for each in group(resources)["tags"]}
    assert tags == {"Owner": "shop", "Name": "general", "AmazonECSManaged": "true"}
    assert all(each["propagateAtLaunch"] is True for each in group(resources)["tags"])


def test_ecs_scales_drains_and_protects_them() -> None:
    """Termination protection is refused over a group whose instances are not protected; draining loses no request."""
    resources = made(target_capacity=90, warmup=60)
    assert one(resources, ":CapacityProvider").inputs["autoScalingGroupProvider"] == {
        "autoScalingGroupArn": "general.arn",
        "managedScaling": {"status": "ENABLED", "targetCapacity": 90, "instanceWarmupPeriod": 60},
        "managedDraining": "ENABLED",
        "managedTerminationProtection": "ENABLED",
    }
    said = group(resources)
    assert said["protectFromScaleIn"] is True
    assert "desiredCapacity" not in said, "it is ECS's to say, and each `up` would set it back"
    assert (said["minSize"], said["maxSize"]) == (0, 4)
    assert said["vpcZoneIdentifiers"] == list(NETWORK.app_subnet_ids)


def test_they_can_be_destroyed() -> None:
    """Protected instances never go by themselves; and what lets one take its leave must outlive it."""
    resources = made()
    assert group(resources)["forceDelete"] is True
    scaled = one(resources, "autoscaling/group:Group")
    outlive = [":RolePolicy", ":InstanceProfile", ":SecurityGroupEgressRule"]
    assert {one(resources, token).urn for token in outlive[:1] + outlive[2:]} <= scaled.dependencies
    assert one(resources, "iam/instanceProfile:InstanceProfile").urn in scaled.dependencies
    provider = one(resources, ":CapacityProvider")
    assert scaled.urn in provider.property_dependencies["autoScalingGroupProvider"]


def test_a_changed_template_replaces_them_new_ones_first() -> None:
    """And those that are protected too, or the refresh would wait for ever."""
    refresh = group(made())["instanceRefresh"]
    assert refresh["strategy"] == "Rolling"
    assert refresh["preferences"] == {
        "minHealthyPercentage": 100,
        "maxHealthyPercentage": 110,
        "scaleInProtectedInstances": "Refresh",
        "skipMatching": True,
    }


@pytest.mark.parametrize(("percent", "rebalanced"), [(100, False), (40, True)])
def test_spot_is_a_share_and_replaced_before_it_is_taken(percent: int, rebalanced: bool) -> None:  # noqa: FBT001
    said = group(made(on_demand_percent=percent, on_demand_base=1))
    assert said["mixedInstancesPolicy"]["instancesDistribution"] == {
        "onDemandBaseCapacity": 1,
        "onDemandPercentageAboveBaseCapacity": percent,
        "spotAllocationStrategy": "price-capacity-optimized",
    }
    assert said["capacityRebalance"] is rebalanced


def test_a_balancer_is_let_in_to_dynamic_ports_alone_and_the_agent_gives_out_no_others() -> None:
    """One rule for all services behind it: EC2 refuses a second one that says the same."""
    resources = made(balanced=True)
    ingress = one(resources, ":SecurityGroupIngressRule", "general-from-public").inputs
    egress = one(resources, ":SecurityGroupEgressRule", "general-from-public").inputs
    assert (ingress["securityGroupId"], ingress["referencedSecurityGroupId"]) == ("general-id", "public-id")
    assert (egress["securityGroupId"], egress["referencedSecurityGroupId"]) == ("public-id", "general-id")
    for rule in (ingress, egress):
        assert (rule["fromPort"], rule["toPort"]) == DYNAMIC_PORTS
    assert "ECS_DYNAMIC_HOST_PORT_RANGE=32768-60999" in script(resources)


def test_two_services_cannot_have_one_host_port() -> None:
    """ECS would start the second nowhere, and say so in its events alone."""

    def build() -> None:
        instances = Ec2Instances(network=NETWORK, maximum=1)
        capacity = Ec2Capacity("general", Ec2CapacityArgs(account=ACCOUNT, cluster_name="main", instances=instances))
        capacity.claim("web", [80])
        capacity.claim("web", [80])
        capacity.claim("shop", [80])

    with pytest.raises(InvalidArgsError, match=r"Container.host_port: got 80; another one: 'web' has it"):
        record(build)


@pytest.mark.parametrize("name", ["ecs-general", "AWS", "a" * 121])
def test_a_name_that_ecs_keeps_or_that_is_too_long_is_refused(name: str) -> None:
    with pytest.raises(InvalidArgsError, match=r"(capacity provider|launch template) name"):
        made(name)
