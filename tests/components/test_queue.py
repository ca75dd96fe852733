"""A queue loses no message without a word, and takes none but over TLS."""

from __future__ import annotations

import json
from typing import Any

import pytest

from components.errors import InvalidArgsError
from components.grants import document
from components.queue import Queue, QueueArgs
from tests.components.recorder import Recorded, of_type, one, record


def _made(**more: Any) -> list[Recorded]:
    return record(lambda: Queue("orders", QueueArgs(**more)))


def test_both_queues_are_encrypted_and_refuse_plain_http() -> None:
    resources = _made()
    queues = of_type(resources, "aws:sqs/queue:Queue")
    policies = of_type(resources, ":QueuePolicy")
    assert queues.keys() == policies.keys() == {"orders", "orders-dead-letter"}
    for name, queue in queues.items():
        assert queue.inputs["sqsManagedSseEnabled"] is True
        assert json.loads(policies[name].inputs["policy"]) == {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Sid": "TlsOnly",
                    "Effect": "Deny",
                    "Principal": "*",
                    "Action": ["sqs:*"],
                    "Resource": [f"{name}.arn"],
                    "Condition": {"Bool": {"aws:SecureTransport": "false"}},
                }
            ],
        }


def test_what_fails_five_times_is_kept_for_two_weeks() -> None:
    queues = of_type(_made(), "aws:sqs/queue:Queue")
    assert json.loads(queues["orders"].inputs["redrivePolicy"]) == {
        "deadLetterTargetArn": "orders-dead-letter.arn",
        "maxReceiveCount": 5,
    }
    assert queues["orders-dead-letter"].inputs["messageRetentionSeconds"] == 14 * 24 * 3600
    assert "redrivePolicy" not in queues["orders-dead-letter"].inputs


def test_without_receipts_to_count_there_is_no_dead_letter_queue() -> None:
    assert "redrivePolicy" not in one(_made(max_receives=None), "aws:sqs/queue:Queue").inputs


def test_a_queue_can_be_called_as_it_is_named() -> None:
    """Whoever is held to its ARN before it is made knows it by that."""
    assert one(_made(queue_name="undelivered", max_receives=None), ":Queue").inputs["name"] == "undelivered"
    assert "name" not in one(_made(max_receives=None), ":Queue").inputs
    with pytest.raises(InvalidArgsError, match=r"queue name: got 'no\.dots'"):
        _made(queue_name="no.dots")


@pytest.mark.parametrize(
    ("grant", "actions"),
    [
        (lambda queue: queue.send(), ["sqs:SendMessage"]),
        (
            lambda queue: queue.receive(),
            ["sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"],
        ),
    ],
)
def test_a_grant_is_these_actions_on_this_queue(grant: Any, actions: list[str]) -> None:
    def pinned(policy: str) -> None:
        assert json.loads(policy)["Statement"] == [{"Effect": "Allow", "Action": actions, "Resource": ["orders.arn"]}]

    record(lambda: document([grant(Queue("orders"))]).apply(pinned))  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"visibility_timeout": 43_201}, r"Queue.visibility_timeout: got 43201; a whole number from 0 to 43200"),
        ({"retention": 59}, r"Queue.retention: got 59; a whole number from 60 to 1209600 seconds"),
        ({"max_receives": 0}, r"Queue.max_receives: got 0"),
        ({"max_receives": 1001}, r"Queue.max_receives: got 1001"),
        ({"retention": 150}, r"Queue.retention: got 150; more than 150 seconds .*dead-letter"),
    ],
)
def test_what_sqs_would_refuse_or_lose_is_refused(wrong: dict[str, Any], says: str) -> None:
    with pytest.raises(InvalidArgsError, match=says):
        QueueArgs(**wrong)


@pytest.mark.parametrize("name", ["a" * 73, "a" * 62, "no.dots"])
def test_a_name_that_sqs_refuses_is_refused_with_its_dead_letter_queues(name: str) -> None:
    """62 characters fit, and then "-dead-letter" does not."""
    with pytest.raises(InvalidArgsError, match="queue name"):
        record(lambda: Queue(name))
