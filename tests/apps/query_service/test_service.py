"""The container's process, asked over HTTP: what it answers, from where, and what it refuses."""

from __future__ import annotations

import json
import re
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.apps.query_service.private_api import REFUSAL, ROWS

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.apps.query_service.conftest import Emulator, Service
    from tests.apps.query_service.private_api import PrivateApi


def line(service: Service, request_id: str, message: str = "request") -> dict[str, Any]:
    """Wait for the line that a request leaves in the log."""
    ends = time.monotonic() + 5
    while time.monotonic() < ends:
        for found in service.lines:
            if found.get("request_id") == request_id and found["message"].startswith(message):
                return found
        time.sleep(0.01)
    pytest.fail(f"no line {message!r} of {request_id} in the log")


def test_a_first_question_goes_to_the_private_api_and_the_next_to_the_table(service: Service, api: PrivateApi) -> None:
    first, second = service.query("first", 3), service.query("first", 3)
    assert (first.status, second.status) == (200, 200)
    assert (first.json["source"], second.json["source"]) == ("api", "table")
    assert first.json["items"] == second.json["items"] == [{"order_id": f"first-{number}"} for number in range(3)]
    assert first.json["expires_at"] == second.json["expires_at"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", first.json["expires_at"])
    assert api.calls["first"] == 1


def test_a_kept_answer_serves_a_smaller_question_and_never_answers_a_larger_one_short(service: Service) -> None:
    service.query("larger", 10)
    smaller, larger = service.query("larger", 4), service.query("larger", 20)
    assert (smaller.json["source"], len(smaller.json["items"])) == ("table", 4)
    assert (larger.json["source"], len(larger.json["items"])) == ("api", 20)


def test_an_answer_that_was_all_there_is_serves_any_larger_question(service: Service) -> None:
    service.query("all", ROWS + 1)
    larger = service.query("all", 100)
    assert (larger.json["source"], len(larger.json["items"])) == ("table", ROWS)


def test_a_dropped_answer_is_asked_for_anew(service: Service, api: PrivateApi) -> None:
    service.query("dropped")
    first, second = (service.send("DELETE", "/query/user/dropped") for _ in range(2))
    assert (first.status, first.json) == (200, {"user_id": "dropped", "dropped": True})
    assert (second.status, second.json) == (200, {"user_id": "dropped", "dropped": False})
    assert service.query("dropped").json["source"] == "api"
    assert api.calls["dropped"] == 2


@pytest.mark.parametrize(
    "user_id",
    [
        *(f"status-{status}" for status in (302, 401, 403, 404, 429, 500, 503)),
        *("reset", "truncated", "mumbled", "garbage", "list", "deep", "stranger", "generous", "nan"),
    ],
)
def test_an_api_without_a_usable_answer_is_replaced_by_the_function(
    service: Service, api: PrivateApi, user_id: str
) -> None:
    """A broken API must neither break its callers nor put rubbish into the table."""
    answer = service.query(user_id)
    assert api.calls[user_id] == 1
    assert (answer.status, answer.json["source"], answer.json["items"]) == (200, "function", [])
    assert line(service, answer.json.get("request_id") or answer.headers["X-Request-Id"], "the private API gave no")


def test_an_api_that_trickles_leaves_the_function_its_half_of_the_time(
    serve: Callable[..., Any], environment: dict[str, str]
) -> None:
    with serve(**environment | {"REQUEST_TIMEOUT": "3"}) as service:
        answer = service.query("trickle", **{"X-Request-Id": "trickle-1"})
        assert (answer.status, answer.json["source"]) == (200, "function")
        assert line(service, "trickle-1", "the private API gave no")["error_code"] == "AnswerTooSlow"


def test_the_apis_refusal_of_the_caller_is_the_callers_to_hear(service: Service) -> None:
    answer = service.query("refused")
    assert (answer.status, answer.json["error"]) == (400, REFUSAL["error"])


def test_a_table_out_of_reach_is_done_without_but_nothing_is_called_dropped(
    serve: Callable[..., Any], environment: dict[str, str]
) -> None:
    with serve(**environment | {"TABLE_NAME": "no-such-table"}) as service:
        answer = service.query("tableless", **{"X-Request-Id": "tableless-1"})
        assert (answer.status, answer.json["source"], answer.json["expires_at"]) == (200, "api", None)
        for message in ("the table cannot be read", "the answer cannot be kept"):
            assert line(service, "tableless-1", message)["error_code"] == "ResourceNotFoundException"
        dropped = service.send("DELETE", "/query/user/tableless", headers={"X-Request-Id": "tableless-2"})
        assert dropped.status == 502
        assert "ResourceNotFound" not in dropped.text, "AWS's words are for the log"
        assert line(service, "tableless-2", "the answer cannot be dropped")["error_message"]


def test_with_no_source_left_the_caller_hears_502_and_the_log_awss_words(
    serve: Callable[..., Any], environment: dict[str, str]
) -> None:
    unreachable = {"INTERNAL_API_URL": "http://127.0.0.1:1/v1", "FUNCTION_NAME": "no-such-function"}
    with serve(**environment | unreachable) as service:
        answer = service.query("sourceless", **{"X-Request-Id": "sourceless-1"})
        assert (answer.status, answer.json["request_id"]) == (502, "sourceless-1")
        assert "Traceback" not in answer.text
        assert line(service, "sourceless-1", "the private API gave no")["error_code"] == "NewConnectionError"
        said = line(service, "sourceless-1", "the function gave no")
        assert said["error_code"] == "ResourceNotFoundException"
        assert "no-such-function" in said["error_message"]


def test_a_function_that_breaks_is_no_source_and_its_words_are_for_the_log(
    serve: Callable[..., Any], environment: dict[str, str], emulator: Emulator
) -> None:
    emulator.function("broken", "def handle(event, context):\n    raise RuntimeError('inner detail')\n")
    with serve(**environment | {"FUNCTION_NAME": "broken"}) as service:
        answer = service.query("status-503-broken", **{"X-Request-Id": "broken-1"})
        assert answer.status == 502
        assert "inner detail" not in answer.text
        said = line(service, "broken-1", "the function gave no")
        assert said["error_code"] == "Unhandled"
        assert "inner detail" in said["error_message"]


@pytest.mark.parametrize(
    ("body", "field", "value"),
    [
        ('{"user_id": "a", ', "body", '{"user_id": "a", '),
        ("", "body", ""),
        ("[]", "body", "a list"),
        ("null", "body", None),
        ("[" * 10_000, "body", "[" * 64),
        ('{"limit": 1}', "user_id", None),
        ('{"user_id": "a/b"}', "user_id", "a/b"),
        ('{"user_id": "a", "limit": 0}', "limit", 0),
        ('{"user_id": "a", "offset": 1}', "offset", 1),
    ],
)
def test_a_malformed_body_is_refused_and_says_what_is_at_fault(
    service: Service, body: str, field: str, value: Any
) -> None:
    answer = service.send("POST", "/query/user", body, {"Content-Type": "application/json"})
    error = answer.json["error"]
    assert (answer.status, error["field"], error["value"]) == (400, field, value)
    assert field in error["message"]
    assert error["expected"] in error["message"]


@pytest.mark.parametrize("kind", [None, "text/plain", "application/json; charset=latin-1", "application/jsonp"])
def test_a_body_of_another_type_is_refused(service: Service, kind: str | None) -> None:
    answer = service.send("POST", "/query/user", '{"user_id": "a"}', {"Content-Type": kind} if kind else {})
    assert (answer.status, answer.json["error"]["field"], answer.json["error"]["value"]) == (415, "Content-Type", kind)


def test_a_body_of_16_kib_is_read_and_a_larger_one_is_not(service: Service) -> None:
    question = json.dumps({"user_id": "sized"})
    fits = service.send("POST", "/query/user", question.ljust(16 * 1024), {"Content-Type": "application/json"})
    larger = service.send("POST", "/query/user", question.ljust(16 * 1024 + 1), {"Content-Type": "application/json"})
    chunks = (b"x" * 1024 for _ in range(17))
    chunked = service.send("POST", "/query/user", chunks, {"Content-Type": "application/json"})
    assert (fits.status, larger.status, chunked.status) == (200, 413, 413)
    assert "16384" in larger.json["error"]["message"]


@pytest.mark.parametrize(
    ("method", "path", "status", "allow"),
    [
        ("GET", "/", 404, None),
        ("GET", "/query/user/", 404, None),
        ("DELETE", "/query/user/a/b", 404, None),
        ("POST", "/health", 405, "GET"),
        ("PUT", "/query/user", 405, "POST"),
        ("GET", "/query/user/somebody", 405, "DELETE"),
        ("DELETE", "/query/user/a%2Fb", 400, None),
    ],
)
def test_other_paths_and_methods_are_refused(
    service: Service, method: str, path: str, status: int, allow: str | None
) -> None:
    answer = service.send(method, path)
    assert (answer.status, answer.headers["Allow"]) == (status, allow)
    assert answer.json["error"]["message"]


def test_a_sane_request_id_goes_all_the_way_and_comes_back(service: Service, api: PrivateApi) -> None:
    answer = service.query("traced", **{"X-Request-Id": "caller:1.a_b-c"})
    assert answer.headers["X-Request-Id"] == "caller:1.a_b-c"
    _, path, headers, body = api.last["traced"]
    assert (path, headers["X-Request-Id"], body) == (
        "/v1/query/user",
        "caller:1.a_b-c",
        {"user_id": "traced", "limit": 10},
    )
    logged = line(service, "caller:1.a_b-c")
    expected = {"level": "info", "route": "/query/user", "method": "POST", "status": 200, "source": "api"}
    assert expected.items() <= logged.items()
    assert logged["ms"] >= 0
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", logged["time"])


@pytest.mark.parametrize("given", ["", "two words", "x" * 129, '"}{"'])
def test_a_request_id_that_a_log_cannot_carry_is_replaced(service: Service, given: str) -> None:
    assert re.fullmatch("[0-9a-f]{32}", service.query("first", 1, **{"X-Request-Id": given}).headers["X-Request-Id"])


def test_the_log_never_names_a_user(service: Service) -> None:
    """Who asked for whom is personal data, kept nowhere but in the table."""
    answer = service.query("unlogged")
    line(service, answer.headers["X-Request-Id"])
    assert not [found for found in service.lines if "unlogged" in json.dumps(found)]
