"""Requests that go on while something is changed behind them, and what they were answered."""

from __future__ import annotations

import threading
import time
from collections import Counter
from typing import TYPE_CHECKING, Self

import urllib3

from rehearsal import client

if TYPE_CHECKING:
    from collections.abc import Callable

    from rehearsal.script import Request


class Traffic:
    """One request sent again and again, by several clients at once: while its block goes on, and often enough."""

    answers: Counter[str]
    """Status, or why there was no answer → how many."""

    def __init__(
        self,
        connect: Callable[[], client.Client],
        entrance: str,
        request: Request,
        *,
        times: int,
        at_once: int,
        per_second: int | None = None,
    ) -> None:
        """Send *request* through *entrance*, its URL.

        Args:
            connect: Makes each of the clients.
            entrance: Where to.
            request: What is sent; its body is not.
            times: How often at the least.
            at_once: How many clients there are. Each waits for its answer before it sends the next.
            per_second: How often at the most, all of them together. Default: as fast as answers come.

        """
        self.answers = Counter()
        self._connect, self._method = connect, request.method
        self._url, (self._headers, _) = client.url_of(request, entrance), client.headers_and_body(request)
        self._times, self._pause, self._next = times, 1 / per_second if per_second else 0.0, 0.0
        self._lock, self._over = threading.Lock(), threading.Event()
        self._clients = [threading.Thread(target=self._go_on, daemon=True) for _ in range(at_once)]

    def __enter__(self) -> Self:
        """Begin."""
        for each in self._clients:
            each.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End, once it was sent often enough."""
        self._over.set()
        for each in self._clients:
            each.join()

    def _go_on(self) -> None:
        with self._connect() as through:
            while not (self._over.is_set() and self.answers.total() >= self._times):
                self._take_turn()
                try:
                    answer = str(through.send(self._method, self._url, self._headers, None)[0])
                except (urllib3.exceptions.HTTPError, OSError) as error:
                    answer = f"no answer ({type(error).__name__})"
                with self._lock:
                    self.answers[answer] += 1

    def _take_turn(self) -> None:
        if not self._pause:
            return
        with self._lock:
            now = time.monotonic()
            turn = self._next = max(now, self._next + self._pause)
        time.sleep(turn - now)
