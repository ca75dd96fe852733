"""Where an answer comes from when none is kept: the private API, and the function behind it."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any, Final, NoReturn, cast

import urllib3
from aws import AWS_ERRORS, words
from faults import RefusalError

if TYPE_CHECKING:
    from aws import Lambda
    from call import Deadline
    from question import Question

_OK: Final = 200
_BAD_REQUEST: Final = 400

_CONNECT_SECONDS: Final = 2.0

# API Gateway's own limit on a payload.
# https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html
_LARGEST_ANSWER: Final = 10 * 1024 * 1024
_CHUNK: Final = 65536


class UnusableError(Exception):
    """A source that gave no answer, or none that can be used; `words` says why, for the log."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.words = {"error_code": code, "error_message": message[:512]}


class PrivateApi:
    """The internal API, reached by its stage's invoke URL."""

    def __init__(self, url: str, connections: int) -> None:
        self._url = f"{url}/query/user"
        self._pool = urllib3.PoolManager(maxsize=connections, block=False)

    def ask(self, question: Question, request_id: str, deadline: Deadline) -> list[Any]:
        """Ask for rows, for at most half of the time left: the function must have a chance after it.

        Raises:
            RefusalError: the API's own 400, which is the caller's to hear.
            UnusableError: anything else but rows.
            DeadlineError: no time is left.

        """
        seconds = deadline.left() / 2
        ends = time.monotonic() + seconds
        try:
            answer = self._pool.request(
                "POST",
                self._url,
                body=json.dumps({"user_id": question.user_id, "limit": question.limit}),
                headers={"Content-Type": "application/json", "X-Request-Id": request_id},
                timeout=urllib3.Timeout(connect=min(_CONNECT_SECONDS, seconds), total=seconds),
                # What is tried next is the function; and a redirect, which urllib3 counts as a retry, would carry the
                # question to who knows whom.
                retries=False,
                preload_content=False,
            )
            try:
                body = _read(answer, ends)
            except BaseException:
                answer.close()  # half read: of no use to the next request
                raise
        except urllib3.exceptions.HTTPError as error:
            raise UnusableError(type(error).__name__, str(error)) from error
        return _rows(question, answer.status, body)


class Function:
    """The function behind the private API, invoked directly; it answers in the API's own words."""

    def __init__(self, client: Lambda, function_name: str) -> None:
        self._client = client
        self._function = function_name

    def ask(self, question: Question, request_id: str, deadline: Deadline) -> list[Any]:
        """Invoke the function for rows.

        Raises:
            RefusalError: the function's own 400, which is the caller's to hear.
            UnusableError: anything else but rows.
            DeadlineError: no time is left.

        """
        deadline.left()
        event = {"user_id": question.user_id, "limit": question.limit, "request_id": request_id}
        try:
            answer = self._client.invoke(FunctionName=self._function, Payload=json.dumps(event))
            payload: bytes = answer["Payload"].read()
        except AWS_ERRORS as error:
            said = words(error)
            raise UnusableError(said["error_code"], said["error_message"]) from error
        except urllib3.exceptions.HTTPError as error:  # the payload broke off
            raise UnusableError(type(error).__name__, str(error)) from error
        if "FunctionError" in answer:
            raise UnusableError(str(answer["FunctionError"]), payload.decode(errors="replace"))
        match _json(payload):
            case {"statusCode": int() as status, "body": str() as body}:
                return _rows(question, status, body.encode())
            case _:
                raise UnusableError("UnusableAnswer", "no statusCode and body")


def _read(answer: urllib3.BaseHTTPResponse, ends: float) -> bytes:
    """Read an answer of bounded size in bounded time: the pool's own timeout begins anew with every chunk."""
    body = bytearray()
    while chunk := answer.read1(_CHUNK, decode_content=False):
        body += chunk
        if len(body) > _LARGEST_ANSWER:
            raise UnusableError("AnswerTooLarge", f"more than {_LARGEST_ANSWER} bytes")
        if time.monotonic() > ends:
            raise UnusableError("AnswerTooSlow", f"{len(body)} bytes came in the time there was")
    return bytes(body)


def _rows(question: Question, status: int, body: bytes) -> list[Any]:
    """Take the rows out of an answer that may be anything."""
    if status == _BAD_REQUEST:
        match _json(body):
            case {"error": {"message": str() as message, **details}}:
                raise RefusalError(_BAD_REQUEST, message, details=details)
            case _:
                raise UnusableError(f"Status{status}", "no error in it that says what is at fault")
    if status != _OK:
        raise UnusableError(f"Status{status}", body[:256].decode(errors="replace"))
    match _json(body):
        case {"user_id": question.user_id, "items": [*items]} if len(items) <= question.limit:
            return items
        case _:
            raise UnusableError("UnusableAnswer", "not the user's rows, or more of them than were asked for")


def _json(body: bytes) -> dict[str, Any]:
    try:
        said: object = json.loads(body, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise UnusableError("UnusableAnswer", f"no JSON: {error}") from error
    if not isinstance(said, dict):
        raise UnusableError("UnusableAnswer", f"no JSON object: {body[:64]!r}")
    return cast("dict[str, Any]", said)


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)  # NaN and the infinities are Python's, not JSON's
