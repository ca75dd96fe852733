"""query-result-lambda, called as Lambda calls it, on a source table in the emulator."""

from __future__ import annotations

import base64
import json
import uuid
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType

    from tests.apps.query_service.conftest import Emulator


class _Context:
    aws_request_id = "invocation-1"


@pytest.fixture(scope="module")
def handler(load: Callable[[str], ModuleType], emulator: Emulator) -> Iterator[ModuleType]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (emulator.environment | {"SOURCE_TABLE_NAME": "source"}).items():
            patch.setenv(name, value)
        yield load("handler")


@pytest.fixture
def user_id(emulator: Emulator) -> str:
    """A user with 12 rows, written out of order."""
    user_id = uuid.uuid4().hex
    for day in (3, 1, 2, *range(12, 3, -1)):
        item = {"user_id": {"S": user_id}, "created_at": {"S": f"2026-01-{day:02d}"}, "day": {"N": str(day)}}
        emulator.client("dynamodb").put_item(TableName="source", Item=item)
    return user_id


def proxied(body: str | None, *, encoded: bool = False, **headers: str) -> dict[str, Any]:
    """The part of a REST API's proxy event that matters here."""
    return {"httpMethod": "POST", "path": "/query/user", "headers": headers, "body": body, "isBase64Encoded": encoded}


def days(answer: dict[str, Any]) -> list[int]:
    return [item["day"] for item in json.loads(answer["body"])["items"]]


def test_the_newest_rows_come_first_and_no_more_than_asked_for(handler: ModuleType, user_id: str) -> None:
    answer = handler.handle(proxied(json.dumps({"user_id": user_id, "limit": 5})), _Context())
    assert (answer["statusCode"], answer["headers"]["Content-Type"]) == (200, "application/json")
    assert days(answer) == [12, 11, 10, 9, 8]
    assert json.loads(answer["body"])["user_id"] == user_id


def test_ten_rows_are_given_to_whoever_does_not_say_how_many(handler: ModuleType, user_id: str) -> None:
    assert len(days(handler.handle(proxied(json.dumps({"user_id": user_id})), _Context()))) == 10


def test_a_direct_invocation_is_answered_as_the_api_is(handler: ModuleType, user_id: str) -> None:
    """The service reads both with the same eyes."""
    question = {"user_id": user_id, "limit": 3}
    direct = handler.handle({**question, "request_id": "caller-1"}, _Context())
    assert direct == handler.handle(proxied(json.dumps(question), **{"x-request-id": "caller-1"}), _Context())
    assert direct["headers"]["X-Request-Id"] == "caller-1"


def test_a_body_in_base64_is_read(handler: ModuleType, user_id: str) -> None:
    body = base64.b64encode(json.dumps({"user_id": user_id, "limit": 1}).encode()).decode()
    assert days(handler.handle(proxied(body, encoded=True), _Context())) == [12]
    assert handler.handle(proxied("%%%", encoded=True), _Context())["statusCode"] == 400


