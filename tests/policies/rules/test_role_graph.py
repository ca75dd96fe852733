"""Roles as a whole: what no single document shows, at a first preview and after a deployment."""

from __future__ import annotations

from typing import Any

import pytest

from policies.rules.iam.attachments import (
    ATTACHMENTS,
    EXCLUSIVE,
    HOLDERS,
    POLICY,
    POLICY_ATTACHMENT,
    ROLE,
    ROLE_ATTACHMENT,
    ROLE_POLICY,
)
from policies.rules.role_graph import PACK
from tests.policies.build import UNKNOWN, made, rules, together, unproved
from tests.policies.rules.test_least_privilege import HELD, text, trusting

STACK = "arn:aws:cloudformation:eu-west-1:123456789012:stack/a/1"
CREATE, EXECUTE = "cloudformation:CreateChangeSet", "cloudformation:ExecuteChangeSet"


class Roles:
    """A role for tasks, and what it holds."""

    def __init__(self, *, deployed: bool) -> None:
        self.deployed = deployed
        outputs = {"id": "orders-1a2b3c4", "name": "orders-1a2b3c4"} if deployed else {"id": UNKNOWN}
        self.role = made(ROLE, "orders", {"assumeRolePolicy": trusting()}, outputs=outputs)

    def holds(self, raw: str, name: str = "own") -> Any:
        """An inline policy of the role."""
        return made(ROLE_POLICY, name, {"role": self._name(), "policy": raw}, sources={"role": [self.role]})

    def attaches(self, policy: Any, name: str = "attached") -> Any:
        """An attachment of *policy*, a resource or an ARN."""
        resource = not isinstance(policy, str)
        arn = (policy.outputs.get("arn") or UNKNOWN) if resource else policy
        arn = arn if isinstance(arn, str) else UNKNOWN
        sources = {"role": [self.role], "policyArn": [policy] if resource else []}
        return made(ROLE_ATTACHMENT, name, {"role": self._name(), "policyArn": arn}, sources=sources)

    def managed(self, raw: str, name: str = "managed") -> Any:
        """A customer-managed policy of this stack."""
        arn = {"arn": f"arn:aws:iam::123456789012:policy/{name}"} if self.deployed else {}
        return made(POLICY, name, {"policy": raw}, outputs={"id": UNKNOWN, **arn})

    def _name(self) -> str:
        return "orders-1a2b3c4" if self.deployed else UNKNOWN


@pytest.fixture(params=[False, True], ids=["preview", "deployed"])
def roles(request: pytest.FixtureRequest) -> Roles:
    return Roles(deployed=request.param)


def test_a_role_that_holds_what_it_needs_passes(roles: Roles) -> None:
    assert together(PACK, roles.role, roles.holds(text())) == []


def test_policies_that_escalate_only_together_are_refused(roles: Roles) -> None:
    """Each document is fine by itself."""
    one, two = roles.holds(text(CREATE, STACK), "one"), roles.managed(text(EXECUTE, STACK), "two")
    assert together(PACK, roles.role, one) == []
    (finding,) = together(PACK, roles.role, one, two, roles.attaches(two))
    assert finding.rule == "escalation"
    assert finding.urn == roles.role.urn
    assert "Policy 'two', RolePolicy 'one'" in finding.message


def test_another_roles_policy_does_not_count(roles: Roles) -> None:
    outputs = {"id": "other-1", "name": "other-1"} if roles.deployed else {"id": UNKNOWN}
    other = made(ROLE, "other", {"assumeRolePolicy": trusting()}, outputs=outputs)
    theirs = made(
        ROLE_POLICY,
        "theirs",
        {"role": "other-1" if roles.deployed else UNKNOWN, "policy": text(EXECUTE, STACK)},
        sources={"role": [other]},
    )
    assert together(PACK, roles.role, other, roles.holds(text(CREATE, STACK)), theirs) == []


def test_a_task_role_is_known_by_its_trust(roles: Roles) -> None:
    running = text("ecs:RunTask", "arn:aws:ecs:eu-west-1:123456789012:task-definition/etl:*")
    (finding,) = together(PACK, roles.role, roles.holds(running))
    assert finding.rule == "task-role"
    assert "ecs:RunTask" in finding.message
    scheduler = made(
        ROLE, "orders", {"assumeRolePolicy": trusting("scheduler.amazonaws.com")}, outputs=roles.role.outputs
    )
    assert together(PACK, scheduler, roles.holds(running)) == []


def test_an_unknown_trust_is_read_from_its_component() -> None:
    trusts = {"orders": {"service": "ecs-tasks.amazonaws.com", "conditions": HELD}}
    component = made("drydock:index:Roles", "c", {"trusts": trusts})
    role = made(ROLE, "orders", {"assumeRolePolicy": UNKNOWN}, parent=component)
    running = text("ecs:RunTask", "arn:aws:ecs:eu-west-1:123456789012:task-definition/etl:*")
    held = made(ROLE_POLICY, "p", {"role": UNKNOWN, "policy": running}, sources={"role": [role]})
    assert rules(together(PACK, component, role, held)) == ["task-role"]


