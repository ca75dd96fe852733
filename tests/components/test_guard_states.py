"""A guard's state machine, run by the emulator's Step Functions on a real lock table, under the guard's own rights.

The state that runs the task is an activity here, so that the test is the task: it ends as the test says, when it says.
"""

from __future__ import annotations

import json
import threading
import time
import uuid
from typing import TYPE_CHECKING, Any, Final

import pytest

from components.capacity import Capacity
from components.guard_states import LOCK_KEY, Plan, definition, input_for
from rehearsal import keeper
from rehearsal.emulator import Emulator, launch

if TYPE_CHECKING:
    from collections.abc import Iterator

ACCOUNT: Final = "123456789012"
REGION: Final = "eu-west-1"
TASK: Final = f"arn:aws:ecs:{REGION}:{ACCOUNT}:task/main/0123456789abcdef"


@pytest.fixture(scope="module")
def aws() -> Iterator[Emulator]:
    with keeper.keep() as run:
        yield launch(run, account=ACCOUNT, region=REGION)


class Guarded:
    """One guard, and its task in the test's hands."""

    def __init__(self, aws: Emulator, **changes: Any) -> None:
        self.aws, name = aws, f"guard-{uuid.uuid4().hex[:8]}"
        self.states, self.table = aws.client("stepfunctions"), name
        aws.client("dynamodb").create_table(
            TableName=name,
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": LOCK_KEY, "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": LOCK_KEY, "AttributeType": "S"}],
        )
        self.activity = self.states.create_activity(name=name)["activityArn"]
        plan: dict[str, Any] = {"timeout": 60, "retries": 0, "skips": 3, "pause": 0, **changes}
        machine = definition(
            Plan(
                table=name,
                cluster_arn=f"arn:aws:ecs:{REGION}:{ACCOUNT}:cluster/main",
                definitions={"etl": "etl:7"},
                subnets=["subnet-1"],
                security_group_id="sg-1",
                capacity=[Capacity("FARGATE")],
                task_group="guard:parking",
                **plan,
            )
        )
        machine["States"]["Run"]["Resource"] = self.activity
        made = self.states.create_state_machine(name=name, definition=json.dumps(machine), roleArn=self._role(name))
        self.arn: str = made["stateMachineArn"]

    def _role(self, name: str) -> str:
        """Make a role that may do to the lock what the guard's own may."""
        statement = {
            "Effect": "Allow",
            "Action": "dynamodb:UpdateItem",
            "Resource": f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{name}",
        }
        trust = {"Effect": "Allow", "Principal": {"Service": "states.amazonaws.com"}, "Action": "sts:AssumeRole"}
        iam = self.aws.client("iam")
        arn: str = iam.create_role(RoleName=name, AssumeRolePolicyDocument=_policy(trust))["Role"]["Arn"]
        iam.put_role_policy(RoleName=name, PolicyName=name, PolicyDocument=_policy(statement))
        return arn

    def start(self, schedule: str = "quick", **overrides: Any) -> str:
        """Start one execution on behalf of *schedule*."""
        said = input_for(schedule, "etl", overrides)
        return self.states.start_execution(stateMachineArn=self.arn, input=json.dumps(said))["executionArn"]

    def task(self) -> tuple[str, dict[str, Any]]:
        """Wait until a task is to run; return its token and what it was given."""
        answer = self.states.get_activity_task(activityArn=self.activity)
        assert answer.get("taskToken"), "no task was run"
        return answer["taskToken"], json.loads(answer["input"])

    def succeed(self) -> None:
        """Let the task that is to run end well."""
        self.states.send_task_success(taskToken=self.task()[0], output="{}")

    def fail(self, cause: str, error: str = "States.TaskFailed") -> None:
        """Let the task that is to run fail."""
        self.states.send_task_failure(taskToken=self.task()[0], error=error, cause=cause)

    def end(self, execution: str) -> dict[str, Any]:
        """Wait for the end of *execution*, and describe it."""
        for _ in range(200):
            found: dict[str, Any] = self.states.describe_execution(executionArn=execution)
            if found["status"] != "RUNNING":
                return found
            time.sleep(0.05)
        raise AssertionError(f"it still runs: {execution}")

    def outcome(self, execution: str) -> str:
        """Wait for the end of *execution*; return its outcome, or its error."""
        found = self.end(execution)
        return json.loads(found["output"])["outcome"] if found["status"] == "SUCCEEDED" else found["error"]

    def lock(self) -> dict[str, Any]:
        """Return the lock's item."""
        found = self.aws.client("dynamodb").get_item(TableName=self.table, Key={LOCK_KEY: {"S": "lock"}})
        return {key: next(iter(value.values())) for key, value in found.get("Item", {}).items()}

    def held_for(self) -> float:
        """Return the seconds for which the lock is still held."""
        return int(self.lock()["expires"]) - time.time()


