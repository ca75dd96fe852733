"""When parking-etl runs: by schedule, by its own clock, by hand; and who hears of a run that failed."""

from __future__ import annotations

import json
import shlex
from typing import Any

import pytest

from tests.apps.exact import ACCOUNTS, REGION
from tests.apps.parking_etl.test_infrastructure import KIND, TASKS, deployed, each_stack, handed, states, subnets

each_job = pytest.mark.parametrize("job", ["sync-availability", "sync-parking"])


# Always on.


def test_dev_keeps_one_task_and_never_two() -> None:
    """The next one would find the database taken by the last."""
    service = deployed("dev").one("ecs/service:Service").inputs
    assert service["desiredCount"] == 1
    assert (service["deploymentMinimumHealthyPercent"], service["deploymentMaximumPercent"]) == (0, 100)
    assert service["availabilityZoneRebalancing"] == "DISABLED"
    assert service["capacityProviderStrategies"] == [{"capacityProvider": "FARGATE_SPOT", "weight": 1, "base": 0}]
    assert "loadBalancers" not in service


def test_dev_has_nothing_of_the_other_mode_nor_prod_of_devs() -> None:
    """Two writers by two clocks would be what the guard is there to prevent."""
    for token in (":Schedule", ":ScheduleGroup", ":StateMachine", "dynamodb/table:Table", "sqs/queue:Queue"):
        assert not deployed("dev").of(token), token
    assert not deployed("prod").of("ecs/service:Service")


# Scheduled.


@pytest.mark.parametrize(
    ("job", "expression", "window"),
    [("sync-availability", "rate(5 minutes)", 1), ("sync-parking", "cron(0 2 * * ? *)", 15)],
)
def test_each_job_has_its_times_in_taipei(job: str, expression: str, window: int) -> None:
    """18:00 UTC, as the source had it, is 02:00 there: the zone says so, and the window is shorter than the rate."""
    schedule = deployed("prod").one("scheduler/schedule:Schedule", job).inputs
    assert (schedule["scheduleExpression"], schedule["scheduleExpressionTimezone"]) == (expression, "Asia/Taipei")
    assert schedule["flexibleTimeWindow"] == {"mode": "FLEXIBLE", "maximumWindowInMinutes": window}
    assert schedule["state"] == "ENABLED"
    assert schedule["groupName"] == job, "a group of its own, which its role is held to"
    assert deployed("prod").one(":ScheduleGroup", job).inputs["name"] == job


@each_job
def test_each_schedule_starts_the_one_guard_with_its_command(job: str) -> None:
    """Named for the database, so that no two runs ever write it."""
    target = deployed("prod").one("scheduler/schedule:Schedule", job).inputs["target"]
    assert target["arn"] == deployed("prod").one(":StateMachine", "parking-database").outputs["arn"]
    assert json.loads(target["input"]) == {
        "schedule": job,
        "task": "parking-etl-scheduled",
        "overrides": {"ContainerOverrides": [{"Name": "parking-etl", "Command": [job]}]},
    }
    assert "ecsParameters" not in target, "it runs no task itself"


@each_job
def test_a_run_that_cannot_be_started_is_tried_again_then_kept_and_told(job: str) -> None:
    whole = deployed("prod")
    target = whole.one("scheduler/schedule:Schedule", job).inputs["target"]
    assert target["retryPolicy"] == {"maximumRetryAttempts": 5, "maximumEventAgeInSeconds": 3600}
    queue = whole.one("sqs/queue:Queue", f"{job}-undelivered")
    assert target["deadLetterConfig"] == {"arn": queue.outputs["arn"]}
    assert queue.inputs["messageRetentionSeconds"] == 14 * 24 * 3600
    alarm = whole.one(":MetricAlarm", f"{job}-undelivered").inputs
    assert (alarm["metricName"], alarm["threshold"], alarm["comparisonOperator"]) == (
        "ApproximateNumberOfMessagesVisible",
        0,
        "GreaterThanThreshold",
    )
    assert alarm["dimensions"] == {"QueueName": queue.inputs["name"]}
    assert alarm["alarmActions"] == [alerts("prod")]


def test_one_guard_holds_one_lock_for_both_jobs() -> None:
    """And three skips in a row are a failure."""
    whole = deployed("prod")
    lock = whole.one("dynamodb/table:Table", "parking-database-lock").inputs["name"]
    assert {states()[each]["Arguments"]["TableName"] for each in ("TakeLock", "Release", "CountSkip", "CountAnew")} == {
        lock
    }
    assert states()["TooManySkips"]["Choices"][0] == {
        "Condition": "{% $skips >= 3 %}",
        "Next": "CountAnew",
    }


