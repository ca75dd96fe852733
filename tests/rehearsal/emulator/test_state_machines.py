"""A state machine acts under its role, and what its tasks come to is what its states come to."""

from __future__ import annotations

import json
import time
import uuid
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from tests.rehearsal.containers.conftest import ACCOUNT, REGION, Site

if TYPE_CHECKING:
    from rehearsal.containers import Container

STATES = "states.amazonaws.com"
FAMILY = "com.amazonaws.ecs.task-definition-family"
RULE = f"arn:aws:events:{REGION}:{ACCOUNT}:rule/StepFunctionsGetEventsForECSTaskRule"


def sh(script: str, **more: Any) -> dict[str, Any]:
    # An image of nobody's registry: a task of it starts without an execution role's rights.
    return {"image": "tiny-web", "command": ["sh", "-c", script], **more}


def machine(site: Site, role: str, *states: dict[str, Any]) -> str:
    """Make a state machine of *states* in their order; its ARN."""
    named = {f"s{number}": {**state} for number, state in enumerate(states)}
    for number, state in enumerate(named.values()):
        state.update({"Next": f"s{number + 1}"} if f"s{number + 1}" in named else {"End": True})
    made = site.aws.client("stepfunctions").create_state_machine(
        name=f"machine-{uuid.uuid4().hex[:8]}",
        roleArn=role,
        definition=json.dumps({"QueryLanguage": "JSONata", "StartAt": "s0", "States": named}),
    )
    return made["stateMachineArn"]


def run(site: Site, definition: str, **state: Any) -> dict[str, Any]:
    """Return a state that runs a task of *definition* to its end."""
    network = {"AwsvpcConfiguration": {"Subnets": ["subnet-1"]}}
    arguments = {
        "Cluster": f"arn:aws:ecs:{REGION}:{ACCOUNT}:cluster/{site.cluster}",
        "TaskDefinition": definition,
        "LaunchType": "FARGATE",
        "NetworkConfiguration": network,
    }
    return {"Type": "Task", "Resource": "arn:aws:states:::ecs:runTask.sync", "Arguments": arguments, **state}


def put(table: str, **item: str) -> dict[str, Any]:
    """Return a state that puts *item* into *table*, where there is none with its key."""
    arguments = {
        "TableName": table,
        "Item": {name: {"S": value} for name, value in item.items()},
        "ConditionExpression": "attribute_not_exists(id)",
    }
    return {"Type": "Task", "Resource": "arn:aws:states:::dynamodb:putItem", "Arguments": arguments}


def runner(site: Site, definition: dict[str, Any], *, without: str = "", **other: str) -> str:
    """Make the role of a state machine that runs tasks of *definition*, except *without*."""
    family = definition["taskDefinitionArn"].rpartition(":")[0]
    usual = {
        "ecs:RunTask": f"{family}:*",
        "ecs:StopTask": f"arn:aws:ecs:{REGION}:{ACCOUNT}:task/{site.cluster}/*",
        "ecs:DescribeTasks": f"arn:aws:ecs:{REGION}:{ACCOUNT}:task/{site.cluster}/*",
        "iam:PassRole": definition["executionRoleArn"],
        "events:PutRule": RULE,
        "events:PutTargets": RULE,
        "events:DescribeRule": RULE,
    } | {action.replace("_", ":"): resource for action, resource in other.items()}
    return site.role(*[pair for pair in usual.items() if pair[0] != without], service=STATES)


def executed(site: Site, arn: str, seconds: float = 20) -> dict[str, Any]:
    """Run the state machine to its end; the execution as DescribeExecution has it."""
    states = site.aws.client("stepfunctions")
    execution = states.start_execution(stateMachineArn=arn)["executionArn"]
    return ended(site, execution, seconds)


def ended(site: Site, execution: str, seconds: float = 20) -> dict[str, Any]:
    deadline = time.monotonic() + seconds
    while True:
        found = site.aws.client("stepfunctions").describe_execution(executionArn=execution)
        if found["status"] != "RUNNING":
            return found
        assert time.monotonic() < deadline, f"{execution} is running still"
        time.sleep(0.02)


