"""The gateway's process, asked over HTTP: what it passes on, what it refuses, and how it goes."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import grpc
import pytest

from tests.apps.workflow.fleet import Gateway, Process, free_port
from tests.apps.workflow.scripted import SILENCE, Scripted

if TYPE_CHECKING:
    from pathlib import Path

    from tests.apps.workflow.fleet import Agent

HELLO = {"conversation_id": "c-1", "text": "how are you"}


def refused(gateway: Gateway, body: object, headers: dict[str, str] | None = None) -> tuple[int, dict[str, Any]]:
    status, _, text = gateway.ask("POST", "/workflow/conversations", body, headers)
    return status, json.loads(text)["error"]


def before(agent: Scripted, **variables: str) -> Gateway:
    """Start a gateway before an agent that is scripted."""
    told = {"WORKFLOW_SERVICE_HOST": agent.address, "WORKFLOW_SERVICE_PORT": str(agent.port)}
    return Gateway(**told, **variables).wait_for("listening")


def raw(gateway: Gateway, **fields: Any) -> socket.socket:
    """Send a conversation, and read nothing of the answer."""
    connection = socket.create_connection(("127.0.0.1", gateway.port), timeout=10)
    connection.sendall(written({**HELLO, **fields}))
    return connection


def written(conversation: dict[str, Any]) -> bytes:
    """Write a request as it is sent."""
    body = json.dumps(conversation)
    kind = f"Content-Type: application/json\r\nContent-Length: {len(body)}"
    return f"POST /workflow/conversations HTTP/1.1\r\nHost: x\r\n{kind}\r\n\r\n{body}".encode()


def wait_for_line(process: Process, **fields: Any) -> dict[str, Any]:
    ends = time.monotonic() + 10
    while time.monotonic() < ends:
        for line in list(process.lines):
            if fields.items() <= line.items():
                return line
        time.sleep(0.01)
    pytest.fail(f"no line with {fields}")


def test_a_conversation_is_answered_line_by_line_and_the_last_line_says_that_it_is_whole(
    gateway: Gateway, agent: Agent
) -> None:
    status, headers, text = gateway.ask("POST", "/workflow/conversations", HELLO)
    assert (status, headers["Content-Type"]) == (200, "application/x-ndjson")
    *messages, last = map(json.loads, text.splitlines())
    named = {"conversation_id": "c-1", "agent": f"{agent.address}:{agent.port}"}
    assert messages == [
        {**named, "index": 0, "text": "HOW", "final": False},
        {**named, "index": 1, "text": "ARE", "final": False},
        {**named, "index": 2, "text": "YOU", "final": True},
    ]
    assert last == {"complete": True, "messages": 3}


def test_a_line_comes_as_soon_as_its_message(gateway: Gateway) -> None:
    """A gateway that waits for all of it needs no stream."""
    began = time.monotonic()
    with raw(gateway, pace_ms=500) as connection:
        received = b""
        while b'"HOW"' not in received:
            received += connection.recv(65536)
        assert b'"ARE"' not in received
        assert time.monotonic() - began < 0.95


def test_a_connection_takes_one_conversation_after_the_other(gateway: Gateway) -> None:
    with raw(gateway) as connection:
        for _ in range(3):
            received = b""
            while not received.endswith(b"0\r\n\r\n"):
                received += connection.recv(65536)
            assert b'"complete":true' in received
            connection.sendall(written(HELLO))


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/health", 200),
        ("GET", "/workflow/health", 200),
        ("GET", "/metrics", 200),
        ("GET", "/workflow/metrics", 404),
        ("POST", "/conversations", 404),
        ("GET", "/workflow", 404),
        ("GET", "/workflowhealth", 404),
        ("GET", "/workflow/conversations", 405),
        ("POST", "/health", 405),
    ],
)
def test_its_paths_are_behind_the_base_path_but_for_health_and_metrics(
    gateway: Gateway, method: str, path: str, status: int
) -> None:
    """The metrics are not for whoever comes through the load balancer, which passes on the base path alone."""
    assert gateway.ask(method, path)[0] == status


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ('{"conversation_id": ', "body"),
        ("[]", "body"),
        ({**HELLO, "language": "en"}, "language"),
        ({"conversation_id": "c-1"}, "text"),
        ({**HELLO, "conversation_id": 1}, "conversation_id"),
        ('{"conversation_id": "c-1", "text": "\\ud800"}', "text"),
        ({**HELLO, "pace_ms": -1}, "pace_ms"),
        ({**HELLO, "pace_ms": 2**32}, "pace_ms"),
        ({**HELLO, "pace_ms": True}, "pace_ms"),
    ],
)
def test_a_body_of_another_shape_is_refused_and_the_field_named(gateway: Gateway, body: object, field: str) -> None:
    status, error = refused(gateway, body)
    assert (status, error["field"]) == (400, field)


def test_what_the_agent_calls_invalid_is_the_callers_fault(gateway: Gateway) -> None:
    """In the agent's words: the bounds are said in one place."""
    status, error = refused(gateway, {**HELLO, "pace_ms": 1001})
    assert (status, error["status"], error["message"]) == (
        400,
        "INVALID_ARGUMENT",
        "pace_ms is 1001: 0 to 1000 would do",
    )


