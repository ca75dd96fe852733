"""What roles lack, and what they have for nothing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from rehearsal import roles
from rehearsal.emulator import Denial
from rehearsal.graph import Registered
from rehearsal.result import Lack
from rehearsal.tree import Tree

if TYPE_CHECKING:
    from collections.abc import Sequence

TABLE = "arn:aws:dynamodb:eu-west-1:123456789012:table/t-1"


def registered(token: str, name: str, parent: str, inputs: dict[str, Any], **said: Any) -> Registered:
    return Registered(urn=f"urn:{name}", type=token, name=name, parent=parent, custom=True, inputs=inputs, **said)


def tree(*actions: str, statements: Sequence[Any] = (), others: Sequence[Registered] = ()) -> Tree:
    """Return a workload whose task's role was granted *actions* on a table, and more *statements*."""
    granted = [{"Action": list(actions), "Resource": [TABLE]}, *statements]
    role = {"name": "shop-task-1a2b3c4", "arn": "arn:role"}
    return Tree(
        [
            registered("drydock:index:Shop", "shop", "", {}),
            registered("drydock:index:Task", "task", "urn:shop", {}),
            registered("aws:iam/role:Role", "shop-task", "urn:task", {}, outputs=role),
            Registered(
                urn="urn:policy",
                type="aws:iam/rolePolicy:RolePolicy",
                name="shop-task",
                parent="urn:task",
                custom=True,
                inputs={"policy": json.dumps({"Statement": granted})},
                property_dependencies={"role": ["urn:shop-task"]},
            ),
            registered(
                "aws:ecs/taskDefinition:TaskDefinition",
                "definition",
                "urn:task",
                {"taskRoleArn": "arn:role"},
                outputs={"arn": "arn:definition:1"},
            ),
            *others,
        ],
        {"workloads": {"shop": {}}},
    )


def denial(principal: str, action: str = "dynamodb:PutItem") -> Denial:
    return Denial(principal=principal, action=action, resource=TABLE, reason="identity policy: ImplicitDeny", time=1.0)


OWN = "arn:aws:sts::123456789012:assumed-role/shop-task-1a2b3c4/session"


def test_a_refusal_is_told_as_the_roles_own_lack_and_once() -> None:
    """Its logical name is what is found in the program; the session's ARN is nowhere."""
    lacks = roles.lacks(tree(), [denial(OWN), denial(OWN), denial("anonymous")])
    assert lacks == [
        Lack(role="shop-task", action="dynamodb:PutItem", resource=TABLE, reason="identity policy: ImplicitDeny")
    ]
    assert str(lacks[0]).startswith(f"role 'shop-task' lacks dynamodb:PutItem on {TABLE}")


def test_others_who_were_refused_are_told_apart() -> None:
    told = roles.strangers(tree(), [denial(OWN), denial("apigateway.amazonaws.com", "lambda:InvokeFunction")])
    assert len(told) == 1
    assert told[0].startswith(f"apigateway.amazonaws.com lacks lambda:InvokeFunction on {TABLE}")


def test_a_grant_that_no_request_needs_is_told() -> None:
    granted = tree("dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Scan")
    needed = {"shop": {"dynamodb:GetItem", "dynamodb:PutItem"}}
    assert roles.idle(granted, needed) == ["role 'shop-task': granted, not exercised: dynamodb:Scan"]


GROUP = "arn:aws:logs:eu-west-1:123456789012:log-group:/sessions"
KEY = "arn:aws:kms:eu-west-1:123456789012:key/1"
FOR_EXEC = [
    {"Action": ["ssmmessages:OpenDataChannel", "logs:DescribeLogGroups"], "Resource": ["*"]},
    {"Action": ["logs:PutLogEvents"], "Resource": [f"{GROUP}:*"]},
    {"Action": ["kms:Decrypt"], "Resource": [KEY]},
]
EXEC_ACTIONS = "kms:Decrypt, logs:DescribeLogGroups, logs:PutLogEvents, ssmmessages:OpenDataChannel"
BESIDES = [
    {"Action": ["kms:Decrypt"], "Resource": [f"{KEY}234"]},
    {"Action": ["logs:PutLogEvents"], "Resource": [f"{GROUP}/other:*"]},
]


@pytest.mark.parametrize(
    ("on", "granted", "told"),
    [
        (True, FOR_EXEC, []),
        (True, BESIDES, ["role 'shop-task': granted, not exercised: kms:Decrypt, logs:PutLogEvents"]),
        (
            False,
            FOR_EXEC,
            [f"role 'shop-task': granted, not exercised: {EXEC_ACTIONS}"],
        ),
    ],
)
def test_what_exec_needs_is_idle_only_where_exec_is_off(on: bool, granted: list[Any], told: list[str]) -> None:  # noqa: FBT001
    """A warning that is always there is not read; the same actions on anything else are a finding."""
    sessions = {"kmsKeyId": KEY, "logConfiguration": {"cloudWatchLogGroupName": "/sessions"}}
    service = {"taskDefinition": "arn:definition:1", "enableExecuteCommand": on}
    configuration = {"configuration": {"executeCommandConfiguration": sessions}}
    found = tree(
        "dynamodb:GetItem",
        statements=granted,
        others=[
            registered("aws:ecs/cluster:Cluster", "main", "", configuration),
            registered("aws:ecs/service:Service", "service", "urn:shop", service),
        ],
    )
    assert roles.idle(found, {"shop": {"dynamodb:GetItem"}}) == told


def test_nothing_is_idle_where_all_is_exercised_or_nothing_is_said() -> None:
    assert roles.idle(tree("dynamodb:GetItem"), {"shop": {"dynamodb:GetItem"}}) == []
    assert roles.idle(tree("dynamodb:GetItem"), {}) == []
