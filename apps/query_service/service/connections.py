"""HTTP/1.1 over asyncio: h11 reads and writes the protocol, and every wait here has an end.

A request is read on the event loop, so that a slow client costs a socket and no thread, and `/health` is answered
while every thread is busy.
"""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from email.utils import formatdate
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

import h11
from faults import RefusalError
from messages import Request, Response, new_id, refused

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from journal import Journal

READ_SECONDS: Final = 10
"""A request's head and body are here this soon after its first byte, and all of the answer is taken this soon, or the
client is cut."""

IDLE_SECONDS: Final = 75
"""A connection may rest this long between requests: longer than the 60 s of a load balancer, or it would send a
request into a connection that is just being closed."""

LARGEST_HEAD: Final = 16 * 1024
LARGEST_BODY: Final = 16 * 1024

MOST_CONNECTIONS: Final = 512
"""Beyond these a client is told to come again. Below the 1024 open files that a process may have by default."""

_CHUNK: Final = 65536
_LINGER_SECONDS: Final = 1

# What reached this host before the drain began may not have been read yet: it is in flight all the same.
_UNREAD_SECONDS: Final = 0.1


class Server:
    """Reads requests, hands each to *answer*, writes what comes back."""

    def __init__(self, answer: Callable[[Request], Awaitable[Response]], journal: Journal) -> None:
        self._answer = answer
        self._journal = journal
        self._connections: dict[asyncio.Task[Any], Connection] = {}
        self._draining = False

    async def listen(self, host: str, port: int) -> None:
        """Begin to accept connections; OSError where the address is not to be had."""
        # Kept, so that it is not collected; it listens until the process ends, to say that it is draining.
        self._listener = await asyncio.start_server(self._serve, host, port, backlog=128, limit=_CHUNK)

    async def drain(self, seconds: float) -> int:
        """Wait until no connection has a request on it, and return how many still have after *seconds*.

        The listener stays, for whoever comes meanwhile to be told so; each connection closes with its next answer.
        """
        self._draining = True
        loop = asyncio.get_running_loop()
        ends = loop.time() + seconds
        await asyncio.sleep(_UNREAD_SECONDS)
        while busy := [task for task, connection in self._connections.items() if not connection.idle]:
            if loop.time() >= ends:
                return len(busy)
            await asyncio.wait(busy, timeout=ends - loop.time())
        return 0

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = Connection(reader, writer)
        task = asyncio.current_task()
        if task is None:
            return
        self._connections[task] = connection
        try:
            await self._converse(connection)
        except (OSError, TimeoutError, h11.LocalProtocolError):
            pass  # the client went away, or does not read what it is told
        finally:
            connection.abort()
            del self._connections[task]

    async def _refuse(self, connection: Connection, refusal: RefusalError) -> None:
        request_id = new_id()
        self._journal.warning(
            "unread request", request_id=request_id, status=refusal.status, error_message=str(refusal)
        )
        await connection.write(refused(refusal, request_id), close=True)

    async def _converse(self, connection: Connection) -> None:
        if len(self._connections) > MOST_CONNECTIONS:
            busy = RefusalError(
                503, f"{MOST_CONNECTIONS} connections are open: try again", headers={"retry-after": "1"}
            )
            await self._refuse(connection, busy)
            return
        wait: float = READ_SECONDS
        while await connection.wakes(wait):
            try:
                request = await connection.read()
            except RefusalError as refusal:
                await self._refuse(connection, refusal)
                return
            if request is None:
                return
            response = await self._answer(request)
            if not await connection.write(response, close=self._draining):
                return
            # Whose answer began before the drain does not know that it was the last, and may have asked again already.
            connection.idle = not self._draining
            wait = _UNREAD_SECONDS if self._draining else IDLE_SECONDS
        await connection.end()


class Connection:
    """One client's connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        # What is drained is then with the kernel, which sends it even after the connection is closed here.
        writer.transport.set_write_buffer_limits(high=0)
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=LARGEST_HEAD)
        self._bodiless = False
        self.idle = True
        """Nothing of a request has come, or the last one is answered."""

    async def wakes(self, seconds: float) -> bool:
        """Wait for the first byte of a request; False where none comes."""
        if not self._http.trailing_data[0]:
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    received = await self._reader.read(_CHUNK)
                    self._http.receive_data(received)
                    self.idle = not received
                    return not self.idle
            return False
        self.idle = False  # it came along with the one before
        return True

    async def read(self) -> Request | None:
        """Read a request to its end; None where the client goes before that.

        Raises:
            RefusalError: it is no request, too large, or too slow.

        """
        try:
            async with asyncio.timeout(READ_SECONDS):
                return await self._request()
        except TimeoutError:
            raise RefusalError(408, f"the request was not here within {READ_SECONDS} seconds") from None
        except h11.RemoteProtocolError as error:
            raise RefusalError(error.error_status_hint, f"this is no HTTP request: {error}") from error

    async def write(self, response: Response, *, close: bool = False) -> bool:
        """Write *response*; False where it was the connection's last."""
        body = json.dumps(response.body, separators=(",", ":")).encode()
        headers = {
            "date": formatdate(usegmt=True),
            "content-type": "application/json",
            "content-length": str(len(body)),
            "cache-control": "no-store",
            **response.headers,
        }
        if close:
            headers["connection"] = "close"
        head = h11.Response(
            status_code=response.status,
            reason=HTTPStatus(response.status).phrase.encode(),
            headers=list(headers.items()),
        )
        # A HEAD is told how long the body would be, and gets none.
        for event in (head, h11.Data(data=b"" if self._bodiless else body), h11.EndOfMessage()):
            self._writer.write(self._http.send(event) or b"")
        async with asyncio.timeout(READ_SECONDS):
            await self._writer.drain()
        if self._http.our_state is not h11.DONE or self._http.their_state is not h11.DONE:
            await self.end()
            return False
        self._http.start_next_cycle()
        return True

    async def end(self) -> None:
        """Say that no more comes, and read on for a moment: to close on unread data would take the answer back."""
        with suppress(TimeoutError, OSError):
            async with asyncio.timeout(_LINGER_SECONDS):
                self._writer.write_eof()
                while await self._reader.read(_CHUNK):
                    pass

    def abort(self) -> None:
        """Close at once."""
        self._writer.transport.abort()

    async def _request(self) -> Request | None:
        head = await self._event()
        if not isinstance(head, h11.Request):
            return None
        self._bodiless = head.method == b"HEAD"
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in head.headers}
        too_large = RefusalError(413, f"a body has {LARGEST_BODY} bytes at most")
        if int(headers.get("content-length", "0")) > LARGEST_BODY:
            raise too_large
        body = bytearray()
        while isinstance(event := await self._event(), h11.Data):
            body += event.data
            if len(body) > LARGEST_BODY:
                raise too_large
        if not isinstance(event, h11.EndOfMessage):
            return None
        return Request(
            method=head.method.decode("latin-1"),
            target=head.target.decode("latin-1"),
            headers=headers,
            body=bytes(body),
        )

    async def _event(self) -> Any:
        while (event := self._http.next_event()) is h11.NEED_DATA:
            if self._http.they_are_waiting_for_100_continue:
                go_on = h11.InformationalResponse(status_code=100, headers=[])
                self._writer.write(self._http.send(go_on) or b"")
            self._http.receive_data(await self._reader.read(_CHUNK))
        return event
