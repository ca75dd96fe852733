"""Opens a workload's streams, has servers killed in the middle where the script says so, and judges what came of it."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Protocol, cast

import urllib3

from rehearsal.result import Streamed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rehearsal.client import Client
    from rehearsal.script_streams import Streams

CUT: Final = "no last line"
"""What a stream failed with whose answer ended before it said how."""
_CHUNK: Final = 65_536
_TOLD: Final = 5
"""Faults that are told, and streams of each."""


class KillError(Exception):
    """Nothing can be killed as the script says: what is wrong with it, and what would do."""


class Killer(Protocol):
    """Kills servers, and knows when others are in their place."""

    def kill(self, streams: Counter[str]) -> frozenset[str]:
        """Kill the servers that most *streams* are on (host → open streams); the hosts that are gone.

        Raises:
            KillError: it cannot.

        """
        ...

    def replaced(self) -> tuple[float, list[str]]:
        """Wait until as many serve as before; the seconds since the kill, and what is wrong if they do not."""
        ...


@dataclass
class Stream:
    """One stream, as far as it has come."""

    number: int
    """From 1."""
    indexes: list[int] = field(default_factory=list[int])
    """Of the messages heard."""
    hosts: list[str] = field(default_factory=list[str])
    """Which server each of them came from."""
    attempts: int = 1
    code: str = ""
    """What it failed with; empty when it was answered whole, and until it is over."""
    over: bool = False


def run(client: Client, workload: str, url: str, said: Streams, killer: Killer | None = None) -> list[Streamed]:
    """Do what the script *said* through the entrance at *url*; what came of it, and of what is to follow a kill."""
    batch = _Batch(client, url, said, killer)
    done = [batch.run(workload)]
    if said.afterwards:
        everything = {"complete_at_least": None, "balanced_over": 1}
        again = said.model_copy(
            update={
                "name": f"afterwards, {said.name}",
                "times": said.afterwards.times,
                "at_once": said.afterwards.at_once,
                "kill": None,
                "expect": said.expect.model_copy(update=everything),
            }
        )
        done.append(_Batch(client, url, again, None, gone=batch.killed).run(workload))
    return done


class _Batch:
    """All streams of one entry of a script."""

    killed: frozenset[str] = frozenset()
    """The hosts that were killed."""

    def __init__(
        self, client: Client, url: str, said: Streams, killer: Killer | None, *, gone: frozenset[str] = frozenset()
    ) -> None:
        """*gone* are hosts that were killed before, and must answer no more."""
        self._client, self._url, self._said, self._killer, self._gone = client, url, said, killer, gone
        self._streams = [Stream(number) for number in range(1, said.times + 1)]
        self._lock = threading.Lock()
        self._heard = 0
        """Messages of all streams."""
        self._due = threading.Event()
        """Set when it is time to kill, or when there is nothing left to be killed for."""

    def run(self, workload: str) -> Streamed:
        """Open all streams, some at a time, and wait until the last is over and who was killed is replaced."""
        said, streams, started = self._said, self._streams, time.monotonic()
        with ThreadPoolExecutor(said.at_once + 1, "streams") as pool:
            killing = pool.submit(self._kill)
            list(pool.map(self._follow, streams))
            seconds = time.monotonic() - started
            self._due.set()
            replaced_in, problems = killing.result()
        problems += judge(said, streams, self.killed, self._gone)
        return Streamed(
            workload=workload,
            name=said.name,
            entrance=said.entrance,
            method=said.method,
            path=said.path,
            times=said.times,
            complete=sum(not each.code for each in streams),
            failed=dict(Counter(each.code for each in streams if each.code)),
            retried=sum(each.attempts > 1 for each in streams),
            messages=self._heard,
            hosts=dict(sorted(Counter(host for each in streams for host in set(each.hosts)).items())),
            killed=tuple(sorted(self.killed)),
            replaced_in=replaced_in,
            seconds=seconds,
            ok=not problems,
            problems=tuple(problems),
        )

    def _kill(self) -> tuple[float, list[str]]:
        """Kill once it is due; the seconds until others are in their place, and what went wrong."""
        kill = self._said.kill
        if not kill or not self._killer:
            return 0.0, []
        self._due.wait()
        with self._lock:
            live = Counter(each.hosts[-1] for each in self._streams if each.hosts and not each.over)
        if self._heard < kill.after_messages or not live:
            wanted = f"kill.after_messages is {kill.after_messages}: give fewer, or longer streams"
            return 0.0, [f"nothing was killed: the streams were over after {self._heard} messages, and {wanted}"]
        try:
            self.killed = self._killer.kill(live)
        except KillError as error:
            return 0.0, [str(error)]
        return self._killer.replaced()

    def _follow(self, stream: Stream) -> None:
        """Open *stream* and hear it to its end."""
        until = time.monotonic() + self._said.within
        status = 0
        try:
            with _opened(self._client, self._url, self._said, stream.number) as answer:
                status = answer.status
                for line in _lines(answer):
                    self._hear(stream, line)
                    if stream.over or time.monotonic() > until:
                        break
        except ValueError as error:
            stream.code = f"a line that is no JSON ({error})"
        except (urllib3.exceptions.HTTPError, http.client.HTTPException, OSError):
            pass  # what it was shows in what is missing
        with self._lock:
            if not stream.over and time.monotonic() > until:
                stream.code = f"{CUT} within {self._said.within:g} s"
            elif not stream.over and status >= http.HTTPStatus.BAD_REQUEST:
                stream.code = f"HTTP status {status}"
            elif not stream.over:
                stream.code = stream.code or CUT
            stream.over = True

    def _hear(self, stream: Stream, line: Mapping[str, Any]) -> None:
        names, kill = self._said.fields, self._said.kill
        with self._lock:
            if names.error in line or line.get(names.complete) is True:
                error: Any = line.get(names.error, {})
                told = cast("Mapping[str, Any]", error) if isinstance(error, Mapping) else {names.code: error}
                stream.code = str(told.get(names.code) or ("an error without a code" if names.error in line else ""))
                stream.attempts = int(line.get(names.attempts) or told.get(names.attempts) or 1)
                stream.over = True
            elif names.index in line:
                stream.indexes.append(int(line[names.index]))
                stream.hosts.append(str(line.get(names.host, "")))
                self._heard += 1
        if kill and self._heard >= kill.after_messages:
            self._due.set()


def _opened(client: Client, url: str, said: Streams, number: int) -> urllib3.BaseHTTPResponse:
    address, host = client.resolve(url.rstrip("/") + said.path)
    headers = {**host, "Content-Type": "application/json", **said.headers}
    body = json.dumps(numbered(said.json_, number)) if said.json_ is not None else None
    # A connection of its own, closed with the stream: none is handed on with what a dead server left in it.
    pool = urllib3.PoolManager(retries=False, timeout=urllib3.Timeout(connect=5, read=said.within))
    return pool.request(
        said.method, address, body=body, headers=headers, redirect=False, preload_content=False, decode_content=True
    )


def _lines(answer: urllib3.BaseHTTPResponse) -> Iterator[Mapping[str, Any]]:
    """Yield each line as it comes, read as JSON."""
    left = b""
    while chunk := answer.read1(_CHUNK):
        *lines, left = (left + chunk).split(b"\n")
        yield from (_object(line) for line in lines if line.strip())
    if left.strip():
        yield _object(left)


def _object(line: bytes) -> Mapping[str, Any]:
    read = json.loads(line)
    return cast("Mapping[str, Any]", read) if isinstance(read, Mapping) else {}


def numbered(value: Any, number: int) -> Any:
    """Return *value* with ``{number}`` in each of its texts replaced by *number*."""
    match value:
        case str():
            return value.replace("{number}", str(number))
        case Mapping():
            return {name: numbered(each, number) for name, each in cast("Mapping[str, Any]", value).items()}
        case list():
            return [numbered(each, number) for each in cast("list[Any]", value)]
        case _:
            return value


def judge(
    said: Streams, streams: Sequence[Stream], killed: frozenset[str], gone: frozenset[str] = frozenset()
) -> list[str]:
    """Return where *streams* are not what the script *said*; *killed* died meanwhile, and *gone* before."""
    problems: list[str] = []
    whole = sum(not each.code for each in streams)
    wanted = said.times if said.expect.complete_at_least is None else said.expect.complete_at_least
    if whole < wanted:
        problems.append(f"expected {wanted} of {said.times} streams answered whole, got {whole}")
    hosts = sorted({host for each in streams for host in each.hosts})
    if 0 < len(hosts) < said.expect.balanced_over:
        problems.append(f"expected streams spread over {said.expect.balanced_over} servers, got {', '.join(hosts)}")
    faults: dict[str, list[int]] = {}
    for stream in streams:
        for fault in _faults(said, stream, killed, gone):
            faults.setdefault(fault, []).append(stream.number)
    for fault, numbers in [*faults.items()][:_TOLD]:
        more = f" and {len(numbers) - _TOLD} more" if len(numbers) > _TOLD else ""
        problems.append(f"stream {', '.join(map(str, numbers[:_TOLD]))}{more} {fault}")
    return [*problems, *([f"and {len(faults) - _TOLD} more such faults"] if len(faults) > _TOLD else [])]


def _faults(said: Streams, stream: Stream, killed: frozenset[str], gone: frozenset[str]) -> Iterator[str]:
    first, heard, wanted = said.fields.first, len(stream.indexes), said.expect.messages
    if stream.indexes != [*range(first, first + heard)]:
        got = ", ".join(map(str, stream.indexes[:30]))
        yield f"heard the messages {got}: each is due once and in order, from {first}"
    elif not stream.code and heard != (wanted or max(heard, 1)):
        yield f"was answered whole with {heard} messages, and {wanted or 'one or more'} were due"
    for host in sorted(set(stream.hosts) & gone):
        yield f"was answered by {host}, which had been killed"
    if not stream.code:
        return
    if not stream.hosts:
        yield f"failed before its first message ({stream.code}): such a one is to be tried again"
    elif stream.hosts[-1] not in killed:
        yield f"failed on {stream.hosts[-1]}, which was not killed ({stream.code})"
    elif stream.code not in said.expect.codes:
        yield f"failed with {stream.code}, where only {' and '.join(said.expect.codes)} may be"
