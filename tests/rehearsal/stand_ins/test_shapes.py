"""Properties become parameters by botocore's models, wherever names tell."""

from __future__ import annotations

import pytest

from rehearsal.stand_ins import shapes
from rehearsal.stand_ins.shapes import NoParameterError


def test_names_match_whatever_their_case_number_or_suffix() -> None:
    actions = [{"type": "redirect", "order": "1", "redirect": {"statusCode": "HTTP_301"}}]
    assert shapes.parameters("elbv2:CreateListener", {"loadBalancerArn": "a", "defaultActions": actions}, {}) == {
        "LoadBalancerArn": "a",
        "DefaultActions": [{"Type": "redirect", "Order": 1, "RedirectConfig": {"StatusCode": "HTTP_301"}}],
    }
    strategy = {"capacityProviderStrategies": [{"capacityProvider": "FARGATE"}]}
    assert shapes.parameters("ecs:CreateService", strategy, {}) == {
        "capacityProviderStrategy": [{"capacityProvider": "FARGATE"}]
    }


def test_a_renamed_path_goes_where_it_is_sent() -> None:
    forward = [{"type": "forward", "forward": {"targetGroups": [{"arn": "t"}]}}]
    rename = {"actions.forward.targetGroups.arn": "TargetGroupArn"}
    made = shapes.parameters("elbv2:CreateRule", {"actions": forward}, rename)
    assert made["Actions"][0]["ForwardConfig"] == {"TargetGroups": [{"TargetGroupArn": "t"}]}


def test_a_property_that_no_member_takes_is_told_by_its_path() -> None:
    with pytest.raises(NoParameterError, match=r"^actions\.forwrd$"):
        shapes.parameters("elbv2:CreateRule", {"actions": [{"type": "forward", "forwrd": {}}]}, {})


def test_json_becomes_structure_where_the_operation_wants_one_and_stays_text_where_it_wants_text() -> None:
    containers = shapes.parameters("ecs:RegisterTaskDefinition", {"containerDefinitions": '[{"cpu": 1}]'}, {})
    assert containers == {"containerDefinitions": [{"cpu": 1}]}
    policy = shapes.parameters("iam:PutRolePolicy", {"policyDocument": '{"a": 1}'}, {})
    assert policy == {"PolicyDocument": '{"a": 1}'}


def test_a_map_becomes_names_and_values() -> None:
    made = shapes.parameters("cloudwatch:PutMetricAlarm", {"dimensions": {"ClusterName": "main"}}, {})
    assert made == {"Dimensions": [{"Name": "ClusterName", "Value": "main"}]}


def test_one_value_becomes_a_list_of_one() -> None:
    made = shapes.parameters("apigateway:CreateRestApi", {"endpointConfiguration": {"types": "PRIVATE"}}, {})
    assert made == {"endpointConfiguration": {"types": ["PRIVATE"]}}


@pytest.mark.parametrize(
    ("operation", "given", "wanted"),
    [
        ("ecs:CreateService", {"desiredCount": "2"}, {"desiredCount": 2}),
        ("ecs:CreateService", {"enableExecuteCommand": "true"}, {"enableExecuteCommand": True}),
        ("cloudwatch:PutMetricAlarm", {"threshold": 70}, {"Threshold": 70.0}),
        ("ecs:RegisterTaskDefinition", {"cpu": 256}, {"cpu": "256"}),
        (
            "lambda:CreateFunction",
            {"environment": {"variables": {"A": True}}},
            {"Environment": {"Variables": {"A": "true"}}},
        ),
    ],
)
def test_scalars_take_the_type_that_the_operation_wants(
    operation: str, given: dict[str, object], wanted: dict[str, object]
) -> None:
    assert shapes.parameters(operation, given, {}) == wanted


@pytest.mark.parametrize(
    ("operation", "wanted"),
    [
        ("ecs:CreateCluster", {"tags": [{"key": "a", "value": "b"}]}),
        ("iam:CreateRole", {"Tags": [{"Key": "a", "Value": "b"}]}),
        ("kms:CreateKey", {"Tags": [{"TagKey": "a", "TagValue": "b"}]}),
        ("logs:CreateLogGroup", {"tags": {"a": "b"}}),
        ("sqs:CreateQueue", {"tags": {"a": "b"}}),
        ("ec2:CreateVpc", {"TagSpecifications": [{"ResourceType": "vpc", "Tags": [{"Key": "a", "Value": "b"}]}]}),
    ],
)
def test_tags_take_the_form_of_the_service(operation: str, wanted: dict[str, object]) -> None:
    assert shapes.tags(operation, {"a": "b"}, "vpc") == wanted


def test_an_operation_that_takes_no_tags_says_so() -> None:
    with pytest.raises(NoParameterError):
        shapes.tags("iam:PutRolePolicy", {"a": "b"})
