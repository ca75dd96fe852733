"""One resource at a time: documents, declarations, trusts, attachments, permissions."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest

from policies.findings import Exemption, Ledger
from policies.rules.iam import accounts
from policies.rules.iam.attachments import ATTACHMENTS, DOCUMENTS, POLICY, ROLE, ROLE_ATTACHMENT, ROLE_POLICY
from policies.rules.role_graph import PACK
from tests.policies.build import UNKNOWN, alone, made, rules, unproved

TABLE = "arn:aws:dynamodb:eu-west-1:123456789012:table/orders-1a2b3c4"
MEANT = {"actions": ["dynamodb:GetItem"], "resources": [TABLE], "conditions": {}}
HELD = {
    "StringEquals": {"aws:SourceAccount": ["123456789012"]},
    "ArnLike": {"aws:SourceArn": ["arn:aws:ecs:eu-west-1:123456789012:*"]},
}
TRUST = {"service": "ecs-tasks.amazonaws.com", "conditions": HELD}


def text(action: Any = "dynamodb:GetItem", resource: Any = TABLE, **more: Any) -> str:
    statement = {"Effect": "Allow", "Action": action, "Resource": resource, **more}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def trusting(service: str = "ecs-tasks.amazonaws.com", conditions: Any = HELD) -> str:
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": service},
        "Action": "sts:AssumeRole",
        "Condition": conditions,
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def task(*declared: Any, name: str = "orders-task", **more: Any) -> Any:
    """A component that declares the policy *name*."""
    return made("drydock:index:Task", "orders", {"policies": {name: list(declared)}, **more})


def policy(raw: Any, parent: Any = None, name: str = "orders-task") -> Any:
    return made(ROLE_POLICY, name, {"policy": raw}, parent=parent)


@pytest.mark.parametrize("token", DOCUMENTS)
def test_a_document_is_judged_wherever_it_stands(token: str) -> None:
    assert alone(PACK, made(token, "x", {"policy": text()})) == []
    (finding,) = alone(PACK, made(token, "x", {"policy": text("s3:*", "*")}))
    assert finding.rule == "wildcard-action"
    assert "`policy` statement 0, s3:*" in finding.message
    assert unproved(alone(PACK, made(token, "x", {"policy": UNKNOWN}))) == ["unproved"]
    assert rules(alone(PACK, made(token, "x", {"policy": "{"}))) == ["malformed-policy"]
    assert rules(alone(PACK, made(token, "x", {}))) == ["malformed-policy"]


@pytest.mark.parametrize(
    ("action", "resource", "rule", "said"),
    [
        ("s3:*", "*", "wildcard-resource", "s3:AbortMultipartUpload"),
        ("iam:*", "arn:aws:iam::123456789012:user/one", "iam-action", "iam:AddUserToGroup"),
        ("*", "*", "wildcard-resource", "*: allowed on anything"),
        ("*", TABLE, "iam-action", "*: it changes who may do what"),
    ],
)
def test_an_exception_for_a_wildcard_lifts_that_rule_alone(action: str, resource: str, rule: str, said: str) -> None:
    """Else an exception for how actions are named would let them loose on every resource."""
    whole = alone(PACK, policy(text(action, resource)))
    assert rules(whole) == ["wildcard-action"]
    exception = Exemption(rule="wildcard-action", resource="*", reason="r", until=date(2031, 1, 1))
    ledger, excepted = (Ledger(today=date(2030, 1, 1), exceptions=held) for held in ([], [exception]))
    assert [message.split(":")[0] for message in ledger.violations(whole[0])] == ["wildcard-action"]
    told = list(excepted.violations(whole[0]))
    assert not any(message.startswith("wildcard-action") for message in told)
    assert [message for message in told if message.startswith(f"{rule}:") and said in message]
    harmless = alone(PACK, policy(text("dynamodb:*tItem", TABLE)))
    assert rules(harmless) == ["wildcard-action"]
    assert list(excepted.violations(harmless[0])) == []


def test_combinations_within_an_excepted_wildcard_are_told() -> None:
    """`lambda:*` beside the right to pass a role makes a function of any role's."""
    passing = {
        "actions": ["iam:PassRole"],
        "resources": ["arn:aws:iam::123456789012:role/one"],
        "conditions": {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}},
    }
    function = "arn:aws:lambda:eu-west-1:123456789012:function:one"
    component = task({"actions": ["lambda:*"], "resources": [function], "conditions": {}}, passing)
    (wildcard,) = [it for it in alone(PACK, component) if it.rule == "wildcard-action"]
    assert "lambda:CreateFunction" in " ".join(it.message for it in wildcard.behind() if it.rule == "escalation")


