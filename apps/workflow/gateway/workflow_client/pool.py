"""The connections to the agents: one an address, each call to the one that rested longest."""

from __future__ import annotations

import asyncio
import itertools
import time
from typing import TYPE_CHECKING, Any, Final, Self

import grpc
from workflow_api.workflow_agent_pb2_grpc import WorkflowAgentStub

from workflow_client.discovery import Endpoint, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from workflow_client.discovery import Way

READY_SECONDS: Final = 5
"""Addresses of which none is ready by then are given up for the next way's."""

FRESH_SECONDS: Final = 10
"""How long addresses are taken as found: the time to live of their A records."""

_OPTIONS: Final = (
    # Each connection is one of its own: a new one to a load balancer's address may end at another agent.
    ("grpc.use_local_subchannel_pool", 1),
    # An agent whose host is gone sends no farewell: without an answer to a ping its calls fail within 15 s.
    ("grpc.keepalive_time_ms", 10_000),
    ("grpc.keepalive_timeout_ms", 5_000),
    ("grpc.http2.max_pings_without_data", 0),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 2_000),
    # A proxy in the environment is for the outside world.
    ("grpc.enable_http_proxy", 0),
)


class NoEndpointError(Exception):
    """No way leads to an agent that is ready; the message says what each one came to."""


class Connection:
    """A connection to one address. It reconnects by itself, until it is retired."""

    def __init__(self, endpoint: Endpoint, *, tls: bool) -> None:
        self.endpoint = endpoint
        self.turn = 0
        """When it last took a call; the smallest is next."""
        options: list[tuple[str, Any]] = list(_OPTIONS)
        if authority := endpoint.authority(tls=tls):
            options.append(("grpc.default_authority", authority))
        if tls:
            credentials = grpc.ssl_channel_credentials()
            if endpoint.name:
                options.append(("grpc.ssl_target_name_override", endpoint.name))
            self._channel = grpc.aio.secure_channel(endpoint.target, credentials, options)
        else:
            self._channel = grpc.aio.insecure_channel(endpoint.target, options)
        self.stub: Any = WorkflowAgentStub(self._channel)
        self.retired = False
        """It takes no more calls."""
        self._calls = 0

    @property
    def ready(self) -> bool:
        """It can take a call now. One that cannot begins to connect by being asked."""
        return not self.retired and self._channel.get_state(try_to_connect=True) is grpc.ChannelConnectivity.READY

    async def wait(self) -> None:
        """Wait until it is ready."""
        await self._channel.channel_ready()

    async def __aenter__(self) -> Self:
        """Hold it open for one call."""
        self._calls += 1
        return self

    async def __aexit__(self, *_: object) -> None:
        """Let it go; the last call of a retired connection closes it."""
        self._calls -= 1
        await self._close_if_done()

    async def retire(self) -> None:
        """Take no more calls; those that are on it run to their end."""
        self.retired = True
        await self._close_if_done()

    async def _close_if_done(self) -> None:
        if self.retired and not self._calls:
            await self._channel.close()


class Pool:
    """All connections there are, found anew every `FRESH_SECONDS`, and at once when one fails."""

    def __init__(self, ways: Sequence[Way], *, tls: bool) -> None:
        self._ways = ways
        self._tls = tls
        self._connections: dict[Endpoint, Connection] = {}
        self._turns = itertools.count(1)
        self._stale_at = 0.0
        self._finding: asyncio.Task[None] | None = None

    def ready(self) -> list[Connection]:
        """The connections that can take a call now."""
        return [connection for connection in self._connections.values() if connection.ready]

    async def pick(self, avoid: Endpoint | None = None) -> Connection:
        """Choose a connection for a call: not to *avoid*, if there is any other.

        Raises:
            NoEndpointError: none is ready, nor became so in time.

        """
        if time.monotonic() >= self._stale_at:
            self._find()
        # While others are found, those that are ready do; but an address that has just failed is no answer yet.
        if not (ready := self._others(avoid)):
            await asyncio.shield(self._find())
            ready = self._others(avoid) or self.ready()
        if not ready:
            raise NoEndpointError("the connections were lost as soon as they were ready")
        chosen = min(ready, key=lambda connection: connection.turn)
        chosen.turn = next(self._turns)
        return chosen

    async def failed(self, connection: Connection) -> None:
        """Give up *connection*, and find out at once who is there now."""
        if self._connections.get(connection.endpoint) is connection:
            del self._connections[connection.endpoint]
        await connection.retire()
        self._find()

    async def close(self) -> None:
        """Retire all connections."""
        if self._finding:
            self._finding.cancel()
            await asyncio.wait([self._finding])
        await self._adopt({})

    def _others(self, avoid: Endpoint | None) -> list[Connection]:
        return [connection for connection in self.ready() if connection.endpoint != avoid]

    def _find(self) -> asyncio.Task[None]:
        if not self._finding or self._finding.done():
            self._finding = asyncio.create_task(self._find_and_connect())
            # Taken here, or asyncio would complain of a refresh that nobody waited for.
            self._finding.add_done_callback(lambda done: done.cancelled() or done.exception())
        return self._finding

    async def _find_and_connect(self) -> None:
        self._stale_at = time.monotonic() + FRESH_SECONDS
        came_to: list[str] = []
        for way in self._ways:
            try:
                endpoints = await way.find()
            except NotFoundError as error:
                came_to.append(str(error))
                continue
            connections = {
                endpoint: self._connections.get(endpoint) or Connection(endpoint, tls=self._tls)
                for endpoint in endpoints
            }
            if await _any_ready(connections.values()):
                await self._adopt(connections)
                return
            came_to.append(f"{way}: none of {len(connections)} addresses was ready within {READY_SECONDS} seconds")
            for endpoint, connection in connections.items():
                if self._connections.get(endpoint) is not connection:
                    await connection.retire()
        # What is still connected stays so: who cannot be found can be well all the same.
        raise NoEndpointError("; ".join(came_to))

    async def _adopt(self, connections: dict[Endpoint, Connection]) -> None:
        before, self._connections = self._connections, connections
        for endpoint, connection in list(connections.items()):
            if connection.retired:  # it failed while others were looked for
                connections[endpoint] = Connection(endpoint, tls=self._tls)
        for endpoint, connection in before.items():
            if connections.get(endpoint) is not connection:
                await connection.retire()


async def _any_ready(connections: Iterable[Connection]) -> bool:
    """Begin to connect all, and wait for the first; the others take calls as soon as they are ready too."""
    waits = {asyncio.ensure_future(connection.wait()) for connection in connections}
    waiting = waits
    try:
        async with asyncio.timeout(READY_SECONDS):
            while waiting:
                done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                # One that failed meanwhile was closed, and is none.
                if any(not wait.exception() for wait in done):
                    return True
    except TimeoutError:
        pass
    finally:
        for wait in waits:
            wait.cancel()
        await asyncio.gather(*waits, return_exceptions=True)
    return False
