"""The API as a process, and what stands between it and its database."""

from __future__ import annotations

import os
import socket
import subprocess
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final

from tests.apps.express_api.databases import API, TOKEN_KEY, Client, Database
from tests.apps.microservices.processes import Answered, Container, free_port, process, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

INFO: Final = "/api/info"
LOGIN: Final = "/api/client/auth/login"
PRESCRIPTION: Final = "/api/client/prescription"
UNLIMITED: Final = {"LOGINS_PER_ACCOUNT": "100000", "LOGINS_PER_ADDRESS": "100000"}
"""For tests that log in more often than people do, and share their database's counters."""


class Api(Container):
    """The running API."""

    def login(self, client: Client, **headers: str) -> Answered:
        """Try to log in."""
        return self.send("POST", LOGIN, client.credentials, **headers)

    def token(self, client: Client) -> str:
        """Log in, which must succeed."""
        answer = self.login(client)
        assert answer.status == 200, answer.text
        return str(answer.json["token"])

    def prescriptions(self, token: str, query: str = "") -> Answered:
        """Ask for a page of the token's client."""
        return self.send("GET", PRESCRIPTION + query, Authorization=f"Bearer {token}")


@contextmanager
def api(database: Database, *, well: bool = True, **variables: str) -> Iterator[Api]:
    """Run the image's server on *database*, with the application's user and never the master.

    It is waited for until it is *well*, or else until it listens.
    """
    environment = {
        "PATH": os.environ["PATH"],
        "BIND_ADDRESS": "127.0.0.1",
        "PORT": str(free_port()),
        "TOKEN_KEY": TOKEN_KEY,
        **database.place,
        **database.application,
        **variables,
    }
    host = f"127.0.0.1:{environment['PORT']}"
    with process(["node", "main.js"], env=environment, cwd=API, stdout=subprocess.PIPE) as started:
        running = Api(started, host)
        try:
            if well:
                wait_for(f"http://{host}{INFO}", started)
            else:
                running.line(message="listening")
            yield running
        finally:
            started.kill()
            running.read_to_the_end()


class Relay:
    """Stands before a database, and can fall silent as a network does: nothing is refused, and nothing comes."""

    def __init__(self, port: int) -> None:
        """Listen for connections to *port*."""
        self._flowing = threading.Event()
        self._flowing.set()
        self._to = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._open: list[socket.socket] = [self._listener]
        threading.Thread(target=self._accept, daemon=True).start()

    def silence(self) -> None:
        """Let nothing pass from now on."""
        self._flowing.clear()

    def resume(self) -> None:
        """Let pass what was held, and all that comes."""
        self._flowing.set()

    def close(self) -> None:
        """Cut all connections."""
        self.resume()
        for each in self._open:
            # A thread that waits in a call would hold what is merely closed.
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                caller, _ = self._listener.accept()
                called = socket.create_connection(("127.0.0.1", self._to))
                self._open += [caller, called]
                for ends in ((caller, called), (called, caller)):
                    threading.Thread(target=self._pass_on, args=ends, daemon=True).start()

    def _pass_on(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                self._flowing.wait()
                target.sendall(data)
        with suppress(OSError):
            target.shutdown(socket.SHUT_WR)


@contextmanager
def relay(database: Database) -> Iterator[tuple[Relay, dict[str, Any]]]:
    """Put a relay before *database*; the environment that leads through it."""
    between = Relay(database.server.port)
    try:
        yield between, {"DATABASE_PORT": str(between.port)}
    finally:
        between.close()
