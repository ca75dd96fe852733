"""A second run of a program finds what the first has made: as it was, changed, replaced, or gone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from rehearsal import program
from rehearsal.autoname import Names
from rehearsal.graph import Answer, Registered
from rehearsal.monitor import Refused
from rehearsal.state import State
from tests.rehearsal.programs import Made, named, refusal, write

if TYPE_CHECKING:
    from pathlib import Path

GROUPS = """
aws.cloudwatch.LogGroup("web", retention_in_days={days}, opts=options)
aws.sqs.Queue("jobs", opts=options)
"""


class Kept(Made):
    """Makes anything, and notes what is changed and taken away."""

    def __init__(self) -> None:
        super().__init__()
        self.changed: list[tuple[str, frozenset[str]]] = []
        self.retired: list[str] = []

    def update(self, resource: Registered, before: Registered, changed: frozenset[str]) -> Answer:
        """Give it another ARN, as a new revision has."""
        self.changed.append((resource.name, changed))
        return Answer(id=before.id, outputs={"arn": f"{before.outputs['arn']}:2"})

    def retire(self, before: Registered) -> None:
        """Note it."""
        self.retired.append(before.outputs["arn"])


class Session:
    """Runs one program after the other on one state."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.made = folder, Kept()
        self.state, self._names = State(self.made), Names(1)

    def run(self, source: str) -> program.Result:
        """Run the program *source*, after those before."""
        self.state.begin()
        return program.run(write(self.folder, source), "dev", preview=False, maker=self.state, names=self._names)


@pytest.fixture
def session(tmp_path: Path) -> Session:
    return Session(tmp_path)


def test_what_is_as_it_was_is_left_alone_and_answers_the_same(session: Session) -> None:
    """Made again, it would be there twice, or be refused for its name."""
    first = session.run(GROUPS.format(days=7))
    made = sorted(session.made.made)
    again = session.run(GROUPS.format(days=7))
    session.state.end()
    assert sorted(each for each in session.made.made if each != "aws") == [each for each in made if each != "aws"]
    assert session.made.changed == []
    assert named(again, "web").outputs == named(first, "web").outputs
    assert named(again, "jobs").id == named(first, "jobs").id


def test_what_changed_is_changed_and_what_it_replaced_is_taken_away_at_the_end(session: Session) -> None:
    """The service still runs the old revision until the program has come to its own change."""
    session.run(GROUPS.format(days=7))
    changed = session.run(GROUPS.format(days=14))
    assert session.made.changed == [("web", frozenset({"retentionInDays"}))]
    assert session.made.retired == []
    session.state.end()
    assert session.made.retired == ["arn:aws:x:eu-west-1:123456789012:web"]
    assert named(changed, "web").outputs["arn"] == "arn:aws:x:eu-west-1:123456789012:web:2"


def test_a_run_that_failed_takes_nothing_away_and_the_next_all_that_was_replaced(session: Session) -> None:
    """What was there before it still serves."""
    session.run(GROUPS.format(days=7))
    fails = """
    def fail(_):
        raise pulumi.RunError("no more")
    aws.cloudwatch.LogGroup("web", retention_in_days=14, opts=options).arn.apply(fail)
    aws.sqs.Queue("jobs", opts=options)
    """
    assert "no more" in refusal(session.run(fails))
    assert [name for name, _ in session.made.changed] == ["web"]
    assert session.made.retired == []
    session.run(GROUPS.format(days=21))
    session.state.end()
    first = "arn:aws:x:eu-west-1:123456789012:web"
    assert sorted(session.made.retired) == [first, f"{first}:2"]


def test_a_third_run_is_compared_with_the_second(session: Session) -> None:
    session.run(GROUPS.format(days=7))
    session.run(GROUPS.format(days=14))
    session.run(GROUPS.format(days=14))
    assert len(session.made.changed) == 1


def test_what_the_program_ignores_stays_as_it_was(session: Session) -> None:
    """A service's count, which scaling has changed since, would be put back."""
    source = (
        'ignoring = pulumi.ResourceOptions(provider=provider, ignore_changes=["retentionInDays"])\n'
        'aws.cloudwatch.LogGroup("web", retention_in_days={days}, opts=ignoring)'
    )
    session.run(source.format(days=7))
    again = session.run(source.format(days=14))
    assert session.made.changed == []
    assert named(again, "web").inputs["retentionInDays"] == 7


def test_what_is_gone_is_refused_by_name(session: Session) -> None:
    """Left in the emulator without a word, it would answer requests that it no longer should."""
    session.run(GROUPS.format(days=7))
    session.run('aws.sqs.Queue("jobs", opts=options)')
    with pytest.raises(Refused, match="no longer has aws:cloudwatch/logGroup:LogGroup 'web'"):
        session.state.end()


def test_a_change_that_is_refused_is_compared_with_what_is_there_the_next_time(session: Session) -> None:
    session.run(GROUPS.format(days=7))
    update = session.made.update

    def refuse(*_: object) -> Answer:
        raise Refused("not now")

    session.made.update = refuse  # type: ignore[method-assign]
    assert refusal(session.run(GROUPS.format(days=14))) == "not now"
    session.made.update = update  # type: ignore[method-assign]
    session.run(GROUPS.format(days=14))
    assert session.made.changed == [("web", frozenset({"retentionInDays"}))]
