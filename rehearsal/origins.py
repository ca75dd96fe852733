"""Load balancers at addresses of this machine, for whoever resolves names by the machine's own resolver.

A container that calls a load balancer, and a browser, can neither be told how a name is resolved nor say another name
than that of the address. So the origin of each, such as ``https://shop.example.com``, has a port of 127.0.0.1 that
passes requests on to the emulator under the origin's own name: by its listener and its rules, as if the name led there.
It speaks HTTP on both sides, whatever the origin's scheme: where the origin has TLS, TLS is not proved.
"""

from __future__ import annotations

import http
import re
import threading
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Final, Self
from urllib.parse import urlsplit

import urllib3

from rehearsal import client

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_ORIGIN: Final = re.compile(r"https?://[^/\s?#@]+", re.IGNORECASE)
_BALANCERS_OWN: Final = re.compile(r"\.elb\.amazonaws\.com(\.cn)?$")
# Of one connection, not of the message: https://www.rfc-editor.org/rfc/rfc9110#section-7.6.1
_OF_THE_CONNECTION: Final = frozenset(
    {"connection", "host", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade"}
)
_LOOKED_EVERY: Final = 0.05
"""Seconds between two looks at whether to end."""


class Origins:
    """The origins of a run, each opened when it is first asked for. Its block's end closes them."""

    domains: Mapping[str, str]
    """The names that lead to load balancers, as `client.domains` has them: those of domains are found by it alone."""

    def __init__(self, gateway: str, names: Iterable[str] = ()) -> None:
        """Pass on to the emulator at *gateway*; beside load balancers' own names, *names* lead to one."""
        self.domains = {}
        self._gateway, self._names = gateway, frozenset(names)
        self._open: dict[str, str] = {}
        self._lock = threading.Lock()
        self._closing = ExitStack()

    def __enter__(self) -> Self:
        """Open nothing yet."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close all that were opened."""
        self._closing.close()

    def translated(self, environment: Mapping[str, str]) -> dict[str, str]:
        """Return *environment* with each value that begins with a load balancer's origin at that origin's address."""
        return {name: self.here(value) for name, value in environment.items()}

    def here(self, value: str) -> str:
        """Return *value* with the origin that it begins with at its address; unchanged where it is no balancer's."""
        found = _ORIGIN.match(value)
        name = str(urlsplit(found[0]).hostname) if found else ""
        if found and (_BALANCERS_OWN.search(name) or name in self._names):
            return self._at(found[0]) + value.removeprefix(found[0])
        return value

    def _at(self, origin: str) -> str:
        with self._lock:
            if origin not in self._open:
                self._open[origin] = self._listen(origin)
            return self._open[origin]

    def _listen(self, origin: str) -> str:
        server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self, origin, self._gateway))
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(_LOOKED_EVERY,), name=origin, daemon=True)
        thread.start()
        self._closing.callback(thread.join)
        self._closing.callback(server.server_close)
        self._closing.callback(server.shutdown)
        return f"http://127.0.0.1:{server.server_port}"


def _handler(origins: Origins, origin: str, gateway: str) -> type[BaseHTTPRequestHandler]:
    pool = urllib3.PoolManager(retries=False, timeout=urllib3.Timeout(client.TIMEOUT), maxsize=16)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # An answer's head and body are two writes, and the second would wait for the first one's acknowledgement.
        disable_nagle_algorithm = True

        def pass_on(self) -> None:
            """Answer with what the load balancer does."""
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            try:
                address, named = client.Client(gateway, origins.domains).resolve(origin + self.path)
                sent = {name: value for name, value in self.headers.items() if name.lower() not in _OF_THE_CONNECTION}
                answer: Any = pool.request(
                    self.command, address, body=body, headers={**sent, **named}, redirect=False, decode_content=False
                )
            except (urllib3.exceptions.HTTPError, OSError) as error:
                self.send_error(http.HTTPStatus.BAD_GATEWAY, explain=f"{origin} gave no answer: {error}")
                return
            self.send_response_only(answer.status)
            for name, value in answer.headers.items():
                if name.lower() not in {*_OF_THE_CONNECTION, "content-length"}:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.data)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(answer.data)

        do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = pass_on  # noqa: N815 - http.server's

        def log_message(self, format: str, *_: object) -> None:  # noqa: A002 - http.server's
            """Write nothing: the load balancer's log would have it."""

    return Handler