def test_pages_are_read_until_there_are_enough_rows(
    handler: ModuleType, user_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page ends after a megabyte, however many rows were asked for."""
    real, asked = handler._DYNAMODB, []

    class TwoRowsAPage:
        def query(self, **request: Any) -> Any:
            asked.append(request["Limit"])
            return real.query(**request | {"Limit": min(2, request["Limit"])})

    monkeypatch.setattr(handler, "_DYNAMODB", TwoRowsAPage())
    assert days(handler.handle({"user_id": user_id, "limit": 5}, _Context())) == [12, 11, 10, 9, 8]
    assert asked == [5, 3, 1]
    assert len(days(handler.handle({"user_id": user_id, "limit": 100}, _Context()))) == 12


def test_whatever_dynamodb_holds_comes_out_as_json(handler: ModuleType, emulator: Emulator) -> None:
    user_id = uuid.uuid4().hex
    item = {
        "user_id": {"S": user_id},
        "created_at": {"S": "2026-01-01"},
        "whole": {"N": "12345678901234567890"},
        "part": {"N": "0.5"},
        "bytes": {"B": b"\x00\xff"},
        "tags": {"SS": ["b", "a"]},
        "deep": {"M": {"list": {"L": [{"NULL": True}, {"BOOL": False}]}}},
    }
    emulator.client("dynamodb").put_item(TableName="source", Item=item)
    (row,) = json.loads(handler.handle({"user_id": user_id}, _Context())["body"])["items"]
    assert row == {
        "user_id": user_id,
        "created_at": "2026-01-01",
        "whole": 12345678901234567890,
        "part": 0.5,
        "bytes": "AP8=",
        "tags": ["a", "b"],
        "deep": {"list": [None, False]},
    }


def test_a_refusal_of_awss_is_502_and_its_words_are_in_the_log_alone(
    handler: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SOURCE_TABLE_NAME", "no-such-table")
    answer = handler.handle({"user_id": "somebody", "request_id": "caller-2"}, _Context())
    assert answer["statusCode"] == 502
    assert "ResourceNotFound" not in answer["body"]
    line = json.loads(capsys.readouterr().out)
    said = {"level": "error", "request_id": "caller-2", "invocation": "invocation-1", "status": 502}
    assert said.items() <= line.items()
    assert line["error_code"] == "ResourceNotFoundException"


def test_an_invocation_without_a_sane_request_id_goes_by_its_own(
    handler: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    for event in ({"user_id": "nobody"}, {"user_id": "nobody", "request_id": "two words"}, proxied("{}")):
        assert handler.handle(event, _Context())["headers"]["X-Request-Id"] == "invocation-1"
    assert [json.loads(line)["status"] for line in capsys.readouterr().out.splitlines()] == [200, 200, 400]


@pytest.mark.parametrize(
    "body",
    [
        "",
        "{",
        "[]",
        "null",
        "7",
        '"text"',
        "NaN",
        '{"user_id": NaN}',
        "[" * 10_000,
        "{}",
        '{"user_id": null}',
        '{"user_id": 7}',
        '{"user_id": ""}',
        '{"user_id": ".."}',
        '{"user_id": "a/b"}',
        '{"user_id": "a\\n"}',
        '{"user_id": "\\u0661"}',
        '{"user_id": "%s"}' % ("x" * 65),
        '{"user_id": ["a"]}',
        '{"user_id": {"S": "a"}}',
        '{"user_id": "a", "limit": 0}',
        '{"user_id": "a", "limit": 101}',
        '{"user_id": "a", "limit": -1}',
        '{"user_id": "a", "limit": 1.0}',
        '{"user_id": "a", "limit": "10"}',
        '{"user_id": "a", "limit": true}',
        '{"user_id": "a", "limit": null}',
        '{"user_id": "a", "limit": %s}' % ("9" * 400),
        '{"user_id": "a", "limit": %s}' % ("9" * 5000),
        '{"user_id": "a", "offset": 1}',
        '{"user_id": "a", "": 1}',
        '{"User_id": "a"}',
    ],
)
def test_service_and_function_refuse_the_same_in_the_same_words(
    handler: ModuleType, load: Callable[[str], ModuleType], body: str
) -> None:
    """They are shipped apart and share no code: only this holds their rules together."""
    answer = handler.handle(proxied(body), _Context())
    with pytest.raises(load("faults").RefusalError) as refused:
        load("question").parse(body.encode())
    assert (answer["statusCode"], refused.value.status) == (400, 400)
    assert json.loads(answer["body"])["error"] == refused.value.error
    assert len(answer["body"]) < 600, "a caller is not sent its own rubbish back"


@pytest.mark.parametrize("user_id", ["a", "_", "A-1", "test_user_001", "a.b", "x" * 64])
@pytest.mark.parametrize("limit", [1, 100])
def test_service_and_function_let_the_same_through(
    handler: ModuleType, load: Callable[[str], ModuleType], user_id: str, limit: int
) -> None:
    body = json.dumps({"user_id": user_id, "limit": limit})
    assert handler.handle(proxied(body), _Context())["statusCode"] == 200
    asked = load("question").parse(body.encode())
    assert (asked.user_id, asked.limit) == (user_id, limit)