def _policy(statement: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def _ended(code: int | None, **changes: Any) -> str:
    """Return what Step Functions tells as the cause when a task's container ended with *code*."""
    container = {"Name": "app"} | ({} if code is None else {"ExitCode": code})
    said = {
        "TaskArn": TASK,
        "LastStatus": "STOPPED",
        "StopCode": "EssentialContainerExited",
        "StoppedReason": "Essential container in task exited",
        "Containers": [container, {"Name": "proxy", "ExitCode": 0}],
    }
    return json.dumps(said | changes)


def test_a_run_has_the_lock_while_it_runs_and_gives_it_back(aws: Emulator) -> None:
    guard = Guarded(aws)
    execution = guard.start(containerOverrides=[{"name": "app", "command": ["sync"]}])
    token, given = guard.task()
    assert guard.lock()["holder"] == execution
    # The timeout, the time to stop, two starts that fail, and what the calls may take.
    assert 60 + 180 + 2 * 300 + 300 <= guard.held_for() < 60 + 3 * 180 + 2 * 300 + 300
    guard.states.send_task_success(taskToken=token, output="{}")
    assert guard.outcome(execution) == "succeeded"
    assert guard.held_for() <= 1
    assert given["TaskDefinition"] == "etl:7"
    assert given["Overrides"] == {"ContainerOverrides": [{"Name": "app", "Command": ["sync"]}]}
    assert given["NetworkConfiguration"]["AwsvpcConfiguration"]["AssignPublicIp"] == "DISABLED"


def test_a_run_that_meets_another_is_skipped_and_the_next_one_runs(aws: Emulator) -> None:
    guard = Guarded(aws)
    first = guard.start("slow")
    token, _ = guard.task()
    skipped = guard.end(guard.start("quick"))
    assert json.loads(skipped["output"]) == {"outcome": "skipped", "skips": 1, "because_of": "slow"}
    guard.states.send_task_success(taskToken=token, output="{}")
    assert guard.outcome(first) == "succeeded"
    last = guard.start("quick")
    guard.succeed()
    assert guard.outcome(last) == "succeeded"


def test_of_many_at_once_one_runs(aws: Emulator) -> None:
    """A look before the leap would let several through."""
    guard = Guarded(aws, skips=99)
    executions: list[str] = []
    threads = [threading.Thread(target=lambda: executions.append(guard.start())) for _ in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    guard.succeed()
    outcomes = [guard.outcome(each) for each in executions]
    assert sorted(outcomes) == ["skipped"] * 7 + ["succeeded"]


def test_the_third_skip_in_a_row_is_a_failure_and_then_the_sixth(aws: Emulator) -> None:
    """One a run would be as loud as an alarm can be, and none would be silence."""
    guard = Guarded(aws)
    guard.start("slow")
    guard.task()
    outcomes = [guard.outcome(guard.start("quick")) for _ in range(6)]
    assert outcomes == ["skipped", "skipped", "SkippedTooOften"] * 2
    cause = guard.end(guard.start("other"))
    assert json.loads(cause["output"])["skips"] == 1, "each schedule has a row of its own"


def test_a_skip_that_was_counted_twice_leaves_no_failure_out(aws: Emulator) -> None:
    """An answer of DynamoDB that is lost makes Step Functions count again: 2, and then 4."""
    guard = Guarded(aws)
    guard.start("slow")
    guard.task()
    assert [guard.outcome(guard.start("quick")) for _ in range(2)] == ["skipped", "skipped"]
    aws.client("dynamodb").update_item(
        TableName=guard.table,
        Key={LOCK_KEY: {"S": "lock"}},
        UpdateExpression="ADD #skips :one",
        ExpressionAttributeNames={"#skips": "skips of quick"},
        ExpressionAttributeValues={":one": {"N": "1"}},
    )
    assert guard.outcome(guard.start("quick")) == "SkippedTooOften"
    assert guard.outcome(guard.start("quick")) == "skipped", "a new row begins"


def test_the_failure_tells_who_is_in_the_way(aws: Emulator) -> None:
    guard = Guarded(aws, skips=1)
    guard.start("slow")
    guard.task()
    found = guard.end(guard.start("quick"))
    assert found["error"] == "SkippedTooOften"
    assert found["cause"].startswith("quick was skipped 1 times in a row: slow has been running since 20")


def test_a_run_ends_the_row(aws: Emulator) -> None:
    guard = Guarded(aws)
    for _ in range(2):
        first = guard.start("slow")
        token, _ = guard.task()
        assert [guard.outcome(guard.start("quick")) for _ in range(2)] == ["skipped", "skipped"]
        guard.states.send_task_success(taskToken=token, output="{}")
        guard.end(first)
        between = guard.start("quick")
        guard.succeed()
        guard.end(between)


def test_an_expired_lock_is_taken_over(aws: Emulator) -> None:
    """Whoever had it is dead: nothing would ever run again."""
    guard = Guarded(aws)
    item = {"holder": "dead", "run": "slow", "since": "2020-01-01T00:00:00Z"}
    aws.client("dynamodb").put_item(
        TableName=guard.table,
        Item={LOCK_KEY: {"S": "lock"}, "expires": {"N": str(int(time.time()) - 1)}}
        | {name: {"S": value} for name, value in item.items()},
    )
    execution = guard.start()
    guard.succeed()
    assert guard.outcome(execution) == "succeeded"
    assert guard.lock()["holder"] == execution


def test_a_lock_of_another_that_has_not_expired_is_not_released(aws: Emulator) -> None:
    """Broken by hand, and taken by the next: the first one's end must not let in a third."""
    guard = Guarded(aws)
    execution = guard.start()
    token, _ = guard.task()
    until = str(int(time.time()) + 500)
    aws.client("dynamodb").put_item(
        TableName=guard.table,
        Item={LOCK_KEY: {"S": "lock"}, "holder": {"S": "another"}, "expires": {"N": until}},
    )
    guard.states.send_task_success(taskToken=token, output="{}")
    assert guard.outcome(execution) == "succeeded"
    assert guard.lock()["expires"] == until


def test_a_failed_run_releases_the_lock_and_tells_container_code_and_reason(aws: Emulator) -> None:
    guard = Guarded(aws)
    execution = guard.start()
    guard.fail(_ended(3))
    found = guard.end(execution)
    assert found["error"] == "RunFailed"
    assert found["cause"] == f"quick: app ended with exit code 3: Essential container in task exited ({TASK})"
    assert guard.held_for() <= 1


@pytest.mark.parametrize(
    ("changes", "error", "says"),
    [
        ({"Containers": [{"Name": "app"}, {"Name": "proxy"}]}, "RunFailed", "app has no exit code, proxy has no exit"),
        ({"Containers": [{"Name": "app", "ExitCode": 0}, {"Name": "proxy"}]}, "RunStopped", "proxy has no exit code: "),
        ({"StopCode": "SpotInterruption", "StoppedReason": "Spot"}, "RunFailed", "app ended with exit code 143: Spot"),
        ({"StopCode": "UserInitiated", "StoppedReason": "by hand"}, "RunStopped", "exit code 143: by hand"),
    ],
)
def test_what_no_event_tells_has_an_error_of_its_own(
    aws: Emulator, changes: dict[str, Any], error: str, says: str
) -> None:
    """The rule leaves out what the task's own event tells: the rest would be silent under the same name."""
    guard = Guarded(aws)
    execution = guard.start()
    guard.fail(_ended(143, **changes))
    found = guard.end(execution)
    assert found["error"] == error
    assert says in found["cause"]


def test_a_start_that_fails_is_tried_three_times(aws: Emulator) -> None:
    guard = Guarded(aws)
    execution = guard.start()
    for _ in range(3):
        guard.fail('Rate "exceeded"', error="ECS.ThrottlingException")
    found = guard.end(execution)
    assert (found["error"], found["cause"]) == (
        "CannotStart",
        'quick: ECS.ThrottlingException: Rate "exceeded"',
    )
    assert guard.held_for() <= 1


def test_a_task_that_never_started_is_tried_three_times_too(aws: Emulator) -> None:
    """A registry that says "too many requests" is a start that failed, though ECS made a task for it."""
    never = _ended(
        None,
        StopCode="TaskFailedToStart",
        StoppedReason='CannotPullContainerError: "shop"',
        Containers=[{"Name": "app", "Reason": "pull"}],
    )
    guard = Guarded(aws)
    execution = guard.start()
    guard.fail(never)
    guard.fail(never)
    guard.succeed()
    assert guard.outcome(execution) == "succeeded"
    execution = guard.start()
    for _ in range(3):
        guard.fail(never)
    found = guard.end(execution)
    assert (found["error"], found["cause"]) == (
        "CannotStart",
        f'quick: app has no exit code (pull): CannotPullContainerError: "shop" ({TASK})',
    )


@pytest.mark.parametrize("cut", [-1, -3, 40])
def test_a_cause_that_is_cut_off_still_gives_the_lock_back(aws: Emulator, cut: int) -> None:
    """Read as JSON it would end the execution on the spot, and every run would be skipped for as long as the lease."""
    guard = Guarded(aws)
    execution = guard.start()
    guard.fail(_ended(3)[:cut])
    found = guard.end(execution)
    assert found["error"] == "RunStopped", "no start, to be tried again: the task may have run"
    assert '{"TaskArn": "arn:' in found["cause"]
    assert guard.held_for() <= 1


def test_a_start_that_succeeds_in_the_end_is_a_success(aws: Emulator) -> None:
    guard = Guarded(aws)
    execution = guard.start()
    guard.fail("Capacity is unavailable at this time", error="ECS.AmazonECSException")
    guard.succeed()
    assert guard.outcome(execution) == "succeeded"


@pytest.mark.parametrize(("retries", "outcome"), [(1, "RunFailed"), (2, "succeeded")])
def test_a_failed_run_is_run_again_as_often_as_was_asked(aws: Emulator, retries: int, outcome: str) -> None:
    guard = Guarded(aws, retries=retries)
    execution = guard.start()
    guard.fail(_ended(3))
    guard.fail(_ended(3))
    if outcome == "succeeded":
        guard.succeed()
    assert guard.outcome(execution) == outcome


def test_after_a_timeout_the_lock_stands_until_the_task_is_gone(aws: Emulator) -> None:
    """Step Functions tells the task to stop and does not wait: the next run would meet the last seconds of this one."""
    guard = Guarded(aws)
    execution = guard.start()
    # The emulator gives an activity no timeout: the test says what Step Functions would.
    guard.fail("", error="States.Timeout")
    found = guard.end(execution)
    assert (found["error"], found["cause"]) == (
        "RunTimedOut",
        "quick: stopped after 60 seconds, which is its timeout",
    )
    assert 170 < guard.held_for() <= 180
    assert guard.outcome(guard.start()) == "skipped"


def test_a_family_that_the_guard_was_not_given_cannot_be_run(aws: Emulator) -> None:
    guard = Guarded(aws)
    said = input_for("quick", "other", {})
    execution = guard.states.start_execution(stateMachineArn=guard.arn, input=json.dumps(said))["executionArn"]
    assert guard.outcome(execution) == "CannotStart"


def test_an_execution_ends_before_its_lock_does() -> None:
    """Else two runs could meet after all; the difference is what a task may take to stop."""
    for retries in (0, 3):
        plan = Plan(
            table="t", cluster_arn="c", definitions={}, subnets=[], security_group_id="s", capacity=[],
            task_group="g", timeout=100, retries=retries, skips=3,
        )  # fmt: skip
        assert definition(plan)["TimeoutSeconds"] == plan.longest
        assert plan.lease - plan.longest == 180
        assert plan.longest > (retries + 1) * 100 + sum(15 * 2**number for number in range(2 + retries))