def test_unknown_documents_count_as_declared() -> None:
    roles = Roles(deployed=False)
    declared = {
        "one": [{"actions": [CREATE], "resources": [UNKNOWN]}],
        "two": [{"actions": [EXECUTE], "resources": [UNKNOWN]}],
    }
    component = made("drydock:index:Task", "t", {"policies": declared})
    held = [
        made(ROLE_POLICY, name, {"role": UNKNOWN, "policy": UNKNOWN}, parent=component, sources={"role": [roles.role]})
        for name in declared
    ]
    assert rules(together(PACK, component, roles.role, *held)) == ["escalation"]


def test_a_policy_of_this_stack_may_be_attached(roles: Roles) -> None:
    managed = roles.managed(text())
    assert together(PACK, roles.role, managed, roles.attaches(managed)) == []


def test_a_policy_from_elsewhere_is_not_proved(roles: Roles) -> None:
    (finding,) = together(PACK, roles.role, roles.attaches("arn:aws:iam::123456789012:policy/elsewhere"))
    assert finding.unproved
    assert "a policy from elsewhere" in finding.message


def test_an_attachment_not_known_yet_is_not_proved(roles: Roles) -> None:
    assert unproved(together(PACK, roles.role, roles.attaches(UNKNOWN))) == ["managed-policy"]


def test_known_policies_of_aws_count_to_the_whole(roles: Roles) -> None:
    """The events role of AWS runs tasks and passes any role."""
    events = roles.attaches("arn:aws:iam::aws:policy/service-role/AmazonEC2ContainerServiceEventsRole")
    register = roles.holds(text("ecs:RegisterTaskDefinition", "*"))
    assert "escalation" in rules(together(PACK, roles.role, register, events))


UPDATING = text("ecs:UpdateService", "arn:aws:ecs:eu-west-1:123456789012:service/main/orders")


@pytest.mark.parametrize("token", [ROLE_ATTACHMENT, POLICY_ATTACHMENT, EXCLUSIVE])
def test_every_way_to_attach_a_policy_to_a_task_role_is_seen(roles: Roles, token: str) -> None:
    key, path = HOLDERS[token], ATTACHMENTS[token]
    policy = roles.managed(UPDATING)
    role, arn = (roles.role.outputs["id"], policy.outputs["arn"]) if roles.deployed else (UNKNOWN, UNKNOWN)
    inputs = {key: [role] if key == "roles" else role, path: [arn] if path == "policyArns" else arn}
    attachment = made(token, "a", inputs, sources={key: [roles.role], path: [policy]})
    assert rules(together(PACK, roles.role, policy, attachment)) == ["task-role"]


def test_what_stands_in_the_role_itself_is_seen(roles: Roles) -> None:
    """Whatever its component declares: that is of the policies beside it."""
    trusts = {"orders": {"service": "ecs-tasks.amazonaws.com", "conditions": HELD}}
    component = made("drydock:index:Roles", "c", {"trusts": trusts, "policies": {"orders": []}})
    policy = roles.managed(UPDATING)
    arn = policy.outputs["arn"] if roles.deployed else UNKNOWN
    for inputs in ({"inlinePolicies": [{"policy": UPDATING}]}, {"managedPolicyArns": [arn]}):
        sources = {"managedPolicyArns": [policy]} if "managedPolicyArns" in inputs else {}
        role = made(ROLE, "orders", {"assumeRolePolicy": trusting(), **inputs}, parent=component, sources=sources)
        assert rules(together(PACK, component, role, policy)) == ["task-role"]


def test_inline_policies_escalate_together_with_others(roles: Roles) -> None:
    inputs = {"assumeRolePolicy": trusting(), "inlinePolicies": [{"policy": text(CREATE, STACK)}]}
    role = made(ROLE, "orders", inputs, outputs=roles.role.outputs)
    assert rules(together(PACK, role, roles.holds(text(EXECUTE, STACK)))) == ["escalation"]


def test_a_policy_of_this_stack_does_not_vouch_for_another() -> None:
    """An ARN may be picked from several: what it came from must all be policies of this stack."""
    roles = Roles(deployed=False)
    policy = roles.managed(text())
    picked = {"role": [roles.role], "policyArn": [policy, made("aws:sqs/queue:Queue", "q")]}
    mixed = made(ROLE_ATTACHMENT, "a", {"role": UNKNOWN, "policyArn": UNKNOWN}, sources=picked)
    assert unproved(together(PACK, roles.role, policy, mixed)) == ["managed-policy"]
    elsewhere = "arn:aws:iam::123456789012:policy/elsewhere"
    known = made(ROLE_ATTACHMENT, "a", {"role": UNKNOWN, "policyArn": elsewhere}, sources=picked)
    assert unproved(together(PACK, roles.role, policy, known)) == ["managed-policy"]
    there = Roles(deployed=True).managed(text())
    pending = made(ROLE_ATTACHMENT, "a", {"policyArn": UNKNOWN}, sources={"policyArn": [there]})
    assert unproved(together(PACK, there, pending)) == ["managed-policy"]
