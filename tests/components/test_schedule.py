"""A schedule starts its guard, or runs its task, and may do nothing else; what it cannot start is kept and told."""

from __future__ import annotations

import json
import shlex
from typing import Any

import pytest
from pulumi import Output

from components.errors import InvalidArgsError
from components.fargate import Size
from components.guard import Guard, GuardArgs
from components.schedule import Schedule, ScheduleArgs
from tests.components import jobs
from tests.components.jobs import ACCOUNT, ALERTS, CLUSTER_ARN, NETWORK
from tests.components.recorder import Recorded, of_type, one

UNDELIVERED = ACCOUNT.arn("sqs", "quick-undelivered")
TO_KEEP = {"Effect": "Allow", "Action": ["sqs:SendMessage"], "Resource": [UNDELIVERED]}


def _schedule(**changes: Any) -> Schedule:
    given: dict[str, Any] = {"expression": "rate(5 minutes)", "command": ["sync"]}
    if "task" not in changes:
        given["task"] = jobs.task()
    if "cluster" not in changes:
        given["cluster"] = jobs.cluster()
    return Schedule("quick", ScheduleArgs(account=ACCOUNT, network=NETWORK, alerts=ALERTS, **given | changes))


def _made(**changes: Any) -> list[Recorded]:
    return jobs.recorded(lambda: _schedule(**changes))


def _shared(**changes: Any) -> list[Recorded]:
    """Make a schedule with a guard that was there before."""

    def build() -> None:
        task, cluster = jobs.task(), jobs.cluster()
        args = GuardArgs(account=ACCOUNT, tasks=[task], cluster=cluster, network=NETWORK, alerts=ALERTS)
        _schedule(task=task, cluster=cluster, guard=Guard("parking", args), **changes)

    return jobs.recorded(build)


def _target(resources: list[Recorded]) -> dict[str, Any]:
    return one(resources, "aws:scheduler/schedule:Schedule").inputs["target"]


@pytest.mark.parametrize(("resources", "guard"), [(_made, "quick"), (_shared, "parking")], ids=["its own", "shared"])
def test_with_a_guard_its_role_may_start_that_and_keep_what_it_could_not_start(resources: Any, guard: str) -> None:
    """The whole policy: it neither runs a task nor passes a role."""
    assert jobs.policy(resources(), "quick-schedule") == [
        {
            "Effect": "Allow",
            "Action": ["states:StartExecution"],
            "Resource": [ACCOUNT.arn("states", f"stateMachine:{guard}")],
        },
        TO_KEEP,
    ]


def test_without_one_its_role_may_run_the_task_and_pass_exactly_its_two_roles() -> None:
    assert jobs.policy(_made(overlap="allow"), "quick-schedule") == [*jobs.to_run("etl"), TO_KEEP]


@pytest.mark.parametrize("overlap", ["skip", "allow"])
def test_its_role_is_schedulers_for_this_group_alone(overlap: str) -> None:
    """Scheduler works for every account: without the group any of them could name this role."""
    assert jobs.trust(_made(overlap=overlap), "quick-schedule") == {
        "Effect": "Allow",
        "Principal": {"Service": "scheduler.amazonaws.com"},
        "Action": "sts:AssumeRole",
        "Condition": {
            "StringEquals": {
                "aws:SourceAccount": ACCOUNT.id,
                "aws:SourceArn": ACCOUNT.arn("scheduler", "schedule-group/quick"),
            }
        },
    }


def test_it_is_in_the_group_that_its_role_is_held_to() -> None:
    resources = _made()
    assert one(resources, ":ScheduleGroup").inputs["name"] == "quick"
    assert one(resources, "aws:scheduler/schedule:Schedule").inputs["groupName"] == "quick"


def test_a_guard_is_started_with_what_this_schedule_runs() -> None:
    target = _target(_shared(command=["sync"], environment={"STAGE": "test"}, size=Size(512, 1024)))
    assert target["arn"] == ACCOUNT.arn("states", "stateMachine:parking")
    assert "ecsParameters" not in target
    assert json.loads(target["input"]) == {
        "schedule": "quick",
        "task": "etl",
        "overrides": {
            "ContainerOverrides": [
                {"Name": "app", "Command": ["sync"], "Environment": [{"Name": "STAGE", "Value": "test"}]}
            ],
            "Cpu": "512",
            "Memory": "1024",
        },
    }


def test_a_guard_of_its_own_is_within_it_and_goes_by_its_name() -> None:
    resources = _made()
    guard = one(resources, "drydock:index:Guard")
    assert guard.name == "quick"
    assert guard.parent == one(resources, "drydock:index:Schedule").urn
    assert not of_type(_shared(), "drydock:index:Guard").keys() - {"parking"}