def containers(site: Site, definition: dict[str, Any]) -> list[Container]:
    return [each for each in site.containers.all() if each.labels[FAMILY] == definition["family"]]


def table(site: Site) -> str:
    name = f"table-{uuid.uuid4().hex[:8]}"
    site.aws.client("dynamodb").create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    return name


def table_arn(name: str) -> str:
    return f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{name}"


def denied(site: Site, role: str) -> list[tuple[str, str]]:
    name = role.rpartition("/")[2]
    return [(each.action, each.resource) for each in site.aws.denials() if each.role == name]


def test_a_task_that_ends_with_0_is_what_its_state_gives(site: Site, bare: Site) -> None:
    """A state machine reads the task's exit code from there; the emulator's own answer has it elsewhere."""
    definition = bare.define(sh("exit 0"))
    without = executed(
        bare,
        machine(bare, bare.role(service=STATES), run(bare, definition["taskDefinitionArn"])),
    )
    assert "tasks" in json.loads(without["output"])

    definition = site.define(sh("exit 0"))
    found = executed(site, machine(site, runner(site, definition), run(site, definition["taskDefinitionArn"])))
    assert found["status"] == "SUCCEEDED", found
    task = json.loads(found["output"])
    assert [(each["Name"], each["ExitCode"]) for each in task["Containers"]] == [("web", 0)]
    assert (task["StopCode"], task["StartedBy"]) == ("EssentialContainerExited", "AWS Step Functions")
    assert task["TaskDefinitionArn"] == definition["taskDefinitionArn"]


def test_a_task_that_ends_otherwise_fails_its_state(site: Site, bare: Site) -> None:
    """A failed run would pass for a success: neither retries nor an alarm could be rehearsed."""
    definition = bare.define(sh("exit 3"))
    without = executed(
        bare,
        machine(bare, bare.role(service=STATES), run(bare, definition["taskDefinitionArn"])),
    )
    assert without["status"] == "SUCCEEDED"

    definition = site.define(sh("exit 3"))
    found = executed(site, machine(site, runner(site, definition), run(site, definition["taskDefinitionArn"])))
    assert (found["status"], found["error"]) == ("FAILED", "States.TaskFailed")
    assert json.loads(found["cause"])["Containers"][0]["ExitCode"] == 3


def test_a_task_that_cannot_start_fails_its_state(site: Site) -> None:
    """A container that never was has no exit code, which is not 0."""
    definition = site.define({"image": "no-such-folder", "command": ["true"]})
    found = executed(site, machine(site, runner(site, definition), run(site, definition["taskDefinitionArn"])))
    assert (found["status"], found["error"]) == ("FAILED", "States.TaskFailed")
    assert json.loads(found["cause"])["StopCode"] == "TaskFailedToStart"


def test_a_container_that_is_not_essential_may_end_as_it_likes(site: Site) -> None:
    definition = site.define(sh("sleep 0.2"), sh("exit 4", name="side", essential=False))
    found = executed(site, machine(site, runner(site, definition), run(site, definition["taskDefinitionArn"])))
    assert found["status"] == "SUCCEEDED", found


def test_a_task_that_takes_too_long_is_stopped(site: Site, bare: Site) -> None:
    """Else it would run on behind the back of whoever gave its lock to another."""
    definition = bare.define(sh("exec sleep 30"))
    role = bare.role(service=STATES)
    state = run(bare, definition["taskDefinitionArn"], TimeoutSeconds=1)
    without = executed(bare, machine(bare, role, state))
    assert without["error"] == "States.Timeout"
    assert [each.status for each in containers(bare, definition)] == ["running"]

    definition = site.define(sh("exec sleep 31"))
    state = run(site, definition["taskDefinitionArn"], TimeoutSeconds="{% 1.5 + 1.5 %}")  # busy machines too
    found = executed(site, machine(site, runner(site, definition), state))
    assert (found["status"], found["error"]) == ("FAILED", "States.Timeout")
    (container,) = containers(site, definition)
    task = site.task(container.task_arn)
    assert (task["lastStatus"], task["stopCode"]) == ("STOPPED", "UserInitiated")
    assert task["containers"][0]["exitCode"] == 143


