"""A secret's value is in nobody's sight, and who reads it may read nothing else."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pulumi import Output

from components.errors import InvalidArgsError
from components.grants import document
from components.secret import Secret, SecretArgs, SecretReference
from tests.components.recorder import Recorded, of_type, one, record

ADOPTED = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:team/db-AbC123"
PARAMETER = "arn:aws:ssm:eu-west-1:123456789012:parameter/team/db"
KEY = "arn:aws:kms:eu-west-1:123456789012:key/own"


def _made(**more: Any) -> list[Recorded]:
    return record(lambda: Secret("db", SecretArgs(**more)))


def test_without_a_value_only_the_secret_is_made() -> None:
    resources = _made()
    assert not of_type(resources, ":SecretVersion")
    assert one(resources, "aws:secretsmanager/secret:Secret").inputs["recoveryWindowInDays"] == 30


def test_a_value_is_stored_as_a_secret() -> None:
    """Else it would stand in the state for whoever reads that."""
    resources = record(lambda: Secret("db", SecretArgs(value=Output.from_input("hunter2"))))
    stored = one(resources, ":SecretVersion").inputs["secretString"]
    assert isinstance(stored, dict)
    assert "4dabf18193072939515e22adb298388d" in stored, "the engine's mark of a secret"


@pytest.mark.parametrize(
    ("given", "actions", "resources"),
    [
        ({}, ["secretsmanager:GetSecretValue"], ["db.arn"]),
        ({"kms_key_arn": KEY}, ["secretsmanager:GetSecretValue", "kms:Decrypt"], ["db.arn", KEY]),
    ],
)
def test_to_read_it_is_one_action_and_the_key_where_it_has_one(
    given: dict[str, Any], actions: list[str], resources: list[str]
) -> None:
    def pinned(policy: str) -> None:
        assert json.loads(policy)["Statement"] == [{"Effect": "Allow", "Action": actions, "Resource": resources}]

    record(lambda: document([Secret("db", SecretArgs(**given)).read()]).apply(pinned))  # type: ignore[union-attr]


@pytest.mark.parametrize(("key", "expected"), [(None, "db.arn"), ("password", "db.arn:password::")])
def test_a_container_takes_it_whole_or_by_a_key(key: str | None, expected: str) -> None:
    def pinned(value_from: str) -> None:
        assert value_from == expected

    record(lambda: Output.from_input(Secret("db").reference(key).value_from).apply(pinned))


def test_an_adopted_secret_is_read_by_its_own_arn() -> None:
    whole, part = SecretReference.adopted(ADOPTED), SecretReference.adopted(ADOPTED, key="password", kms_key_arn=KEY)
    assert (whole.value_from, part.value_from) == (ADOPTED, f"{ADOPTED}:password::")
    assert _statements(whole) == [
        {"Effect": "Allow", "Action": ["secretsmanager:GetSecretValue"], "Resource": [ADOPTED]}
    ]
    assert _statements(part) == [
        {"Effect": "Allow", "Action": ["secretsmanager:GetSecretValue", "kms:Decrypt"], "Resource": [ADOPTED, KEY]}
    ]


def test_an_adopted_parameter_is_read_by_the_action_that_ecs_uses() -> None:
    reference = SecretReference.adopted(PARAMETER, kms_key_arn=KEY)
    assert reference.value_from == PARAMETER
    assert _statements(reference) == [
        {"Effect": "Allow", "Action": ["ssm:GetParameters", "kms:Decrypt"], "Resource": [PARAMETER, KEY]}
    ]


@pytest.mark.parametrize(
    ("arn", "key", "says"),
    [
        (ADOPTED.removesuffix("-AbC123"), None, "with the hyphen and six characters at its end"),
        ("team/db", None, "the whole ARN of a secret"),
        ("arn:aws:s3:::bucket", None, "the whole ARN of a secret"),
        (PARAMETER, "password", "SecretReference.key: got 'password'; None: an SSM parameter has one value"),
        (ADOPTED, "pass:word", "SecretReference.key: got 'pass:word'; a key of the JSON object"),
        (ADOPTED, "", "SecretReference.key: got ''"),
    ],
)
def test_what_ecs_could_not_read_is_refused(arn: str, key: str | None, says: str) -> None:
    with pytest.raises(InvalidArgsError) as refused:
        SecretReference.adopted(arn, key=key)
    assert says in str(refused.value)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"secret_name": "team/db-AbC123"}, r"Secret.secret_name: got 'team/db-AbC123'; no hyphen and six"),
        ({"secret_name": "no spaces"}, "secret name: got 'no spaces'"),
        ({"recovery_days": 3}, r"Secret.recovery_days: got 3; a whole number from 7 to 30 days, or 0"),
        ({"recovery_days": 31}, r"Secret.recovery_days: got 31"),
        ({"value": "hunter2"}, r"Secret.value: got 'plain text'; an output of a secret setting"),
    ],
)
def test_what_secrets_manager_would_refuse_or_confuse_is_refused(wrong: dict[str, Any], says: str) -> None:
    with pytest.raises(InvalidArgsError, match=says) as refused:
        SecretArgs(**wrong)
    assert "hunter2" not in str(refused.value)


def test_a_secret_can_be_deleted_at_once_where_a_stack_says_so() -> None:
    assert one(_made(recovery_days=0), "aws:secretsmanager/secret:Secret").inputs["recoveryWindowInDays"] == 0


@pytest.mark.parametrize("name", ["a" * 505, "no spaces"])
def test_a_name_that_secrets_manager_refuses_is_refused(name: str) -> None:
    with pytest.raises(InvalidArgsError, match="secret name"):
        record(lambda: Secret(name))


def _statements(reference: SecretReference) -> Any:
    policy = document(reference.grants)
    assert isinstance(policy, str)
    return json.loads(policy)["Statement"]
