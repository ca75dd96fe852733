"""The command that operators are given is done as AWS's CLI would."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from rehearsal import typed
from rehearsal.emulator.access import Access
from rehearsal.typed import TypedError

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], tuple[str, dict[str, Any]]]:
    """Return what does a command and gives the operation and parameters that would have been sent."""
    calls: list[tuple[str, dict[str, Any]]] = []
    access = Access(
        "http://127.0.0.1:1", account="1", region="eu-west-1", root={"AccessKeyId": "a", "SecretAccessKey": "b"}
    )

    def call(_client: object, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
        calls.append((operation, parameters))
        return {}

    monkeypatch.setattr("botocore.client.BaseClient._make_api_call", call)

    def do(command: str) -> tuple[str, dict[str, Any]]:
        typed.do(access, command)
        return calls[-1]

    return do


def test_a_command_is_the_call_that_the_cli_would_make(sent: Callable[[str], Any]) -> None:
    said = {"containerOverrides": [{"name": "job", "command": ["sync it", "all"]}]}
    command = (
        f"aws ecs run-task --cluster shop --task-definition job:3 --count 2 --region eu-west-1 "
        f"--overrides '{json.dumps(said)}' --enable-execute-command --started-by=me"
    )
    assert sent(command) == (
        "RunTask",
        {
            "cluster": "shop",
            "taskDefinition": "job:3",
            "count": 2,
            "overrides": said,
            "enableExecuteCommand": True,
            "startedBy": "me",
        },
    )


def test_plain_lists_are_words(sent: Callable[[str], Any]) -> None:
    assert sent("aws ecs describe-tasks --tasks a b") == ("DescribeTasks", {"tasks": ["a", "b"]})


def test_a_whole_request_may_be_given_and_what_is_beside_it_counts_more(sent: Callable[[str], Any]) -> None:
    whole = json.dumps({"cluster": "shop", "taskDefinition": "job", "networkConfiguration": {}})
    given = sent(f"aws ecs run-task --task-definition other --cli-input-json '{whole}'")
    assert given == ("RunTask", {"cluster": "shop", "taskDefinition": "other", "networkConfiguration": {}})


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("pulumi up", "write 'aws <service> <operation>"),
        ("aws esc run-task", "Unknown service: 'esc'"),
        ("aws ecs run-tasks", "ecs has no run-tasks"),
        ("aws ecs run-task --custer shop", "aws ecs run-task has no --custer"),
        (
            "aws ecs run-task --cluster shop --region us-east-1",
            "its region is 'us-east-1', and the rehearsal's eu-west-1",
        ),
        ("aws ecs run-task --cluster a b", "--cluster has 2 values"),
        ("aws ecs run-task --count many", "--count is 'many', which is no integer"),
        ("aws ecs run-task --overrides name=x", "--overrides is 'name=x', which is no structure as JSON"),
        ("aws ecs run-task --cli-input-json '[1]'", "--cli-input-json takes one object of JSON"),
        ("aws ecs run-task shop", "'shop' belongs to no option"),
    ],
)
def test_what_the_cli_would_not_take_is_told(sent: Callable[[str], Any], command: str, said: str) -> None:
    with pytest.raises(TypedError) as told:
        sent(command)
    assert said in str(told.value)
