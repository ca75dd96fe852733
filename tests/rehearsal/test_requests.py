"""Requests find their entrances, and answers are held against what was expected."""

from __future__ import annotations

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Never

import pytest
from pulumi.runtime.rpc import UNKNOWN
from pydantic import ValidationError

from rehearsal import client, requests
from rehearsal.client import Client
from rehearsal.graph import Answer, Registered
from rehearsal.requests import EntranceError
from rehearsal.script import Request, Script
from rehearsal.tree import Tree

if TYPE_CHECKING:
    from collections.abc import Iterator

BALANCER = "http://internal-dev-1.eu-west-1.elb.amazonaws.com"
OUTPUTS = {"load_balancer_url": BALANCER, "table_name": "answers-1"}


class Gateway(ThreadingHTTPServer):
    """Stands for the emulator: remembers the last request and answers as it is told."""

    heard: dict[str, Any]
    answer: tuple[int, dict[str, str], bytes] = (200, {}, b"{}")
    answers: list[tuple[int, dict[str, str], bytes]] = []  # noqa: RUF012 - set by whoever wants some
    """Those that come first, if any."""
    silent_for: float = 0

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Gateway

    def _take(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.heard = {
            "method": self.command, "path": self.path, "host": self.headers["Host"], "body": body,
            "type": self.headers.get("Content-Type"),
        }  # fmt: skip
        time.sleep(self.server.silent_for)
        status, headers, content = self.server.answers.pop(0) if self.server.answers else self.server.answer
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_DELETE = _take  # noqa: N815 - the names that http.server looks for

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    with Gateway(("127.0.0.1", 0), _Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def request(**said: Any) -> Request:
    whole = {
        "name": "it holds",
        "entrance": "load_balancer_url",
        "method": "GET",
        "path": "/x",
        "expect": {"status": 200},
    }
    return Request.model_validate(whole | said)


def ask(gateway: Gateway, **said: Any) -> requests.Asked:
    with Client(gateway.url) as client:
        return requests.ask(client, "shop", OUTPUTS, request(**said))


def test_a_load_balancers_name_is_found_where_the_emulator_is(gateway: Gateway) -> None:
    """Nobody resolves it here, and the emulator picks the balancer by the Host header."""
    ask(gateway, path="/x?y=1")
    assert gateway.heard["host"] == "internal-dev-1.eu-west-1.elb.amazonaws.com"
    assert gateway.heard["path"] == "/x?y=1"


def test_a_json_body_brings_its_content_type(gateway: Gateway) -> None:
    asked = ask(gateway, method="POST", json={"limit": 1})
    assert asked.ok
    assert (gateway.heard["type"], gateway.heard["body"]) == ("application/json", b'{"limit": 1}')


def test_a_text_is_sent_as_it_is(gateway: Gateway) -> None:
    ask(gateway, method="POST", text='{"limit"', headers={"Content-Type": "text/plain"})
    assert (gateway.heard["type"], gateway.heard["body"]) == ("text/plain", b'{"limit"')


def test_a_redirect_is_an_answer_and_is_not_followed(gateway: Gateway) -> None:
    """Followed, it would lead out of the emulator."""
    gateway.answer = (301, {"Location": "https://example.com/"}, b"")
    asked = ask(gateway, expect={"status": 301, "headers": {"location": "https://example.com/"}})
    assert asked.problems == ()


def test_a_wrong_status_is_told_with_the_answer(gateway: Gateway) -> None:
    gateway.answer = (502, {}, b"no such luck")
    asked = ask(gateway)
    assert (asked.ok, asked.status) == (False, 502)
    assert asked.problems == ("expected status 200, got 502: no such luck",)


def test_a_wrong_header_is_told(gateway: Gateway) -> None:
    gateway.answer = (200, {"X-Request-Id": "2"}, b"{}")
    asked = ask(gateway, expect={"status": 200, "headers": {"x-request-id": "1"}})
    assert asked.problems == ("expected header x-request-id: 1, got 2",)


def test_an_answer_that_is_no_json_is_told(gateway: Gateway) -> None:
    gateway.answer = (200, {}, b"<html>")
    assert ask(gateway, expect={"status": 200, "json": {}}).problems == ("expected JSON, got '<html>'",)


def test_a_text_that_the_answer_lacks_is_told(gateway: Gateway) -> None:
    """A page is no JSON."""
    gateway.answer = (200, {}, b"<h1>Ada</h1>")
    assert ask(gateway, expect={"status": 200, "contains": ["Ada", "h1"]}).ok
    (problem,) = ask(gateway, expect={"status": 200, "contains": ["Ada", "Grace"]}).problems
    assert problem == "expected 'Grace' in the answer, got '<h1>Ada</h1>'"


def test_a_request_is_sent_as_often_as_is_said(gateway: Gateway) -> None:
    """And no more once an answer is wrong."""
    gateway.answers = [(200, {}, b"{}"), (200, {}, b"{}"), (500, {}, b""), (200, {}, b"{}")]
    assert ask(gateway, times=2).ok
    assert not ask(gateway, times=2).ok
    assert len(gateway.answers) == 1


def test_answers_that_come_from_too_few_are_told(gateway: Gateway) -> None:
    """One host of two that gets everything is no balance."""
    one, two = (200, {}, b'{"ip": "10.0.0.1"}'), (200, {}, b'{"ip": "10.0.0.2"}')
    expect = {"status": 200, "distinct": {"ip": 2}}
    gateway.answers = [one, two, one]
    assert ask(gateway, times=3, expect=expect).ok
    gateway.answers = [one, one, one]
    (problem,) = ask(gateway, times=3, expect=expect).problems
    assert problem == "expected 2 different values of 'ip' in 3 answers, got \"10.0.0.1\" (3 times)"


def test_more_values_than_answers_are_refused() -> None:
    with pytest.raises(ValidationError, match=r"expect\.distinct: got 2 of 1 answers; say `times: 2` or more"):
        request(expect={"status": 200, "distinct": {"ip": 2}})


def test_no_answer_at_all_is_a_failure(gateway: Gateway) -> None:
    gateway.shutdown()
    gateway.server_close()
    asked = ask(gateway)
    assert (asked.ok, asked.status) == (False, 0)
    assert asked.problems[0].startswith(f"no answer from {BALANCER}/x: ")


def test_a_request_that_is_never_answered_is_given_up(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "TIMEOUT", 0.05)
    gateway.silent_for = 0.2
    asked = ask(gateway)
    assert (asked.ok, asked.late, asked.status) == (False, True, 0)
    assert asked.problems == (f"no answer from {BALANCER}/x within 0 s",)


def test_a_504_is_late_unless_it_was_expected(gateway: Gateway) -> None:
    """API Gateway and load balancers give up themselves."""
    gateway.answer = (504, {}, b"")
    assert ask(gateway).late
    assert not ask(gateway, expect={"status": 504}).late


@pytest.mark.parametrize(
    ("expected", "got", "told"),
    [
        ({"a": 1}, {"a": 1, "b": 2}, []),
        ({"a": 1}, {"b": 2}, ["the answer: expected 'a', got 'b'"]),
        ({"a": {"b": [1]}}, {"a": {"b": [2]}}, ["the answer.a.b[0]: expected 1, got 2"]),
        ([1, 2], [1], ["the answer: expected 2 elements, got 1: [1]"]),
        ([{"a": 1}], [{"a": 1, "b": 2}], []),
        (1, True, ["the answer: expected 1, got true"]),
        (None, {"a": 1}, ['the answer: expected null, got {"a": 1}']),
        ({"a": 1}, [1], ['the answer: expected {"a": 1}, got [1]']),
    ],
)
def test_an_object_may_have_more_and_a_list_may_not(expected: Any, got: Any, told: list[str]) -> None:
    assert list(requests.differences(expected, got)) == told


def test_an_output_that_is_not_there_is_told_with_those_there_are() -> None:
    script = Script(requests=(request(entrance="front_door"),))
    with pytest.raises(EntranceError, match="shop: its script names the output 'front_door'; it has load_balancer_url"):
        requests.check_names("shop", OUTPUTS, script)


@pytest.mark.parametrize(("value", "kind"), [("answers-1", "str"), (80, "int"), ({"url": "http://x"}, "dict")])
def test_an_entrance_that_is_no_url_is_told(value: object, kind: str) -> None:
    script = Script(requests=(request(entrance="door"),))
    with pytest.raises(EntranceError) as raised:
        requests.check_names("shop", {"door": value}, script)
    assert str(raised.value).startswith(
        f"shop: the request 'it holds' goes through the output 'door', which is a {kind} and no URL"
    )


@pytest.mark.parametrize("said", [{"scheme": "http"}, {"host": "user.example.com"}])
def test_who_is_asked_for_is_said_of_load_balancers_alone(said: dict[str, str]) -> None:
    """A REST API's stage stands at the emulator's own address: another host or scheme would never reach it."""
    with pytest.raises(EntranceError, match="says `host` or `scheme`, which are for load balancers, and the output"):
        requests.check_names(
            "shop", {"door": "http://127.0.0.1:1/x"}, Script(requests=(request(entrance="door", **said),))
        )


def test_a_host_over_https_that_nothing_leads_to_is_a_failure(gateway: Gateway) -> None:
    """The emulator would answer; a browser would find nobody, or a certificate for other names."""
    with Client(gateway.url) as through:
        asked = requests.ask(
            through, "shop", {"url": "https://shop.example.com"}, request(entrance="url", host="user.shop.example.com")
        )
    assert (asked.ok, asked.status) == (False, 0)
    assert "nothing leads 'user.shop.example.com' to a load balancer" in asked.problems[0]


def test_an_entrance_that_a_preview_does_not_know_may_become_a_url() -> None:
    requests.check_names("shop", {"door": UNKNOWN}, Script(requests=(request(entrance="door"),)))


class FakeEmulator:
    """Remembers what is put and deleted."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []

    def client(self, _service: str) -> FakeEmulator:
        """Answer for every service."""
        return self

    def __getattr__(self, operation: str) -> Any:
        return lambda **given: self.calls.append((operation, given))


def test_seeds_are_put_as_dynamodb_types_them() -> None:
    emulator = FakeEmulator()
    script = Script.model_validate({"seed": [{"table": "table_name", "items": [{"id": "a", "amount": 3}]}]})
    assert requests.seed(emulator, "shop", OUTPUTS, script) == 1  # type: ignore[arg-type]
    assert emulator.calls == [
        ("put_item", {"TableName": "answers-1", "Item": {"id": {"S": "a"}, "amount": {"N": "3"}}})
    ]


def registered(token: str, name: str, parent: str, **inputs: Any) -> Registered:
    return Registered(urn=f"urn:{name}", type=token, name=name, parent=parent, custom=":" in token, inputs=inputs)


def test_an_outage_takes_the_workloads_own_stage_and_puts_it_back_as_declared() -> Never:
    """Also when the request fails: the next one would else fail for nothing."""
    own = {"restApi": "api1", "stageName": "v1"}
    stage = registered("aws:apigateway/stage:Stage", "stage", "urn:shop", **own)
    settings = registered("aws:apigateway/methodSettings:MethodSettings", "settings", "urn:shop", **own)
    other = registered("aws:apigateway/stage:Stage", "other", "urn:till", restApi="api2", stageName="v1")
    shop, till = (registered("drydock:index:Shop", name, "") for name in ("shop", "till"))
    tree = Tree([shop, till, stage, settings, other], {"workloads": {"shop": {}, "till": {}}})
    emulator, made = FakeEmulator(), list[str]()

    def make(resource: Registered) -> Answer:
        made.append(resource.name)
        return Answer(id="")

    def fail_meanwhile() -> None:
        with requests.outage("private_api", tree, "shop", emulator, make):  # type: ignore[arg-type]
            assert emulator.calls == [("delete_stage", {"restApiId": "api1", "stageName": "v1"})]
            assert made == []
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_meanwhile()
    assert made == ["stage", "settings"]


def test_without_an_outage_nothing_is_taken_away() -> None:
    emulator = FakeEmulator()
    with requests.outage(None, Tree([], {}), "shop", emulator, lambda _: Answer(id="")):  # type: ignore[arg-type]
        assert emulator.calls == []


def test_an_answer_is_json_as_json_says(gateway: Gateway) -> None:
    gateway.answer = (200, {}, json.dumps({"ok": True}).encode())
    assert ask(gateway, expect={"status": 200, "json": {"ok": True}}).ok