def test_a_document_given_as_a_mapping_is_judged_with_only_its_leaves_unknown() -> None:
    raw = json.loads(text(resource=UNKNOWN))
    assert alone(PACK, policy(raw)) == []
    assert rules(alone(PACK, policy(json.loads(text("s3:*", UNKNOWN))))) == ["wildcard-action"]


def test_an_unknown_document_is_judged_by_what_its_component_declares() -> None:
    """At a first preview the JSON is unknown; the component's own props are not."""
    good = task({**MEANT, "resources": [UNKNOWN]})
    assert alone(PACK, good) == []
    assert alone(PACK, good, policy(UNKNOWN, good)) == []
    bad = task(MEANT, {"actions": ["s3:*"], "resources": ["*"]})
    (finding,) = alone(PACK, bad)
    assert finding.rule == "wildcard-action"
    assert "Task 'orders': `policies.orders-task` statement 1, s3:*" in finding.message


def test_an_unknown_document_that_nobody_declares_is_unproved_not_passed() -> None:
    """A mandatory rule that silently turns advisory is a hole."""
    (finding,) = alone(PACK, policy(UNKNOWN))
    assert finding.unproved
    assert "cannot be proved" in finding.message
    assert unproved(alone(PACK, task(MEANT, name="another"), policy(UNKNOWN, task(MEANT, name="another")))) == [
        "unproved"
    ]


def test_an_ancestor_further_up_may_declare() -> None:
    outer = task(MEANT)
    inner = made("drydock:index:Role", "inner", {}, parent=outer)
    assert alone(PACK, outer, inner, policy(UNKNOWN, inner)) == []


def test_a_declaration_not_known_yet_is_not_proved() -> None:
    assert unproved(alone(PACK, made("drydock:index:Task", "x", {"policies": {"p": UNKNOWN}}))) == ["unproved"]
    assert rules(alone(PACK, made("drydock:index:Task", "x", {"policies": {"p": "text"}}))) == ["malformed-policy"]


@pytest.mark.parametrize("said", [UNKNOWN, "{", "[]", "{}", 3.0])
def test_a_declaration_that_cannot_be_read_proves_nothing(said: Any) -> None:
    component = made("drydock:index:Task", "x", {"declared": said})
    assert unproved(alone(PACK, component, policy(UNKNOWN, component))) == ["unproved"]


def test_a_fault_already_told_of_the_component_is_not_told_again() -> None:
    """One clear message."""
    bad = task({"actions": ["s3:*"], "resources": ["*"]})
    assert alone(PACK, bad, policy(text("s3:*", "*"), bad)) == []


# After a deployment the raw document says no more than was declared.


def test_as_declared_passes() -> None:
    component = task(MEANT)
    assert alone(PACK, component, policy(text(), component)) == []


def test_less_than_declared_passes() -> None:
    component = task(
        {**MEANT, "actions": ["dynamodb:GetItem", "dynamodb:Query"], "resources": [TABLE, f"{TABLE}/index/*"]}
    )
    assert alone(PACK, component, policy(text(resource=f"{TABLE}/index/by-day"), component)) == []


@pytest.mark.parametrize(
    "raw",
    [
        text(["dynamodb:GetItem", "dynamodb:PutItem"]),
        text(resource=[TABLE, f"{TABLE}-other"]),
        text("dynamodb:Get*"),
    ],
)
def test_any_action_or_resource_more_is_refused(raw: str) -> None:
    component = task(MEANT)
    findings = alone(PACK, component, policy(raw, component))
    assert "undeclared" in rules(findings)
    assert "more than its component declares" in findings[-1].message


def test_a_declared_condition_must_be_there() -> None:
    condition = {"StringEquals": {"dynamodb:LeadingKeys": ["a"]}}
    component = task({**MEANT, "conditions": condition})
    assert alone(PACK, component, policy(text(Condition=condition), component)) == []
    assert rules(alone(PACK, component, policy(text(), component))) == ["undeclared"]
    wider = {"StringEquals": {"dynamodb:LeadingKeys": ["a", "b"]}}
    assert rules(alone(PACK, component, policy(text(Condition=wider), component))) == ["undeclared"]


