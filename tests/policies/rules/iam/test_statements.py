"""The definition of least privilege: a statement that passes, and one thing broken at a time."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from cloudsplaining.scan.policy_document import PolicyDocument
from cloudsplaining.shared.constants import PRIVILEGE_ESCALATION_METHODS
from moto.iam.aws_managed_policies import aws_managed_policies_data

from policies.reading import Unknown
from policies.rules.iam import documents, escalation, statements
from tests.policies.build import UNKNOWN, frozen

if TYPE_CHECKING:
    from policies.rules.iam.statements import Fault

TABLE = "arn:aws:dynamodb:eu-west-1:123456789012:table/orders-1a2b3c4"
ROLES = ["arn:aws:iam::123456789012:role/task-1a2b3c4", "arn:aws:iam::123456789012:role/execution-1a2b3c4"]
TO_TASKS = {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}}


def document(*entries: dict[str, Any], **changes: Any) -> dict[str, Any]:
    written = [{"Effect": "Allow", "Resource": TABLE, **entry} for entry in entries]
    return {"Version": "2012-10-17", "Statement": written, **changes}


def judged(*entries: dict[str, Any], task_role: bool = False, **changes: Any) -> list[Fault]:
    parsed = documents.parse(json.dumps(document(*entries, **changes)))
    assert parsed
    return statements.judge(parsed, ["ecs-tasks.amazonaws.com"], task_role=task_role)


def rules(faults: list[Fault]) -> list[str]:
    return [it.rule for it in faults]


def test_named_actions_on_a_named_resource_pass() -> None:
    assert judged({"Action": ["dynamodb:GetItem", "dynamodb:Query"]}, task_role=True) == []


def test_a_single_statement_need_not_be_a_list() -> None:
    parsed = documents.parse(json.dumps({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:*"}}))
    assert parsed
    assert rules(statements.judge(parsed, [])) == ["wildcard-action"]


def test_every_fault_carries_statement_action_reason_and_fix() -> None:
    (fault,) = judged({"Action": "dynamodb:GetItem"}, {"Action": "s3:*", "Resource": "*"})
    assert (fault.statement, fault.action) == (1, "s3:*")
    assert str(fault) == ("statement 1, s3:*: every action of s3 is allowed; name the actions that the code calls")


@pytest.mark.parametrize("action", ["*", "*:*", "s3:*", "ssmmessages:*", "S3:*", "s*:Get"])
def test_a_whole_service_is_refused_once(action: str) -> None:
    """One clear message, not one for each of its hundred actions."""
    assert rules(judged({"Action": action, "Resource": "*"})) == ["wildcard-action"]


@pytest.mark.parametrize("action", ["dynamodb:BatchG*", "ecr:BatchGet*"])
def test_a_prefix_within_one_level_of_reading_passes(action: str) -> None:
    resource = TABLE if action.startswith("dynamodb") else "arn:aws:ecr:eu-west-1:123456789012:repository/shop"
    assert judged({"Action": action, "Resource": resource}) == []


@pytest.mark.parametrize("action", ["dynamodb:*Item", "dynamodb:Get?tem", "dynamodb:P*", "s3:Get*O*", "dynamodb:D*"])
def test_any_other_wildcard_in_a_name_is_refused(action: str) -> None:
    assert rules(judged({"Action": action})) == ["wildcard-action"]


@pytest.mark.parametrize(
    ("action", "fix"),
    [
        ("dynamodb:GetItems", "did you mean dynamodb:GetItem?"),
        ("dynamobd:GetItem", "did you mean 'dynamodb'?"),
        ("dynamodb", "there is no such service"),
        ("dynamodb:Gte*", "did you mean dynamodb:Get"),
    ],
)
def test_an_action_that_does_not_exist_is_a_typo(action: str, fix: str) -> None:
    """It grants nothing, so the code that needs it fails only once deployed."""
    (fault,) = judged({"Action": action})
    assert fault.rule == "unknown-action"
    assert fix in fault.fix or action == "dynamodb"


def test_a_typo_in_a_deny_is_a_typo_too() -> None:
    """It denies nothing."""
    assert rules(judged({"Effect": "Deny", "Action": "s3:DeleteBuckets"})) == ["unknown-action"]


def test_an_action_of_a_retired_service_is_no_typo() -> None:
    assert judged({"Action": "evidently:EvaluateFeature"}) == []


@pytest.mark.parametrize(
    "action",
    [
        "ecr:GetAuthorizationToken",
        "ssmmessages:OpenDataChannel",
        "ec2:DescribeInstances",
        "ec2:DescribeN*",
        "sts:GetCallerIdentity",
        "s3:ListAllMyBuckets",
        "kms:ListAliases",
        "secretsmanager:ListSecrets",
        "ssm:DescribeParameters",
        "autoscaling:DescribeAutoScalingGroups",
        "xray:PutTraceSegments",
    ],
)
def test_an_action_that_takes_no_resource_is_allowed_on_all(action: str) -> None:
    assert judged({"Action": action, "Resource": "*"}) == []


@pytest.mark.parametrize(
    "action",
    [
        "logs:PutLogEvents",
        "ecr:BatchGetImage",
        "sqs:SendMessage",
        "servicediscovery:DiscoverInstances",
        "ecs:RunTask",
        "sts:AssumeRole",
        "dynamodb:GetItem",
        "s3:GetObject",
    ],
)
def test_an_action_that_takes_a_resource_is_refused_on_all(action: str) -> None:
    (fault,) = judged({"Action": ["ecr:GetAuthorizationToken", action], "Resource": "*"})
    assert (fault.rule, fault.action) == ("wildcard-resource", action)


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("s3:GetObject", "arn:aws:s3:::*"),
        ("s3:GetObject", "arn:aws:s3:::*/*"),
        ("s3:GetObject", "arn:*"),
        ("s3:GetObject", "arn:aws:*:::bucket"),
        ("dynamodb:GetItem", "arn:aws:dynamodb:*:*:table/*"),
        ("dynamodb:GetItem", "arn:aws:dynamodb:eu-west-1:123456789012:*"),
        ("dynamodb:GetItem", "arn:aws:dynamodb:eu-west-1:123456789012:tab*"),
        ("logs:PutLogEvents", "arn:aws:logs:*:*:*"),
        ("logs:PutLogEvents", "arn:aws:logs:eu-west-1:123456789012:log-group:*"),
        ("logs:PutLogEvents", "arn:aws:logs:eu-west-1:123456789012:log-group:/*"),
        ("lambda:InvokeFunction", "arn:aws:lambda:eu-west-1:123456789012:function:*"),
        ("secretsmanager:GetSecretValue", "arn:aws:secretsmanager:eu-west-1:123456789012:secret:*"),
        ("sts:AssumeRole", "arn:aws:iam::123456789012:role/*"),
        ("sqs:SendMessage", "arn:aws:sqs:eu-west-1:123456789012:*"),
        ("execute-api:Invoke", "arn:aws:execute-api:eu-west-1:123456789012:*/v1/POST/query"),
    ],
)
def test_everything_of_a_kind_is_refused(action: str, resource: str) -> None:
    assert rules(judged({"Action": action, "Resource": resource})) == ["wildcard-resource"]


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("s3:GetObject", "arn:aws:s3:::shop-1a2b3c4/*"),
        ("s3:ListBucket", "arn:aws:s3:::shop-1a2b3c4"),
        ("dynamodb:Query", f"{TABLE}/index/*"),
        ("logs:PutLogEvents", "arn:aws:logs:eu-west-1:123456789012:log-group:/ecs/query-service:*"),
        ("logs:CreateLogStream", "arn:aws:logs:eu-west-1:123456789012:log-group:/aws/lambda/result:log-stream:*"),
        ("lambda:InvokeFunction", "arn:aws:lambda:eu-west-1:123456789012:function:result:*"),
        ("secretsmanager:GetSecretValue", "arn:aws:secretsmanager:eu-west-1:123456789012:secret:db-??????"),
        ("execute-api:Invoke", "arn:aws:execute-api:eu-west-1:123456789012:a1b2c3/*/POST/*"),
        ("ecr:BatchGetImage", "arn:aws:ecr:eu-west-1:123456789012:repository/query-service"),
    ],
)
def test_wildcards_below_a_name_pass(action: str, resource: str) -> None:
    assert judged({"Action": action, "Resource": resource}, task_role=True) == []


def test_a_kind_narrowed_by_a_condition_of_its_own_passes() -> None:
    """An interface that Lambda makes has no id before: its subnet is what can be named."""
    interface = {
        "Action": "ec2:DeleteNetworkInterface",
        "Resource": "arn:aws:ec2:eu-west-1:123456789012:network-interface/*",
    }
    subnet = "arn:aws:ec2:eu-west-1:123456789012:subnet/subnet-1"
    assert rules(judged(interface)) == ["wildcard-resource"]
    assert judged({**interface, "Condition": {"ArnEquals": {"ec2:Subnet": subnet}}}) == []
    for loose in (
        {"ArnEqualsIfExists": {"ec2:Subnet": subnet}},
        {"ArnNotEquals": {"ec2:Subnet": subnet}},
        {"ArnLike": {"ec2:Subnet": "*"}},
        {"Bool": {"aws:SecureTransport": "true"}},
    ):
        assert rules(judged({**interface, "Condition": loose})) == ["wildcard-resource"], loose


def test_a_resource_that_is_no_arn_is_refused() -> None:
    assert rules(judged({"Action": "dynamodb:GetItem", "Resource": "orders"})) == ["malformed-policy"]


def test_an_allowance_without_a_resource_is_refused() -> None:
    assert rules(judged({"Action": "dynamodb:GetItem", "Resource": []})) == ["wildcard-resource"]


@pytest.mark.parametrize("entry", [{"NotAction": "s3:*"}, {"Action": "s3:GetObject", "NotResource": TABLE}])
def test_what_is_allowed_by_exclusion_is_refused(entry: dict[str, Any]) -> None:
    assert rules(judged(entry)) == ["not-action"]


def test_a_deny_may_exclude_and_use_wildcards() -> None:
    assert judged({"Effect": "Deny", "NotAction": "s3:*"}, {"Effect": "Deny", "Action": "*", "Resource": "*"}) == []


@pytest.mark.parametrize("version", ["2008-10-17", None])
def test_the_old_version_is_refused(version: str | None) -> None:
    assert rules(judged({"Action": "dynamodb:GetItem"}, Version=version)) == ["policy-version"]


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("sns:AddPermission", "arn:aws:sns:eu-west-1:123456789012:alerts"),
        ("lambda:AddPermission", "arn:aws:lambda:eu-west-1:123456789012:function:f"),
        ("s3:PutBucketPolicy", "arn:aws:s3:::shop"),
        ("kms:CreateGrant", "arn:aws:kms:eu-west-1:123456789012:key/1"),
    ],
)
def test_managing_permissions_is_refused(action: str, resource: str) -> None:
    assert rules(judged({"Action": action, "Resource": resource})) == ["permissions-management"]


def test_changing_identities_is_refused() -> None:
    assert rules(judged({"Action": "iam:CreateRole", "Resource": ROLES[0]})) == ["iam-action"]
    assert judged({"Action": "iam:GetRole", "Resource": ROLES[0]}) == []


def test_a_task_role_needs_nothing_of_iam_and_changes_nothing_of_ecs() -> None:
    passing = {"Action": "iam:PassRole", "Resource": ROLES, "Condition": TO_TASKS}
    running = {"Action": "ecs:RunTask", "Resource": "arn:aws:ecs:eu-west-1:123456789012:task-definition/etl:*"}
    reading = {"Action": "ecs:DescribeTasks", "Resource": "arn:aws:ecs:eu-west-1:123456789012:task/main/*"}
    assert judged(passing, running, reading) == []
    assert rules(judged(passing, task_role=True)) == ["task-role"]
    assert rules(judged(running, task_role=True)) == ["task-role"]
    assert judged(reading, task_role=True) == []


def test_passing_named_roles_to_tasks_passes() -> None:
    assert judged({"Action": "iam:PassRole", "Resource": ROLES, "Condition": TO_TASKS}) == []


@pytest.mark.parametrize(
    "change",
    [
        {"Resource": "arn:aws:iam::123456789012:role/task-*"},
        {"Resource": [*ROLES, "arn:aws:iam::123456789012:user/me"]},
        {"Condition": {}},
        {"Condition": {"StringEquals": {"iam:PassedToService": "ec2.amazonaws.com"}}},
        {"Condition": {"StringLike": {"iam:PassedToService": "*"}}},
        {"Condition": {"StringEqualsIfExists": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}}},
        {"Condition": {"StringNotEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}}},
    ],
)
def test_passing_roles_more_freely_is_refused(change: dict[str, Any]) -> None:
    good = {"Action": "iam:PassRole", "Resource": ROLES, "Condition": TO_TASKS}
    assert "pass-role" in rules(judged({**good, **change}))


@pytest.mark.parametrize("group", escalation.SETS, ids=lambda group: "+".join(sorted(group)))
def test_each_escalating_set_is_of_actions_that_exist(group: frozenset[str]) -> None:
    """A misspelt one would never be complete."""
    parsed = documents.parse(document({"Action": sorted(group)}))
    assert parsed
    assert parsed.expanded() == {action.lower() for action in group}


@pytest.mark.parametrize("method", PRIVILEGE_ESCALATION_METHODS)
def test_each_escalation_that_cloudsplaining_knows_is_refused(method: str) -> None:
    """The oracle's list is the wider one of the two in the field."""
    held = {action.lower() for action in PRIVILEGE_ESCALATION_METHODS[method]}
    assert any(escalation.complete(held)), sorted(held)


