"""A topic takes messages over TLS from whom it names, and from nobody else."""

from __future__ import annotations

import json
from typing import Any

import pytest

from components.account import Account
from components.errors import InvalidArgsError
from components.grants import document
from components.topic import Topic, TopicArgs
from tests.components.recorder import Recorded, of_type, one, record

ACCOUNT = Account(id="123456789012", region="eu-west-1")
TLS_ONLY = {
    "Sid": "TlsOnly",
    "Effect": "Deny",
    "Principal": "*",
    "Action": ["sns:Publish"],
    "Resource": ["alerts.arn"],
    "Condition": {"Bool": {"aws:SecureTransport": "false"}},
}
FROM_ALARMS = {
    "StringEquals": {"aws:SourceAccount": "123456789012"},
    "ArnLike": {"aws:SourceArn": "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:*"},
}


def _made(**more: Any) -> list[Recorded]:
    return record(lambda: Topic("alerts", TopicArgs(account=ACCOUNT, **more)))


def test_without_publishers_nobody_is_admitted_by_the_topic_itself() -> None:
    resources = _made(publishers=[])
    assert json.loads(one(resources, ":TopicPolicy").inputs["policy"]) == {
        "Version": "2012-10-17",
        "Statement": [TLS_ONLY],
    }
    assert one(resources, "aws:sns/topic:Topic").inputs["kmsMasterKeyId"] == "alias/aws/sns"
    assert not of_type(resources, ":Key")


def test_by_default_alarms_of_this_account_and_region_may_publish() -> None:
    """An alarm whose topic does not admit it changes its state and tells nobody."""
    policy = json.loads(one(_made(), ":TopicPolicy").inputs["policy"])
    assert policy["Statement"] == [
        TLS_ONLY,
        {
            "Effect": "Allow",
            "Principal": {"Service": "cloudwatch.amazonaws.com"},
            "Action": ["sns:Publish"],
            "Resource": "alerts.arn",
            "Condition": FROM_ALARMS,
        },
    ]


def test_where_services_publish_the_topic_has_a_key_that_admits_them() -> None:
    """AWS's own key for SNS admits no service: the alarm would be raised and nobody told."""
    resources = _made()
    assert one(resources, "aws:sns/topic:Topic").inputs["kmsMasterKeyId"] == "alerts.arn"
    key = one(resources, ":Key")
    assert key.inputs["enableKeyRotation"] is True
    assert json.loads(key.inputs["policy"])["Statement"] == [
        {
            "Effect": "Allow",
            "Principal": {"AWS": "arn:aws:iam::123456789012:root"},
            "Action": ["kms:*"],
            "Resource": "*",
        },
        {
            "Effect": "Allow",
            "Principal": {"Service": "cloudwatch.amazonaws.com"},
            "Action": ["kms:Decrypt", "kms:GenerateDataKey*"],
            "Resource": "*",
            "Condition": FROM_ALARMS,
        },
    ]


def test_rules_of_eventbridge_may_publish_and_use_the_key_without_a_condition() -> None:
    """EventBridge states no source: under a condition its messages would be dropped without a word."""
    resources = _made(publishers=["events.amazonaws.com"])
    events = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}}
    topic = json.loads(one(resources, ":TopicPolicy").inputs["policy"])["Statement"]
    assert topic == [TLS_ONLY, {**events, "Action": ["sns:Publish"], "Resource": "alerts.arn"}]
    key = json.loads(one(resources, ":Key").inputs["policy"])["Statement"]
    assert key[1:] == [{**events, "Action": ["kms:Decrypt", "kms:GenerateDataKey*"], "Resource": "*"}]


def test_a_key_that_is_given_is_used() -> None:
    resources = _made(publishers=["cloudwatch.amazonaws.com"], kms_key_arn="arn:aws:kms:eu-west-1:1:key/shared")
    assert one(resources, "aws:sns/topic:Topic").inputs["kmsMasterKeyId"] == "arn:aws:kms:eu-west-1:1:key/shared"
    assert not of_type(resources, ":Key")


def test_each_address_is_subscribed_once_and_keyed_by_itself() -> None:
    """Keyed by place, one address less would subscribe the rest anew."""
    resources = _made(emails=["ops@example.com", "dev@example.com", "ops@example.com"])
    subscriptions = of_type(resources, ":TopicSubscription")
    assert {name: (made.inputs["protocol"], made.inputs["endpoint"]) for name, made in subscriptions.items()} == {
        "alerts-dev@example.com": ("email", "dev@example.com"),
        "alerts-ops@example.com": ("email", "ops@example.com"),
    }


def test_topics_can_share_a_key() -> None:
    def build() -> None:
        first = Topic("alerts", TopicArgs(account=ACCOUNT))
        Topic("orders", TopicArgs(account=ACCOUNT, kms_key_arn=first.kms_key_arn))

    resources = record(build)
    key = one(resources, ":Key")
    for topic in of_type(resources, "aws:sns/topic:Topic").values():
        assert key.urn in topic.property_dependencies["kmsMasterKeyId"]


@pytest.mark.parametrize(
    ("publishers", "actions", "resources"),
    [
        ([], ["sns:Publish"], ["alerts.arn"]),
        (
            ["cloudwatch.amazonaws.com"],
            ["sns:Publish", "kms:Decrypt", "kms:GenerateDataKey"],
            ["alerts.arn", "alerts.arn"],
        ),
    ],
)
def test_to_publish_is_the_topic_and_the_key_where_it_has_one(
    publishers: list[Any], actions: list[str], resources: list[str]
) -> None:
    def pinned(policy: str) -> None:
        assert json.loads(policy)["Statement"] == [{"Effect": "Allow", "Action": actions, "Resource": resources}]

    def build() -> object:
        topic = Topic("alerts", TopicArgs(account=ACCOUNT, publishers=publishers))
        return document([topic.publish()]).apply(pinned)  # type: ignore[union-attr]

    record(build)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"publishers": ["s3.amazonaws.com"]}, r"Topic.publishers: got 's3.amazonaws.com'; only cloudwatch"),
        ({"emails": ["ops at example"]}, r"Topic.emails: got 'ops at example'; an address"),
    ],
)
def test_what_would_reach_nobody_is_refused(wrong: dict[str, Any], says: str) -> None:
    with pytest.raises(InvalidArgsError, match=says):
        TopicArgs(account=ACCOUNT, **wrong)


@pytest.mark.parametrize("name", ["a" * 249, "alerts.fifo"])
def test_a_name_that_sns_refuses_is_refused(name: str) -> None:
    with pytest.raises(InvalidArgsError, match="topic name"):
        record(lambda: Topic(name, TopicArgs(account=ACCOUNT)))
