"""A job's task is run to its end; where that is not a good one, what it said last is told."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any
from unittest import mock

import boto3
import pulumi
import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.stub import Stubber

from deployments import jobs
from deployments.jobs import Runner

if TYPE_CHECKING:
    from collections.abc import Iterator

TASK = "arn:aws:ecs:eu-west-1:111122223333:task/main/0123456789abcdef"
DEFINITION = "arn:aws:ecs:eu-west-1:111122223333:task-definition/migrate:7"
KEYS = {"aws_access_key_id": "a", "aws_secret_access_key": "b"}
REQUEST = {"cluster": "main", "taskDefinition": DEFINITION}


@pytest.fixture
def stubbed() -> Iterator[dict[str, Stubber]]:
    """Clients whose answers are written beforehand, and held against botocore's model."""
    clients: dict[str, Any] = {
        "ecs": boto3.client("ecs", region_name="eu-west-1", **KEYS),
        "logs": boto3.client("logs", region_name="eu-west-1", **KEYS),
    }
    stubbers = {name: Stubber(client) for name, client in clients.items()}
    with (
        stubbers["ecs"],
        stubbers["logs"],
        mock.patch.multiple(jobs, _EVERY=0.0, _LINES_FOLLOW=0.0, _client=lambda name, _region: clients[name]),
        mock.patch.multiple(pulumi.log, info=mock.DEFAULT, warn=mock.DEFAULT),
    ):
        yield stubbers


def run(timeout: int = 60) -> None:
    Runner(region="eu-west-1")("migration", json.dumps(REQUEST), timeout)


def answer(stubber: Stubber, *exit_codes: int | None, stop_code: str = "EssentialContainerExited") -> None:
    """Have ECS start the task, not know it at once, and then say that its containers have ended so."""
    stubber.add_response("run_task", {"tasks": [{"taskArn": TASK}]}, REQUEST)
    stubber.add_response("describe_tasks", {"tasks": []}, {"cluster": "main", "tasks": [TASK]})
    stubber.add_response("describe_tasks", {"tasks": [{"taskArn": TASK, "lastStatus": "RUNNING"}]})
    containers = [
        {"name": f"app{number}"} | ({} if code is None else {"exitCode": code})
        for number, code in enumerate(exit_codes)
    ]
    task = {
        "taskArn": TASK,
        "taskDefinitionArn": DEFINITION,
        "lastStatus": "STOPPED",
        "stopCode": stop_code,
        "stoppedReason": "Essential container in task exited",
        "containers": containers,
    }
    stubber.add_response("describe_tasks", {"tasks": [task]})


def answer_where_it_logs(stubber: Stubber) -> None:
    options = {"awslogs-group": "/ecs/migrate", "awslogs-stream-prefix": "ecs", "awslogs-region": "eu-west-1"}
    container = {"name": "app0", "logConfiguration": {"logDriver": "awslogs", "options": options}}
    stubber.add_response("describe_task_definition", {"taskDefinition": {"containerDefinitions": [container]}})


def test_one_that_ends_with_0_is_done(stubbed: dict[str, Stubber]) -> None:
    answer(stubbed["ecs"], 0, 0)
    run()
    stubbed["ecs"].assert_no_pending_responses()


@pytest.mark.parametrize("exit_code", [3, None], ids=["ended with 3", "never ran"])
def test_one_that_fails_is_told_with_its_last_lines(stubbed: dict[str, Stubber], exit_code: int | None) -> None:
    """In the words of ECS and its own: nobody has to look for them."""
    answer(stubbed["ecs"], exit_code)
    answer_where_it_logs(stubbed["ecs"])
    stubbed["logs"].add_response(
        "get_log_events",
        {"events": [{"message": "applying 0002"}, {"message": "0002-logins.sql failed, and was undone\n"}]},
        {
            "logGroupName": "/ecs/migrate",
            "logStreamName": "ecs/app0/0123456789abcdef",
            "limit": 20,
            "startFromHead": False,
        },
    )
    with pytest.raises(pulumi.RunError) as raised:
        run()
    ended = "never ran" if exit_code is None else "ended with 3"
    head, *lines = str(raised.value).splitlines()
    assert head.startswith("job 'migration' (task 0123456789abcdef) failed, and the service stays as it is: ")
    assert head.endswith(f"Essential container in task exited; app0 {ended}")
    assert lines == [
        "  applying 0002",
        "  0002-logins.sql failed, and was undone",
    ]


