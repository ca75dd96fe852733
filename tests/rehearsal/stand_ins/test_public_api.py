"""A public API, made by the component and deployed in a real emulator: asked with its key, without, and too fast."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from rehearsal import program, requests
from rehearsal.client import Client, domains
from rehearsal.requests import EntranceError
from rehearsal.script import Request, Script
from rehearsal.tree import Tree

if TYPE_CHECKING:
    from collections.abc import Callable

    from rehearsal.emulator import Emulator

PROGRAM = Path(__file__).parent / "public_api"
CLIENTS = ("guest", "till", "web")
LOGIN = {"method": "POST", "path": "/api/client/auth/login", "json": {"email": "ada@example.com"}}


@pytest.fixture(scope="module")
def deployed(deploy: Callable[..., program.Result]) -> program.Result:
    return deploy(PROGRAM)


def request(**said: Any) -> Request:
    whole = {"name": "it holds", "entrance": "api_gateway_url", "method": "GET", "path": "/api/info"}
    return Request.model_validate(whole | said)


def problems(emulator: Emulator, deployed: program.Result, expect: dict[str, Any], **said: Any) -> tuple[str, ...]:
    """Return what is wrong with the answer to a request of a script."""
    sent = requests.with_key(emulator, "shop", deployed.outputs, request(expect=expect, **said))
    with Client(emulator.endpoint, domains(Tree(deployed.graph, {}))) as client:
        return requests.ask(client, "shop", deployed.outputs, sent).problems


def test_with_its_key_a_client_reaches_the_workload(emulator: Emulator, deployed: program.Result) -> None:
    """Through the stage, the link and the load balancer's rule, which knows no stage."""
    assert problems(emulator, deployed, {"status": 200, "contains": ["info"]}, api_key="web_key_id") == ()
    nobodys = {"status": 404, "contains": ["No such route"]}
    assert problems(emulator, deployed, nobodys, path="/", api_key="web_key_id") == ()


def test_without_its_key_or_with_another_a_client_is_refused(emulator: Emulator, deployed: program.Result) -> None:
    assert problems(emulator, deployed, {"status": 403}) == ()
    assert problems(emulator, deployed, {"status": 403}, headers={"X-Api-Key": "a" * 20}) == ()
    assert problems(emulator, deployed, {"status": 403}, **LOGIN) == ()


def test_one_method_faster_than_its_throttle_is_told_to_wait(emulator: Emulator, deployed: program.Result) -> None:
    """And it alone: what else is asked meanwhile is answered."""
    some = {"status": 200, "sometimes": 429}
    assert problems(emulator, deployed, some, api_key="till_key_id", times=20, **LOGIN) == ()
    assert problems(emulator, deployed, {"status": 200}, api_key="till_key_id", times=20) == ()


def test_a_path_beside_a_throttled_one_is_passed_on_too(emulator: Emulator, deployed: program.Result) -> None:
    """Its parents are resources without a method, which must not shadow the route for all paths."""
    for path in ("/api/client", "/api/client/auth", "/api/client/auth/login/more", "/api/client/prescription"):
        assert problems(emulator, deployed, {"status": 200}, path=path, api_key="web_key_id") == ()
    assert problems(emulator, deployed, {"status": 200}, path=LOGIN["path"], api_key="web_key_id") == ()


def test_past_its_quota_a_key_opens_nothing_more(emulator: Emulator, deployed: program.Result) -> None:
    expect = {"status": 200, "sometimes": 429}
    assert problems(emulator, deployed, expect, api_key="guest_key_id", times=3) == ()
    assert problems(emulator, deployed, {"status": 429}, api_key="guest_key_id") == ()
    assert problems(emulator, deployed, {"status": 200}, api_key="web_key_id") == ()


def test_the_domain_leads_to_the_stage_from_its_root(emulator: Emulator, deployed: program.Result) -> None:
    assert deployed.outputs["named_url"] == "https://api.example.com"
    assert problems(emulator, deployed, {"status": 200}, entrance="named_url") == ()


def test_no_output_and_no_state_has_a_keys_value(emulator: Emulator, deployed: program.Result) -> None:
    """Ids are for everybody; the value is for whoever may ask API Gateway for it."""
    gateway = emulator.client("apigateway")
    written = json.dumps([deployed.outputs, [[each.inputs, each.outputs] for each in deployed.graph]], default=str)
    for client in CLIENTS:
        key = deployed.outputs[f"{client}_key_id"]
        assert gateway.get_api_key(apiKey=key, includeValue=True)["value"] not in written
        assert f"--api-key {key} --include-value" in deployed.outputs[f"{client}_key_command"]


def test_what_no_emulator_has_is_told(deployed: program.Result) -> None:
    validated = {each.type for each in deployed.graph if each.proof == "validated"}
    assert {"aws:apigatewayv2/vpcLink:VpcLink", "aws:wafv2/webAclAssociation:WebAclAssociation"} <= validated


def test_a_key_that_no_output_has_is_told_before_anything_is_sent() -> None:
    said = Script(requests=(request(api_key="key_id", expect={"status": 200}),))
    with pytest.raises(EntranceError, match="names the output 'key_id'"):
        requests.check_names("shop", {"api_gateway_url": "https://shop.example.com"}, said)


@pytest.mark.parametrize(
    ("statuses", "problem"),
    [
        ([200, 200, 429], ""),
        ([200, 200, 200], "expected one answer or more of 3 to have status 429, got none"),
        ([429, 429, 429], "expected one answer or more of 3 to have status 200, got none"),
        ([200, 500, 429], "expected status 200, got 500: {}"),
    ],
)
def test_a_throttle_that_lets_all_through_or_nothing_is_none(statuses: list[int], problem: str) -> None:
    answers = iter(statuses)
    through: Any = SimpleNamespace(send=lambda *_, **__: (next(answers), {}, b"{}"))
    said = request(times=3, expect={"status": 200, "sometimes": 429})
    found = requests.ask(through, "shop", {"api_gateway_url": "https://shop.example.com"}, said).problems
    assert found == ((problem,) if problem else ())


def test_one_answer_has_one_status() -> None:
    with pytest.raises(ValueError, match="say `times: 2` or more"):
        request(expect={"status": 200, "sometimes": 429})
