"""What carries messages: SNS topics and SQS queues."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from rehearsal.graph import Answer
    from rehearsal.stand_ins.calls import Making, Table

# Both services take attributes as text by keys of their own; most are the property's name with a capital.
_QUEUE_KEYS: Final = {
    "delaySeconds": "DelaySeconds",
    "kmsDataKeyReusePeriodSeconds": "KmsDataKeyReusePeriodSeconds",
    "maxMessageSize": "MaximumMessageSize",
    "messageRetentionSeconds": "MessageRetentionPeriod",
    "receiveWaitTimeSeconds": "ReceiveMessageWaitTimeSeconds",
    "visibilityTimeoutSeconds": "VisibilityTimeout",
    "contentBasedDeduplication": "ContentBasedDeduplication",
    "deduplicationScope": "DeduplicationScope",
    "fifoQueue": "FifoQueue",
    "fifoThroughputLimit": "FifoThroughputLimit",
    "kmsMasterKeyId": "KmsMasterKeyId",
    "policy": "Policy",
    "redriveAllowPolicy": "RedriveAllowPolicy",
    "redrivePolicy": "RedrivePolicy",
    "sqsManagedSseEnabled": "SqsManagedSseEnabled",
}
_TOPIC_KEYS: Final = {
    name: name[0].upper() + name[1:]
    for name in (
        "archivePolicy",
        "contentBasedDeduplication",
        "deliveryPolicy",
        "displayName",
        "fifoThroughputScope",
        "fifoTopic",
        "kmsMasterKeyId",
        "policy",
        "signatureVersion",
        "tracingConfig",
    )
}
_SUBSCRIPTION_KEYS: Final = {
    name: name[0].upper() + name[1:]
    for name in (
        "deliveryPolicy",
        "filterPolicy",
        "filterPolicyScope",
        "rawMessageDelivery",
        "redrivePolicy",
        "replayPolicy",
        "subscriptionRoleArn",
    )
}


def _attributes(this: Making, keys: dict[str, str]) -> dict[str, Any]:
    return {"Attributes": {key: _text(this[name]) for name, key in keys.items() if name in this.inputs}}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _topic(this: Making) -> Answer:
    arn = this.create("sns:CreateTopic", _attributes(this, _TOPIC_KEYS), apart=_TOPIC_KEYS)["TopicArn"]
    return this.answer(arn, arn=arn, owner=this.aws.account)


def _topic_policy(this: Making) -> Answer:
    this.call("sns:SetTopicAttributes", TopicArn=this["arn"], AttributeName="Policy", AttributeValue=this["policy"])
    return this.answer(this["arn"], owner=this.aws.account)


def _subscription(this: Making) -> Answer:
    apart = {*_SUBSCRIPTION_KEYS, "confirmationTimeoutInMinutes", "endpointAutoConfirms"}
    given = _attributes(this, _SUBSCRIPTION_KEYS) | {"ReturnSubscriptionArn": True}
    made = this.create("sns:Subscribe", given, apart=apart, rename={"topic": "TopicArn"})
    # A person confirms an e-mail address; everything else confirms itself.
    pending = this["protocol"] in ("email", "email-json", "http", "https")
    arn = made["SubscriptionArn"]
    return this.answer(arn, arn=arn, ownerId=this.aws.account, pendingConfirmation=pending)


def _queue(this: Making) -> Answer:
    given = _attributes(this, _QUEUE_KEYS)
    url = this.create("sqs:CreateQueue", given, apart=_QUEUE_KEYS, rename={"name": "QueueName"})["QueueUrl"]
    found = this.call("sqs:GetQueueAttributes", QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
    return this.answer(url, arn=found["QueueArn"], url=url)


def _queue_policy(this: Making) -> Answer:
    this.call("sqs:SetQueueAttributes", QueueUrl=this["queueUrl"], Attributes={"Policy": _text(this["policy"])})
    return this.answer(this["queueUrl"])


TABLE: Final[Table] = {
    "aws:sns/topic:Topic": _topic,
    "aws:sns/topicPolicy:TopicPolicy": _topic_policy,
    "aws:sns/topicSubscription:TopicSubscription": _subscription,
    "aws:sqs/queue:Queue": _queue,
    "aws:sqs/queuePolicy:QueuePolicy": _queue_policy,
}