def test_an_execution_that_is_stopped_stops_its_task_and_stays_stopped(site: Site) -> None:
    definition = site.define(sh("exec sleep 32"))
    arn = machine(site, runner(site, definition), run(site, definition["taskDefinitionArn"]))
    states = site.aws.client("stepfunctions")
    execution = states.start_execution(stateMachineArn=arn)["executionArn"]
    deadline = time.monotonic() + 10
    while not containers(site, definition):
        assert time.monotonic() < deadline, "the task never started"
        time.sleep(0.02)
    (container,) = containers(site, definition)
    site.task(container.task_arn, until="RUNNING")
    states.stop_execution(executionArn=execution)
    site.task(container.task_arn, until="STOPPED")
    assert ended(site, execution)["status"] == "ABORTED"


def test_a_table_is_written_under_the_role(site: Site, bare: Site) -> None:
    """The role's policy would be proved by an account alone."""
    name = table(bare)
    assert executed(bare, machine(bare, bare.role(service=STATES), put(name, id="1")))["status"] == "SUCCEEDED"

    name, other = table(site), table(site)
    role = site.role(("dynamodb:PutItem", table_arn(name)), service=STATES)
    assert executed(site, machine(site, role, put(name, id="1")))["status"] == "SUCCEEDED"
    refused = executed(site, machine(site, role, put(other, id="1")))
    assert refused["error"] == "DynamoDB.AmazonDynamoDBException"
    assert "is not authorized to perform: dynamodb:PutItem" in refused["cause"]
    assert denied(site, role) == [("dynamodb:PutItem", table_arn(other))]


def test_an_error_of_a_service_has_the_name_that_states_catch(site: Site) -> None:
    """A lock that is taken is told by that name; under another the run would fail instead of being skipped."""
    name = table(site)
    role = site.role(("dynamodb:PutItem", table_arn(name)), service=STATES)
    found = executed(site, machine(site, role, put(name, id="1"), put(name, id="1")))
    assert found["error"] == "DynamoDB.ConditionalCheckFailedException"


def test_an_argument_that_the_service_does_not_have_fails_the_state(site: Site) -> None:
    state = put(table(site), id="1")
    state["Arguments"]["Tabel"] = "misspelt"
    role = site.role(("dynamodb:PutItem", "*"), service=STATES)
    found = executed(site, machine(site, role, state))
    assert found["error"] == "States.Runtime"
    assert "Tabel" in found["cause"]


def test_a_role_that_does_not_trust_step_functions_does_nothing(site: Site) -> None:
    role = site.role(("dynamodb:PutItem", "*"))
    found = executed(site, machine(site, role, put(table(site), id="1")))
    assert (found["status"], found["error"]) == ("FAILED", "States.Runtime")
    assert "sts:AssumeRole" in found["cause"]


@pytest.mark.parametrize(
    ("without", "resource"), [("ecs:RunTask", "taskDefinitionArn"), ("iam:PassRole", "executionRoleArn")]
)
def test_a_task_is_run_only_by_who_may_run_it_and_pass_its_roles(site: Site, without: str, resource: str) -> None:
    definition = site.define(sh("exit 0"))
    role = runner(site, definition, without=without)
    found = executed(site, machine(site, role, run(site, definition["taskDefinitionArn"])))
    assert found["error"] == "ECS.AccessDeniedException"
    assert f"is not authorized to perform: {without}" in found["cause"]
    assert denied(site, role) == [(without, definition[resource])]


@pytest.mark.parametrize("without", ["events:PutRule", "events:PutTargets", "events:DescribeRule"])
def test_a_machine_that_waits_for_tasks_needs_the_rule_that_tells_of_their_end(site: Site, without: str) -> None:
    """AWS refuses the state machine itself, so the deployment fails on its first day."""
    definition = site.define(sh("exit 0"))
    role = runner(site, definition, without=without)
    with pytest.raises(ClientError, match="not authorized to create managed-rule"):
        machine(site, role, run(site, definition["taskDefinitionArn"]))
    assert denied(site, role) == [(without, RULE)]
