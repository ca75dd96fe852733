"""Passes TCP connections on as they come, in a thread of its own."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import threading
from typing import TYPE_CHECKING, Final, Protocol

from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

Target = tuple[str, int]
"""Address and port."""

_CHUNK: Final = 65_536
_CONNECTED_WITHIN: Final = 5.0
"""Seconds for a target to accept a connection."""


class Way(Protocol):
    """Where the connections of one listening socket go."""

    @property
    def announces(self) -> bool:
        """Whether each begins with a header of the proxy protocol, which says who the client is."""
        ...

    async def target(self) -> Target | None:
        """Choose where the next one goes; None: it is closed."""
        ...

    async def gone(self, target: Target) -> None:
        """Return when the connections to *target* are to be cut; it need never be."""
        ...


@contextlib.contextmanager
def forwarded(ways: Sequence[tuple[socket.socket, Way]]) -> Generator[None]:
    """Pass on what connects to each of the listening sockets until the block ends; then all is cut and closed."""
    loop, ended = asyncio.new_event_loop(), asyncio.Event()

    async def serve() -> None:
        with contextlib.ExitStack() as servers:
            for listening, way in ways:
                servers.callback((await asyncio.start_server(_accepted(way), sock=listening)).close)
            await ended.wait()

    def run() -> None:
        # At its end a runner cancels what is still connected, and waits for that.
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            runner.run(serve())

    thread = threading.Thread(target=run, name="forwarding", daemon=True)
    thread.start()
    try:
        yield
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join()


def _accepted(way: Way) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], None]:
    under_way: set[asyncio.Task[None]] = set()

    async def passed_on(asks: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        # Where nobody answers, the client is closed too, and tries again as it would in any network.
        with contextlib.suppress(OSError, TimeoutError, ClientError, BotoCoreError):
            await _pass_on(asks, client, way)

    def accepted(asks: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(passed_on(asks, client))
        under_way.add(task)
        # Not in the task itself: one that is cancelled before it begins closes nothing.
        task.add_done_callback(lambda _: client.transport.abort())
        task.add_done_callback(under_way.discard)

    return accepted


async def _pass_on(asks: asyncio.StreamReader, client: asyncio.StreamWriter, way: Way) -> None:
    if not (target := await way.target()):
        return
    async with asyncio.timeout(_CONNECTED_WITHIN):
        answers, server = await asyncio.open_connection(*target)
    if way.announces:
        server.write(_header(client.get_extra_info("peername"), client.get_extra_info("sockname")))
    both = asyncio.create_task(_both((asks, server), (answers, client)))
    gone = asyncio.create_task(way.gone(target))
    try:
        over, _ = await asyncio.wait([both, gone], return_when=asyncio.FIRST_COMPLETED)
        for each in over:
            await each
        if both in over:
            # What is still under way arrives.
            for end in (client, server):
                end.close()
                await end.wait_closed()
    finally:
        both.cancel()
        gone.cancel()
        server.transport.abort()


async def _both(*directions: tuple[asyncio.StreamReader, asyncio.StreamWriter]) -> None:
    # Made here: what a task that is cancelled before it begins was given would never be awaited.
    await asyncio.gather(*(_copy(source, to) for source, to in directions))


async def _copy(source: asyncio.StreamReader, to: asyncio.StreamWriter) -> None:
    """Pass on all that comes from *source*, and its end: the other direction may go on."""
    while chunk := await source.read(_CHUNK):
        to.write(chunk)
        await to.drain()
    to.write_eof()


def _header(client: Target, balancer: Target) -> bytes:
    """Return what says who *client* is: https://www.haproxy.org/download/1.8/doc/proxy-protocol.txt, section 2.2."""
    ends = socket.inet_aton(client[0]) + socket.inet_aton(balancer[0]) + struct.pack("!HH", client[1], balancer[1])
    return b"\r\n\r\n\0\r\nQUIT\n" + struct.pack("!BBH", 0x21, 0x11, len(ends)) + ends
