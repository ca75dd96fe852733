"""A rule starts a state machine under its target's role, which must trust EventBridge for that rule."""

from __future__ import annotations

import json
import time
import uuid
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from rehearsal.emulator import Emulator


def started(aws: Emulator, *, may: str = "", source: str = "") -> list[str]:
    """Tell a rule of an event; the inputs of its state machine, whose starting may be allowed for another machine."""
    name = f"rule-{uuid.uuid4().hex[:8]}"
    events, states, iam = (aws.client(each) for each in ("events", "stepfunctions", "iam"))
    rule = events.put_rule(Name=name, EventPattern=json.dumps({"source": [name]}))["RuleArn"]
    own = iam.create_role(RoleName=f"{name}-own", AssumeRolePolicyDocument=json.dumps({"Statement": []}))["Role"]
    machine = states.create_state_machine(
        name=name,
        roleArn=own["Arn"],
        definition=json.dumps({"StartAt": "only", "States": {"only": {"Type": "Succeed"}}}),
    )["stateMachineArn"]
    trust = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sts:AssumeRole",
        "Condition": {"ArnLike": {"aws:SourceArn": source or rule}, "StringEquals": {"aws:SourceAccount": aws.account}},
    }
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps({"Statement": [trust]}))["Role"]["Arn"]
    starts = {"Effect": "Allow", "Action": "states:StartExecution", "Resource": may or machine}
    iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=json.dumps({"Statement": [starts]}))
    events.put_targets(Rule=name, Targets=[{"Id": "1", "Arn": machine, "RoleArn": role, "InputPath": "$.detail"}])
    refused = len(aws.denials())
    events.put_events(Entries=[{"Source": name, "DetailType": "told", "Detail": '{"job": 1}'}])
    deadline = time.monotonic() + 10
    while not (found := states.list_executions(stateMachineArn=machine)["executions"]):
        if len(aws.denials()) > refused:
            return []
        assert time.monotonic() < deadline, "nothing came of the event"
        time.sleep(0.02)
    return [states.describe_execution(executionArn=each["executionArn"])["input"] for each in found]


def test_a_role_that_may_start_it_starts_it(corrected: Emulator) -> None:
    (said,) = started(corrected)
    assert json.loads(said) == {"job": 1}


@pytest.mark.parametrize("wrong", ["may", "source"])
def test_a_role_for_another_machine_or_rule_starts_nothing(plain: Emulator, corrected: Emulator, wrong: str) -> None:
    """The rule would be silent in an account, and nobody would learn why."""
    kind, resource = ("states", "stateMachine:another") if wrong == "may" else ("events", "rule/another")
    other = {wrong: f"arn:aws:{kind}:{corrected.region}:{corrected.account}:{resource}"}
    assert len(started(plain, **other)) == 1
    assert started(corrected, **other) == []
    last = corrected.denials()[-1]
    assert last.action == ("states:StartExecution" if wrong == "may" else "sts:AssumeRole")
