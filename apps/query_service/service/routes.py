"""What each request gets: which route it takes, whether there is room for it, and an answer in time."""

from __future__ import annotations

import asyncio
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote

import question
from call import Call, Deadline, DeadlineError
from faults import RefusalError, field_at_fault
from messages import REQUEST_ID, Request, Response, new_id, refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from answers import Answers
    from journal import Journal

ROOM: Final = 16
"""Requests worked on at once. Each is a thread that mostly waits, and a quarter of a vCPU has no use for more."""

_BUSY: Final = {"retry-after": "1"}

# Where a path leads, and what may be done there.
_ALLOWED: Final = {"/health": "GET", "/query/user": "POST", "/query/user/{id}": "DELETE"}


class Routes:
    """Answers requests. To be called on the event loop's thread; the work is done on others."""

    def __init__(self, answers: asyncio.Future[Answers], request_timeout: float, journal: Journal) -> None:
        self._answers = answers
        self._timeout = request_timeout
        self._journal = journal
        self._pool = ThreadPoolExecutor(ROOM, thread_name_prefix="request")
        self._running = 0
        self._draining = False
        self._cut = asyncio.Event()

    def drain(self) -> None:
        """Take no new work from now on; `/health` says so."""
        self._draining = True

    def cut(self) -> None:
        """Answer whatever is still being worked on, now, with a refusal."""
        self._cut.set()

    async def __call__(self, request: Request) -> Response:
        """Answer *request*; whatever goes wrong is an answer too."""
        request_id = request.id or new_id()
        path = request.target.partition("?")[0]
        route = _route(path)
        journal = self._journal.bind(request_id=request_id)
        call = Call(request_id=request_id, deadline=Deadline(self._timeout), journal=journal)
        try:
            response = await self._take(route, path, request, call)
        except RefusalError as refusal:
            response = refused(refusal, request_id)
        except DeadlineError:
            response = refused(RefusalError(504, f"no answer within {self._timeout:g} seconds"), request_id)
        except Exception as error:  # noqa: BLE001 -- the caller gets no traceback; the log does
            response = refused(_unexpected(error, call), request_id)
        if route != "/health" or response.status != 200:  # noqa: PLR2004 -- well is what it is every few seconds
            journal.info(
                "request",
                route=route,
                method=request.method,
                status=response.status,
                ms=round((time.monotonic() - request.started) * 1000),
                source=response.body.get("source"),
            )
        return Response(status=response.status, body=response.body, headers={REQUEST_ID: request_id} | response.headers)

    async def _take(self, route: str, path: str, request: Request, call: Call) -> Response:
        if route not in _ALLOWED:
            there = ", ".join(f"{method} {path}" for path, method in _ALLOWED.items())
            raise RefusalError(404, f"there is nothing here: {there} would do")
        if request.method != _ALLOWED[route]:
            allow = {"allow": _ALLOWED[route]}
            raise RefusalError(405, f"{request.method[:16]} will not do here: {allow['allow']} would", headers=allow)
        match route:
            case "/health":
                status, body = (503, {"status": "draining"}) if self._draining else (200, {"status": "ok"})
                return Response(status=status, body=body)
            case "/query/user":
                _check_content_type(request)
                asked = question.parse(request.body)
                return await self._work(partial(_find, asked, call), call)
            case _:
                user_id = question.user_id(unquote(path.removeprefix("/query/user/")))
                return await self._work(partial(_drop, user_id, call), call)

    async def _work(self, work: Callable[[Answers], Response], call: Call) -> Response:
        """Have *work* done on a thread, and answer in time whether it is done or not."""
        if self._draining:
            raise RefusalError(503, "this task is stopping: try again", headers=_BUSY)
        if self._running == ROOM:
            raise RefusalError(503, f"{ROOM} requests are being worked on: try again", headers=_BUSY)
        self._running += 1
        doing = asyncio.ensure_future(self._do(work, call))
        doing.add_done_callback(self._done)
        cut = asyncio.ensure_future(self._cut.wait())
        try:
            # Not wait_for: a thread cannot be cancelled, and holds its place until it ends, shortly after the deadline.
            await asyncio.wait({doing, cut}, timeout=call.deadline.left(), return_when=asyncio.FIRST_COMPLETED)
        finally:
            cut.cancel()
        if doing.done():
            return doing.result()
        if self._cut.is_set():
            raise RefusalError(503, "this task has stopped: try again", headers=_BUSY)
        raise DeadlineError

    async def _do(self, work: Callable[[Answers], Response], call: Call) -> Response:
        try:
            answers = await asyncio.shield(self._answers)
            return await asyncio.get_running_loop().run_in_executor(self._pool, work, answers)
        except (RefusalError, DeadlineError):
            raise
        except Exception as error:  # here, where it is seen even when nobody waits for it any more
            raise _unexpected(error, call) from error

    def _done(self, doing: asyncio.Future[Response]) -> None:
        self._running -= 1
        if not doing.cancelled():
            doing.exception()  # taken, or asyncio would complain that nobody did


def _find(asked: question.Question, call: Call, answers: Answers) -> Response:
    answer = answers.find(asked, call)
    body: dict[str, Any] = {
        "user_id": asked.user_id,
        "items": answer.rows,
        "source": answer.source,
        "expires_at": answer.expires_at
        and datetime.fromtimestamp(answer.expires_at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    return Response(status=200, body=body)


def _drop(user_id: str, call: Call, answers: Answers) -> Response:
    return Response(status=200, body={"user_id": user_id, "dropped": answers.drop(user_id, call)})


def _unexpected(error: Exception, call: Call) -> RefusalError:
    lines = traceback.format_exception(error)
    call.journal.error("this should not have happened", error_message=repr(error), traceback=lines)
    return RefusalError(500, "something went wrong here; the log says what")


def _route(path: str) -> str:
    match path.split("/"):
        case ["", "query", "user", user_id] if user_id:
            return "/query/user/{id}"
        case _:
            return path if path in _ALLOWED else "none"


def _check_content_type(request: Request) -> None:
    kind, _, parameters = request.headers.get("content-type", "").lower().partition(";")
    if kind.strip() != "application/json" or parameters.replace(" ", "") not in {"", "charset=utf-8"}:
        given = request.headers.get("content-type")
        raise field_at_fault("Content-Type", given, "application/json in UTF-8", status=415)
