"""ECS is asked until it has an answer; whoever may not ask is told so, and fails nothing."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from unittest import mock

import boto3
import pytest
from botocore.config import Config
from botocore.stub import Stubber

from deployments import inquiry
from deployments.inquiry import Inquiry, UnansweredError

if TYPE_CHECKING:
    from collections.abc import Iterator

CLUSTER = "arn:aws:ecs:eu-west-1:111122223333:cluster/main"
SERVICE = "arn:aws:ecs:eu-west-1:111122223333:service/main/shop"
OLD, NEW = (f"arn:aws:ecs:eu-west-1:111122223333:task-definition/shop:{revision}" for revision in (6, 7))
NOON = datetime(2030, 1, 31, 12, tzinfo=UTC)
NONE: dict[str, Any] = {"serviceDeployments": []}
NO_IMAGE = "CannotPullContainerError: no such image"
BREAKER = "ECS deployment circuit breaker: tasks failed to start."


@pytest.fixture
def stubbed() -> Iterator[tuple[Any, Stubber]]:
    """A client whose answers are written beforehand, and held against botocore's model."""
    keys = {"aws_access_key_id": "a", "aws_secret_access_key": "b"}
    client = boto3.client("ecs", region_name="eu-west-1", config=Config(retries={"total_max_attempts": 1}), **keys)
    with Stubber(client) as stubber, mock.patch.object(inquiry, "_EVERY", 0.0):
        yield client, stubber


def answer(stubber: Stubber, running: str, rollout: str, status: str, reason: str = "") -> None:
    """Have ECS answer one round of questions."""
    before = {"status": "SUCCESSFUL", "createdAt": NOON.replace(hour=9)}
    now = {"status": status, "statusReason": reason, "createdAt": NOON}
    # On two pages: a service that is deployed often has more than ECS answers at once.
    asked = {"cluster": CLUSTER, "service": SERVICE, "maxResults": 100}
    stubber.add_response("list_service_deployments", {"serviceDeployments": [before], "nextToken": "more"}, asked)
    stubber.add_response("list_service_deployments", {"serviceDeployments": [now]}, {**asked, "nextToken": "more"})
    primary = {"status": "PRIMARY", "taskDefinition": running, "rolloutState": rollout}
    events = [{"createdAt": NOON, "message": "(service shop) was unable to place a task."}]
    described = {"serviceName": "shop", "deployments": [primary], "events": events}
    stubber.add_response("describe_services", {"services": [described]}, {"cluster": CLUSTER, "services": [SERVICE]})


def answer_why(stubber: Stubber) -> None:
    """Have it say what became of the tasks."""
    by_name = {"cluster": CLUSTER, "serviceName": "shop", "desiredStatus": "STOPPED"}
    stubber.add_response("list_tasks", {"taskArns": [f"{CLUSTER}/1"]}, by_name)
    containers = [
        {"name": "web", "exitCode": 3},
        {"name": "proxy", "reason": NO_IMAGE},
    ]
    task = {"taskArn": f"{CLUSTER}/1", "stoppedReason": "Essential container in task exited", "containers": containers}
    stubber.add_response("describe_tasks", {"tasks": [task]})


def ask(client: Any, within: float = 60) -> Any:
    return Inquiry("eu-west-1", client).ask(CLUSTER, SERVICE, NEW, within)


def test_it_asks_until_the_deployment_is_over(stubbed: tuple[Any, Stubber]) -> None:
    client, stubber = stubbed
    answer(stubber, NEW, "IN_PROGRESS", "IN_PROGRESS")
    answer(stubber, NEW, "IN_PROGRESS", "PENDING")
    answer(stubber, NEW, "COMPLETED", "SUCCESSFUL")
    verdict = ask(client)
    assert (verdict.state, verdict.told) == ("completed", ())
    stubber.assert_no_pending_responses()


def test_a_rollback_is_told_with_events_and_what_stopped_the_tasks(stubbed: tuple[Any, Stubber]) -> None:
    """The reason is nowhere in what the engine prints."""
    client, stubber = stubbed
    answer(stubber, NEW, "IN_PROGRESS", "ROLLBACK_IN_PROGRESS", BREAKER)
    answer(stubber, OLD, "COMPLETED", "ROLLBACK_SUCCESSFUL", BREAKER)
    answer_why(stubber)
    assert str(ask(client)).splitlines() == [
        f"service 'shop': the deployment of shop:7 was rolled back, and shop:6 runs: {BREAKER}",
        "  12:00:00 (service shop) was unable to place a task.",
        f"  task 1 stopped: Essential container in task exited; web ended with 3; proxy never ran ({NO_IMAGE})",
    ]


