"""A guard runs one task at a time, and may do that and nothing else."""

from __future__ import annotations

import json
from typing import Any

import pytest

from components.errors import InvalidArgsError
from components.guard import Guard, GuardArgs
from components.run import Run
from tests.components import jobs
from tests.components.jobs import ACCOUNT, ALERTS, CLUSTER_ARN, NETWORK
from tests.components.recorder import UNKNOWN, Recorded, of_type, one

MACHINE = ACCOUNT.arn("states", "stateMachine:parking")


def _guard(*families: str, **changes: Any) -> Guard:
    tasks = [jobs.task(family) for family in families or ("etl",)]
    given: dict[str, Any] = {"tasks": tasks, "cluster": jobs.cluster(), "alerts": ALERTS}
    return Guard("parking", GuardArgs(account=ACCOUNT, network=NETWORK, **given | changes))


def _made(*families: str, preview: bool = False, **changes: Any) -> list[Recorded]:
    return jobs.recorded(lambda: _guard(*families, **changes), preview=preview)


def test_its_role_may_use_its_lock_run_its_tasks_and_pass_exactly_their_two_roles() -> None:
    """The whole policy: whatever is more than this is a right that nobody needs."""
    assert jobs.policy(_made(), "parking-guard") == [
        {
            "Effect": "Allow",
            "Action": ["dynamodb:UpdateItem"],
            "Resource": [ACCOUNT.arn("dynamodb", "table/parking-lock")],
        },
        *jobs.to_run("etl"),
        {
            "Effect": "Allow",
            "Action": ["ecs:DescribeTasks", "ecs:StopTask"],
            "Resource": [ACCOUNT.arn("ecs", "task/main-1a2b3c4/*")],
            "Condition": {"ArnEquals": {"ecs:cluster": CLUSTER_ARN}},
        },
        {
            "Effect": "Allow",
            "Action": ["events:DescribeRule", "events:PutRule", "events:PutTargets"],
            "Resource": [ACCOUNT.arn("events", "rule/StepFunctionsGetEventsForECSTaskRule")],
        },
    ]


def test_its_role_is_step_functions_for_this_machine_alone() -> None:
    assert jobs.trust(_made(), "parking-guard") == {
        "Effect": "Allow",
        "Principal": {"Service": "states.amazonaws.com"},
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"aws:SourceAccount": ACCOUNT.id}, "ArnLike": {"aws:SourceArn": MACHINE}},
    }


def test_the_trust_can_be_read_before_anything_is_made() -> None:
    """A policy pack that blocks at preview sees what is written, or one unknown string."""
    assert MACHINE in one(_made(preview=True), ":Role", "parking-guard").inputs["assumeRolePolicy"]


def test_what_people_type_is_as_it_was_named() -> None:
    resources = _made()
    assert jobs.named(resources, ":StateMachine") == {"parking": "parking"}
    assert jobs.named(resources, "dynamodb/table:Table") == {"parking-lock": "parking-lock"}


def test_the_machine_runs_the_definitions_it_was_given_in_private_subnets() -> None:
    resources = _made("etl", "other", timeout=600)
    machine = one(resources, ":StateMachine")
    assert machine.inputs["type"] == "STANDARD"
    states = json.loads(machine.inputs["definition"])["States"]
    assert states["TakeLock"]["Assign"]["definitions"] == {
        "etl": ACCOUNT.arn("ecs", "task-definition/etl:7"),
        "other": ACCOUNT.arn("ecs", "task-definition/other:7"),
    }
    assert states["TakeLock"]["Arguments"]["TableName"] == "parking-lock"
    run = states["Run"]
    assert run["TimeoutSeconds"] == 600
    assert run["Arguments"]["Cluster"] == CLUSTER_ARN
    assert run["Arguments"]["NetworkConfiguration"]["AwsvpcConfiguration"] == {
        "Subnets": ["subnet-0a1b2c3d", "subnet-1a1b2c3d"],
        "SecurityGroups": ["parking-id"],
        "AssignPublicIp": "DISABLED",
    }
    assert run["Arguments"]["Group"] == "guard:parking"
    assert run["Arguments"]["CapacityProviderStrategy"] == [{"CapacityProvider": "FARGATE", "Weight": 1, "Base": 0}]


def test_the_machine_waits_for_its_rights_and_its_tasks_way_out() -> None:
    """Step Functions asks at once whether the role may learn of a task's end, and refuses the machine if not."""
    resources = _made()
    waits = one(resources, ":StateMachine").dependencies
    assert one(resources, ":RolePolicy", "parking-guard").urn in waits
    assert one(resources, ":SecurityGroupEgressRule").urn in waits


def test_each_familys_failures_and_the_guards_own_reach_the_alerts() -> None:
    resources = _made("etl", "other")
    targets = of_type(resources, ":EventTarget")
    assert targets.keys() == {"parking-failed", "parking-failed-etl", "parking-failed-other"}
    assert {each.inputs["arn"] for each in targets.values()} == {ALERTS}
    patterns = {
        name: json.loads(rule.inputs["eventPattern"])["detail"]
        for name, rule in of_type(resources, ":EventRule").items()
    }
    assert patterns["parking-failed"]["stateMachineArn"] == [MACHINE]
    assert patterns["parking-failed-etl"]["group"] == ["guard:parking"], "two guards of one family would tell all twice"


def test_to_start_it_is_one_action_on_one_machine() -> None:
    grants: list[Any] = []
    jobs.recorded(lambda: grants.append(_guard().start()))
    assert grants[0].declared() == {"actions": ["states:StartExecution"], "resources": [MACHINE]}


def test_its_input_names_schedule_family_and_what_is_overridden() -> None:
    def build() -> None:
        guard = _guard()
        run = Run(task=guard.tasks[0], command=["sync"])
        assert guard.input_for("quick", run) == {
            "schedule": "quick",
            "task": "etl",
            "overrides": {"ContainerOverrides": [{"Name": "app", "Command": ["sync"]}]},
        }
        with pytest.raises(InvalidArgsError, match=r"Guard.tasks: got \['etl'\]; other too"):
            guard.input_for("quick", Run(task=jobs.task("other")))

    jobs.recorded(build)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"tasks": []}, r"Guard.tasks: got \[\]; one task or more"),
        ({"timeout": 59}, r"Guard.timeout: got 59; a whole number from 60 to 172800 seconds"),
        ({"retries": 11}, r"Guard.retries: got 11"),
        ({"skips": 0}, r"Guard.skips: got 0; a whole number from 1 to 100"),
    ],
)
def test_what_would_guard_nothing_is_refused(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(InvalidArgsError, match=says):
        _made(**changes)


def test_one_family_twice_is_refused() -> None:
    """The second definition would take the first one's place without a word."""

    def build() -> None:
        task = jobs.task()
        _guard(tasks=[task, task])

    with pytest.raises(InvalidArgsError, match=r"Guard.tasks: got \['etl', 'etl'\]; one task or more, each family"):
        jobs.recorded(build)


def test_the_definition_is_unknown_before_the_first_deployment_and_nothing_fails() -> None:
    assert one(_made(preview=True), ":StateMachine").inputs["definition"] == UNKNOWN
