"""What ECS answers is read as it is meant: a rollback is no success, and what goes on is waited for."""

from __future__ import annotations

from typing import Any

import pytest

from deployments.verdict import judge

OLD, NEW = (f"arn:aws:ecs:eu-west-1:111122223333:task-definition/shop:{revision}" for revision in (6, 7))
BREAKER = "ECS deployment circuit breaker: tasks failed to start."


def service(running: str, rollout: str | None = "COMPLETED", reason: str = "") -> dict[str, Any]:
    """Return a service as `DescribeServices` answers it."""
    primary = {"status": "PRIMARY", "taskDefinition": running, "rolloutStateReason": reason}
    other = {"status": "ACTIVE", "taskDefinition": OLD, "rolloutState": "COMPLETED"}
    return {
        "serviceName": "shop",
        "deployments": [primary | ({"rolloutState": rollout} if rollout else {}), other],
    }


def deployment(status: str, reason: str = "") -> dict[str, Any]:
    return {"status": status, "statusReason": reason}


@pytest.mark.parametrize(
    ("answered", "deployments", "state", "reason"),
    [
        pytest.param(service(NEW), [deployment("SUCCESSFUL")], "completed", "", id="completed"),
        pytest.param(service(NEW), [], "completed", "", id="completed, before service deployments were kept"),
        pytest.param(service(NEW, None), [], "completed", "", id="a controller without rollout states"),
        pytest.param(service(NEW, "IN_PROGRESS"), [deployment("IN_PROGRESS")], "in progress", "", id="in progress"),
        pytest.param(service(NEW), [deployment("IN_PROGRESS")], "in progress", "", id="baking"),
        pytest.param(
            service(NEW, "IN_PROGRESS", BREAKER),
            [deployment("ROLLBACK_IN_PROGRESS", BREAKER)],
            "in progress",
            BREAKER,
            id="rolling back",
        ),
        pytest.param(
            service(OLD, "COMPLETED", BREAKER),
            [deployment("ROLLBACK_SUCCESSFUL", BREAKER)],
            "rolled back",
            BREAKER,
            id="rolled back",
        ),
        pytest.param(
            service(OLD, "IN_PROGRESS", "rolling back to ecs-svc/1"), [], "rolled back", "rolling back to ecs-svc/1",
            id="rolled back, before service deployments were kept",
        ),
        pytest.param(
            service(OLD),
            [deployment("ROLLBACK_SUCCESSFUL", "alarm detected: shop-5xx")],
            "rolled back",
            "alarm detected: shop-5xx",
            id="rolled back by an alarm",
        ),
        pytest.param(service(NEW, "FAILED", BREAKER), [], "failed", BREAKER, id="failed without rollback"),
        pytest.param(
            service(NEW), [deployment("ROLLBACK_FAILED", "no old version")], "failed", "no old version",
            id="a rollback that failed",
        ),
        pytest.param(
            service(NEW, "IN_PROGRESS"), [deployment("ROLLBACK_SUCCESSFUL", BREAKER)], "in progress", BREAKER,
            id="rolled back between the two questions",
        ),
        pytest.param(
            service(NEW), [deployment("ROLLBACK_SUCCESSFUL", BREAKER)], "completed", "", id="rolled back to this one"
        ),
        pytest.param(service(OLD), [deployment("PENDING")], "in progress", "", id="waiting before a task is started"),
        pytest.param(service(OLD), [deployment("IN_PROGRESS")], "in progress", "", id="waiting for an approval"),
        pytest.param(
            service(NEW) | {"status": "INACTIVE"}, [deployment("SUCCESSFUL")], "failed",
            "somebody has deleted the service, which is INACTIVE", id="deleted",
        ),
        pytest.param(service(NEW), [deployment("STOPPED", "by hand")], "failed", "by hand", id="stopped by hand"),
        pytest.param(service(OLD, "COMPLETED"), [deployment("SUCCESSFUL")], "rolled back", "", id="an older one since"),
        pytest.param({"serviceName": "shop", "deployments": []}, [], "rolled back", "", id="nothing at all"),
    ],
)  # fmt: skip
def test_a_deployment_stands_as_ecs_says(
    answered: dict[str, Any], deployments: list[dict[str, Any]], state: str, reason: str
) -> None:
    verdict = judge(answered, deployments, NEW)
    assert (verdict.state, verdict.reason) == (state, reason)
    assert verdict.failed is (state in ("rolled back", "failed"))


def test_what_is_deployed_without_a_task_is_not_said_to_run() -> None:
    """At night a service sleeps: ECS calls any version completed, one that cannot start too."""
    asleep = service(NEW) | {"desiredCount": 0}
    assert judge(asleep, [deployment("SUCCESSFUL")], NEW).idle
    assert not judge(service(NEW) | {"desiredCount": 1}, [deployment("SUCCESSFUL")], NEW).idle
    assert not judge(service(OLD) | {"desiredCount": 0}, [deployment("SUCCESSFUL")], NEW).idle, "another one is failed"


def test_the_newest_deployment_decides() -> None:
    """The one before it may well have been rolled back."""
    assert judge(service(NEW), [deployment("SUCCESSFUL"), deployment("ROLLBACK_SUCCESSFUL")], NEW).state == "completed"


def test_it_is_told_which_version_was_to_run_and_which_does() -> None:
    text = str(judge(service(OLD), [deployment("ROLLBACK_SUCCESSFUL", BREAKER)], NEW))
    assert text == f"service 'shop': the deployment of shop:7 was rolled back, and shop:6 runs: {BREAKER}"
    failed = str(judge(service(NEW, "FAILED", BREAKER), [], NEW))
    assert failed == f"service 'shop': the deployment of shop:7 failed, and it does not come up: {BREAKER}"