@pytest.mark.parametrize(
    "group", [it for it in escalation.SETS if len(it) > 1], ids=lambda group: "+".join(sorted(group))
)
def test_a_set_without_one_of_its_actions_escalates_nothing(group: frozenset[str]) -> None:
    for left_out in group:
        held = {action.lower() for action in group if action != left_out}
        assert not any(set(names) == group for names in escalation.complete(held))


def test_escalation_across_statements_is_seen() -> None:
    faults = judged(
        {
            "Action": "cloudformation:CreateChangeSet",
            "Resource": "arn:aws:cloudformation:eu-west-1:123456789012:stack/a/1",
        },
        {
            "Action": "cloudformation:ExecuteChangeSet",
            "Resource": "arn:aws:cloudformation:eu-west-1:123456789012:stack/a/1",
        },
    )
    assert rules(faults) == ["escalation"]
    assert faults[0].action == "cloudformation:CreateChangeSet + cloudformation:ExecuteChangeSet"


def test_an_unknown_resource_is_some_resources_own_arn() -> None:
    """At a first preview; it is judged as text before anything is made."""
    parsed = documents.declared([{"actions": ["dynamodb:GetItem"], "resources": [Unknown("x")]}])
    assert parsed
    assert statements.judge(parsed, []) == []


def test_an_unknown_action_is_not_proved() -> None:
    parsed = documents.parse(frozen({"d": document({"Action": [UNKNOWN]})})["d"])
    assert parsed
    (fault,) = statements.judge(parsed, [])
    assert fault.unproved


