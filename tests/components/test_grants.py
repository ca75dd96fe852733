"""What a role may do, as values."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pulumi import Output

from components.errors import InvalidArgsError
from components.grants import Grant, document, trust

READ = Grant(actions=("s3:GetObject",), resources=("arn:aws:s3:::shop/*",))
SEND = Grant(
    actions=("sqs:SendMessage",),
    resources=("arn:aws:sqs:eu-west-1:111122223333:orders",),
    conditions={"StringEquals": {"aws:PrincipalTag/Team": ["shop", "till"]}},
)


def test_grants_become_one_policy_in_their_order() -> None:
    """One statement a grant: a reader finds each right where it was given."""
    said = document([READ, SEND])
    assert isinstance(said, str), "all is known, so a policy pack can read it"
    assert json.loads(said) == {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": ["arn:aws:s3:::shop/*"]},
            {
                "Effect": "Allow",
                "Action": ["sqs:SendMessage"],
                "Resource": ["arn:aws:sqs:eu-west-1:111122223333:orders"],
                "Condition": {"StringEquals": {"aws:PrincipalTag/Team": ["shop", "till"]}},
            },
        ],
    }


def test_a_resource_that_is_not_known_yet_makes_the_policy_an_output() -> None:
    assert isinstance(document([Grant(actions=("s3:GetObject",), resources=(Output.from_input("arn"),))]), Output)


def test_a_grant_is_declared_as_it_is_rendered() -> None:
    """What is not said is not declared."""
    assert READ.declared() == {"actions": ["s3:GetObject"], "resources": ["arn:aws:s3:::shop/*"]}
    assert SEND.declared()["conditions"] == {"StringEquals": {"aws:PrincipalTag/Team": ["shop", "till"]}}


def test_a_trust_lets_one_service_take_the_role_under_its_conditions() -> None:
    said = trust("ecs-tasks.amazonaws.com", {"StringEquals": {"aws:SourceAccount": "111122223333"}})
    assert json.loads(str(said))["Statement"] == [
        {
            "Effect": "Allow",
            "Principal": {"Service": "ecs-tasks.amazonaws.com"},
            "Action": "sts:AssumeRole",
            "Condition": {"StringEquals": {"aws:SourceAccount": "111122223333"}},
        }
    ]


def test_a_trust_without_conditions_has_no_empty_condition() -> None:
    """IAM refuses an empty block."""
    assert "Condition" not in json.loads(str(trust("lambda.amazonaws.com", {})))["Statement"][0]


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"actions": ()}, "Grant.actions: got (); name at least one action"),
        ({"resources": ()}, "Grant.resources: got (); name at least one ARN"),
        ({"actions": ("*",)}, "Grant.actions: got '*'; name each action"),
        ({"actions": ("s3:*",)}, "Grant.actions: got 's3:*'; name each action"),
        ({"actions": ("GetObject",)}, "Grant.actions: got 'GetObject'; name each action"),
    ],
)
def test_a_grant_of_nothing_or_of_everything_is_refused(said: dict[str, Any], message: str) -> None:
    """`s3:*` is how a task role comes to delete buckets; an action without its service is refused by IAM."""
    with pytest.raises(InvalidArgsError) as refused:
        Grant(**{"actions": ("s3:GetObject",), "resources": ("*",), **said})
    assert message in str(refused.value)
