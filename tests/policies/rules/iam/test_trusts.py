"""Trusts: held to the account and the kind of caller, and one thing broken at a time."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from policies.reading import Unknown
from policies.rules.iam import trusts

if TYPE_CHECKING:
    from policies.rules.iam.statements import Fault

ACCOUNT = {"StringEquals": {"aws:SourceAccount": "123456789012"}}
TASKS = {**ACCOUNT, "ArnLike": {"aws:SourceArn": "arn:aws:ecs:eu-west-1:123456789012:*"}}
GOOD: dict[str, dict[str, Any]] = {
    "ecs-tasks.amazonaws.com": TASKS,
    "scheduler.amazonaws.com": {
        "ArnEquals": {"aws:SourceArn": "arn:aws:scheduler:eu-west-1:123456789012:schedule-group/etl"}
    },
    "events.amazonaws.com": {"ArnEquals": {"aws:SourceArn": "arn:aws:events:eu-west-1:123456789012:rule/failed"}},
    "states.amazonaws.com": ACCOUNT,
    "apigateway.amazonaws.com": {},
    "apigateway.amazonaws.com.cn": {},
    "vpc-flow-logs.amazonaws.com": ACCOUNT,
    "lambda.amazonaws.com": {},
    "ec2.amazonaws.com": {},
}


def judged(principal: Any, conditions: Any = None, action: str = "sts:AssumeRole", **config: Any) -> list[Fault]:
    statement = {"Effect": "Allow", "Principal": principal, "Action": action, "Condition": conditions or {}}
    parsed = trusts.parse(json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
    assert parsed
    return [
        fault for it in parsed if (fault := trusts.judge(it, config.get("trusted", ()), config.get("own", frozenset())))
    ]


@pytest.mark.parametrize("service", GOOD)
def test_a_service_held_to_its_source_passes(service: str) -> None:
    assert judged({"Service": service}, GOOD[service]) == []


@pytest.mark.parametrize("service", trusts.DEMANDS)
def test_a_service_held_to_nothing_is_refused(service: str) -> None:
    """It acts for every account, and would take this role on for another's resource."""
    (fault,) = judged({"Service": service})
    assert service in fault.reason
    assert "aws:SourceArn" in fault.fix


@pytest.mark.parametrize(
    ("service", "arn"),
    [
        ("ecs-tasks.amazonaws.com", "arn:aws:ecs:*:*:*"),
        ("ecs-tasks.amazonaws.com", "*"),
        ("scheduler.amazonaws.com", "arn:aws:scheduler:eu-west-1:123456789012:schedule/etl/sync"),
        ("scheduler.amazonaws.com", "arn:aws:scheduler:eu-west-1:123456789012:schedule-group/et*"),
        ("events.amazonaws.com", "arn:aws:events:eu-west-1:123456789012:*"),
    ],
)
def test_a_source_that_does_not_hold_is_refused(service: str, arn: str) -> None:
    (fault,) = judged({"Service": service}, {**ACCOUNT, "ArnLike": {"aws:SourceArn": arn}})
    assert "its aws:SourceArn does not hold" in fault.reason


def test_tasks_are_held_to_account_and_source() -> None:
    for missing in TASKS:
        assert judged({"Service": trusts.TASKS}, {key: it for key, it in TASKS.items() if key != missing}), missing
    assert judged({"Service": trusts.TASKS}, {**TASKS, "StringEquals": {"aws:SourceAccount": "*"}})


def test_conditions_that_hold_only_if_present_do_not_count() -> None:
    loose = {"StringEqualsIfExists": ACCOUNT["StringEquals"], "ArnLikeIfExists": TASKS["ArnLike"]}
    assert judged({"Service": trusts.TASKS}, loose)


def test_a_source_not_known_yet_counts() -> None:
    """Its own kind is judged once it is known, before the role is made."""
    conditions = {"ArnEquals": {"aws:SourceArn": [Unknown("x")]}}
    trust = trusts.declared({"service": "scheduler.amazonaws.com", "conditions": conditions})
    assert trust
    assert trusts.judge(trust, ()) is None


def test_every_service_named_is_judged() -> None:
    """One good neighbour does not excuse the other."""
    assert len(judged({"Service": ["lambda.amazonaws.com", "ecs-tasks.amazonaws.com"]})) == 1


def test_a_service_that_roles_here_are_not_for_is_named_in_the_configuration_or_refused() -> None:
    assert "trustedServices" in judged({"Service": "glue.amazonaws.com"})[0].fix
    assert judged({"Service": "glue.amazonaws.com"}, trusted=["glue.amazonaws.com"]) == []


@pytest.mark.parametrize(
    "principal",
    [
        "*",
        {"AWS": "*"},
        {"AWS": "arn:aws:iam::123456789012:root"},
        {"AWS": "123456789012"},
        {"AWS": "arn:aws:iam::123456789012:role/a*"},
    ],
)
def test_anybody_or_a_whole_account_is_refused(principal: Any) -> None:
    assert len(judged(principal)) == 1


