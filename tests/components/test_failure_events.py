"""A failure reaches the topic once, with its reason; what is none stays quiet.

The patterns are tried by the emulator's TestEventPattern on events in the shape that AWS documents.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import pytest

from components.account import Account
from components.failure_events import FailedRuns, FailedRunsArgs, FailedTasks, FailedTasksArgs
from rehearsal import keeper
from rehearsal.emulator import Emulator, launch
from tests.components.recorder import Recorded, one, record

if TYPE_CHECKING:
    from collections.abc import Iterator

ACCOUNT: Final = Account(id="123456789012", region="eu-west-1")
CLUSTER: Final = ACCOUNT.arn("ecs", "cluster/main-1a2b3c4")
TOPIC: Final = ACCOUNT.arn("sns", "alerts")
MACHINE: Final = ACCOUNT.arn("states", "stateMachine:parking")


@pytest.fixture(scope="module")
def aws() -> Iterator[Emulator]:
    with keeper.keep() as run:
        yield launch(run, account=ACCOUNT.id, region=ACCOUNT.region)


def _tasks(**changes: Any) -> list[Recorded]:
    given: dict[str, Any] = {"account": ACCOUNT, "cluster_arn": CLUSTER, "family": "etl", "topic_arn": TOPIC}
    return record(lambda: FailedTasks("failed", FailedTasksArgs(**given | changes)))


def _runs() -> list[Recorded]:
    return record(lambda: FailedRuns("failed", FailedRunsArgs(state_machine_arn=MACHINE, topic_arn=TOPIC)))


def _rings(aws: Emulator, resources: list[Recorded], source: str, kind: str, detail: dict[str, Any]) -> bool:
    event: dict[str, Any] = {
        "version": "0",
        "id": "1",
        "source": source,
        "detail-type": kind,
        "account": ACCOUNT.id,
        "region": ACCOUNT.region,
        "time": "2030-01-01T00:00:00Z",
        "resources": [],
        "detail": detail,
    }
    pattern = one(resources, ":EventRule").inputs["eventPattern"]
    return aws.client("events").test_event_pattern(EventPattern=pattern, Event=json.dumps(event))["Result"]


def _task(exit_code: int | None = 0, **changes: Any) -> dict[str, Any]:
    container = {"containerArn": "arn", "name": "app", "lastStatus": "STOPPED", "image": "shop", "taskArn": "arn"}
    return {
        "clusterArn": CLUSTER,
        "taskArn": ACCOUNT.arn("ecs", "task/main-1a2b3c4/0123456789abcdef"),
        "taskDefinitionArn": ACCOUNT.arn("ecs", "task-definition/etl:7"),
        "group": "family:etl",
        "lastStatus": "STOPPED",
        "desiredStatus": "STOPPED",
        "stopCode": "EssentialContainerExited",
        "stoppedReason": "Essential container in task exited",
        "containers": [container | ({} if exit_code is None else {"exitCode": exit_code})],
        **changes,
    }


def _running() -> dict[str, Any]:
    """Return the event of a task that runs, which says nothing of an end."""
    detail = _task(None, lastStatus="RUNNING", desiredStatus="RUNNING")
    return {name: value for name, value in detail.items() if name not in ("stopCode", "stoppedReason")}


@pytest.mark.parametrize(
    ("detail", "rings"),
    [
        (_task(0), False),
        (_task(3), True),
        (_task(137), True),
        (_task(None), True),
        (_task(None, stopCode="TaskFailedToStart", stoppedReason="CannotPullContainerError"), True),
        (_task(None, stopCode="TaskFailedToStart", containers=[]), True),
        (_task(143, stopCode="SpotInterruption"), True),
        (_task(0, stopCode="TerminationNotice"), True),
        (_task(143, stopCode="UserInitiated"), False),
        (_task(143, stopCode="ServiceSchedulerInitiated"), False),
        (_task(3, lastStatus="DEPROVISIONING"), False),
        (_running(), False),
        (_task(3, taskDefinitionArn=ACCOUNT.arn("ecs", "task-definition/etl-other:7")), False),
        (_task(3, clusterArn=ACCOUNT.arn("ecs", "cluster/other")), False),
        (_task(3, group="service:etl"), True),
    ],
    ids=[
        "completed", "exit 3", "killed", "no exit code", "failed to start", "no container", "interrupted", "retired",
        "stopped by hand", "rolled out", "not gone yet", "running", "other family", "other cluster", "a service's",
    ],
)  # fmt: skip
def test_a_task_that_failed_is_told_and_no_other(aws: Emulator, detail: dict[str, Any], rings: bool) -> None:  # noqa: FBT001
    """What rings at every rollout is soon not listened to; what does not ring at a failure is no alarm."""
    assert _rings(aws, _tasks(), "aws.ecs", "ECS Task State Change", detail) is rings


def test_of_several_containers_one_that_failed_is_enough(aws: Emulator) -> None:
    detail = _task(containers=[{"name": "app", "exitCode": 0}, {"name": "proxy", "exitCode": 3}])
    assert _rings(aws, _tasks(), "aws.ecs", "ECS Task State Change", detail)


def test_one_container_without_an_exit_code_beside_a_0_is_no_match(aws: Emulator) -> None:
    """As in an account, where a field of a list is missing only if no element has it: the guard must tell this one."""
    detail = _task(containers=[{"name": "app", "exitCode": 0}, {"name": "proxy"}])
    assert not _rings(aws, _tasks(), "aws.ecs", "ECS Task State Change", detail)
    detail = _task(containers=[{"name": "app"}, {"name": "proxy"}])
    assert _rings(aws, _tasks(), "aws.ecs", "ECS Task State Change", detail)


def test_a_service_replaces_what_was_interrupted(aws: Emulator) -> None:
    """A Spot task is taken away often: that is what it is cheap for."""
    interrupted = _task(143, stopCode="SpotInterruption")
    rules = _tasks(interruptions=False)
    assert not _rings(aws, rules, "aws.ecs", "ECS Task State Change", interrupted)
    assert _rings(aws, rules, "aws.ecs", "ECS Task State Change", _task(3))


def test_of_a_shared_family_only_the_group_that_was_asked_for_is_told(aws: Emulator) -> None:
    """Two schedules of one family would both tell every failure of it."""
    rules = _tasks(task_group="schedule:night")
    assert _rings(aws, rules, "aws.ecs", "ECS Task State Change", _task(3, group="schedule:night"))
    assert not _rings(aws, rules, "aws.ecs", "ECS Task State Change", _task(3))


@pytest.mark.parametrize(
    ("detail", "rings"),
    [
        ({"status": "RUNNING"}, False),
        ({"status": "SUCCEEDED", "error": None}, False),
        ({"status": "FAILED", "error": "RunFailed"}, False),
        ({"status": "FAILED", "error": "RunTimedOut"}, True),
        ({"status": "FAILED", "error": "SkippedTooOften"}, True),
        ({"status": "FAILED", "error": None}, True),
        ({"status": "FAILED"}, True),
        ({"status": "TIMED_OUT"}, True),
        ({"status": "ABORTED", "error": None}, True),
        ({"status": "FAILED", "error": "RunTimedOut", "stateMachineArn": f"{MACHINE}-2"}, False),
    ],
)
def test_a_guard_tells_what_no_task_has_told(aws: Emulator, detail: dict[str, Any], rings: bool) -> None:  # noqa: FBT001
    detail = {"stateMachineArn": MACHINE, "name": "1"} | detail
    assert _rings(aws, _runs(), "aws.states", "Step Functions Execution Status Change", detail) is rings


@pytest.mark.parametrize(
    "reason",
    [
        'exec: "pythn": executable file not found in $PATH',
        'Failed to resolve "fs-0e4a39a0.efs.eu-west-1.amazonaws.com"',
        "C:\\data, and\na second line",
        None,
    ],
    ids=["quotes", "quotes at the end", "backslash and newline", "no reason"],
)
def test_the_message_is_json_whatever_the_reason_has_in_it(reason: str | None) -> None:
    """EventBridge drops what is no valid input, and the failure would be silent after all."""
    detail = _task(3, stoppedReason=reason)
    if reason is None:
        del detail["stoppedReason"]
    message = _delivered(_tasks(), {"detail": detail})
    assert message == {"failure": message["failure"], "event": {"detail": detail}}
    assert message["failure"].startswith("A task of etl failed: ")


def test_the_message_of_a_run_has_what_its_guard_found() -> None:
    detail = {"status": "FAILED", "error": "CannotStart", "cause": 'quick: "shop"\nnot found', "executionArn": "arn"}
    message = _delivered(_runs(), {"detail": detail})
    assert message["failure"].startswith("A state machine's run came to no good end")
    assert message["event"]["detail"] == detail


def _delivered(resources: list[Recorded], event: dict[str, Any]) -> dict[str, Any]:
    """Return the message of *event*: EventBridge puts in what it takes out of it as it is, and escapes nothing."""
    target = one(resources, ":EventTarget").inputs
    assert target["arn"] == TOPIC
    transformer = target["inputTransformer"]
    assert "inputPaths" not in transformer, "nothing but the whole event is JSON by itself"
    text = transformer["inputTemplate"].replace("<aws.events.event.json>", json.dumps(event))
    assert "<" not in transformer["inputTemplate"].replace("<aws.events.event.json>", ""), "nothing gives this one"
    return json.loads(text)