@pytest.mark.parametrize("raw", ["{", "[]", "null", 3.0, '{"Version": "2012-10-17", "Statement": ["x"]}'])
def test_what_is_no_document_is_none(raw: Any) -> None:
    assert documents.parse(raw) is None


@pytest.mark.parametrize("raw", ["x", {}, [{"actions": []}, "x"], Unknown("x")])
def test_what_is_no_declaration_is_none_or_empty(raw: Any) -> None:
    assert documents.declared(raw) is None


def _corpus() -> list[tuple[str, Any]]:
    table = json.loads(aws_managed_policies_data)
    wanted = ("Administrator", "PowerUser", "DynamoDBFull", "AmazonSQSFull", "TaskExecution", "EC2ContainerService")
    return [(name, it["Document"]) for name, it in sorted(table.items()) if any(word in name for word in wanted)]


@pytest.mark.parametrize(("name", "raw"), _corpus())
def test_whatever_cloudsplaining_refuses_is_refused_here(name: str, raw: Any) -> None:
    """The oracle is the milder one: it lets reading anything pass."""
    oracle = PolicyDocument(raw)
    parsed = documents.parse(raw)
    assert parsed
    if (
        oracle.allows_privilege_escalation
        or oracle.permissions_management_without_constraints
        or oracle.infrastructure_modification
    ):
        assert statements.judge(parsed, ["ecs-tasks.amazonaws.com"]), name


@pytest.mark.parametrize(
    "entry",
    [
        {"Action": "hunter2"},
        {"Action": "hunter2:*"},
        {"Action": "hunter2*:Get"},
        {"Action": "s3:hunter2"},
        {"Action": "dynamodb:GetItem", "Resource": "hunter2"},
        {"Action": "s3:GetObject", "Resource": "arn:aws:s3*:::hunter2"},
        {"Action": "iam:PassRole", "Resource": "arn:hunter2", "Condition": TO_TASKS},
        {
            "Action": "iam:PassRole",
            "Resource": ROLES,
            "Condition": {"StringEquals": {"iam:PassedToService": "hunter2"}},
        },
    ],
)
def test_no_value_is_quoted(entry: dict[str, Any]) -> None:
    """Any of them may be a secret, and messages end in logs."""
    faults = judged(entry)
    assert faults
    assert "hunter2" not in " ".join(str(it) for it in faults)


def test_no_version_is_quoted() -> None:
    assert "hunter2" not in str(judged({"Action": "dynamodb:GetItem"}, Version="hunter2")[0])
