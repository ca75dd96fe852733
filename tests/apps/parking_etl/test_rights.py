"""What parking-etl may do in AWS, whole, on both stacks."""

from __future__ import annotations

from typing import Any

import pytest

from tests.apps import exact
from tests.apps.exact import ACCOUNTS, REGION, deployed, faults

each_stack = pytest.mark.parametrize("stack", ACCOUNTS)
each_job = pytest.mark.parametrize("job", ["sync-availability", "sync-parking"])

TASK_ROLES = {"parking-etl-task", "parking-etl-execution"}
ROLES = {
    "dev": TASK_ROLES,
    "prod": {*TASK_ROLES, "parking-database-guard", "sync-availability-schedule", "sync-parking-schedule"},
}


def policies(stack: str) -> dict[str, list[dict[str, Any]]]:
    return exact.policies(deployed(stack), "ParkingEtl")


def arn(stack: str, service: str, what: str) -> str:
    return f"arn:aws:{service}:{'' if service == 'iam' else REGION}:{ACCOUNTS[stack]}:{what}"


def mounts(stack: str) -> dict[str, Any]:
    return {
        "Action": ["elasticfilesystem:ClientMount", "elasticfilesystem:ClientWrite"],
        "Resource": [arn(stack, "elasticfilesystem", "file-system/parking-etl")],
        "Condition": {
            "StringEquals": {
                "elasticfilesystem:AccessPointArn": arn(stack, "elasticfilesystem", "access-point/parking-etl-data")
            }
        },
    }


def test_in_prod_its_task_may_mount_its_folder_and_nothing_else() -> None:
    """The whole policy; not as root, which is an action of its own."""
    assert policies("prod")["parking-etl-task"] == [mounts("prod")]


def test_in_dev_it_may_be_looked_into_besides() -> None:
    """The whole policy: the folder, and what ECS Exec and its record need."""
    assert policies("dev")["parking-etl-task"] == [
        mounts("dev"),
        {
            "Action": [
                f"ssmmessages:{verb}{kind}Channel" for verb in ("Create", "Open") for kind in ("Control", "Data")
            ],
            "Resource": ["*"],
        },
        {"Action": ["logs:DescribeLogGroups"], "Resource": ["*"]},
        {
            "Action": ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
            "Resource": [arn("dev", "logs", "log-group:/ecs/exec/dev:*")],
        },
        {"Action": ["kms:Decrypt"], "Resource": [arn("dev", "kms", "key/dev-exec")]},
    ]


@each_stack
def test_ecs_may_pull_its_image_and_write_its_log(stack: str) -> None:
    """The whole policy; dev's image is its own, prod's is the one that dev built."""
    # By logical name where the stack makes the repository.
    name = {"dev": "parking-etl", "prod": "parking-newtaipei"}[stack]
    assert policies(stack)["parking-etl-execution"] == [
        {"Action": ["ecr:GetAuthorizationToken"], "Resource": ["*"]},
        {
            "Action": ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
            "Resource": [arn("dev", "ecr", f"repository/{name}")],
        },
        {
            "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
            "Resource": [arn(stack, "logs", "log-group:/ecs/parking-etl:*")],
        },
    ]


@each_job
def test_a_schedule_may_start_the_guard_and_keep_what_it_could_not(job: str) -> None:
    """The whole policy: it neither runs tasks nor passes roles."""
    assert policies("prod")[f"{job}-schedule"] == [
        {"Action": ["states:StartExecution"], "Resource": [arn("prod", "states", "stateMachine:parking-database")]},
        {"Action": ["sqs:SendMessage"], "Resource": [arn("prod", "sqs", f"{job}-undelivered")]},
    ]
    # Named before they are made: these are they.
    target = deployed("prod").one("scheduler/schedule:Schedule", job).inputs["target"]
    assert target["arn"] == arn("prod", "states", "stateMachine:parking-database")
    assert target["deadLetterConfig"]["arn"] == arn("prod", "sqs", f"{job}-undelivered")


