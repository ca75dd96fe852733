"""What query-service may do in AWS, whole, on both stacks."""

from __future__ import annotations

import json

import pytest

from tests.whole import deployed, previewed

ACCOUNTS = {"dev": "111122223333", "prod": "444455556666"}
REGION = "ap-southeast-1"

each_stack = pytest.mark.parametrize("stack", ACCOUNTS)


def policy(stack: str, role: str) -> list[tuple[list[str], list[str]]]:
    """Return what *role* may do, whole: actions and resources of each statement, all of which allow."""
    document = json.loads(deployed(stack).of_workload("query-service").one(":RolePolicy", role).inputs["policy"])
    assert all(each.keys() == {"Effect", "Action", "Resource"} for each in document["Statement"])
    assert {each["Effect"] for each in document["Statement"]} == {"Allow"}
    return [(each["Action"], each["Resource"]) for each in document["Statement"]]


def logs(stack: str, group: str) -> str:
    return f"arn:aws:logs:{REGION}:{ACCOUNTS[stack]}:log-group:{group}:*"


@each_stack
def test_its_task_may_use_its_own_table_and_function_and_be_looked_into(stack: str) -> None:
    """The whole policy: five actions on the items of one table, one function, and what ECS Exec and its record need."""
    assert policy(stack, "query-service-task") == [
        (
            [f"dynamodb:{each}" for each in ("GetItem", "Query", "PutItem", "UpdateItem", "DeleteItem")],
            ["query-service-answers.arn"],
        ),
        (["lambda:InvokeFunction"], ["query-result-lambda.arn"]),
        (
            [f"ssmmessages:{verb}{kind}Channel" for verb in ("Create", "Open") for kind in ("Control", "Data")],
            ["*"],
        ),
        (["logs:DescribeLogGroups"], ["*"]),
        (
            ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
            [logs(stack, f"/ecs/exec/{stack}")],
        ),
        (["kms:Decrypt"], [f"{stack}-exec.arn"]),
    ]


@each_stack
def test_ecs_may_pull_its_image_and_write_its_log(stack: str) -> None:
    """The whole policy; dev's image is its own, prod's is the one that dev built."""
    repository = {"dev": "query-service.arn", "prod": f"arn:aws:ecr:{REGION}:111122223333:repository/query-service"}
    assert policy(stack, "query-service-execution") == [
        (["ecr:GetAuthorizationToken"], ["*"]),
        (
            ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
            [repository[stack]],
        ),
        (["logs:CreateLogStream", "logs:PutLogEvents"], [logs(stack, "/ecs/query-service")]),
    ]


@each_stack
def test_its_function_may_query_the_source_and_write_its_log(stack: str) -> None:
    """The whole policy."""
    assert policy(stack, "query-result-lambda") == [
        (["logs:CreateLogStream", "logs:PutLogEvents"], [logs(stack, "/lambda/query-result-lambda")]),
        (["dynamodb:Query"], ["query-service-source.arn"]),
    ]


@each_stack
def test_what_its_roles_may_do_is_declared_at_a_first_preview(stack: str) -> None:
    """Action for action: the documents are unknown then."""
    declared = {
        role: [grant["actions"] for grant in grants]
        for each in previewed(stack).of_workload("query-service").graph
        for role, grants in json.loads(each.inputs.get("declared") or "{}").get("policies", {}).items()
        if not each.custom
    }
    for role in ("query-service-task", "query-service-execution", "query-result-lambda"):
        assert declared[role] == [actions for actions, _ in policy(stack, role)]


@each_stack
def test_it_has_three_roles_and_no_more(stack: str) -> None:
    whole = deployed(stack).of_workload("query-service")
    roles = {each.name for each in whole.below(whole.one("index:QueryService")) if each.type == "aws:iam/role:Role"}
    assert roles == {"query-service-task", "query-service-execution", "query-result-lambda"}
