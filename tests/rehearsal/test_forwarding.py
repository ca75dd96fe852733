"""Connections are passed on whole, in both directions, and end as their ends do."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from rehearsal.forwarding import forwarded

if TYPE_CHECKING:
    from collections.abc import Generator

    from rehearsal.forwarding import Target

WITHIN = 5


@dataclass
class Fixed:
    """A way to one target."""

    to: Target | None
    announces: bool = False
    cut: threading.Event = field(default_factory=threading.Event)

    async def target(self) -> Target | None:
        """Always the same."""
        return self.to

    async def gone(self, target: Target) -> None:
        """Once it is said."""
        assert target == self.to
        while not self.cut.is_set():  # noqa: ASYNC110 - a thread's event
            await asyncio.sleep(0.01)


@contextlib.contextmanager
def server() -> Generator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(WITHIN)
        yield listening


@contextlib.contextmanager
def connected(way: Fixed) -> Generator[socket.socket]:
    """Connect to a socket whose connections go by *way*."""
    listening = socket.create_server(("127.0.0.1", 0))
    with listening, forwarded([(listening, way)]), socket.create_connection(listening.getsockname(), WITHIN) as client:
        yield client


def received(source: socket.socket) -> bytes:
    """Return all that comes until its end."""
    source.settimeout(WITHIN)
    return b"".join(iter(lambda: source.recv(65_536), b""))


def test_what_is_sent_arrives_whole_in_both_directions_though_one_has_ended() -> None:
    """A client that says that it has no more is still to be answered; and what is under way must not be lost."""
    with server() as listening, connected(Fixed(listening.getsockname())) as client:
        accepted, _ = listening.accept()
        with accepted:
            asked = b"q" * 1_000_000
            threading.Thread(target=lambda: (client.sendall(asked), client.shutdown(socket.SHUT_WR))).start()
            assert received(accepted) == asked
            answer = b"a" * 1_000_000
            threading.Thread(target=lambda: (accepted.sendall(answer), accepted.close())).start()
            assert received(client) == answer


def test_a_target_that_dies_ends_its_connection_at_once() -> None:
    """A client waits for nothing then, and goes elsewhere."""
    with server() as listening, connected(Fixed(listening.getsockname())) as client:
        accepted, _ = listening.accept()
        accepted.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        accepted.close()  # with a reset, as of a process that was killed
        with contextlib.suppress(ConnectionResetError):
            assert received(client) == b""


@pytest.mark.parametrize("to", [None, ("127.0.0.1", 9)])
def test_without_a_target_that_answers_a_connection_is_closed(to: Target | None) -> None:
    with connected(Fixed(to)) as client, contextlib.suppress(ConnectionResetError):
        assert received(client) == b""


def test_connections_to_a_target_that_is_gone_are_cut() -> None:
    with server() as listening:
        way = Fixed(listening.getsockname())
        with connected(way) as client:
            accepted, _ = listening.accept()
            with accepted:
                client.sendall(b"hello")
                assert accepted.recv(5) == b"hello"
                way.cut.set()
                with contextlib.suppress(ConnectionResetError):
                    assert received(client) == b""


def test_a_target_that_wants_to_know_is_told_who_the_client_is() -> None:
    """Else its first bytes would be taken for that."""
    with server() as listening, connected(Fixed(listening.getsockname(), announces=True)) as client:
        accepted, _ = listening.accept()
        with accepted:
            client.sendall(b"hello")
            header = accepted.recv(28, socket.MSG_WAITALL)
            assert header[:16] == b"\x0d\x0a\x0d\x0a\x00\x0d\x0a\x51\x55\x49\x54\x0a\x21\x11\x00\x0c"
            assert socket.inet_ntoa(header[16:20]) == socket.inet_ntoa(header[20:24]) == "127.0.0.1"
            assert int.from_bytes(header[24:26]) == client.getsockname()[1]
            assert int.from_bytes(header[26:]) == client.getpeername()[1]
            assert accepted.recv(5) == b"hello"


def test_at_the_end_no_connection_no_listener_and_no_thread_is_left() -> None:
    """A rehearsal within tests would otherwise leave one behind each time."""
    before = threading.active_count()
    with server() as target:
        listening = socket.create_server(("127.0.0.1", 0))
        address = listening.getsockname()
        with forwarded([(listening, Fixed(target.getsockname()))]):
            client = socket.create_connection(address, WITHIN)
            accepted, _ = target.accept()
        with client, accepted:
            for each in (client, accepted):
                with contextlib.suppress(ConnectionResetError):
                    assert received(each) == b""
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(address, WITHIN)
    until = time.monotonic() + WITHIN
    while threading.active_count() > before:
        assert time.monotonic() < until, [each.name for each in threading.enumerate()]
