"""What each request gets: which route it takes, whether there is room for it, and an answer in time."""

from __future__ import annotations

import time
import traceback
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from conversation import parse
from faults import RefusalError, field_at_fault
from grpc import StatusCode
from messages import JSON, JSON_LINES, REQUEST_ID, Request, Response, as_json, refused
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from workflow_client import CallError, WorkflowClient

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from journal import Journal
    from workflow_api.workflow_agent_pb2 import ConversationReply

ROOM: Final = 256
"""Conversations passed on at once: as many as one agent takes."""

_BUSY: Final = {"retry-after": "1"}

# What an agent's refusal is to a caller over HTTP; whatever else it says is a fault between us and it.
_STATUS: Final = {
    StatusCode.INVALID_ARGUMENT: 400,
    StatusCode.DEADLINE_EXCEEDED: 504,
    StatusCode.UNAVAILABLE: 503,
    StatusCode.RESOURCE_EXHAUSTED: 503,
}

_ALLOWED: Final = {"/health": "GET", "/metrics": "GET", "/conversations": "POST"}


@dataclass(frozen=True, kw_only=True)
class _Answering:
    """One request's company."""

    request: Request
    request_id: str
    journal: Journal

    def log(self, route: str, status: int, **fields: Any) -> None:
        ms = round((time.monotonic() - self.request.started) * 1000)
        self.journal.info("request", route=route, method=self.request.method[:16], status=status, ms=ms, **fields)


class Routes:
    """Answers requests. Lives on the event loop's thread."""

    def __init__(
        self,
        client: WorkflowClient,
        registry: CollectorRegistry,
        journal: Journal,
        *,
        base_path: str,
        request_timeout: float,
    ) -> None:
        self._client = client
        self._registry = registry
        self._journal = journal
        self._base_path = base_path
        self._timeout = request_timeout
        self._running = 0
        self._draining = False

    def drain(self) -> None:
        """Take no new work from now on; `/health` says so."""
        self._draining = True

    async def __call__(self, request: Request) -> Response:
        """Answer *request*; whatever goes wrong is an answer too."""
        request_id = request.id
        company = _Answering(request=request, request_id=request_id, journal=self._journal.bind(request_id=request_id))
        route = self._route(request.target.partition("?")[0])
        details: dict[str, Any] = {}
        try:
            response = await self._take(route, company)
        except RefusalError as refusal:
            details = {"error": refusal.error}
            response = refused(refusal, request_id)
        except Exception as error:  # noqa: BLE001 -- the caller gets no traceback; the log does
            company.journal.error(
                "this should not have happened", error_message=repr(error), traceback=traceback.format_exception(error)
            )
            response = refused(RefusalError(500, "something went wrong here; the log says what"), request_id)
        if isinstance(response.body, bytes) and not (response.status == 200 and route in {"/health", "/metrics"}):  # noqa: PLR2004 -- well is what it is every few seconds
            company.log(route, response.status, **details)
        return response

    def _route(self, path: str) -> str:
        """Tell where *path* leads: behind the base path, but for `/health` and `/metrics`, which are there without it.

        The metrics are there alone: what a load balancer passes on has the base path, and they are not for its callers.
        """
        if path in {"/health", "/metrics"}:
            return path
        behind = path.removeprefix(self._base_path) if path.startswith(f"{self._base_path}/") else ""
        return behind if behind in {"/health", "/conversations"} else "none"

    async def _take(self, route: str, company: _Answering) -> Response:
        method = company.request.method
        if route not in _ALLOWED:
            raise RefusalError(404, f"there is nothing here: POST {self._base_path}/conversations would do")
        if method != _ALLOWED[route]:
            allow = {"allow": _ALLOWED[route]}
            raise RefusalError(405, f"{method[:16]} will not do here: {allow['allow']} would", headers=allow)
        headers = {REQUEST_ID: company.request_id}
        match route:
            case "/health":
                status, word = (503, "draining") if self._draining else (200, "ok")
                return Response(status=status, body=as_json({"status": word}), headers=headers)
            case "/metrics":
                metrics = generate_latest(self._registry)
                return Response(status=200, content_type=CONTENT_TYPE_LATEST, body=metrics, headers=headers)
            case _:
                return await self._converse(company)

    async def _converse(self, company: _Answering) -> Response:
        if self._draining:
            raise RefusalError(503, "this task is stopping: try again", headers=_BUSY)
        if self._running >= ROOM:
            raise RefusalError(503, f"{ROOM} conversations are being answered: try again", headers=_BUSY)
        _check_content_type(company.request)
        asked = parse(company.request.body)
        replies = self._client.process(asked, timeout=self._timeout, metadata=[(REQUEST_ID, company.request_id)])
        # Its lines begin with the first message: until then there can be a status that says what went wrong.
        self._running += 1
        try:
            first = await anext(replies)
        except BaseException as error:
            self._running -= 1
            await replies.aclose()
            if isinstance(error, CallError):
                raise _refusal(error) from error
            raise
        return Response(
            status=200,
            content_type=JSON_LINES,
            body=self._lines(first, replies, company),
            headers={REQUEST_ID: company.request_id},
        )

    async def _lines(
        self, first: ConversationReply, replies: AsyncGenerator[ConversationReply], company: _Answering
    ) -> AsyncGenerator[bytes]:
        """Write each message as it comes, and say in the last line whether these were all."""
        sent, ended = 1, "CANCELLED"  # where the caller goes away
        try:
            async with aclosing(replies):
                yield _line(first)
                try:
                    async for reply in replies:
                        sent += 1
                        yield _line(reply)
                except CallError as error:
                    ended = error.code.name
                    failure = {"status": ended, "message": str(error)}
                    yield as_json({"complete": False, "messages": sent, "error": failure}) + b"\n"
                else:
                    ended = "OK"
                    yield as_json({"complete": True, "messages": sent}) + b"\n"
        finally:
            self._running -= 1
            company.log("/conversations", 200, grpc_status=ended, messages=sent)


def _line(reply: ConversationReply) -> bytes:
    message = {"index": reply.index, "text": reply.text, "final": reply.final, "agent": reply.agent}
    return as_json({"conversation_id": reply.conversation_id, **message}) + b"\n"


def _refusal(error: CallError) -> RefusalError:
    status = _STATUS.get(error.code, 502)
    return RefusalError(
        status,
        str(error),
        headers=_BUSY if status == 503 else {},  # noqa: PLR2004 -- elsewhere, or a moment later
        details={"status": error.code.name, "attempts": error.attempts},
    )


def _check_content_type(request: Request) -> None:
    kind, _, parameters = request.headers.get("content-type", "").lower().partition(";")
    if kind.strip() != JSON or parameters.replace(" ", "") not in {"", "charset=utf-8"}:
        given = request.headers.get("content-type")
        raise field_at_fault("Content-Type", given, "application/json in UTF-8", status=415)