def test_the_guard_may_run_this_task_on_this_cluster_with_its_two_roles() -> None:
    """The whole policy: the lock, the run, its end, and the rule by which Step Functions learns of that."""
    (cluster,) = deployed("prod").of("ecs/cluster:Cluster").values()
    here = {"ArnEquals": {"ecs:cluster": cluster.outputs["arn"]}}
    tasks = arn("prod", "ecs", f"task/{cluster.inputs['name']}/*")
    assert policies("prod")["parking-database-guard"] == [
        {"Action": ["dynamodb:UpdateItem"], "Resource": [arn("prod", "dynamodb", "table/parking-database-lock")]},
        {
            "Action": ["ecs:RunTask"],
            "Resource": [arn("prod", "ecs", "task-definition/parking-etl-scheduled:*")],
            "Condition": here,
        },
        {
            "Action": ["ecs:TagResource"],
            "Resource": [tasks],
            "Condition": {"StringEquals": {"ecs:CreateAction": "RunTask"}},
        },
        {
            "Action": ["iam:PassRole"],
            "Resource": [
                arn("prod", "iam", "role/parking-etl-task"),
                arn("prod", "iam", "role/parking-etl-execution"),
            ],
            "Condition": {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}},
        },
        {"Action": ["ecs:DescribeTasks", "ecs:StopTask"], "Resource": [tasks], "Condition": here},
        {
            "Action": ["events:DescribeRule", "events:PutRule", "events:PutTargets"],
            "Resource": [arn("prod", "events", "rule/StepFunctionsGetEventsForECSTaskRule")],
        },
    ]


@each_stack
def test_these_are_all_its_roles_and_policies(stack: str) -> None:
    assert policies(stack).keys() == ROLES[stack]
    assert exact.trusted(deployed(stack), "ParkingEtl").keys() == ROLES[stack]


@each_stack
def test_each_role_is_its_services_alone_on_behalf_of_this_account(stack: str) -> None:
    """Scheduler takes a role by its group's ARN alone, and the others by what they do it for."""

    def own(service: str, operator: str, source: str) -> tuple[str, dict[str, Any]]:
        said: dict[str, Any] = {"StringEquals": {"aws:SourceAccount": ACCOUNTS[stack]}}
        said.setdefault(operator, {})["aws:SourceArn"] = source
        return f"{service}.amazonaws.com", said

    wanted = {
        **{role: own("ecs-tasks", "ArnLike", arn(stack, "ecs", "*")) for role in TASK_ROLES},
        "parking-database-guard": own("states", "ArnLike", arn(stack, "states", "stateMachine:parking-database")),
        **{
            f"{job}-schedule": own("scheduler", "StringEquals", arn(stack, "scheduler", f"schedule-group/{job}"))
            for job in ("sync-availability", "sync-parking")
        },
    }
    assert exact.trusted(deployed(stack), "ParkingEtl") == {role: wanted[role] for role in ROLES[stack]}


@each_stack
def test_the_pack_for_least_privilege_finds_no_fault_in_any(stack: str) -> None:
    """Judged with every ARN known, as after a deployment."""
    judged = {
        role: [str(fault) for fault in faults(allowed, task_role=role in TASK_ROLES)]
        for role, allowed in policies(stack).items()
    }
    assert judged == {role: [] for role in ROLES[stack]}


def test_it_would_find_one() -> None:
    """So that the test above says something: the guard's policy, were it a task's; and on any task definition."""
    guards = policies("prod")["parking-database-guard"]
    assert {fault.rule for fault in faults(guards, task_role=True)} == {"task-role"}
    loose = [{**each, "Resource": ["*"]} if each["Action"] == ["ecs:RunTask"] else each for each in guards]
    assert {fault.rule for fault in faults(loose, task_role=False)} == {"wildcard-resource"}