def test_a_policy_that_a_declaring_component_leaves_out_is_refused() -> None:
    """Else a second policy would slip by a component that declares one."""
    component = task(MEANT)
    assert rules(alone(PACK, component, policy(text(), component, name="extra"))) == ["undeclared"]


def test_without_a_declaring_component_the_document_stands_for_itself() -> None:
    component = made("drydock:index:Queue", "q", {})
    assert alone(PACK, component, policy(text(), component)) == []


def test_roles_of_tasks_are_known_by_what_the_component_trusts() -> None:
    """So that creation is refused, not reported afterwards."""
    reading_iam = {"actions": ["iam:GetRole"], "resources": ["arn:aws:iam::123456789012:role/x"]}
    assert rules(alone(PACK, task(reading_iam, trusts={"orders": TRUST}))) == ["task-role"]
    scheduler = {"service": "scheduler.amazonaws.com", "conditions": {"ArnEquals": {"aws:SourceArn": [UNKNOWN]}}}
    assert alone(PACK, task(reading_iam, trusts={"orders": scheduler})) == []


def test_a_trust_is_judged_as_text() -> None:
    assert alone(PACK, made(ROLE, "r", {"assumeRolePolicy": trusting()})) == []
    (finding,) = alone(PACK, made(ROLE, "r", {"assumeRolePolicy": trusting(conditions={})}))
    assert finding.rule == "trust"
    assert "`assumeRolePolicy` statement 0" in finding.message
    assert unproved(alone(PACK, made(ROLE, "r", {"assumeRolePolicy": UNKNOWN}))) == ["unproved"]
    assert rules(alone(PACK, made(ROLE, "r", {"assumeRolePolicy": "{"}))) == ["malformed-policy"]


def test_an_unknown_trust_is_judged_by_what_its_component_declares() -> None:
    good = task(MEANT, trusts={"r": TRUST})
    assert alone(PACK, good, made(ROLE, "r", {"assumeRolePolicy": UNKNOWN}, parent=good)) == []
    assert rules(alone(PACK, task(MEANT, trusts={"r": {**TRUST, "conditions": {}}}))) == ["trust"]
    assert unproved(alone(PACK, task(MEANT, trusts={"r": UNKNOWN}))) == ["unproved"]


def test_a_trust_beyond_the_declared_is_refused() -> None:
    component = task(MEANT, trusts={"r": TRUST})

    def role(raw: str) -> Any:
        return made(ROLE, "r", {"assumeRolePolicy": raw}, parent=component)

    assert alone(PACK, component, role(trusting())) == []
    assert "undeclared" in rules(alone(PACK, component, role(trusting("lambda.amazonaws.com", {}))))
    assert "undeclared" in rules(alone(PACK, component, role(trusting(conditions={}))))


def test_the_configuration_names_further_services() -> None:
    role = made(ROLE, "r", {"assumeRolePolicy": trusting("glue.amazonaws.com", {})})
    assert rules(alone(PACK, role)) == ["trust"]
    assert alone(PACK, role, trustedServices=["glue.amazonaws.com"]) == []
    passing = text("iam:PassRole", "arn:aws:iam::123456789012:role/x",
                   Condition={"StringEquals": {"iam:PassedToService": "ecs.amazonaws.com"}})  # fmt: skip
    assert rules(alone(PACK, policy(passing))) == ["pass-role"]
    assert alone(PACK, policy(passing), passRoleServices=["ecs.amazonaws.com"]) == []


def test_a_roles_inline_policies_are_judged() -> None:
    def role(inline: Any) -> Any:
        return made(ROLE, "r", {"assumeRolePolicy": trusting(), "inlinePolicies": inline})

    assert alone(PACK, role([{"name": "a", "policy": text()}])) == []
    assert rules(alone(PACK, role([{"name": "a", "policy": text("s3:*")}]))) == ["wildcard-action"]
    assert unproved(alone(PACK, role([{"name": "a", "policy": UNKNOWN}]))) == ["unproved"]
    assert unproved(alone(PACK, role(UNKNOWN))) == ["unproved"]