def test_a_rollback_stays_one_where_its_tasks_may_not_be_looked_at(stubbed: tuple[Any, Stubber]) -> None:
    """Else the lack of a right to ask why would make a failed deployment pass."""
    client, stubber = stubbed
    answer(stubber, OLD, "COMPLETED", "ROLLBACK_SUCCESSFUL", BREAKER)
    stubber.add_client_error("list_tasks", "AccessDeniedException", "not authorized")
    verdict = ask(client)
    assert verdict.state == "rolled back"
    assert "why its tasks stopped ECS would not say" in verdict.told[-1]
    assert "not authorized" in verdict.told[-1]


def test_one_that_is_never_over_has_failed(stubbed: tuple[Any, Stubber]) -> None:
    client, stubber = stubbed
    answer(stubber, NEW, "IN_PROGRESS", "IN_PROGRESS")
    answer_why(stubber)
    verdict = ask(client, within=0)
    assert (verdict.state, verdict.reason) == ("failed", "not over after 0 s")


def test_no_service_is_no_answer(stubbed: tuple[Any, Stubber]) -> None:
    client, stubber = stubbed
    stubber.add_client_error("list_service_deployments", "ServiceNotFoundException")
    stubber.add_response("describe_services", {"services": []})
    with pytest.raises(UnansweredError, match="knows no service"):
        ask(client)


def test_a_service_that_somebody_has_deleted_does_not_run_the_new_version(stubbed: tuple[Any, Stubber]) -> None:
    """ECS describes it for a while yet, its last version primary and completed, and answers nothing else of it."""
    client, stubber = stubbed
    stubber.add_client_error("list_service_deployments", "ServiceNotFoundException")
    primary = {"status": "PRIMARY", "taskDefinition": NEW, "rolloutState": "COMPLETED"}
    described = {"serviceName": "shop", "status": "INACTIVE", "deployments": [primary], "events": []}
    stubber.add_response("describe_services", {"services": [described]})
    assert ask(client).state == "failed"


def test_one_that_ends_between_two_questions_is_not_said_to_be_rolled_back(stubbed: tuple[Any, Stubber]) -> None:
    """What was primary while it waited is known before whether it waits: asked the other way round, it misleads."""
    client, stubber = stubbed
    answer(stubber, OLD, "COMPLETED", "IN_PROGRESS")
    answer(stubber, NEW, "COMPLETED", "SUCCESSFUL")
    assert ask(client).state == "completed"


@pytest.mark.parametrize("code", ["AccessDeniedException", "ThrottlingException", "ServerException"])
def test_a_refusal_is_told_with_what_asking_takes(code: str, stubbed: tuple[Any, Stubber]) -> None:
    client, stubber = stubbed
    stubber.add_client_error("list_service_deployments", code, "not now")
    with pytest.raises(UnansweredError, match=rf"{code}: not now.*takes ecs:DescribeServices"):
        ask(client)


def test_without_credentials_nobody_is_asked() -> None:
    """Tests have none: see conftest."""
    with pytest.raises(UnansweredError, match="no AWS credentials"):
        ask(None)


def test_what_is_throttled_is_asked_again_by_the_sdk() -> None:
    """Else a busy account would never learn how its deployments ended."""
    made: list[Any] = []
    with (
        mock.patch("boto3.session.Session.client", lambda *_, **said: made.append(said)),
        contextlib.suppress(Exception),
    ):
        ask(None)
    retries = made[0]["config"].retries
    assert (retries["mode"], retries["total_max_attempts"]) == ("adaptive", 8)


def test_one_client_serves_all_services() -> None:
    """One takes a while to make, and only one that knows of all questions paces them."""
    with mock.patch("boto3.session.Session.client", side_effect=ValueError("no second one")) as make:
        inquiry = Inquiry("eu-west-1")
        make.side_effect = [
            mock.Mock(
                **{"describe_services.return_value": {"services": []}, "list_service_deployments.return_value": NONE}
            )
        ]
        for _ in range(2):
            with pytest.raises(UnansweredError, match="knows no service"):
                inquiry.ask(CLUSTER, SERVICE, NEW, 60)
    assert make.call_count == 1
