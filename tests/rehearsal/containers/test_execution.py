"""What the execution role lacks stops a task here as it would in an account."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import pytest

from rehearsal.containers import prove_pull, prove_secrets

if TYPE_CHECKING:
    from conftest import Site

REGION = "ap-southeast-1"


def log(site: Site, group: str = "") -> dict[str, Any]:
    options = {
        "awslogs-group": group or site.group,
        "awslogs-region": REGION,
        "awslogs-stream-prefix": "ecs",
    }
    return {"command": ["true"], "logConfiguration": {"logDriver": "awslogs", "options": options}}


def secret(site: Site, text: str = '{"password": "hidden"}') -> str:
    arn: str = site.aws.client("secretsmanager").create_secret(Name=f"s-{uuid.uuid4().hex}", SecretString=text)["ARN"]
    return arn


def with_secret(value_from: str) -> dict[str, Any]:
    return {"command": ["sh", "-c", "echo $PASSWORD"], "secrets": [{"name": "PASSWORD", "valueFrom": value_from}]}


@pytest.mark.parametrize(
    "action",
    ["ecr:GetAuthorizationToken", "ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
)
def test_an_image_that_the_execution_role_may_not_pull_stops_the_task(site: Site, action: str) -> None:
    """Pulling needs four actions; each left out is a task that never starts."""
    execution = site.execution_role(without=action)
    task = site.ran({"command": ["true"]}, execution=execution)
    assert "CannotPullContainerError" in task["stoppedReason"]
    assert action in task["stoppedReason"]
    assert site.aws.denials()[-1].action == action
    definition = site.aws.client("ecs").describe_task_definition(taskDefinition=task["taskDefinitionArn"])
    assert [action in each.message for each in prove_pull(site.aws, definition["taskDefinition"])] == [True]


def test_a_log_group_that_the_execution_role_may_not_write_stops_the_task(site: Site) -> None:
    """ECS makes the log stream before it starts the container."""
    task = site.ran(log(site), execution=site.execution_role(without="logs:CreateLogStream"))
    assert task["stopCode"] == "TaskFailedToStart"
    assert "failed to validate logger args" in task["stoppedReason"]
    assert "logs:CreateLogStream" in task["stoppedReason"]


def test_lines_that_the_execution_role_may_not_deliver_are_missed(site: Site) -> None:
    """The container goes on, as in ECS; the report finds the error, and the denial is recorded."""
    chatty = log(site) | {"command": ["echo", "line"]}
    task = site.ran(chatty, execution=site.execution_role(without="logs:PutLogEvents"))
    stream = site.of(task["taskArn"]).log_stream
    assert stream
    assert "logs:PutLogEvents" in stream.error


def test_a_log_group_that_does_not_exist_stops_the_task(site: Site) -> None:
    """A typing error in the group's name would otherwise lose every line."""
    task = site.ran(log(site, group="/ecs/none"), execution=site.execution_role(("logs:CreateLogStream", "*")))
    assert "ResourceNotFoundException" in task["stoppedReason"]


def test_secrets_that_the_execution_role_may_read_are_proved_and_injected(site: Site) -> None:
    """The emulator injects them as itself, so the right is tried apart."""
    arn = secret(site)
    reads = site.execution_role(("secretsmanager:GetSecretValue", arn))
    definition = site.define(with_secret(f"{arn}:password::"), execution=reads)
    assert prove_secrets(site.aws, definition) == []
    task = site.ran(with_secret(f"{arn}:password::"), execution=reads)
    assert list(site.of(task["taskArn"]).lines) == ["hidden"]


def test_a_secret_that_the_execution_role_may_not_read_stops_the_task(site: Site) -> None:
    """And the refusal names the variable, the secret and the action, never the value."""
    arn = secret(site)
    task = site.ran(with_secret(arn))
    assert "unable to pull secrets" in task["stoppedReason"]
    assert "secretsmanager:GetSecretValue" in task["stoppedReason"]
    [refusal] = prove_secrets(site.aws, site.define(with_secret(arn)))
    assert "PASSWORD" in str(refusal)
    assert "hidden" not in str(refusal)


def test_a_json_key_that_the_secret_lacks_is_a_refusal(site: Site) -> None:
    """ECS cannot inject it either."""
    arn = secret(site)
    reads = site.execution_role(("secretsmanager:GetSecretValue", arn))
    [refusal] = prove_secrets(site.aws, site.define(with_secret(f"{arn}:token::"), execution=reads))
    assert "'token'" in refusal.message


def test_a_parameter_is_read_as_the_execution_role_too(site: Site) -> None:
    """Parameter Store is the other place that `secrets` may name, by ARN or by name."""
    site.aws.client("ssm").put_parameter(Name="/tiny/password", Value="hidden", Type="SecureString", Overwrite=True)
    arn = f"arn:aws:ssm:{REGION}:123456789012:parameter/tiny/password"
    reads = site.execution_role(("ssm:GetParameters", arn))
    for value_from in (arn, "/tiny/password"):
        assert prove_secrets(site.aws, site.define(with_secret(value_from), execution=reads)) == []
        assert prove_secrets(site.aws, site.define(with_secret(value_from)))


def test_a_task_role_that_ecs_may_not_assume_stops_the_task(site: Site) -> None:
    """A trust for another service is found when the task starts, not when it first calls AWS."""
    task = site.ran({"command": ["true"]}, task=site.role(service="lambda.amazonaws.com"))
    assert "sts:AssumeRole" in task["stoppedReason"]