def test_the_line_that_tells_the_cause_may_come_later_than_those_before(stubbed: dict[str, Stubber]) -> None:
    """CloudWatch has a container's lines in batches, and the last is the one that says why."""
    answer(stubbed["ecs"], 1)
    answer_where_it_logs(stubbed["ecs"])
    for said in ([], ["applying 0002"], *[["applying 0002", "0002-logins.sql failed"]] * 2):
        stubbed["logs"].add_response("get_log_events", {"events": [{"message": line} for line in said]})
    with mock.patch.object(jobs, "_LINES_FOLLOW", 60.0), pytest.raises(pulumi.RunError, match=r"logins\.sql failed"):
        run()
    stubbed["logs"].assert_no_pending_responses()


def test_one_that_said_nothing_fails_with_its_reason_alone(stubbed: dict[str, Stubber]) -> None:
    answer(stubbed["ecs"], 1)
    answer_where_it_logs(stubbed["ecs"])
    stubbed["logs"].add_client_error("get_log_events", "ResourceNotFoundException")
    with pytest.raises(pulumi.RunError, match=r"ended with 1$"):
        run()


def test_one_whose_words_may_not_be_read_fails_all_the_same(stubbed: dict[str, Stubber]) -> None:
    answer(stubbed["ecs"], 1)
    stubbed["ecs"].add_client_error("describe_task_definition", "AccessDeniedException")
    with pytest.raises(pulumi.RunError, match="ended with 1\n  what it said could not be read"):
        run()


def test_one_that_does_not_end_in_time_is_stopped(stubbed: dict[str, Stubber]) -> None:
    """A migration that waits for a lock must not go on under the old version."""
    stubbed["ecs"].add_response("run_task", {"tasks": [{"taskArn": TASK}]})
    stubbed["ecs"].add_response("describe_tasks", {"tasks": [{"taskArn": TASK, "lastStatus": "RUNNING"}]})
    stubbed["ecs"].add_response("stop_task", {}, {"cluster": "main", "task": TASK, "reason": "it did not end in time"})
    with pytest.raises(pulumi.RunError, match="did not end within 0 s and was stopped"):
        run(timeout=0)
    stubbed["ecs"].assert_no_pending_responses()


def test_one_that_cannot_be_placed_fails_with_ecss_reason(stubbed: dict[str, Stubber]) -> None:
    stubbed["ecs"].add_response("run_task", {"tasks": [], "failures": [{"reason": "RESOURCE:MEMORY"}]})
    with pytest.raises(pulumi.RunError, match="'migration' could not be run: RESOURCE:MEMORY"):
        run()


def test_one_that_nobody_may_run_stops_the_deployment(stubbed: dict[str, Stubber]) -> None:
    """Not like a question that nobody may ask: the new version would run on the old tables."""
    stubbed["ecs"].add_client_error("run_task", "AccessDeniedException", "not allowed")
    with pytest.raises(pulumi.RunError, match=r"could not be run: .*not allowed"):
        run()


