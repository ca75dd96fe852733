"""query-result-lambda: a user's newest rows out of the source table.

Invoked by the private API (a proxy event, `POST /query/user`), or directly with
`{"user_id": "test_user_001", "limit": 10, "request_id": "..."}`, where `limit` and `request_id` may be left out.
Both are held to the same rules and given the same answer, the one that API Gateway wants: `statusCode`, `headers` and
`body`, the body being JSON text: `{"user_id", "items"}`, or `{"error": {"message", "field", "value", "expected"}}`.

The source table's partition key is `user_id` (S), its sort key `created_at` (S, ISO 8601 in UTC).
The role needs `dynamodb:Query` on it, and its name is in `SOURCE_TABLE_NAME`.
"""

from __future__ import annotations

import base64
import json
import os
import re
import sys
import time
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final, NoReturn, Protocol, cast

import boto3
from boto3.dynamodb.types import Binary, TypeDeserializer
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

LARGEST_LIMIT: Final = 100
DEFAULT_LIMIT: Final = 10
_USER_ID: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}")
_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._:-]{1,128}")
_LONGEST_ECHO: Final = 64


class Context(Protocol):
    """What Lambda tells an invocation about itself, as far as it is used here."""

    @property
    def aws_request_id(self) -> str:
        """The invocation's own id."""
        ...


class RefusedError(Exception):
    """What was asked cannot be answered, through the caller's fault."""

    def __init__(self, field: str, value: object, expected: str) -> None:
        echo = _echo(value)
        found = "is missing or null" if value is None else f"is {echo!r}"
        message = f"{field} {found}: {expected} would do"
        super().__init__(message)
        self.error = {"message": message, "field": field, "value": echo, "expected": expected}


# Made while Lambda starts the environment, which has a whole vCPU then, and kept for every invocation after it.
_make: Any = boto3.client  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType] -- boto3 has no types
_DYNAMODB: Final = _make(
    "dynamodb",
    config=Config(connect_timeout=1, read_timeout=2, retries={"mode": "standard", "total_max_attempts": 2}),
)
_DESERIALIZER: Final = TypeDeserializer()


def handle(event: dict[str, Any], context: Context) -> dict[str, Any]:
    """Answer one invocation; the caller hears no more of a failure than that it was ours."""
    started = time.monotonic()
    proxied = "httpMethod" in event
    request_id = _request_id(event, proxied=proxied) or context.aws_request_id
    said: dict[str, Any] = {}
    try:
        asked = _object(_body(event)) if proxied else {k: v for k, v in event.items() if k != "request_id"}
        user_id, limit = _question(asked)
        items = _newest(user_id, limit)
        status, body = 200, {"user_id": user_id, "items": items}
        said = {"rows": len(items)}
    except RefusedError as error:
        status, body = 400, {"error": error.error}
    except (BotoCoreError, ClientError) as error:
        status, body = 502, {"error": {"message": "the source table did not answer: try again later"}}
        said = _words(error)
    ms = round((time.monotonic() - started) * 1000)
    level = "info" if status < 500 else "error"  # noqa: PLR2004 -- from here on it is our own fault
    _log(level, request_id, invocation=context.aws_request_id, proxied=proxied, status=status, ms=ms, **said)
    headers = {"Content-Type": "application/json", "X-Request-Id": request_id}
    return {"statusCode": status, "headers": headers, "body": json.dumps(body, default=_plain)}


def _newest(user_id: str, limit: int) -> list[Any]:
    """Read the user's rows, the newest first, page by page until there are *limit*."""
    table_name = os.environ["SOURCE_TABLE_NAME"]
    rows: list[Any] = []
    start: dict[str, Any] = {}
    while True:
        page = _DYNAMODB.query(
            TableName=table_name,
            KeyConditionExpression="user_id = :user_id",
            ExpressionAttributeValues={":user_id": {"S": user_id}},
            ScanIndexForward=False,
            Limit=limit - len(rows),
            **start,
        )
        rows += [
            {name: _DESERIALIZER.deserialize(value) for name, value in item.items()}  # pyright: ignore[reportUnknownMemberType]
            for item in page["Items"]
        ]
        if len(rows) >= limit or not page.get("LastEvaluatedKey"):
            return rows
        start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}


def _question(asked: dict[str, Any]) -> tuple[str, int]:
    """Take user and limit out of what was asked; the service's own rules, held together with them by a test."""
    for name, value in asked.items():
        if name not in {"user_id", "limit"}:
            raise RefusedError(name[:_LONGEST_ECHO], value, "no field but user_id and limit")
    limit = asked.get("limit", DEFAULT_LIMIT)
    if type(limit) is not int or not 1 <= limit <= LARGEST_LIMIT:
        raise RefusedError("limit", limit, f"a whole number from 1 to {LARGEST_LIMIT}")
    user_id = asked.get("user_id")
    if not isinstance(user_id, str) or not _USER_ID.fullmatch(user_id):
        expected = "1 to 64 letters, digits, '_', '.' or '-', the first of them no '.' or '-',"
        raise RefusedError("user_id", user_id, expected)
    return user_id, limit


def _body(event: dict[str, Any]) -> bytes:
    text = event.get("body") or ""
    if not event.get("isBase64Encoded"):
        return text.encode(errors="replace")
    try:
        return base64.b64decode(text)
    except ValueError:
        raise RefusedError("body", text[:_LONGEST_ECHO], "a JSON object in UTF-8") from None


def _object(body: bytes) -> dict[str, Any]:
    try:
        given: object = json.loads(body.decode(), parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise RefusedError("body", body[:_LONGEST_ECHO].decode(errors="replace"), "a JSON object in UTF-8") from None
    if not isinstance(given, dict):
        raise RefusedError("body", given, 'a JSON object such as {"user_id": "test_user_001", "limit": 10}')
    return cast("dict[str, Any]", given)


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)  # NaN and the infinities are Python's, not JSON's


def _request_id(event: dict[str, Any], *, proxied: bool) -> str | None:
    given: object = event.get("request_id")
    if proxied:
        headers: dict[str, Any] = event.get("headers") or {}
        given = {name.lower(): value for name, value in headers.items()}.get("x-request-id")
    return given if isinstance(given, str) and _REQUEST_ID.fullmatch(given) else None


def _echo(value: object) -> object:
    match value:
        case None | bool() | float():
            return value
        case int():
            return value if abs(value) < 10**18 else "a very large number"
        case str():
            return value if len(value) <= _LONGEST_ECHO else value[:_LONGEST_ECHO] + "…"
        case list():
            return "a list"
        case _:
            return "an object"


def _plain(value: object) -> object:
    """What DynamoDB has and JSON has not."""
    match value:
        case Decimal():
            return int(value) if value == value.to_integral_value() else float(value)
        case Binary():
            return base64.b64encode(bytes(cast("Any", value))).decode()
        case set() | frozenset():
            return sorted(cast("set[Any]", value), key=str)
        case _:
            raise TypeError(f"a row holds {type(value).__name__}, which JSON has not")


def _words(error: Exception) -> dict[str, str]:
    """AWS's own words, for the log."""
    if not isinstance(error, ClientError):
        return {"error_code": type(error).__name__, "error_message": str(error)}
    said: dict[str, Any] = vars(error)["response"].get("Error", {})  # which botocore gives no type
    return {"error_code": str(said.get("Code")), "error_message": str(said.get("Message"))}


def _log(level: str, request_id: str, **fields: Any) -> None:
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    line = {"time": now, "level": level, "message": "request", "request_id": request_id, **fields}
    sys.stdout.write(json.dumps(line, separators=(",", ":")) + "\n")
