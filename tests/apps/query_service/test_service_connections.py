"""The HTTP server by itself, with clients that do not behave. Its waits are shortened; nothing else is."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from tests.apps.slowly import asked_slowly

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from types import ModuleType

Open = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@pytest.fixture
def converse(load: Callable[[str], ModuleType], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Run a client's side of a conversation against a server that says what it was sent."""
    connections, messages, journal = load("connections"), load("messages"), load("journal")
    monkeypatch.setattr(connections, "READ_SECONDS", 0.2)
    monkeypatch.setattr(connections, "IDLE_SECONDS", 0.4)
    monkeypatch.setattr(connections, "MOST_CONNECTIONS", 3)

    async def echo(request: Any) -> Any:
        return messages.Response(status=200, body={"method": request.method, "length": len(request.body)})

    def run(client: Callable[[Callable[[], Awaitable[Open]]], Awaitable[Any]]) -> Any:
        async def both() -> Any:
            server = connections.Server(echo, journal.Journal())
            await server.listen("127.0.0.1", 0)
            port = server._listener.sockets[0].getsockname()[1]
            opened: list[Open] = []

            async def connect() -> Open:
                opened.append(await asyncio.open_connection("127.0.0.1", port))
                return opened[-1]

            try:
                async with asyncio.timeout(5):
                    return await client(connect)
            finally:
                for _, writer in opened:
                    writer.transport.abort()
                server._listener.close()
                await server.drain(1)

        return asyncio.run(both())

    return run


async def told(reader: asyncio.StreamReader) -> str:
    """Everything until the server closes."""
    return (await reader.read()).decode()


@asynccontextmanager
async def lasting(low: float, high: float) -> AsyncIterator[None]:
    began = time.monotonic()
    yield
    assert low < time.monotonic() - began < high


@pytest.mark.parametrize(
    "beginning",
    [b"P", b"POST / HTTP/1.1\r\nHost: x\r\n", b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{"],
)
def test_a_client_that_begins_and_does_not_end_is_cut(converse: Callable[..., Any], beginning: bytes) -> None:
    async def client(connect: Any) -> str:
        reader, writer = await connect()
        writer.write(beginning)
        async with lasting(0.1, 2):
            return await told(reader)

    assert converse(client).startswith("HTTP/1.1 408 ")


def test_a_client_that_trickles_is_cut_however_steady_it_is(converse: Callable[..., Any]) -> None:
    """The time is for the whole request: a byte now and then does not prolong it."""

    async def client(connect: Any) -> str:
        reader, writer = await connect()

        async def trickle() -> None:
            writer.write(b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ")
            while True:
                writer.write(b"z")
                await asyncio.sleep(0.02)

        trickling = asyncio.ensure_future(trickle())
        try:
            async with lasting(0.1, 2):
                return (await reader.readline()).decode()
        finally:
            trickling.cancel()

    assert converse(client).startswith("HTTP/1.1 408 ")


def test_a_client_that_says_nothing_is_cut_without_a_word(converse: Callable[..., Any]) -> None:
    async def client(connect: Any) -> str:
        reader, _ = await connect()
        async with lasting(0.1, 2):
            return await told(reader)

    assert not converse(client)


def test_a_connection_is_used_again_and_rests_longer_than_a_request_may_take(converse: Callable[..., Any]) -> None:
    """A load balancer keeps its connections: to close one early is to lose the request that it sends just then."""

    async def client(connect: Any) -> list[bytes]:
        reader, writer = await connect()
        first = []
        for _ in range(2):
            writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            first.append(await reader.readline())
            await reader.readuntil(b"}")
            await asyncio.sleep(0.3)
        return first

    assert converse(client) == [b"HTTP/1.1 200 OK\r\n"] * 2


def test_requests_sent_ahead_are_answered_in_turn(converse: Callable[..., Any]) -> None:
    async def client(connect: Any) -> str:
        reader, writer = await connect()
        writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}")
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        return await told(reader)

    said = converse(client)
    assert said.index('{"method":"POST","length":2}') < said.index('{"method":"GET","length":0}')


def test_a_head_request_gets_the_length_and_no_body_and_the_connection_goes_on(converse: Callable[..., Any]) -> None:
    async def client(connect: Any) -> str:
        reader, writer = await connect()
        writer.write(b"HEAD / HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        return await told(reader)

    head, _, rest = converse(client).partition("\r\n\r\n")
    assert head.startswith("HTTP/1.1 200 ")
    assert "content-length: 28" in head
    assert rest.startswith("HTTP/1.1 200 ")


def test_a_client_in_the_middle_of_too_much_hears_why_it_is_cut(converse: Callable[..., Any]) -> None:
    """Closing on unread data resets the connection, and the answer is lost with it."""

    async def client(connect: Any) -> str:
        reader, writer = await connect()
        writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4000000\r\n\r\n" + b"x" * 4_000_000)
        await asyncio.sleep(0.2)
        return await told(reader)

    assert converse(client).startswith("HTTP/1.1 413 ")


def test_a_client_that_asks_before_it_sends_is_told_to_go_on_or_not_to(converse: Callable[..., Any]) -> None:
    async def client(connect: Any) -> list[str]:
        answers = []
        for length in (2, 99_999):
            reader, writer = await connect()
            head = f"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\nExpect: 100-continue\r\n\r\n"
            writer.write(head.encode())
            answers.append((await reader.readline()).decode())
            writer.transport.abort()
        return answers

    assert [answer.split()[1] for answer in converse(client)] == ["100", "413"]


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"\x16\x03\x01\x02\x00\r\n\r\n", "400"),
        (b"GET / HTTP/1.1\r\n\r\n", "400"),
        (b"GET / HTTP/1.1\r\nHost: x\r\nX-Long: " + b"z" * 20_000, "431"),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n", "400"),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", "400"),
        (b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "400"),
    ],
)
def test_what_is_no_request_is_refused_in_json(converse: Callable[..., Any], sent: bytes, status: str) -> None:
    async def client(connect: Any) -> str:
        reader, writer = await connect()
        writer.write(sent)
        writer.write_eof()
        return await told(reader)

    said = converse(client)
    assert said.split()[1] == status
    assert '{"error":{"message":' in said


def test_too_many_connections_are_told_to_come_again(converse: Callable[..., Any]) -> None:
    async def client(connect: Any) -> str:
        for _ in range(3):
            await connect()
        await asyncio.sleep(0.05)
        reader, _ = await connect()
        return await told(reader)

    said = converse(client)
    assert said.startswith("HTTP/1.1 503 ")
    assert "retry-after: 1" in said


@pytest.mark.parametrize("headers", [["Connection: close"], []], ids=["asked to close", "draining"])
def test_a_slow_client_has_all_of_the_answer_before_the_connection_ends(
    load: Callable[[str], ModuleType], monkeypatch: pytest.MonkeyPatch, headers: list[str]
) -> None:
    """What the server has written may still wait in this process, and would be thrown away with the connection."""
    connections, messages, journal = load("connections"), load("messages"), load("journal")
    monkeypatch.setattr(connections, "_LINGER_SECONDS", 0.2)

    async def answer(_request: Any) -> Any:
        return messages.Response(status=200, body={"text": "x" * 60_000})

    received = asyncio.run(asked_slowly(connections.Server(answer, journal.Journal()), *headers, drained=not headers))
    assert received.endswith(b'{"text":"' + b"x" * 60_000 + b'"}')
