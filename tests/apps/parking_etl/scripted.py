"""A source that says over the wire exactly what a test wants, and a reader of it."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from tests.apps.parking_etl.conftest import load

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

ROW = {"ID": "010056", "AVAILABLECAR": "24"}
END = b"[]"


def answer(body: bytes, status: str = "200 OK", length: int | None = None) -> bytes:
    """Return an answer as it goes over the wire; *length* is what it says of itself."""
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body) if length is None else length}\r\n\r\n".encode() + body


class Server:
    """Gives one answer a connection, in order, and keeps the requests' first lines."""

    def __init__(self, answers: Sequence[bytes | Callable[[socket.socket], None]]) -> None:
        self._answers = answers
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self.asked: list[str] = []
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def _serve(self) -> None:
        for given in self._answers:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            with connection:
                request = b""
                while b"\r\n\r\n" not in request:
                    request += connection.recv(4096)
                self.asked.append(request.split(b"\r\n")[0].decode())
                with suppress(OSError):  # the client had enough
                    given(connection) if callable(given) else connection.sendall(given)

    def close(self) -> None:
        """Stop, whether or not all answers were asked for."""
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self.thread.join(5)


@contextmanager
def answering(*answers: bytes | Callable[[socket.socket], None]) -> Iterator[Server]:
    server = Server(answers)
    try:
        yield server
    finally:
        server.close()


class Read:
    """What became of reading a dataset: its pages or the error, and the pauses in between."""

    def __init__(self, url: str, **variables: str) -> None:
        self.pauses: list[float] = []
        environment = load("environment").read({"OPEN_DATA_URL": url, "PAGE_SIZE": "2", **variables})
        source = load("source").Source(environment, load("journal").Journal(), self.pauses.append)
        self.pages: list[Any] = []
        self.error: Exception | None = None
        try:
            self.pages.extend(source.pages("a1b2"))
        except load("exits").RunError as error:
            self.error = error
        assert source.retries == len(self.pauses)