def test_a_body_that_is_not_called_json_or_is_too_large_is_refused(gateway: Gateway) -> None:
    assert refused(gateway, HELLO, {"Content-Type": "text/plain"})[0] == 415
    assert refused(gateway, {**HELLO, "text": "a" * 70_000})[0] == 413


def test_a_caller_that_goes_away_ends_the_agents_work_too(gateway: Gateway, agent: Agent) -> None:
    with raw(gateway, conversation_id="gone-1", text="a b c d e f g h i j", pace_ms=300) as connection:
        connection.recv(65536)
    assert wait_for_line(agent, conversation_id="gone-1")["status"] == "CANCELLED"


def test_a_full_gateway_says_so_at_once_is_well_and_has_room_again(gateway: Gateway) -> None:
    with ExitStack() as callers:
        for _ in range(256):
            callers.enter_context(raw(gateway, text="a b c d e f", pace_ms=1000))
        ends = time.monotonic() + 20
        while (found := refused_or_not(gateway)) != (503, "1"):
            assert time.monotonic() < ends, found
        assert gateway.ask("GET", "/health")[0] == 200
    while refused_or_not(gateway)[0] != 200:
        assert time.monotonic() < ends


def refused_or_not(gateway: Gateway) -> tuple[int, str | None]:
    status, headers, _ = gateway.ask("POST", "/workflow/conversations", HELLO)
    return status, headers["Retry-After"]


def test_before_the_first_message_a_failure_is_a_status() -> None:
    """Whoever was told 200 could only find out by reading to the end."""

    async def run() -> None:
        codes = [grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED]
        scripts = [[code] for code in (*codes, grpc.StatusCode.INTERNAL)] + [[SILENCE]]
        async with Scripted(*scripts) as agent:
            with before(agent, REQUEST_TIMEOUT="2") as gateway:
                told: list[Any] = []
                for _ in range(4):
                    status, headers, text = await asyncio.to_thread(gateway.ask, "POST", "/conversations", HELLO)
                    error = json.loads(text)["error"]
                    told.append((status, error["status"], error["attempts"], headers["Retry-After"]))
        assert told == [
            (503, "UNAVAILABLE", 2, "1"),
            (503, "RESOURCE_EXHAUSTED", 1, "1"),
            (502, "INTERNAL", 1, None),
            (504, "DEADLINE_EXCEEDED", 1, None),
        ]

    asyncio.run(run())


def test_in_mid_stream_a_failure_is_the_last_line_and_nothing_comes_twice() -> None:
    async def run() -> None:
        async with Scripted(["one", "two", grpc.StatusCode.UNAVAILABLE]) as agent:
            with before(agent) as gateway:
                status, _, text = await asyncio.to_thread(gateway.ask, "POST", "/conversations", HELLO)
        *messages, last = map(json.loads, text.splitlines())
        assert (status, [message["text"] for message in messages]) == (200, ["one", "two"])
        assert last == {"complete": False, "messages": 2, "error": {"status": "UNAVAILABLE", "message": "as told"}}
        assert len(agent.peers) == 1

    asyncio.run(run())


def test_a_callers_request_id_goes_all_the_way_and_comes_back() -> None:
    """And one that would break a log or a header is replaced."""

    async def run() -> None:
        async with Scripted() as agent:
            with before(agent) as gateway:
                for given in ("r-1", "r 1"):
                    headers = {"X-Request-Id": given}
                    _, answered, _ = await asyncio.to_thread(gateway.ask, "POST", "/conversations", HELLO, headers)
                    passed = agent.metadata[-1]["x-request-id"]
                    assert passed == answered["X-Request-Id"]
                    assert (passed == given) is (given == "r-1")
                    assert wait_for_line(gateway, request_id=passed)["grpc_status"] == "OK"

    asyncio.run(run())