@pytest.mark.parametrize("action", ["describe_tasks", "stop_task"])
def test_one_that_was_started_and_cannot_be_followed_is_not_said_to_have_not_run(
    stubbed: dict[str, Stubber], action: str
) -> None:
    """Credentials that expire meanwhile end neither the task nor what it does to the database."""
    stubbed["ecs"].add_response("run_task", {"tasks": [{"taskArn": TASK}]})
    if action == "stop_task":
        stubbed["ecs"].add_response("describe_tasks", {"tasks": [{"taskArn": TASK, "lastStatus": "RUNNING"}]})
    stubbed["ecs"].add_client_error(action, "ExpiredTokenException", "the token is expired")
    with pytest.raises(pulumi.RunError) as raised:
        run(timeout=0)
    said = str(raised.value)
    assert said.startswith("job 'migration' was started, as task 0123456789abcdef, ")
    assert {"describe_tasks": "could not be asked", "stop_task": "could not be stopped"}[action] in said
    assert "it may still run, the service stays as it is, and the next `pulumi up` runs it again: " in said
    assert said.endswith("the token is expired")


def test_one_of_which_nothing_has_run_is_tried_once_more(stubbed: dict[str, Stubber]) -> None:
    """A registry or a secret that did not answer once is no reason to give a deployment up."""
    answer(stubbed["ecs"], None, stop_code="TaskFailedToStart")
    answer(stubbed["ecs"], 0)
    run()
    stubbed["ecs"].assert_no_pending_responses()


def test_one_that_does_not_start_twice_has_failed(stubbed: dict[str, Stubber]) -> None:
    for _ in range(2):
        answer(stubbed["ecs"], None, stop_code="TaskFailedToStart")
    answer_where_it_logs(stubbed["ecs"])
    stubbed["logs"].add_client_error("get_log_events", "ResourceNotFoundException")
    with pytest.raises(pulumi.RunError, match=r"failed, and the service stays .*; app0 never ran$"):
        run()
    stubbed["ecs"].assert_no_pending_responses()


def test_one_that_has_run_is_not_tried_again(stubbed: dict[str, Stubber]) -> None:
    """It has failed by itself, and would once more."""
    answer(stubbed["ecs"], 1)
    answer_where_it_logs(stubbed["ecs"])
    stubbed["logs"].add_client_error("get_log_events", "ResourceNotFoundException")
    with pytest.raises(pulumi.RunError, match=r"ended with 1$"):
        run()
    stubbed["ecs"].assert_no_pending_responses()


class Wire:
    """Stands for ECS beneath botocore: the first RunTask gets no answer that is one, and no task starts by itself."""

    def __init__(self) -> None:
        self.tokens: list[str] = []

    def __call__(self, request: Any, **_: object) -> AWSResponse:
        """Answer a request."""
        said = json.loads(request.body)
        if request.headers["X-Amz-Target"].decode().endswith("RunTask"):
            self.tokens.append(said["clientToken"])
        task = {"taskArn": TASK, "lastStatus": "STOPPED", "stopCode": "TaskFailedToStart", "containers": []}
        if len(self.tokens) > 2:
            task |= {"stopCode": "EssentialContainerExited", "containers": [{"name": "app0", "exitCode": 0}]}
        body = json.dumps({"tasks": [task]}).encode()
        return AWSResponse(request.url, 500 if len(self.tokens) == 1 else 200, HTTPHeaders(), Raw(body))


class Raw(io.BytesIO):
    """A body as botocore reads it."""

    def stream(self, *_: object, **__: object) -> Iterator[bytes]:
        """Yield it whole."""
        yield self.read()


def test_a_request_that_is_sent_again_starts_one_task_and_another_try_another() -> None:
    """By its `clientToken`, which botocore makes for each call: else two migrations would run for one."""
    ecs: Any = boto3.client("ecs", region_name="eu-west-1", **KEYS)
    wire = Wire()
    ecs.meta.events.register("before-send.ecs", wire)
    with (
        mock.patch.multiple(jobs, _EVERY=0.0, _client=lambda *_: ecs),
        mock.patch.multiple(pulumi.log, info=mock.DEFAULT, warn=mock.DEFAULT),
        mock.patch("botocore.endpoint.time"),
    ):
        run()
    sent, again, tried_once_more = wire.tokens
    assert sent == again != tried_once_more
