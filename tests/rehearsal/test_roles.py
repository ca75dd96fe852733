"""What roles lack, and what they have for nothing."""

from __future__ import annotations

from typing import Any

from rehearsal import roles
from rehearsal.emulator import Denial
from rehearsal.graph import Registered
from rehearsal.result import Lack
from rehearsal.tree import Tree

TABLE = "arn:aws:dynamodb:eu-west-1:123456789012:table/t-1"


def registered(token: str, name: str, parent: str, inputs: dict[str, Any], **said: Any) -> Registered:
    return Registered(urn=f"urn:{name}", type=token, name=name, parent=parent, custom=True, inputs=inputs, **said)


def tree(*actions: str) -> Tree:
    """Return a workload whose task's role was granted *actions*."""
    policies = {"shop-task": [{"actions": list(actions), "resources": [TABLE]}], "shop-execution": []}
    role = {"name": "shop-task-1a2b3c4", "arn": "arn:role"}
    return Tree(
        [
            registered("drydock:index:Shop", "shop", "", {}),
            registered("drydock:index:Task", "task", "urn:shop", {"policies": policies}),
            registered("aws:iam/role:Role", "shop-task", "urn:task", {}, outputs=role),
            Registered(
                urn="urn:policy",
                type="aws:iam/rolePolicy:RolePolicy",
                name="shop-task",
                parent="urn:task",
                custom=True,
                inputs={},
                property_dependencies={"role": ["urn:shop-task"]},
            ),
            registered("aws:ecs/taskDefinition:TaskDefinition", "definition", "urn:task", {"taskRoleArn": "arn:role"}),
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


def test_nothing_is_idle_where_all_is_exercised_or_nothing_is_said() -> None:
    assert roles.idle(tree("dynamodb:GetItem"), {"shop": {"dynamodb:GetItem"}}) == []
    assert roles.idle(tree("dynamodb:GetItem"), {}) == []
