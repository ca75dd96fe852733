"""A topic is listened to as whoever is told of alarms would."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from rehearsal import keeper
from rehearsal.emulator import Emulator, launch
from rehearsal.listening import listening

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    with keeper.keep() as run:
        yield launch(run, account="123456789012", region="eu-west-1")


def test_a_message_is_heard_by_all_that_it_has(emulator: Emulator) -> None:
    """Two messages that have half of it each are not the one that was meant."""
    sns = emulator.client("sns")
    topic = sns.create_topic(Name="alerts")["TopicArn"]
    sns.publish(TopicArn=topic, Message="before anybody listened")
    with listening(emulator, topic) as ear:
        sns.publish(TopicArn=topic, Subject="failed", Message="with code 3")
        sns.publish(TopicArn=topic, Message="code 4")
        assert ear.hears(["failed", "code 3"])
        assert not ear.hears(["failed", "code 4"], within=0.2)
        assert not ear.hears(["before"], within=0.1)
        assert sorted(ear.heard) == ["\ncode 4", "failed\nwith code 3"]


def test_nothing_of_it_is_left(emulator: Emulator) -> None:
    """A subscription that stayed would look like the program's own."""
    sns, sqs = emulator.client("sns"), emulator.client("sqs")
    topic = sns.create_topic(Name="quiet")["TopicArn"]
    with listening(emulator, topic):
        assert sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
        assert sqs.list_queues().get("QueueUrls")
    assert not sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    assert not sqs.list_queues().get("QueueUrls")
