"""What microservices may do in AWS, whole, on both stacks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.apps import exact
from tests.apps.exact import ACCOUNTS, REGION, deployed, faults

if TYPE_CHECKING:
    from tests.whole import Whole

each_stack = pytest.mark.parametrize("stack", ACCOUNTS)
PARTS = ("blog", "market", "news", "user", "web")


def policies(whole: Whole) -> dict[str, list[dict[str, Any]]]:
    return exact.policies(whole, "Microservices")


def arn(stack: str, service: str, what: str) -> str:
    return f"arn:aws:{service}:{REGION}:{ACCOUNTS[stack]}:{what}"


@each_stack
@pytest.mark.parametrize("name", ["blog", "news", "user"])
def test_a_service_may_use_the_items_of_its_own_table(stack: str, name: str) -> None:
    """The whole policy: five actions, and no bucket among what they are allowed on."""
    assert policies(deployed(stack))[f"microservices-{name}-task"] == [
        {
            "Action": [f"dynamodb:{each}" for each in ("GetItem", "Query", "PutItem", "UpdateItem", "DeleteItem")],
            "Resource": [arn(stack, "dynamodb", f"table/microservices-{name}")],
        }
    ]


@each_stack
def test_market_may_use_the_objects_of_its_own_bucket(stack: str) -> None:
    """The whole policy; no table is among what it is allowed on."""
    bucket = "arn:aws:s3:::microservices-market"
    assert policies(deployed(stack))["microservices-market-task"] == [
        {
            "Action": [f"s3:{each}" for each in ("ListBucket", "GetObject", "PutObject", "DeleteObject")],
            "Resource": [bucket, f"{bucket}/*"],
        }
    ]


@each_stack
def test_web_may_do_nothing(stack: str) -> None:
    """Its role has no policy at all: it asks over HTTP."""
    assert "microservices-web-task" not in policies(deployed(stack))
    assert "microservices-web-task" in exact.trusted(deployed(stack), "Microservices")


@each_stack
@pytest.mark.parametrize("name", PARTS)
def test_ecs_may_pull_an_image_and_write_its_log(stack: str, name: str) -> None:
    """The whole policy; dev's image is its own, prod's is of the registry that both share."""
    folder = "web" if name == "web" else "services"
    # By logical name where the stack makes the repository.
    repository = {"dev": f"microservices-{folder}", "prod": f"microservices/{folder}"}[stack]
    assert policies(deployed(stack))[f"microservices-{name}-execution"] == [
        {"Action": ["ecr:GetAuthorizationToken"], "Resource": ["*"]},
        {
            "Action": ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
            "Resource": [arn("dev", "ecr", f"repository/{repository}")],
        },
        {
            "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
            "Resource": [arn(stack, "logs", f"log-group:/ecs/microservices-{name}:*")],
        },
    ]


@each_stack
def test_these_are_all_its_roles(stack: str) -> None:
    """Two of each task, which no other account's ECS may take; and prod's one by which ECS shifts web's traffic."""
    conditions = {
        "StringEquals": {"aws:SourceAccount": ACCOUNTS[stack]},
        "ArnLike": {"aws:SourceArn": arn(stack, "ecs", "*")},
    }
    tasks = {f"microservices-{name}-{kind}" for name in PARTS for kind in ("task", "execution")}
    shifting = {"microservices-web-shifting"} if stack == "prod" else set[str]()
    trusted = exact.trusted(deployed(stack), "Microservices")
    assert trusted.keys() == tasks | shifting
    assert {name: trusted[name] for name in tasks} == dict.fromkeys(tasks, ("ecs-tasks.amazonaws.com", conditions))
    assert {trusted[name][0] for name in shifting} <= {"ecs.amazonaws.com"}


@each_stack
def test_the_pack_for_least_privilege_finds_no_fault_in_any(stack: str) -> None:
    """Judged with every ARN known, as after a deployment."""
    for role, allowed in policies(deployed(stack)).items():
        found = faults(allowed, task_role=not role.endswith("-shifting"))
        assert not found, (role, [str(fault) for fault in found])
