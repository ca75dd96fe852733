"""Many requests at once, as fast as they are answered."""

from __future__ import annotations

import json
import socket
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_CONNECTIONS = 20
_AHEAD = 5
"""Requests that a connection sends before it waits for their answers."""


class Flood:
    """POSTs to one path, on many connections."""

    statuses: Counter[int]
    texts: Counter[bytes]
    """Body of an answer → how many were like it."""
    seconds: float

    def __init__(
        self, host: str, path: str, said: Callable[[int], tuple[Any, Mapping[str, str]]], caller: str = "127.0.0.1"
    ) -> None:
        """Send nothing yet. What is *said* is the body and the headers of the request of a number."""
        self._address, _, port = host.partition(":")
        self._port, self._path, self._said, self._caller = int(port), path, said, caller
        self.statuses, self.texts, self.seconds = Counter(), Counter(), 0

    def send(self, number: int) -> Self:
        """Send so many, and count what was answered."""
        began = time.monotonic()
        each = number // _CONNECTIONS
        with ThreadPoolExecutor(_CONNECTIONS) as pool:
            for answers in pool.map(self._send, range(0, number, each), [each] * _CONNECTIONS):
                self.statuses.update(status for status, _ in answers)
                self.texts.update(text for _, text in answers)
        self.seconds = time.monotonic() - began
        return self

    def _send(self, first: int, count: int) -> list[tuple[int, bytes]]:
        answers: list[tuple[int, bytes]] = []
        at = (self._address, self._port)
        with socket.create_connection(at, timeout=30, source_address=(self._caller, 0)) as connection:
            heard = connection.makefile("rb")
            for number in range(first, first + count, _AHEAD):
                connection.sendall(b"".join(map(self._request, range(number, number + _AHEAD))))
                answers += [_answer(heard) for _ in range(_AHEAD)]
        return answers

    def _request(self, number: int) -> bytes:
        body, headers = self._said(number)
        sent = json.dumps(body).encode()
        said = {"Host": self._address, "Content-Type": "application/json", "Content-Length": str(len(sent)), **headers}
        lines = [f"POST {self._path} HTTP/1.1", *(f"{name}: {value}" for name, value in said.items())]
        return "\r\n".join([*lines, "", ""]).encode() + sent


def _answer(heard: Any) -> tuple[int, bytes]:
    """Read one answer; `http.client` would read ahead into the next."""
    status, length = int(heard.readline().split()[1]), 0
    while (line := heard.readline().lower()) != b"\r\n":
        if line.startswith(b"content-length:"):
            length = int(line.split(b":")[1])
    return status, heard.read(length)
