"""Passwords have the characters that a template asks for, and a rotation is told."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from rehearsal.emulator import Emulator


def generated(aws: Emulator, **asked: Any) -> str:
    """Return the secret that a template makes which asks for *asked*."""
    name = f"stack-{uuid.uuid4().hex[:8]}"
    secret = {"Type": "AWS::SecretsManager::Secret", "Properties": {"Name": name, "GenerateSecretString": asked}}
    stacks = aws.client("cloudformation")
    stacks.create_stack(StackName=name, TemplateBody=json.dumps({"Resources": {"Secret": secret}}))
    stacks.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig={"Delay": 0.1})
    return aws.client("secretsmanager").get_secret_value(SecretId=name)["SecretString"]


def test_a_password_has_no_punctuation_where_none_is_asked_for(plain: Emulator, corrected: Emulator) -> None:
    """A URL with the password in it would break here alone."""
    long = {"ExcludePunctuation": True, "PasswordLength": 400}
    assert not generated(plain, **long).isalnum()
    assert generated(corrected, **long).isalnum()


def test_a_password_has_some_of_each_kind_that_is_asked_for(corrected: Emulator) -> None:
    """As few as one of each; and a password of 32 where nothing is said."""
    few = generated(corrected, PasswordLength=4)
    assert [sum(kind(each) for each in few) for kind in (str.islower, str.isupper, str.isdigit)] == [1, 1, 1]
    assert len(generated(corrected, ExcludeCharacters="/@")) == 32
    assert generated(corrected, ExcludeLowercase=True, ExcludeUppercase=True, ExcludePunctuation=True).isdigit()


def test_a_password_stands_in_its_template(corrected: Emulator) -> None:
    template = {"SecretStringTemplate": '{"username": "app"}', "GenerateStringKey": "word", "PasswordLength": 40}
    said = json.loads(generated(corrected, **template))
    assert (said["username"], len(said["word"])) == ("app", 40)


@pytest.mark.parametrize("told", [True, False], ids=["of the secret", "of another"])
def test_a_rotation_that_succeeded_is_told_to_the_rules_of_its_secret(
    corrected: Emulator,
    told: bool,  # noqa: FBT001 - a case of the test
) -> None:
    """What hears of rotations would be proved by its pattern's text alone."""
    assert bool(heard(corrected, of_another=not told)) is told


def test_by_itself_the_emulator_tells_of_no_rotation(plain: Emulator) -> None:
    assert heard(plain) == []


def heard(aws: Emulator, *, of_another: bool = False) -> list[Any]:
    """Rotate a secret; what a rule for its rotations has sent to a queue."""
    name = f"secret-{uuid.uuid4().hex[:8]}"
    secret = aws.client("secretsmanager").create_secret(Name=name, SecretString="old")["ARN"]
    url = aws.client("sqs").create_queue(QueueName=name)["QueueUrl"]
    queue = f"arn:aws:sqs:{aws.region}:{aws.account}:{name}"
    admits = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": queue}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [admits]})
    aws.client("sqs").set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    detail = {
        "eventName": ["RotationSucceeded"],
        "additionalEventData": {"SecretId": [f"{secret}x" if of_another else secret]},
    }
    pattern = {"source": ["aws.secretsmanager"], "detail-type": ["AWS Service Event via CloudTrail"], "detail": detail}
    aws.client("events").put_rule(Name=name, EventPattern=json.dumps(pattern))
    aws.client("events").put_targets(Rule=name, Targets=[{"Id": "1", "Arn": queue}])
    aws.client("secretsmanager").rotate_secret(SecretId=name)
    return aws.client("sqs").receive_message(QueueUrl=url, WaitTimeSeconds=1).get("Messages", [])
