"""What express-api may do in AWS, whole, on both stacks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.apps import exact
from tests.apps.exact import ACCOUNTS, REGION, deployed, faults

if TYPE_CHECKING:
    from tests.whole import Whole

each_stack = pytest.mark.parametrize("stack", ACCOUNTS)
TASKS = ("express-api", "express-api-migration")


def policies(whole: Whole) -> dict[str, list[dict[str, Any]]]:
    return exact.policies(whole, "ExpressApi")


def arn(stack: str, service: str, what: str) -> str:
    return f"arn:aws:{service}:{REGION}:{ACCOUNTS[stack]}:{what}"


def readable(stack: str, task: str) -> set[str]:
    """Return the secrets that ECS may read for *task*."""
    allowed = policies(deployed(stack))[f"{task}-execution"]
    reading = [each["Resource"] for each in allowed if "secretsmanager:GetSecretValue" in each["Action"]]
    return {one for each in reading for one in each if ":secret:" in one}


@each_stack
def test_for_the_service_ecs_reads_its_two_secrets_and_never_the_masters(stack: str) -> None:
    assert readable(stack, "express-api") == {
        arn(stack, "secretsmanager", f"secret:express-api-{name}") for name in ("application", "tokens")
    }


@each_stack
def test_for_the_migration_ecs_reads_the_masters_too_and_not_the_tokens_key(stack: str) -> None:
    assert readable(stack, "express-api-migration") == {
        arn(stack, "secretsmanager", f"secret:{name}") for name in ("express-api-application", "rds!db-express-api")
    }


@each_stack
@pytest.mark.parametrize("task", TASKS)
def test_ecs_may_pull_the_image_write_the_log_and_read_secrets(stack: str, task: str) -> None:
    """The whole policy. dev's image is its own, prod's of the registry that both share, with the database's key."""
    repository = "express-api"
    key = [arn(stack, "kms", "key/express-api")] if stack == "prod" else []
    pulls, image, logs, *reads = policies(deployed(stack))[f"{task}-execution"]
    assert pulls == {"Action": ["ecr:GetAuthorizationToken"], "Resource": ["*"]}
    assert image == {
        "Action": ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
        "Resource": [arn("dev", "ecr", f"repository/{repository}")],
    }
    assert logs == {
        "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
        "Resource": [arn(stack, "logs", f"log-group:/ecs/{task}:*")],
    }
    for each in reads:
        secret, *keys = each["Resource"]
        assert keys == key, secret
        assert each["Action"] == ["secretsmanager:GetSecretValue", *(["kms:Decrypt"] if keys else [])]


@each_stack
@pytest.mark.parametrize("task", TASKS)
def test_neither_task_may_do_anything(stack: str, task: str) -> None:
    """Their roles have no policy at all: they call the database, and AWS never."""
    assert f"{task}-task" not in policies(deployed(stack))
    assert f"{task}-task" in exact.trusted(deployed(stack), "ExpressApi")


@each_stack
def test_the_machine_may_deploy_this_service_and_the_rule_start_this_machine(stack: str) -> None:
    """Both whole: it needs no role of the tasks, since it says no task definition."""
    found = policies(deployed(stack))
    assert found["express-api-rotation-deploy"] == [
        {"Action": ["ecs:UpdateService"], "Resource": [deployed(stack).one("ecs/service:Service", "express-api").id]}
    ]
    assert found["express-api-rotation-start"] == [
        {
            "Action": ["states:StartExecution"],
            "Resource": [arn(stack, "states", "stateMachine:express-api-rotation")],
        }
    ]


@each_stack
def test_these_are_all_its_roles(stack: str) -> None:
    """Two of each task, the machine's and the rule's; no other account's service may take one."""
    held_to = {
        **{f"{task}-{kind}": ("ecs-tasks", arn(stack, "ecs", "*")) for task in TASKS for kind in ("task", "execution")},
        "express-api-rotation-deploy": ("states", arn(stack, "states", "stateMachine:express-api-rotation")),
        "express-api-rotation-start": ("events", arn(stack, "events", "rule/express-api-rotation-*")),
    }
    assert exact.trusted(deployed(stack), "ExpressApi") == {
        name: (
            f"{service}.amazonaws.com",
            {"StringEquals": {"aws:SourceAccount": ACCOUNTS[stack]}, "ArnLike": {"aws:SourceArn": source}},
        )
        for name, (service, source) in held_to.items()
    }


@each_stack
def test_the_pack_for_least_privilege_finds_no_fault_in_any(stack: str) -> None:
    """Judged with every ARN known, as after a deployment."""
    for role, allowed in policies(deployed(stack)).items():
        found = faults(allowed, task_role="-rotation-" not in role)
        assert not found, (role, [str(fault) for fault in found])