def test_what_may_overlap_is_run_by_scheduler_itself_without_a_public_address() -> None:
    target = _target(_made(overlap="allow"))
    assert target["arn"] == CLUSTER_ARN
    assert json.loads(target["input"]) == {"containerOverrides": [{"name": "app", "command": ["sync"]}]}
    assert target["ecsParameters"] == {
        "taskDefinitionArn": ACCOUNT.arn("ecs", "task-definition/etl:7"),
        "taskCount": 1,
        "capacityProviderStrategies": [{"capacityProvider": "FARGATE", "weight": 1, "base": 0}],
        "networkConfiguration": {
            "subnets": ["subnet-0a1b2c3d", "subnet-1a1b2c3d"],
            "securityGroups": ["quick-id"],
            "assignPublicIp": False,
        },
        "group": "schedule:quick",
        "propagateTags": "TASK_DEFINITION",
        "enableEcsManagedTags": True,
        "enableExecuteCommand": False,
    }


def test_failures_of_what_scheduler_runs_itself_are_told_for_this_schedule_alone() -> None:
    resources = _made(overlap="allow")
    pattern = json.loads(one(resources, ":EventRule").inputs["eventPattern"])
    assert pattern["detail"]["group"] == ["schedule:quick"]
    assert one(resources, ":EventTarget").inputs["arn"] == ALERTS


def test_what_cannot_be_started_is_tried_again_kept_and_told() -> None:
    resources = _made(retries=3, max_event_age=120)
    target = _target(resources)
    assert target["retryPolicy"] == {"maximumRetryAttempts": 3, "maximumEventAgeInSeconds": 120}
    assert target["deadLetterConfig"] == {"arn": UNDELIVERED}
    queue = one(resources, "aws:sqs/queue:Queue")
    assert queue.inputs["messageRetentionSeconds"] == 14 * 24 * 3600
    assert queue.inputs["sqsManagedSseEnabled"] is True
    alarm = one(resources, ":MetricAlarm").inputs
    assert alarm["metricName"] == "ApproximateNumberOfMessagesVisible"
    assert alarm["dimensions"] == {"QueueName": queue.inputs["name"]}
    assert (alarm["threshold"], alarm["comparisonOperator"]) == (0, "GreaterThanThreshold")
    assert alarm["alarmActions"] == [ALERTS]
    assert alarm["treatMissingData"] == "notBreaching", "an empty queue sends no metrics"


@pytest.mark.parametrize(
    ("changes", "inputs"),
    [
        (
            {},
            {
                "scheduleExpression": "rate(5 minutes)",
                "scheduleExpressionTimezone": "UTC",
                "state": "ENABLED",
                "flexibleTimeWindow": {"mode": "OFF"},
            },
        ),
        (
            {"expression": "cron(0 2 * * ? *)", "timezone": "Asia/Taipei"},
            {"scheduleExpression": "cron(0 2 * * ? *)", "scheduleExpressionTimezone": "Asia/Taipei"},
        ),
        ({"flexible_window": 15}, {"flexibleTimeWindow": {"mode": "FLEXIBLE", "maximumWindowInMinutes": 15}}),
        (
            {"start": "2100-01-01T00:00:00Z", "end": "2101-01-01T00:00:00Z"},
            {"startDate": "2100-01-01T00:00:00Z", "endDate": "2101-01-01T00:00:00Z"},
        ),
        ({"enabled": False}, {"state": "DISABLED"}),
        ({"enabled": False, "expression": "at(2020-01-01T00:00:00)"}, {"state": "DISABLED"}),
    ],
)
def test_when_it_runs_is_as_it_was_said(changes: dict[str, Any], inputs: dict[str, Any]) -> None:
    made = one(_made(**changes), "aws:scheduler/schedule:Schedule").inputs
    assert made.items() >= inputs.items()


def _command(**changes: Any) -> list[str]:
    """Return the words of the command that runs it now, as a shell would take them apart."""
    found: list[str] = []
    jobs.recorded(lambda: Output.from_input(_schedule(**changes).run_now).apply(found.append))
    return shlex.split(found[0])


def test_the_command_that_runs_it_now_starts_the_guard_as_its_time_would() -> None:
    words = _command(command=["it's", "now"])
    machine = ACCOUNT.arn("states", "stateMachine:quick")
    assert words[:7] == [
        *("aws", "stepfunctions", "start-execution", "--region", "eu-west-1", "--state-machine-arn", machine)
    ]
    assert words[7] == "--input"
    assert json.loads(words[8]) == json.loads(_target(_made(command=["it's", "now"]))["input"])
    assert len(words) == 9


