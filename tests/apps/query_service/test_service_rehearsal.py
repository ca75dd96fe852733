"""The workload's rehearsal script: what it may say, what it covers, and that the service lives up to it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from boto3.dynamodb.types import TypeSerializer

from tests.apps.query_service.conftest import send

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.apps.query_service.conftest import Emulator

GRANTS = {
    *(f"dynamodb:{action}" for action in ("GetItem", "Query", "PutItem", "UpdateItem", "DeleteItem")),
    "lambda:InvokeFunction",
}


@pytest.fixture(scope="module")
def script(folder: Path) -> dict[str, Any]:
    return yaml.safe_load((folder / "rehearsal.yaml").read_text())


def agrees(expected: Any, found: Any) -> bool:
    """Part of the answer, as the script's own head defines it."""
    match expected:
        case dict():
            return isinstance(found, dict) and all(
                name in found and agrees(value, found[name]) for name, value in expected.items()
            )
        case list():
            return isinstance(found, list) and len(expected) == len(found) and all(map(agrees, expected, found))
        case _:
            return expected == found


def test_the_script_says_only_what_its_head_explains(script: dict[str, Any]) -> None:
    assert set(script) == {"seed", "requests"}
    for seed in script["seed"]:
        assert set(seed) == {"table", "items"}
    required = {"name", "entrance", "method", "path", "expect"}
    optional = {"headers", "json", "text", "outage", "exercises"}
    for request in script["requests"]:
        assert required <= set(request) <= required | optional
        assert {"status"} <= set(request["expect"]) <= {"status", "headers", "json"}
        assert not {"json", "text"} <= set(request), "a request has one body"
        assert request.get("outage", "private_api") == "private_api"
        assert request["path"].startswith("/")
    assert len({request["name"] for request in script["requests"]}) == len(script["requests"])


def test_the_script_exercises_every_action_of_the_tasks_role_and_both_entrances(script: dict[str, Any]) -> None:
    """An action that no request needs could be missing from the role without anybody noticing."""
    assert {action for request in script["requests"] for action in request.get("exercises", [])} == GRANTS
    answered = [
        request["entrance"]
        for request in script["requests"]
        if (request["method"], request["expect"]["status"]) == ("POST", 200)
    ]
    assert set(answered) == {"load_balancer_url", "private_api_url"}


def test_the_service_answers_as_the_script_says(
    script: dict[str, Any], serve: Callable[..., Any], environment: dict[str, str], emulator: Emulator
) -> None:
    """With a real REST API and function of the emulator's, and the service without its load balancer."""
    for seed in script["seed"]:
        for item in seed["items"]:
            values = {name: TypeSerializer().serialize(value) for name, value in item.items()}
            emulator.client("dynamodb").put_item(TableName="source", Item=values)
    gateway, api = emulator.client("apigateway"), emulator.private_api()
    deployment = gateway.get_deployments(restApiId=api)["items"][0]["id"]
    host = emulator.url.removeprefix("http://")
    prefix = f"/restapis/{api}/v1/_user_request_"
    with serve(**environment | {"INTERNAL_API_URL": f"{emulator.url}{prefix}"}) as service:
        entrances = {"load_balancer_url": (service.host, ""), "private_api_url": (host, prefix)}
        for request in script["requests"]:
            if request.get("outage"):
                gateway.delete_stage(restApiId=api, stageName="v1")
            (where, before), headers = entrances[request["entrance"]], request.get("headers", {})
            body = request.get("json", request.get("text"))
            answer = send(where, request["method"], before + request["path"], body, headers)
            if request.get("outage"):
                gateway.create_stage(restApiId=api, stageName="v1", deploymentId=deployment)
            expected = request["expect"]
            assert answer.status == expected["status"], f"{request['name']}: {answer.text}"
            assert agrees(expected.get("json", {}), json.loads(answer.text)), f"{request['name']}: {answer.text}"
            for name, value in expected.get("headers", {}).items():
                assert answer.headers[name] == value, request["name"]
