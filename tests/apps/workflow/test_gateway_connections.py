"""The gateway's HTTP server with clients that are slow, or keep what they have, and its end with them."""

from __future__ import annotations

import asyncio
import importlib
import json
import signal
import socket
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.apps.slowly import asked_slowly
from tests.apps.workflow.fleet import FOLDER, Gateway

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterator

    from tests.apps.workflow.fleet import Agent

LINES = 1000


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], Any]]:
    """Make the gateway's server, before something that streams 64 KB; the modules' names are left to others."""
    names = ("connections", "faults", "journal", "messages")
    before = {name: sys.modules.pop(name) for name in names if name in sys.modules}
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.syspath_prepend(FOLDER / "gateway")
    connections, _, journal, messages = map(importlib.import_module, names)
    monkeypatch.setattr(connections, "_LINGER_SECONDS", 0.2)

    async def lines() -> AsyncGenerator[bytes]:
        for number in range(LINES):
            yield b"%063d\n" % number

    async def stream(_request: Any) -> Any:
        return messages.Response(status=200, body=lines())

    yield lambda: connections.Server(stream, journal.Journal())
    for name in names:
        del sys.modules[name]
    sys.modules.update(before)


@pytest.mark.parametrize("headers", [["Connection: close"], []], ids=["asked to close", "draining"])
def test_a_slow_client_has_all_of_the_stream_before_the_connection_ends(
    server: Callable[[], Any], headers: list[str]
) -> None:
    """What the server has written may still wait in this process, and would be thrown away with the connection."""
    received = asyncio.run(asked_slowly(server(), *headers, drained=not headers))
    assert received.count(b"\n") > LINES
    assert received.endswith(b"%063d\n\r\n0\r\n\r\n" % (LINES - 1))


@pytest.fixture
def gateway(agent: Agent) -> Iterator[Gateway]:
    told = {"WORKFLOW_SERVICE_HOST": agent.address, "WORKFLOW_SERVICE_PORT": str(agent.port)}
    with Gateway(**told) as running:
        yield running.wait_for("listening")


def conversing(gateway: Gateway) -> tuple[socket.socket, bytes]:
    """Begin a conversation that goes on for a second, wait for its first message, and tell the gateway to stop."""
    body = json.dumps({"conversation_id": "c-1", "text": "how are you", "pace_ms": 400}).encode()
    head = b"POST /conversations HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    connection = socket.create_connection(("127.0.0.1", gateway.port), timeout=10)
    connection.sendall(head % len(body) + body)
    received = b""
    while b'"HOW"' not in received:
        received += connection.recv(65536)
    gateway.send(signal.SIGTERM)
    gateway.wait_for("draining")
    return connection, received


def test_a_drained_gateway_does_not_wait_for_another_request(gateway: Gateway) -> None:
    """A load balancer keeps its connections: each of them would take the whole of the drain."""
    connection, received = conversing(gateway)
    with connection:
        while not received.endswith(b"0\r\n\r\n"):
            received += connection.recv(65536)
        assert b"connection: close" not in received
        began = time.monotonic()
        assert connection.recv(1) == b""
        assert gateway.end() == 0
        assert time.monotonic() - began < 2
    assert gateway.lines[-1] | {"message": "stopped", "cut": 0} == gateway.lines[-1]


def test_a_request_sent_ahead_of_the_end_is_told_that_it_came_too_late(gateway: Gateway) -> None:
    """Whoever sends the next request did not know that the gateway stops."""
    connection, received = conversing(gateway)
    with connection:
        connection.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
        while more := connection.recv(65536):
            received += more
    _, _, last = received.partition(b"\r\n0\r\n\r\n")
    assert last.startswith(b"HTTP/1.1 503 ")
    assert b"connection: close" in last
    assert gateway.end() == 0