def test_the_command_that_runs_it_now_runs_the_task_where_it_may_overlap() -> None:
    words = _command(overlap="allow")
    assert words[:6] == ["aws", "ecs", "run-task", "--region", "eu-west-1", "--cli-input-json"]
    assert json.loads(words[6]) == {
        "cluster": CLUSTER_ARN,
        "taskDefinition": ACCOUNT.arn("ecs", "task-definition/etl:7"),
        "capacityProviderStrategy": [{"capacityProvider": "FARGATE", "weight": 1, "base": 0}],
        "networkConfiguration": {
            "awsvpcConfiguration": {
                "subnets": ["subnet-0a1b2c3d", "subnet-1a1b2c3d"],
                "securityGroups": ["quick-id"],
                "assignPublicIp": "DISABLED",
            }
        },
        "overrides": {"containerOverrides": [{"name": "app", "command": ["sync"]}]},
        "group": "schedule:quick",
        "propagateTags": "TASK_DEFINITION",
        "enableECSManagedTags": True,
    }


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"expression": "rate(1 minutes)"}, r"Schedule.expression: got 'rate\(1 minutes\)'; write rate\(1 minute\)"),
        ({"expression": "cron(0 18 * * ?)"}, r"Schedule.expression: .*cron has six fields"),
        ({"expression": "at(2020-01-01T00:00:00)"}, r"Schedule.expression: .*that is past .*turn off or take out"),
        ({"timezone": "Asia/Tapei"}, r"Schedule.timezone: got 'Asia/Tapei'; did you mean 'Asia/Taipei'\?"),
        ({"overlap": "queue"}, r"Schedule.overlap: got 'queue'; one of 'skip', 'allow'"),
        ({"retries": 186}, r"Schedule.retries: got 186; a whole number from 0 to 185"),
        ({"max_event_age": 59}, r"Schedule.max_event_age: got 59"),
        ({"flexible_window": 1441}, r"Schedule.flexible_window: got 1441"),
        ({"start": "tomorrow"}, r"Schedule.start: got 'tomorrow'; a time in UTC, as 2030-01-31T08:00:00Z"),
        ({"end": "2020-01-01T00:00:00Z"}, r"Schedule.end: got '2020-01-01T00:00:00Z'; a time to come"),
        (
            {"start": "2101-01-01T00:00:00Z", "end": "2100-01-01T00:00:00Z"},
            r"Schedule.end: got '2100-01-01T00:00:00Z'; a time to come, and after the start",
        ),
        (
            {"expression": "at(2100-01-01T00:00:00)", "start": "2099-01-01T00:00:00Z"},
            r"Schedule.start: got '2099-01-01T00:00:00Z'; none",
        ),
        ({"container": "ap"}, r"Run.container: got 'ap'"),
    ],
)
def test_what_would_not_run_as_it_is_meant_is_refused(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(InvalidArgsError, match=says):
        _made(**changes)


def test_nothing_is_registered_of_a_schedule_that_is_refused() -> None:
    """Half a schedule in the state would have to be taken out by hand."""
    made: list[str] = []

    def build() -> None:
        with pytest.raises(InvalidArgsError):
            _schedule(expression="cron(0 18 * * ?)")

    made.extend(each.type for each in jobs.recorded(build))
    assert not [each for each in made if "scheduler" in each or "Schedule" in each]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"overlap": "allow"}, r"Schedule.guard: got 'a guard'; none, or overlap='skip'"),
        ({"cluster": "another"}, r"Schedule.cluster: .*the cluster of the guard"),
        ({"task": "another"}, r"Guard.tasks: got \['etl'\]; other too"),
    ],
)
def test_a_guard_that_does_not_fit_is_refused(changes: dict[str, Any], says: str) -> None:
    def build() -> None:
        task, cluster = jobs.task(), jobs.cluster()
        args = GuardArgs(account=ACCOUNT, tasks=[task], cluster=cluster, network=NETWORK, alerts=ALERTS)
        given = {"task": task, "cluster": cluster, "guard": Guard("parking", args)} | changes
        if given["cluster"] == "another":
            given["cluster"] = jobs.cluster("other")
        if given["task"] == "another":
            given["task"] = jobs.task("other")
        _schedule(**given)

    with pytest.raises(InvalidArgsError, match=says):
        jobs.recorded(build)