@pytest.mark.parametrize(("token", "path"), sorted(ATTACHMENTS.items()))
def test_attached_policies_of_aws_are_judged_by_content(token: str, path: str) -> None:
    def attaching(name: str) -> Any:
        arn = f"arn:aws:iam::aws:policy/{name}"
        inputs = {path: [arn] if path.endswith("s") else arn}
        return made(token, "x", {"assumeRolePolicy": trusting(), **inputs})

    assert alone(PACK, attaching("AWSXRayDaemonWriteAccess")) == []
    (finding,) = alone(PACK, attaching("service-role/AmazonECSTaskExecutionRolePolicy"))
    assert finding.rule == "managed-policy"
    assert "AmazonECSTaskExecutionRolePolicy" in finding.message
    assert rules(alone(PACK, attaching("AdministratorAccess"))) == ["managed-policy"]


def test_the_stacks_own_accounts_are_those_its_provider_allows() -> None:
    """A trust held to another account would be taken on from there."""
    own, other = ({"allowedAccountIds": f'["{it}"]'} for it in ("123456789012", "999999999999"))
    inputs = {"assumeRolePolicy": trusting()}
    assert alone(PACK, made(ROLE, "r", inputs, provider=own)) == []
    assert rules(alone(PACK, made(ROLE, "r", inputs, provider=other))) == ["trust"]
    unsaid = {"allowedAccountIds": UNKNOWN}
    assert alone(PACK, made(ROLE, "r", inputs, provider=unsaid)) == []
    component = task(MEANT, trusts={"r": TRUST})
    assert alone(PACK, made(accounts.PROVIDER, "p", own), component) == []
    assert rules(alone(PACK, made(accounts.PROVIDER, "p", other), component)) == ["trust"]
    assert alone(PACK, made(accounts.PROVIDER, "p", other), made(accounts.PROVIDER, "q"), component) == []


def test_what_grants_nothing_is_left_alone() -> None:
    assert alone(PACK, made("aws:sqs/queue:Queue", "q", {"policy": "*"})) == []
    assert alone(PACK, made(ROLE_ATTACHMENT, "a", {"policyArn": UNKNOWN})) == []  # the graph's to judge
    assert POLICY in DOCUMENTS


def test_an_execution_role_as_it_should_be_passes() -> None:
    """Only ecr:GetAuthorizationToken is on all resources."""
    raw = json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [
                {"Effect": "Allow", "Action": "ecr:GetAuthorizationToken", "Resource": "*"},
                {
                    "Effect": "Allow",
                    "Action": ["ecr:BatchCheckLayerAvailability", "ecr:GetDownloadUrlForLayer", "ecr:BatchGetImage"],
                    "Resource": "arn:aws:ecr:eu-west-1:123456789012:repository/query-service",
                },
                {
                    "Effect": "Allow",
                    "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
                    "Resource": "arn:aws:logs:eu-west-1:123456789012:log-group:/ecs/query-service:*",
                },
                {
                    "Effect": "Allow",
                    "Action": "secretsmanager:GetSecretValue",
                    "Resource": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:db-a1b2c3",
                },
            ],
        }
    )
    assert alone(PACK, policy(raw)) == []


def test_a_message_quotes_nothing_undeclared() -> None:
    """Any value may be a secret, and messages end in logs."""
    component = task(MEANT, trusts={"r": TRUST})
    findings = [
        *alone(PACK, component, policy(text("dynamodb:GetItem", "arn:aws:dynamodb:eu-west-1::hunter2"), component)),
        *alone(PACK, component, made(ROLE, "r", {"assumeRolePolicy": trusting("hunter2")}, parent=component)),
    ]
    assert rules(findings).count("undeclared") == 2
    assert not [it for it in findings if "hunter2" in it.message]


def test_a_component_of_anybodys_may_declare_in_props_of_their_own() -> None:
    """Our own write one text, which is cheaper than its leaves."""
    loose = {"actions": ["s3:*"], "resources": [UNKNOWN]}
    for said, rule in (
        ({"policies": {"p": [MEANT, loose]}}, "wildcard-action"),
        ({"policies": {"p": [{**MEANT, "resources": ["*"]}]}}, "wildcard-resource"),
        ({"trusts": {"orders-task": {**TRUST, "service": "someone.example.com"}}}, "trust"),
    ):
        component = made("shop:index:Task", "orders", said)
        assert rules(alone(PACK, component)) == [rule]
    meant = made("shop:index:Task", "orders", {"policies": {"p": [MEANT]}})
    assert alone(PACK, meant, policy(UNKNOWN, meant, name="p")) == []
