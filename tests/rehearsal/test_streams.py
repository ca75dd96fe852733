"""Streams are heard line by line, servers die in the middle, and what may come of it is held."""

from __future__ import annotations

import contextlib
import http.server
import json
import socket
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import ValidationError

from rehearsal import streams
from rehearsal.client import Client
from rehearsal.script_streams import Streams
from rehearsal.streams import KillError, Stream

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rehearsal.result import Streamed

SAID: dict[str, Any] = {"name": "it holds", "entrance": "url", "method": "POST", "path": "/talk", "times": 6}


def said(**more: Any) -> Streams:
    return Streams.model_validate(SAID | more)


@dataclass
class Gateway:
    """Answers five messages a stream, in turn from two servers, of which some may be dead."""

    url: str = ""
    servers: tuple[str, ...] = ("127.0.0.2", "127.0.0.3")
    dead: set[str] = field(default_factory=set[str])
    repeats: bool = False
    """Whether it begins anew where a server dies, as no client may."""
    busy: bool = False
    """Whether it refuses whoever comes."""
    pace: float = 0.01
    bodies: list[Any] = field(default_factory=list[Any])

    def lines(self, number: int) -> Iterator[dict[str, Any]]:
        """Yield what is answered to the stream of that *number*."""
        alive = [each for each in self.servers if each not in self.dead]
        server, attempts = alive[number % len(alive)], 1
        index = 0
        while index < 5:
            if server in self.dead:
                if not self.repeats:
                    yield {"complete": False, "messages": index, "error": {"status": "UNAVAILABLE"}}
                    return
                server, index, attempts = next(each for each in self.servers if each not in self.dead), 0, 2
            yield {"index": index, "agent": f"{server}:50051", "text": "word"}
            index += 1
            time.sleep(self.pace)
        yield {"complete": True, "messages": 5, "attempts": attempts}


