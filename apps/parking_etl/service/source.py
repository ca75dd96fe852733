"""The open data's API: one dataset's pages, asked for again where that may help.

A page is asked for again, after a pause of random length whose bound doubles, when the connection fails or is silent,
when the status is 408, 429 or 5xx, and when the body is cut off or is no JSON. Any other answer is final.
"""

from __future__ import annotations

import http.client
import io
import itertools
import json
import random
import ssl
import time
from typing import TYPE_CHECKING, Any, Final, cast
from urllib.parse import urlsplit

from exits import BadDataError, RunError, UnavailableError

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator

    from environment import Environment
    from journal import Journal

LARGEST_PAGE: Final = 8 * 1024 * 1024
"""Bytes. A page of 1000 car parks has about 700 KB."""
MOST_ROWS: Final = 200_000
"""Of one dataset, which has some thousands; a source that goes on after that never ends."""
FIRST_PAUSE: Final = 0.5
"""Seconds; the longest pause before the first repetition, doubled for each one after it."""
LONGEST_PAUSE: Final = 15.0
"""Seconds."""

_AGAIN: Final = frozenset({408, 429, *range(500, 600)})
_CHUNK: Final = 64 * 1024


class _AgainError(Exception):
    """A page that did not come, and may come when it is asked for again; *final* is what it means if it does not."""

    def __init__(self, final: RunError) -> None:
        super().__init__(str(final))
        self.final = final


class Source:
    """The API at one address. `retries` counts the requests made again."""

    def __init__(self, environment: Environment, journal: Journal, pause: Callable[[float], None] = time.sleep) -> None:
        self.retries = 0
        self._environment = environment
        self._journal = journal
        self._pause = pause
        address = urlsplit(environment.open_data_url)
        self._host, self._port, self._path = address.hostname or "", address.port, address.path
        self._tls = trust() if address.scheme == "https" else None

    def pages(self, dataset: str) -> Iterator[list[Any]]:
        """Yield the rows of each page of *dataset*, from the first to the last that has any.

        A short page is not taken for the last one: a source that gives less than it is asked for would seem to end.

        Raises:
            BadDataError: a page is no list of rows, is too large, or there are more than `MOST_ROWS` in all.
            UnavailableError: a page is not to be had.

        """
        read = 0
        for number in itertools.count():
            rows = self._page(
                f"{self._path}/api/datasets/{dataset}/json?page={number}&size={self._environment.page_size}"
            )
            if not rows:
                return
            read += len(rows)
            if read > MOST_ROWS:
                raise BadDataError(f"dataset {dataset} has more than {MOST_ROWS} rows")
            yield rows

    def _page(self, target: str) -> list[Any]:
        for attempt in range(self._environment.retries + 1):
            try:
                return _rows(target, self._body(target))
            except _AgainError as error:
                if attempt == self._environment.retries:
                    raise error.final from error
                # Anything up to the bound, not the bound itself: whoever failed together is not to return together.
                seconds = random.uniform(0, min(FIRST_PAUSE * 2**attempt, LONGEST_PAUSE))  # noqa: S311 -- no secret
                self._journal.warning("asking again", why=str(error), attempt=attempt + 1, seconds=round(seconds, 3))
                self.retries += 1
                self._pause(seconds)
        raise AssertionError  # the last attempt returns or raises

    def _body(self, target: str) -> bytes:
        ends = time.monotonic() + self._environment.request_timeout
        connection = self._connection()
        try:
            connection.request("GET", target, headers={"Accept": "application/json", "User-Agent": "parking-etl"})
            response = _response(connection, ends)
            if response.status != http.client.OK:
                error = UnavailableError(f"{target}: status {response.status}")
                raise _AgainError(error) if response.status in _AGAIN else error
            body = bytearray()
            while chunk := response.read1(_CHUNK):
                body += chunk
                if len(body) > LARGEST_PAGE:
                    raise BadDataError(f"{target}: more than {LARGEST_PAGE} bytes")
            # Reading piece by piece, http.client does not say that a body ended before its length.
            if response.length:
                raise _AgainError(UnavailableError(f"{target}: cut off {response.length} bytes before its end"))
        except ssl.SSLCertVerificationError as error:
            raise UnavailableError(f"{target}: {error}") from error
        except (OSError, http.client.HTTPException) as error:
            raise _AgainError(UnavailableError(f"{target}: {error!r}")) from error
        finally:
            connection.close()
        return bytes(body)

    def _connection(self) -> http.client.HTTPConnection:
        timeout = self._environment.request_timeout
        if self._tls:
            return http.client.HTTPSConnection(self._host, self._port, timeout=timeout, context=self._tls)
        return http.client.HTTPConnection(self._host, self._port, timeout=timeout)


class _Until(io.RawIOBase):
    """A connection's incoming side, read until *ends* and no longer: its timeout is for each read alone."""

    def __init__(self, connection: socket.socket, ends: float) -> None:
        self._connection = connection
        self._ends = ends

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read what there is into *buffer*."""
        left = self._ends - time.monotonic()
        if left <= 0:
            raise TimeoutError("timed out")
        self._connection.settimeout(left)
        return self._connection.recv_into(buffer)


def _response(connection: http.client.HTTPConnection, ends: float) -> http.client.HTTPResponse:
    """Read the answer's head, and return what reads the rest, both by *ends*."""
    response = http.client.HTTPResponse(connection.sock, method="GET")
    response.fp.close()  # the connection stays open
    response.fp = io.BufferedReader(_Until(connection.sock, ends))
    response.begin()
    return response


def trust() -> ssl.SSLContext:
    """Whom to trust: the system's authorities, for the name that was asked for.

    Python 3.13 refuses by default a chain whose root lacks a subject key identifier, which RFC 5280 asks of it. Roots
    of Taiwan's authorities lack it (https://github.com/python/cpython/issues/107361), so that this one check is off.
    """
    context = ssl.create_default_context()
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return context


def _rows(target: str, body: bytes) -> list[Any]:
    try:
        page = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise _AgainError(BadDataError(f"{target}: the body is no JSON: {error}")) from error
    if not isinstance(page, list):
        raise BadDataError(f"{target}: the body is no list of rows")
    return cast("list[Any]", page)
