"""Listens to a topic for a while, as whoever is told of alarms would."""

from __future__ import annotations

import contextlib
import json
import secrets
import time
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable

    from rehearsal.emulator import Emulator

_WITHIN: Final = 10.0
"""Seconds for a message, after what it tells of."""
_EVERY: Final = 0.05


class Ear:
    """What a topic delivers from now on."""

    def __init__(self, sqs: Any, queue: str) -> None:
        """Made by `listening` alone."""
        self._sqs, self._queue = sqs, queue
        self._heard: list[str] = []

    def hears(self, texts: Iterable[str], within: float = _WITHIN) -> bool:
        """Wait until one message's subject and text have all *texts* in them; False where none comes in time."""
        wanted = list(texts)
        deadline = time.monotonic() + within
        while not any(all(text in message for text in wanted) for message in self._heard):
            if time.monotonic() > deadline:
                return False
            for message in self._sqs.receive_message(QueueUrl=self._queue, MaxNumberOfMessages=10).get("Messages", []):
                said = json.loads(message["Body"])
                self._heard.append(f"{said.get('Subject', '')}\n{said['Message']}")
            time.sleep(_EVERY)
        return True

    @property
    def heard(self) -> list[str]:
        """Subject and text of each message so far."""
        return list(self._heard)


@contextlib.contextmanager
def listening(emulator: Emulator, topic: str) -> Generator[Ear]:
    """Subscribe a queue to the *topic* (its ARN) while the block runs."""
    sns, sqs = emulator.client("sns"), emulator.client("sqs")
    name = f"rehearsal-{secrets.token_hex(4)}"
    admitted = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": "*",
        "Condition": {"ArnEquals": {"aws:SourceArn": topic}},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [admitted]})
    queue = sqs.create_queue(QueueName=name, Attributes={"Policy": policy})["QueueUrl"]
    arn = f"arn:aws:sqs:{emulator.region}:{emulator.account}:{name}"
    subscription = sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, ReturnSubscriptionArn=True)
    try:
        yield Ear(sqs, queue)
    finally:
        sns.unsubscribe(SubscriptionArn=subscription["SubscriptionArn"])
        sqs.delete_queue(QueueUrl=queue)