class Handler(http.server.BaseHTTPRequestHandler):
    """Speaks for a `Gateway`."""

    of: Gateway
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Answer one stream, chunk by chunk."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"] or 0)) or b"{}")
        self.of.bodies.append(body)
        if self.of.busy:
            refusal = json.dumps({"error": {"status": "UNAVAILABLE", "attempts": 2}}).encode()
            self.send_response(503)
            self.send_header("Content-Length", str(len(refusal)))
            self.end_headers()
            self.wfile.write(refusal)
            return
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for line in self.of.lines(int(body.get("n", 0))):
            data = json.dumps(line).encode() + b"\n"
            self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
            self.wfile.flush()
        self.wfile.write(b"0\r\n\r\n")

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    class Own(Handler):
        of = Gateway()

    class Quiet(http.server.ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            """Pass over a client that has gone."""

    server = Quiet(("127.0.0.1", 0), Own)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    Own.of.url = f"http://127.0.0.1:{server.server_port}"
    yield Own.of
    server.shutdown()
    server.server_close()


@dataclass
class Killer:
    """Kills the server that most streams are on."""

    gateway: Gateway
    wrong: tuple[str, ...] = ()
    streams: Counter[str] = field(default_factory=Counter[str])

    def kill(self, streams: Counter[str]) -> frozenset[str]:
        """Kill it."""
        self.streams = streams
        ((host, _),) = streams.most_common(1)
        self.gateway.dead.add(host.partition(":")[0])
        return frozenset({host})

    def replaced(self) -> tuple[float, list[str]]:
        """Say that it took a second and a quarter."""
        return 1.25, list(self.wrong)


def run(gateway: Gateway, killer: Any = None, **more: Any) -> list[Streamed]:
    sent = {"json": {"n": "{number}", "of": ["{number}"]}, "at_once": 6} | more
    return streams.run(Client("http://127.0.0.1:1"), "talk", gateway.url, said(**sent), killer)


def test_streams_that_are_answered_whole_are_counted(gateway: Gateway) -> None:
    (done,) = run(gateway, expect={"balanced_over": 2, "messages": 5})
    assert (done.ok, done.problems) == (True, ())
    assert (done.times, done.complete, done.failed, done.messages, done.killed) == (6, 6, {}, 30, ())
    assert done.hosts == {"127.0.0.2:50051": 3, "127.0.0.3:50051": 3}


def test_each_stream_has_a_number_of_its_own(gateway: Gateway) -> None:
    """Many streams of one conversation would not be what a workload sees."""
    run(gateway)
    assert sorted(each["n"] for each in gateway.bodies) == ["1", "2", "3", "4", "5", "6"]
    assert all(each["of"] == [each["n"]] for each in gateway.bodies)


KILL = {"kill": {"service": "agent", "after_messages": 8}, "afterwards": {"times": 4}}


def test_a_killed_server_fails_its_own_streams_alone_and_answers_none_afterwards(gateway: Gateway) -> None:
    """The figure that the whole step is for."""
    killer = Killer(gateway)
    first, again = run(gateway, killer, **KILL, expect={"complete_at_least": 3, "balanced_over": 2})
    assert (first.ok, first.problems) == (True, ())
    assert first.failed == {"UNAVAILABLE": 3}
    assert first.complete == 3
    assert first.replaced_in == 1.25
    assert {host.partition(":")[0] for host in killer.streams} == set(gateway.servers)
    (survivor,) = set(first.hosts) - set(first.killed)
    assert (again.ok, again.complete, again.hosts) == (True, 4, {survivor: 4})
    assert again.name == "afterwards, it holds"


def test_too_few_whole_streams_are_told_with_the_number_expected(gateway: Gateway) -> None:
    first, _ = run(gateway, Killer(gateway), **KILL, expect={"complete_at_least": 4})
    assert "expected 4 of 6 streams answered whole, got 3" in first.problems


def test_a_client_that_begins_anew_after_messages_is_found(gateway: Gateway) -> None:
    """Its caller hears the same words twice, and all are counted as whole."""
    gateway.repeats = True
    first, _ = run(gateway, Killer(gateway), **KILL)
    assert first.complete == 6
    assert first.retried == 3
    assert any("each is due once and in order, from 0" in each for each in first.problems)


def test_a_kill_that_never_came_fails(gateway: Gateway) -> None:
    """A script that asks for too much would pass without having shown anything."""
    first, again = run(gateway, Killer(gateway), **KILL | {"kill": {"service": "agent", "after_messages": 1000}})
    (problem,) = first.problems
    assert problem.startswith("nothing was killed: the streams were over after 30 messages, and kill.after_messages is")
    assert again.ok


def test_a_kill_that_cannot_be_done_is_told(gateway: Gateway) -> None:
    class Helpless(Killer):
        def kill(self, streams: Counter[str]) -> frozenset[str]:
            raise KillError(f"{len(streams)} hosts, and none is a task")

    assert run(gateway, Helpless(gateway), **KILL)[0].problems == ("2 hosts, and none is a task",)


def test_a_service_that_is_not_itself_again_is_told(gateway: Gateway) -> None:
    killer = Killer(gateway, wrong=("after the kill, service 'agent': 1 of 2 tasks are well",))
    first, _ = run(gateway, killer, **KILL, expect={"complete_at_least": 3})
    assert first.problems == killer.wrong


def test_a_refusal_before_the_first_message_is_no_consequence_of_a_kill(gateway: Gateway) -> None:
    """Such a stream is to be tried again on another server, where nobody notices."""
    gateway.busy = True
    (done,) = run(gateway, expect={"complete_at_least": 0})
    assert (done.failed, done.retried) == ({"UNAVAILABLE": 6}, 6)
    (problem,) = done.problems
    assert problem.startswith("stream 1, 2, 3, 4, 5 and 1 more failed before its first message (UNAVAILABLE)")


def test_a_stream_that_hangs_is_given_up_after_its_time(gateway: Gateway) -> None:
    gateway.pace = 0.5
    started = time.monotonic()
    (done,) = run(gateway, within=0.2)
    assert time.monotonic() - started < 2
    assert done.failed == {"no last line within 0.2 s": 6}


@pytest.mark.parametrize(
    ("answered", "code"),
    [
        (b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 6\r\n\r\nsorry\n", "HTTP status 502"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsorry\n", "a line that is no JSON"),
        (b'HTTP/1.1 200 OK\r\n\r\n{"index": 0}\n', streams.CUT),
        (b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"index": 0}\n', streams.CUT),
        (b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nd\r\n{"index": 0}\n\r\n', streams.CUT),
        (b'HTTP/1.1 200 OK\r\n\r\n{"error": "DEADLINE_EXCEEDED"}', "DEADLINE_EXCEEDED"),
        (b'HTTP/1.1 200 OK\r\n\r\n{"complete": false, "error": {}}', "an error without a code"),
        (b"", streams.CUT),
    ],
)
def test_an_answer_that_ends_otherwise_is_a_failure_by_its_name(answered: bytes, code: str) -> None:
    """None may pass for whole because nobody thought of it."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection, contextlib.suppress(OSError):
                connection.recv(65_536)
                connection.sendall(answered)
                connection.shutdown(socket.SHUT_RDWR)

        threading.Thread(target=serve, daemon=True).start()
        gateway = Gateway(url=f"http://127.0.0.1:{server.getsockname()[1]}")
        (done,) = run(gateway, times=1)
    assert [each.partition(" (")[0] for each in done.failed] == [code]
    assert not done.ok


def stream(*indexes: int, host: str = "a", code: str = "") -> Stream:
    return Stream(1, indexes=[*indexes], hosts=[host] * len(indexes), code=code)


@pytest.mark.parametrize(
    ("found", "told"),
    [
        (stream(0, 2), "heard the messages 0, 2: each is due once and in order, from 0"),
        (stream(1, 0), "heard the messages 1, 0"),
        (stream(0, 0), "heard the messages 0, 0"),
        (stream(), "was answered whole with 0 messages, and one or more were due"),
        (stream(0, host="gone"), "was answered by gone, which had been killed"),
        (stream(0, code="UNAVAILABLE"), "failed on a, which was not killed (UNAVAILABLE)"),
        (stream(0, host="killed", code="INTERNAL"), "failed with INTERNAL, where only UNAVAILABLE and DEADLINE_EXC"),
        (stream(code="UNAVAILABLE"), "failed before its first message (UNAVAILABLE)"),
    ],
)
def test_a_streams_fault_is_told(found: Stream, told: str) -> None:
    wanted = said(expect={"complete_at_least": 0})
    (problem,) = streams.judge(wanted, [found], frozenset({"killed"}), frozenset({"gone"}))
    assert problem.startswith(f"stream 1 {told}")


def test_a_failure_of_a_killed_server_is_no_fault() -> None:
    wanted = said(expect={"complete_at_least": 0})
    assert streams.judge(wanted, [stream(0, host="killed", code="UNAVAILABLE")], frozenset({"killed"})) == []


def test_streams_that_all_go_to_one_server_are_told() -> None:
    (problem,) = streams.judge(said(expect={"balanced_over": 2}), [stream(0)] * 6, frozenset())
    assert problem == "expected streams spread over 2 servers, got a"


def test_of_many_faults_five_are_told() -> None:
    """A broken server has as many as it has streams."""
    found = [stream(0, number) for number in range(2, 12)]
    problems = streams.judge(said(expect={"complete_at_least": 0}), found, frozenset())
    assert len(problems) == 6
    assert problems[-1] == "and 5 more such faults"


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"expect": {"complete_at_least": 7}}, "expect.complete_at_least is 7 of 6 times: give 6 or fewer"),
        ({"afterwards": {"times": 2}}, "give `kill`, or more `times`"),
        ({"times": 0}, "times"),
        ({"kill": {"service": "agent"}}, "kill.after_messages"),
    ],
)
def test_what_cannot_be_is_refused(more: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        said(**more)
