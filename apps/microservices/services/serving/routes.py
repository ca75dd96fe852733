"""What each request gets: which route it takes, whether there is room for it, and an answer in time."""

from __future__ import annotations

import asyncio
import re
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl, unquote

from serving.faults import RefusalError, StorageError, field_at_fault
from serving.messages import REQUEST_ID, Request, Response, refused, told
from serving.service import Asked, Route

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from serving.journal import Journal

ROOM: Final = 16
"""Requests worked on at once. Each is a thread that mostly waits, and a quarter of a vCPU has no use for more."""

_BUSY: Final = {"retry-after": "1"}


class Routes:
    """Answers requests. To be called on the event loop's thread; the work is done on others."""

    def __init__(
        self, routes: asyncio.Future[Sequence[Route]], journal: Journal, *, base_path: str, request_timeout: float
    ) -> None:
        self._routes = routes
        self._journal = journal
        self._base_path = base_path
        self._timeout = request_timeout
        self._pool = ThreadPoolExecutor(ROOM, thread_name_prefix="request")
        self._running = 0
        self._draining = False
        self._cut = asyncio.Event()

    def drain(self) -> None:
        """Say at `/health` from now on that this task is stopping; what comes all the same is answered."""
        self._draining = True

    def cut(self) -> None:
        """Answer whatever is still being worked on, now, with a refusal."""
        self._cut.set()

    async def __call__(self, request: Request) -> Response:
        """Answer *request*; whatever goes wrong is an answer too."""
        request_id = request.id
        path = request.target.partition("?")[0]
        if path in {"/health", f"{self._base_path}/health"}:
            return self._health(request)
        journal = self._journal.bind(request_id=request_id)
        route = "none"
        try:
            async with asyncio.timeout(self._timeout):
                routes = await asyncio.shield(self._routes)
            here, parts = self._here(path, routes)
            route = here[0].path or "/"
            response = await self._work(_taken(here, request), request, parts, journal)
        except RefusalError as refusal:
            response = refused(refusal, request_id)
        except TimeoutError:
            response = refused(RefusalError(504, f"no answer within {self._timeout:g} seconds"), request_id)
        except Exception as error:  # noqa: BLE001 -- the caller gets no traceback; the log does
            response = refused(_unexpected(error, journal), request_id)
        ms = round((time.monotonic() - request.started) * 1000)
        journal.info("request", route=route, method=request.method[:16], status=response.status, ms=ms)
        return replace(response, headers={REQUEST_ID: request_id, **response.headers})

    def _health(self, request: Request) -> Response:
        if request.method not in {"GET", "HEAD"}:
            return refused(_not_allowed(request, ["GET"]), request.id)
        if self._draining:
            return told(503, {"status": "draining"})
        return told(200, {"status": "ok"})

    def _here(self, path: str, routes: Sequence[Route]) -> tuple[list[Route], Mapping[str, str]]:
        """Find the routes of *path*, and what stands in it for their names."""
        behind = path.removeprefix(self._base_path)
        if path.startswith(self._base_path):
            for route in routes:
                if found := re.fullmatch(re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(route.path)), behind):
                    here = [each for each in routes if each.path == route.path]
                    return here, {name: unquote(value) for name, value in found.groupdict().items()}
        there = ", ".join(f"{route.method} {self._base_path}{route.path}" for route in routes)
        raise RefusalError(404, f"there is nothing here: {there} would do")

    async def _work(self, route: Route, request: Request, parts: Mapping[str, str], journal: Journal) -> Response:
        """Have the work done on a thread, and answer in time whether it is done or not."""
        asked = Asked(request=request, parts=parts, query=_query(route, request))
        if self._running == ROOM:
            raise RefusalError(503, f"{ROOM} requests are being worked on: try again", headers=_BUSY)
        self._running += 1
        doing = asyncio.ensure_future(self._do(route, asked, journal))
        doing.add_done_callback(self._done)
        cut = asyncio.ensure_future(self._cut.wait())
        left = request.started + self._timeout - time.monotonic()
        try:
            # Not wait_for: a thread cannot be cancelled, and holds its place until it ends, shortly after the deadline.
            await asyncio.wait({doing, cut}, timeout=max(0, left), return_when=asyncio.FIRST_COMPLETED)
        finally:
            cut.cancel()
        if doing.done():
            return doing.result()
        if self._cut.is_set():
            raise RefusalError(503, "this task has stopped: try again", headers=_BUSY)
        raise TimeoutError

    async def _do(self, route: Route, asked: Asked, journal: Journal) -> Response:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, route.handle, asked)
        except RefusalError:
            raise
        except StorageError as error:
            journal.error("the storage gave no answer", error_code=error.code, error_message=error.message)
            raise RefusalError(503, "the storage could not be asked: try again", headers=_BUSY) from error
        except Exception as error:  # here, where it is seen even when nobody waits for it any more
            raise _unexpected(error, journal) from error

    def _done(self, doing: asyncio.Future[Response]) -> None:
        self._running -= 1
        if not doing.cancelled():
            doing.exception()  # taken, or asyncio would complain that nobody did


def _taken(here: Sequence[Route], request: Request) -> Route:
    """Choose by the request's method, and hold its body's type against what the route takes."""
    method = "GET" if request.method == "HEAD" else request.method
    route = next((each for each in here if each.method == method), None)
    if route is None:
        raise _not_allowed(request, [each.method for each in here])
    if route.content_type is not None:
        given = request.headers.get("content-type")
        kind, _, parameters = (given or "").lower().partition(";")
        if kind.strip() != route.content_type or parameters.replace(" ", "") not in {"", "charset=utf-8"}:
            raise field_at_fault("Content-Type", given, f"{route.content_type} in UTF-8", status=415)
    return route


def _query(route: Route, request: Request) -> dict[str, str]:
    query: dict[str, str] = {}
    try:
        pairs = parse_qsl(request.target.partition("?")[2], keep_blank_values=True, max_num_fields=16)
    except ValueError:
        raise field_at_fault("query", "too long", "16 parameters at most") from None
    for name, value in pairs:
        if name not in route.query:
            known = " and ".join(route.query)
            raise field_at_fault(name[:64], value, f"no parameter{f' but {known}' if known else ''}")
        if name in query:
            raise field_at_fault(name, value, "the parameter once")
        query[name] = value
    return query


def _not_allowed(request: Request, methods: Sequence[str]) -> RefusalError:
    allow = ", ".join(methods)
    return RefusalError(405, f"{request.method[:16]} will not do here: {allow} would", headers={"allow": allow})


def _unexpected(error: Exception, journal: Journal) -> RefusalError:
    lines = traceback.format_exception(error)
    journal.error("this should not have happened", error_message=repr(error), traceback=lines)
    return RefusalError(HTTPStatus.INTERNAL_SERVER_ERROR, "something went wrong here; the log says what")
