"""A private API that answers as it is told, by user: the users of two tests never meet."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections import Counter
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

ROWS = 30  # that each user has
REFUSAL = {"error": {"message": "no such user", "field": "user_id"}}


class PrivateApi:
    """What the first word of a user's id does to the answer is in `answer`; any other word gets a good one."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}/v1"
        self.calls: Counter[str] = Counter()
        """How often each user was asked for."""
        self.last: dict[str, tuple[str, str, Any, Any]] = {}
        """Method, path, headers and body of each user's last request."""
        self.release = threading.Event()
        """Lets the users whose id begins with `hold` go."""

    def answer(self, to: BaseHTTPRequestHandler) -> None:
        """Answer one request."""
        body = json.loads(to.rfile.read(int(to.headers["Content-Length"])))
        user_id = body["user_id"]
        self.calls[user_id] += 1
        self.last[user_id] = (to.command, to.path, to.headers, body)
        rows = [{"order_id": f"{user_id}-{number}"} for number in range(min(body["limit"], ROWS))]
        good = json.dumps({"user_id": user_id, "items": rows})
        kind, *rest = user_id.split("-")
        match kind:
            case "status":
                _say(to, int(rest[0]), '{"message": "Forbidden"}')
            case "truncated":
                _say(to, 200, good, length=len(good) + 10)
            case "reset":
                to.connection.shutdown(socket.SHUT_RDWR)
            case "trickle":
                _trickle(to, good)
            case "hold":
                self.release.wait(30)
                _say(to, 200, good)
            case _:
                odd = {
                    "refused": (400, json.dumps(REFUSAL)),
                    "mumbled": (400, '{"message": "Bad request"}'),
                    "garbage": (200, "<html>"),
                    "list": (200, "[]"),
                    "deep": (200, "[" * 100_000),
                    "stranger": (200, good.replace("stranger", "somebody", 1)),
                    "generous": (200, json.dumps({"user_id": user_id, "items": [{}] * 101})),
                    "nan": (200, good.replace('"order_id"', '"ratio": NaN, "order_id"')),
                }
                _say(to, *odd.get(kind, (200, good)))


@contextmanager
def answering() -> Iterator[PrivateApi]:
    """Run a private API on loopback."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            try:
                api.answer(self)
            except OSError:
                self.close_connection = True  # whoever asked has gone

        def log_message(self, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        api = PrivateApi(server.server_port)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        yield api
        api.release.set()
        server.shutdown()
        thread.join(5)


def _head(to: BaseHTTPRequestHandler, status: int, length: int) -> None:
    to.send_response(status)
    to.send_header("Content-Length", str(length))
    to.send_header("Location", "/v1/somewhere/else")  # which only a 302 makes mean anything
    to.end_headers()


def _say(to: BaseHTTPRequestHandler, status: int, text: str, length: int | None = None) -> None:
    _head(to, status, len(text) if length is None else length)
    to.wfile.write(text.encode())
    to.close_connection = length is not None


def _trickle(to: BaseHTTPRequestHandler, text: str) -> None:
    _head(to, 200, len(text))
    for byte in text.encode():
        to.wfile.write(bytes([byte]))
        time.sleep(0.1)
