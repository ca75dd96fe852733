"""A cluster's providers, and what ECS Exec leaves behind."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pulumi import Output

from components.account import Account
from components.capacity import Capacity
from components.cluster import Cluster, ClusterArgs
from components.ec2_instances import Ec2Instances
from components.errors import InvalidArgsError
from components.grants import Grant, document
from components.logs import Logs
from components.managed_instances import ManagedInstances
from tests.components.recorder import of_type, one, record
from tests.components.samples import NETWORK

ACCOUNT = Account(id="123456789012", region="eu-west-1")
AUDITED = ClusterArgs(account=ACCOUNT, exec_audit=Logs(retention_days=365))
AUDIT_ARN = "arn:aws:logs:eu-west-1:123456789012:log-group:/ecs/exec/main"


def test_both_fargate_providers_are_associated_and_the_default_is_on_demand() -> None:
    """A service that chooses Spot is refused by a cluster that does not have it."""
    providers = one(record(lambda: Cluster("main", ClusterArgs(account=ACCOUNT))), ":ClusterCapacityProviders")
    assert providers.inputs["capacityProviders"] == ["FARGATE", "FARGATE_SPOT"]
    assert providers.inputs["defaultCapacityProviderStrategies"] == [
        {"capacityProvider": "FARGATE", "weight": 1, "base": 0}
    ]


def test_container_insights_are_enhanced_unless_said_otherwise() -> None:
    cluster = one(record(lambda: Cluster("main", ClusterArgs(account=ACCOUNT))), "aws:ecs/cluster:Cluster")
    assert cluster.inputs["settings"] == [{"name": "containerInsights", "value": "enhanced"}]


@pytest.mark.parametrize("attribute", ["arn", "cluster_name"])
def test_whoever_uses_the_cluster_waits_for_its_providers(attribute: str) -> None:
    """ECS refuses a service whose strategy names a provider that is not associated yet."""

    def build() -> None:
        import pulumi_aws as aws  # noqa: PLC0415 - as a user of the cluster would

        aws.sns.Topic("user", display_name=getattr(Cluster("main", ClusterArgs(account=ACCOUNT)), attribute))

    resources = record(build)
    awaited = one(resources, ":Topic").property_dependencies["displayName"]
    assert one(resources, ":ClusterCapacityProviders").urn in awaited


def test_without_an_audit_there_is_neither_key_nor_log() -> None:
    resources = record(lambda: Cluster("main", ClusterArgs(account=ACCOUNT)))
    assert not of_type(resources, ":Key")
    assert not of_type(resources, ":LogGroup")
    assert "configuration" not in one(resources, "aws:ecs/cluster:Cluster").inputs


def test_an_audited_session_is_logged_and_encrypted() -> None:
    resources = record(lambda: Cluster("main", AUDITED))
    assert one(resources, "aws:ecs/cluster:Cluster").inputs["configuration"] == {
        "executeCommandConfiguration": {
            "kmsKeyId": "main-exec.arn",
            "logging": "OVERRIDE",
            "logConfiguration": {"cloudWatchEncryptionEnabled": True, "cloudWatchLogGroupName": "/ecs/exec/main"},
        }
    }
    group = one(resources, ":LogGroup")
    assert group.inputs["name"] == "/ecs/exec/main"
    assert group.inputs["retentionInDays"] == 365
    assert group.inputs["kmsKeyId"] == "main-exec.arn"


def test_the_audit_key_rotates_and_admits_cloudwatch_for_that_log_alone() -> None:
    key = one(record(lambda: Cluster("main", AUDITED)), ":Key")
    assert key.inputs["enableKeyRotation"] is True
    assert json.loads(key.inputs["policy"]) == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"AWS": "arn:aws:iam::123456789012:root"},
                "Action": ["kms:*"],
                "Resource": "*",
            },
            {
                "Effect": "Allow",
                "Principal": {"Service": "logs.eu-west-1.amazonaws.com"},
                "Action": ["kms:Encrypt*", "kms:Decrypt*", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:Describe*"],
                "Resource": "*",
                "Condition": {"ArnEquals": {"kms:EncryptionContext:aws:logs:arn": AUDIT_ARN}},
            },
        ],
    }


def test_in_china_the_log_service_has_its_own_name() -> None:
    account = Account(id="123456789012", region="cn-north-1", partition="aws-cn")
    args = ClusterArgs(account=account, exec_audit=Logs())
    policy = json.loads(one(record(lambda: Cluster("main", args)), ":Key").inputs["policy"])
    assert policy["Statement"][1]["Principal"] == {"Service": "logs.cn-north-1.amazonaws.com.cn"}


def test_a_task_with_exec_gets_the_channel_its_log_and_the_key_and_no_more() -> None:
    def build() -> object:
        policy = document(Cluster("main", AUDITED).exec_grants())
        return policy.apply(_pinned)  # type: ignore[union-attr]

    def _pinned(policy: str) -> None:
        assert json.loads(policy)["Statement"] == [
            {
                "Effect": "Allow",
                "Action": [
                    "ssmmessages:CreateControlChannel",
                    "ssmmessages:CreateDataChannel",
                    "ssmmessages:OpenControlChannel",
                    "ssmmessages:OpenDataChannel",
                ],
                "Resource": ["*"],
            },
            {"Effect": "Allow", "Action": ["logs:DescribeLogGroups"], "Resource": ["*"]},
            {
                "Effect": "Allow",
                "Action": ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
                "Resource": [f"{AUDIT_ARN}:*"],
            },
            {"Effect": "Allow", "Action": ["kms:Decrypt"], "Resource": ["main-exec.arn"]},
        ]

    record(build)


def test_exec_without_an_audit_is_refused_with_what_to_add() -> None:
    def build() -> tuple[Grant, ...]:
        return Cluster("main", ClusterArgs(account=ACCOUNT)).exec_grants()

    with pytest.raises(InvalidArgsError, match=r"Cluster.exec_audit.*exec_audit=Logs\(\)"):
        record(build)


def test_a_strategy_is_checked_before_anything_is_registered() -> None:
    with pytest.raises(InvalidArgsError, match="one capacity provider or more"):
        ClusterArgs(account=ACCOUNT, capacity=())


def test_an_unknown_container_insights_is_refused() -> None:
    with pytest.raises(InvalidArgsError, match=r"Cluster.container_insights: got 'on'; one of 'disabled'"):
        ClusterArgs(account=ACCOUNT, container_insights="on")  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["a" * 248, "no spaces"])
def test_a_name_that_ecs_refuses_is_refused(name: str) -> None:
    with pytest.raises(InvalidArgsError, match="cluster name"):
        record(lambda: Cluster(name, ClusterArgs(account=ACCOUNT)))


def test_the_default_strategy_is_handed_to_services() -> None:
    capacity = (Capacity("FARGATE", base=1), Capacity("FARGATE_SPOT", weight=3))
    seen: list[object] = []
    record(lambda: seen.append(Cluster("main", ClusterArgs(account=ACCOUNT, capacity=capacity)).capacity))
    assert seen == [capacity]


OWN = ClusterArgs(
    account=ACCOUNT,
    capacity=(Capacity("general"),),
    instances={"managed": ManagedInstances(network=NETWORK), "general": Ec2Instances(network=NETWORK, maximum=2)},
)


def test_its_own_instances_are_associated_beside_fargate() -> None:
    """PutClusterCapacityProviders replaces the whole list: whoever is not in it is thrown out."""
    providers = one(record(lambda: Cluster("main", OWN)), ":ClusterCapacityProviders")
    assert providers.inputs["capacityProviders"] == [
        "FARGATE",
        "FARGATE_SPOT",
        "main-general.name",
        "main-managed.name",
    ]
    assert providers.inputs["defaultCapacityProviderStrategies"] == [
        {"capacityProvider": "main-general.name", "weight": 1, "base": 0}
    ]


def test_it_can_be_destroyed_from_the_services_down_to_the_cluster() -> None:
    """Association, then provider, then group and instances, then the cluster, which AWS keeps while one is in it."""
    resources = record(lambda: Cluster("main", OWN))
    associated, provider = (
        one(resources, ":ClusterCapacityProviders"),
        one(resources, ":CapacityProvider", "main-general"),
    )
    scaled, template = one(resources, "autoscaling/group:Group"), one(resources, ":LaunchTemplate")
    cluster = one(resources, "aws:ecs/cluster:Cluster")
    assert provider.urn in associated.dependencies
    assert scaled.urn in provider.dependencies
    assert template.urn in scaled.dependencies
    assert cluster.urn in template.dependencies


def test_a_strategy_is_given_out_by_the_names_that_ecs_knows() -> None:
    seen: list[object] = []

    def build() -> object:
        cluster = Cluster("main", OWN)
        assert [each.provider for each in cluster.strategy([Capacity("FARGATE_SPOT")])] == ["FARGATE_SPOT"]
        (own,) = cluster.strategy()
        return Output.from_input(own.provider).apply(seen.append)

    record(build)
    assert seen == ["main-general.name"]


@pytest.mark.parametrize(
    ("said", "says"),
    [
        ({"capacity": (Capacity("general"),)}, "Capacity.provider: got 'general'; one of FARGATE, FARGATE_SPOT"),
        ({"instances": {"ecs": Ec2Instances(network=NETWORK, maximum=1)}}, "Cluster.instances: got 'ecs'; lower-case"),
        ({"instances": {"Big": Ec2Instances(network=NETWORK, maximum=1)}}, "Cluster.instances: got 'Big'; lower-case"),
    ],
)
def test_instances_that_are_not_there_or_cannot_be_named_are_refused(said: dict[str, Any], says: str) -> None:
    with pytest.raises(InvalidArgsError) as refused:
        ClusterArgs(account=ACCOUNT, **said)
    assert says in str(refused.value)
