"""Requests while something is changed: none is lost from the count, and no throttle is run into."""

from __future__ import annotations

import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from rehearsal.client import Client
from rehearsal.script import Expectation, Request
from rehearsal.traffic import Traffic

if TYPE_CHECKING:
    from collections.abc import Iterator


class Server(ThreadingHTTPServer):
    """Answers 200, or what it is told to, to whoever has the key."""

    status = 200
    daemon_threads = True


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        server: Any = self.server
        self.send_response(server.status if self.headers["X-Api-Key"] == "the key" else 403)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(("127.0.0.1", 0), _Handler) as opened:
        threading.Thread(target=opened.serve_forever, daemon=True).start()
        yield opened
        opened.shutdown()


def traffic(server: Server, **said: Any) -> Traffic:
    url = f"http://127.0.0.1:{server.server_port}"
    headers = {"X-Api-Key": "the key"}
    request = Request(
        name="it answers", entrance="url", method="GET", path="/", headers=headers, expect=Expectation(status=200)
    )
    return Traffic(lambda: Client(url), url, request, **({"times": 20, "at_once": 4} | said))


def test_every_answer_is_counted_and_there_are_as_many_as_wanted(server: Server) -> None:
    """However soon the change is over: a handful of requests shows little."""
    with traffic(server) as going:
        pass
    assert going.answers.keys() == {"200"}
    assert going.answers["200"] >= 20


def test_it_goes_on_as_long_as_the_change_does(server: Server) -> None:
    """What comes at the end of it counts too."""
    with traffic(server) as going:
        while not going.answers["200"] > 40:
            time.sleep(0.01)
        server.status = 502
        while not going.answers["502"]:
            time.sleep(0.01)
    assert going.answers.keys() == {"200", "502"}


def test_who_does_not_answer_is_counted_with_the_reason(server: Server) -> None:
    server.shutdown()
    server.server_close()
    with traffic(server, times=4) as going:
        pass
    assert going.answers.keys() == {"no answer (NewConnectionError)"}


def test_it_sends_no_more_in_a_second_than_it_may(server: Server) -> None:
    """All clients together: an entrance throttles by the key, which they share."""
    started = time.monotonic()
    with traffic(server, per_second=100, times=30, at_once=8) as going:
        pass
    passed = time.monotonic() - started
    assert going.answers.keys() == {"200"}
    assert going.answers.total() <= 1 + 8 + 100 * passed
    assert passed >= 0.28