def test_an_account_with_an_external_id_and_a_named_role_pass() -> None:
    root = {"AWS": "arn:aws:iam::123456789012:root"}
    assert judged(root, {"StringEquals": {"sts:ExternalId": "x"}}) == []
    assert judged({"AWS": "arn:aws:iam::123456789012:role/deploy"}) == []


def test_an_identity_provider_is_held_to_a_subject() -> None:
    provider = {"Federated": "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"}
    web = "sts:AssumeRoleWithWebIdentity"
    held = {"StringEquals": {"token.actions.githubusercontent.com:sub": "repo:a/b:ref:refs/heads/main"}}
    assert judged(provider, held, web) == []
    assert len(judged(provider, {}, web)) == 1
    audience = {"StringEquals": {"token.actions.githubusercontent.com:aud": "sts.amazonaws.com"}}
    assert len(judged(provider, audience, web)) == 1


@pytest.mark.parametrize(
    ("subject", "passes"),
    [
        ("repo:a/b:*", True),
        ("repo:a/*", True),
        ("system:serviceaccount:orders:*", True),
        ("*", False),
        ("repo:*", False),
        ("re*", False),
        ("repo:*:ref:refs/heads/main", False),
        ("repo:a*/b:*", False),
        ("project_path:*", False),
        ("system:serviceaccount:*:orders", False),
    ],
)
def test_a_subject_says_whose_it_is(subject: str, *, passes: bool) -> None:
    """Anybody can have a repository, and call its branch main."""
    provider = {"Federated": "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"}
    for subjects in (subject, ["repo:a/b:ref:refs/heads/main", subject]):
        held = {"StringLike": {"token.actions.githubusercontent.com:sub": subjects}}
        assert (judged(provider, held, "sts:AssumeRoleWithWebIdentity") == []) is passes


@pytest.mark.parametrize("service", GOOD)
def test_a_service_held_to_another_account_is_refused(service: str) -> None:
    """That account's tasks would take the role on."""
    assert judged({"Service": service}, GOOD[service], own={"123456789012"}) == []
    if GOOD[service]:
        (fault,) = judged({"Service": service}, GOOD[service], own={"999999999999"})
        assert "another account" in fault.reason
    (fault,) = judged({"Service": service}, {**GOOD[service], **ACCOUNT}, own={"999999999999"})
    assert "another account" in fault.reason


def test_the_service_for_tasks_in_china_is_the_same() -> None:
    assert judged({"Service": f"{trusts.TASKS}.cn"})
    assert trusts.services([trusts.Trust(0, "Service", f"{trusts.TASKS}.cn", {})]) == {trusts.TASKS}


@pytest.mark.parametrize(
    ("principal", "conditions", "action"),
    [
        ({"Service": "hunter2"}, {}, "sts:AssumeRole"),
        ({"AWS": "hunter2*"}, {}, "sts:AssumeRole"),
        ({"AWS": "hunter2:root"}, {}, "sts:AssumeRole"),
        ({"Federated": "hunter2"}, {}, "sts:AssumeRole"),
        ({"AWS": "arn:aws:iam::123456789012:role/a"}, {}, "hunter2"),
        ({"Service": trusts.TASKS}, {**ACCOUNT, "ArnLike": {"aws:SourceArn": "hunter2"}}, "sts:AssumeRole"),
        ({"Service": trusts.TASKS}, {**TASKS, "StringEquals": {"aws:SourceAccount": "hunter2"}}, "sts:AssumeRole"),
    ],
)
def test_no_value_is_quoted(principal: Any, conditions: Any, action: str) -> None:
    """Any of them may be a secret, and messages end in logs."""
    (fault,) = judged(principal, conditions, action)
    assert "hunter2" not in str(fault)


def test_everybody_but_some_is_everybody() -> None:
    raw = {"Statement": [{"Effect": "Allow", "NotPrincipal": {"AWS": "x"}, "Action": "sts:AssumeRole"}]}
    parsed = trusts.parse(json.dumps(raw))
    assert parsed
    assert trusts.judge(parsed[0], ())


def test_other_actions_in_a_trust_are_refused() -> None:
    assert judged({"Service": "lambda.amazonaws.com"}, action="sts:*")


def test_a_principal_not_known_yet_is_not_proved() -> None:
    trust = trusts.declared({"service": Unknown("x")})
    assert trust
    fault = trusts.judge(trust, ())
    assert fault
    assert fault.unproved


def test_a_denial_trusts_nobody() -> None:
    raw = {"Statement": [{"Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole"}]}
    assert trusts.parse(json.dumps(raw)) == []


@pytest.mark.parametrize("raw", ["{", "[]", 1.0, Unknown("x")])
def test_what_is_no_document_is_none(raw: Any) -> None:
    assert trusts.parse(raw) is None