def test_its_metrics_have_the_three_names() -> None:
    async def run() -> None:
        async with Scripted(["hello"], [grpc.StatusCode.INTERNAL]) as agent:
            with before(agent) as gateway:
                for _ in range(2):
                    await asyncio.to_thread(gateway.ask, "POST", "/conversations", HELLO)
                read = (
                    "grpc_connections",
                    "grpc_request_duration_seconds_count",
                    'grpc_failures_total{reason="internal"}',
                )
                assert [await asyncio.to_thread(gateway.metric, each) for each in read] == [1, 2, 1]

    asyncio.run(run())


def test_an_entrance_with_tls_is_asked_by_its_name(folder: Path, tmp_path: Path) -> None:
    """A load balancer's certificate is for its name, though its addresses are what is connected to."""
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    made = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 -subj /CN=localhost"
    command = [*made.split(), "-addext", "subjectAltName=DNS:localhost", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(command, check=True, capture_output=True)  # noqa: S603 -- our own
    credentials = grpc.ssl_server_credentials([(key.read_bytes(), certificate.read_bytes())])
    roots = {"GRPC_DEFAULT_SSL_ROOTS_FILE_PATH": str(certificate), "WORKFLOW_SERVICE_TLS": "true"}

    async def run() -> None:
        agent = Scripted(credentials=credentials)
        agent.address = "127.0.0.1"  # what `localhost` is
        async with agent:
            told = {"WORKFLOW_SERVICE_HOST": "localhost", "WORKFLOW_SERVICE_PORT": str(agent.port)}
            with Gateway(**told, **roots).wait_for("listening") as gateway:
                assert (await asyncio.to_thread(gateway.ask, "POST", "/conversations", HELLO))[0] == 200

    asyncio.run(run())


def test_sigterm_finishes_what_is_in_flight_and_takes_no_more(agent: Agent) -> None:
    told = {"WORKFLOW_SERVICE_HOST": agent.address, "WORKFLOW_SERVICE_PORT": str(agent.port)}
    with Gateway(**told).wait_for("listening") as gateway, ThreadPoolExecutor(1) as pool:
        answering = pool.submit(gateway.ask, "POST", "/conversations", {**HELLO, "pace_ms": 800})
        ends = time.monotonic() + 5
        while not gateway.metric("grpc_connections") and time.monotonic() < ends:
            time.sleep(0.02)
        gateway.send(signal.SIGTERM)
        gateway.wait_for("draining")
        assert gateway.ask("GET", "/health")[0] == 503
        status, headers, _ = gateway.ask("POST", "/conversations", HELLO)
        assert (status, headers["Retry-After"], headers["Connection"]) == (503, "1", "close")
        assert '"complete":true' in answering.result()[2]
        assert gateway.end() == 0
    assert gateway.lines[-1]["message"] == "stopped"


def test_an_unusable_environment_ends_it_with_one_line_that_names_each_variable() -> None:
    with Process("gateway", PORT="http", BASE_PATH="workflow", REQUEST_TIMEOUT="60", BIND_ADDRESS="here") as gateway:
        assert gateway.end() == 2
    (line,) = gateway.lines
    for said in (
        "PORT is 'http': a port from 1 to 65535 would do",
        "BASE_PATH is 'workflow': a path such as /workflow would do",
        "REQUEST_TIMEOUT is '60': a whole number of seconds from 1 to 55 would do",
        "BIND_ADDRESS is 'here': an IP address would do",
        "no way to the agents is set",
    ):
        assert said in line["message"]


def test_an_address_that_is_taken_ends_it_with_one_line(gateway: Gateway) -> None:
    told = {"WORKFLOW_SERVICE_HOST": "127.0.0.1", "BIND_ADDRESS": "127.0.0.1", "PORT": str(gateway.port)}
    with Process("gateway", **told) as second:
        assert second.end() == 1
        assert f"cannot listen at 127.0.0.1:{gateway.port}" in second.lines[-1]["message"]


def test_the_health_check_tells_a_healthy_gateway_from_none(folder: Path, gateway: Gateway) -> None:
    for port, code in ((gateway.port, 0), (free_port(), 1)):
        ended = subprocess.run(
            [sys.executable, "healthcheck.py"],
            env={"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1", "PORT": str(port)},
            cwd=folder / "gateway",
            capture_output=True,
            text=True,
            timeout=10,
            check=False,
        )
        assert ended.returncode == code
        assert "Traceback" not in ended.stderr