def test_a_guarded_run_is_of_this_task_on_this_cluster_and_ended_after_a_quarter_of_an_hour() -> None:
    run = states()["Run"]
    assert run["Resource"] == "arn:aws:states:::ecs:runTask.sync", "which waits for its end"
    assert run["TimeoutSeconds"] == 900
    whole = deployed("prod")
    assert run["Arguments"]["Cluster"] == whole.one("ecs/cluster:Cluster").outputs["arn"]
    assert states()["TakeLock"]["Assign"]["definitions"] == {
        "parking-etl-scheduled": whole.one(":TaskDefinition").outputs["arn"]
    }
    assert run["Arguments"]["CapacityProviderStrategy"] == [{"CapacityProvider": "FARGATE", "Weight": 1, "Base": 0}]


# Failures.


def alerts(stack: str) -> str:
    return deployed(stack).one("sns/topic:Topic", "alerts").outputs["arn"]


@pytest.mark.parametrize(
    ("stack", "rule", "narrowed"),
    [
        ("dev", "parking-etl-failed", {}),
        ("prod", "parking-database-failed-parking-etl-scheduled", {"group": ["guard:parking-database"]}),
    ],
)
def test_a_failed_run_is_told_to_the_alerts(stack: str, rule: str, narrowed: dict[str, Any]) -> None:
    """By event: the metric that the source alarmed on does not exist."""
    whole = deployed(stack)
    pattern = json.loads(whole.one(":EventRule", rule).inputs["eventPattern"])
    family = f"arn:aws:ecs:{REGION}:{ACCOUNTS[stack]}:task-definition/parking-etl-{KIND[stack]}:"
    # A service starts another task where Spot took one; a run is lost.
    interrupted = [] if stack == "dev" else ["SpotInterruption", "TerminationNotice"]
    assert pattern == {
        "source": ["aws.ecs"],
        "detail-type": ["ECS Task State Change"],
        "detail": {
            "clusterArn": [whole.one("ecs/cluster:Cluster").outputs["arn"]],
            "taskDefinitionArn": [{"prefix": family}],
            "lastStatus": ["STOPPED"],
            "$or": [
                {"stopCode": ["TaskFailedToStart", *interrupted]},
                {
                    "stopCode": ["EssentialContainerExited"],
                    "containers": {"exitCode": [{"anything-but": [0]}, {"exists": False}]},
                },
            ],
            **narrowed,
        },
    }
    target = whole.one(":EventTarget", rule).inputs
    assert target["arn"] == alerts(stack)
    assert target["inputTransformer"]["inputTemplate"].endswith('"event": <aws.events.event.json>}')


def test_what_the_guard_could_not_bring_to_an_end_is_told_too() -> None:
    """Timeouts, and three skips in a row, are no task's end."""
    whole = deployed("prod")
    detail = json.loads(whole.one(":EventRule", "parking-database-failed").inputs["eventPattern"])["detail"]
    assert detail["stateMachineArn"] == [whole.one(":StateMachine").outputs["arn"]]
    assert whole.one(":EventTarget", "parking-database-failed").inputs["arn"] == alerts("prod")


@each_stack
def test_nothing_else_listens_for_events(stack: str) -> None:
    """A failure told twice is soon told to nobody."""
    rules = {
        "dev": {"parking-etl-failed"},
        "prod": {"parking-database-failed", "parking-database-failed-parking-etl-scheduled"},
    }
    assert deployed(stack).of(":EventRule").keys() == rules[stack]
    assert handed(stack)["alerts_topic_arn"] == alerts(stack)


# By hand.


def typed(command: str) -> tuple[list[str], dict[str, str]]:
    """Return a command's words, and its options."""
    words = shlex.split(command)
    return words[:3], dict(zip(words[3::2], words[4::2], strict=True))


@each_job
def test_prods_command_starts_the_guard_as_the_schedule_does(job: str) -> None:
    """A run by hand that went around it would meet one by schedule."""
    words, options = typed(handed("prod")[f"run_{job.replace('-', '_')}"])
    assert words == ["aws", "stepfunctions", "start-execution"]
    assert options == {
        "--region": REGION,
        "--state-machine-arn": handed("prod")["guard_arn"],
        "--input": deployed("prod").one("scheduler/schedule:Schedule", job).inputs["target"]["input"],
    }


@each_job
def test_devs_command_runs_the_job_as_a_task_beside_the_service(job: str) -> None:
    """In the service's own group and subnets: nobody else reaches the files."""
    words, options = typed(handed("dev")[f"run_{job.replace('-', '_')}"])
    assert words == ["aws", "ecs", "run-task"]
    request = json.loads(options.pop("--cli-input-json"))
    assert options == {"--region": REGION}
    whole = deployed("dev")
    assert request["cluster"] == whole.one("ecs/cluster:Cluster").outputs["arn"]
    assert request["taskDefinition"] == whole.one(":TaskDefinition").outputs["arn"]
    assert request["networkConfiguration"]["awsvpcConfiguration"] == {
        "subnets": subnets("dev"),
        "securityGroups": [TASKS["dev"]],
        "assignPublicIp": "DISABLED",
    }
    assert request["overrides"] == {"containerOverrides": [{"name": "parking-etl", "command": [job]}]}
    assert request["group"] == f"by-hand:{job}"
