"""The container's process under load, out of time, and on its way out."""

from __future__ import annotations

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

import pytest

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.apps.query_service.conftest import Service
    from tests.apps.query_service.private_api import PrivateApi

ROOM = 16


@pytest.fixture
def hold(api: PrivateApi) -> Iterator[threading.Event]:
    """The event that lets held users go; whoever is still held at the end is let go too."""
    api.release.clear()
    yield api.release
    api.release.set()


def until(holds: Callable[[], bool]) -> None:
    ends = time.monotonic() + 15
    while not holds():
        assert time.monotonic() < ends
        time.sleep(0.01)


def test_a_full_service_says_so_at_once_is_well_and_has_room_again(
    service: Service, api: PrivateApi, hold: threading.Event
) -> None:
    users = [f"hold-{number}" for number in range(ROOM)]
    with ThreadPoolExecutor(ROOM) as pool:
        waiting = [pool.submit(service.query, user) for user in users]
        until(lambda: all(api.calls[user] for user in users))
        began = time.monotonic()
        refused, health = service.query("one-too-many"), service.send("GET", "/health")
        assert time.monotonic() - began < 3
        assert (refused.status, refused.headers["Retry-After"], health.status) == (503, "1", 200)
        assert api.calls["one-too-many"] == 0
        hold.set()
        assert {answer.result().status for answer in waiting} == {200}
    assert service.query("one-too-many").status == 200


def test_slow_clients_cost_no_thread(service: Service) -> None:
    """Requests are read on the event loop: more clients that never finish than there are threads change nothing."""
    with ExitStack() as clients:
        for _ in range(4 * ROOM):
            client = clients.enter_context(socket.create_connection(("127.0.0.1", service.port)))
            client.sendall(b"POST /query/user HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
        assert service.query("among-slow-ones").status == 200


def test_a_request_ends_at_its_deadline_whatever_it_waits_for(
    serve: Callable[..., Any], environment: dict[str, str]
) -> None:
    """Neither AWS nor the API answers here: they accept connections and say nothing."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        mute = {"AWS_ENDPOINT_URL": url, "INTERNAL_API_URL": url, "REQUEST_TIMEOUT": "1"}
        with serve(**environment | mute) as service:
            began = time.monotonic()
            answer = service.query("late")
            assert 0.9 < time.monotonic() - began < 3
            assert (answer.status, answer.json["error"]["message"]) == (504, "no answer within 1 seconds")


def test_sigterm_finishes_what_is_in_flight_and_takes_no_more(
    serve: Callable[..., Any], environment: dict[str, str], api: PrivateApi, hold: threading.Event
) -> None:
    with (
        serve(**environment) as service,
        ThreadPoolExecutor(1) as pool,
        socket.create_connection(("127.0.0.1", service.port)) as idle,
    ):
        waiting = pool.submit(service.query, "hold-drain")
        until(lambda: bool(api.calls["hold-drain"]))
        service.process.send_signal(signal.SIGTERM)
        until(lambda: service.send("GET", "/health").status == 503)
        assert service.send("GET", "/health").json == {"status": "draining"}
        refused = service.query("new")
        assert (refused.status, refused.headers["Retry-After"], refused.headers["Connection"]) == (503, "1", "close")
        hold.set()
        answer = waiting.result()
        assert (answer.status, answer.json["source"]) == (200, "api")
        assert service.process.wait(5) == 0, "an idle connection holds nothing up"
        assert idle.recv(1) == b""


def test_a_request_that_came_just_before_sigterm_is_in_flight(
    serve: Callable[..., Any], environment: dict[str, str]
) -> None:
    """It waits in a buffer, unread, on a connection that is not even accepted."""
    with serve(**environment) as service:
        service.query("before")
        service.process.send_signal(signal.SIGSTOP)
        with socket.create_connection(("127.0.0.1", service.port), timeout=5) as client:
            client.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
            service.process.send_signal(signal.SIGTERM)
            service.process.send_signal(signal.SIGCONT)
            assert client.recv(100).startswith(b"HTTP/1.1 ")
        assert service.process.wait(5) == 0


def test_sigterm_ends_an_idle_service_at_once(serve: Callable[..., Any], environment: dict[str, str]) -> None:
    with serve(**environment) as service:
        service.query("before")
        began = time.monotonic()
        assert service.stop() == 0
        assert time.monotonic() - began < 3
        assert service.lines[-1]["message"] == "stopped"


def run(folder: Path, *command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1", **variables}
    return subprocess.run(  # noqa: S603 -- our own
        [sys.executable, *command],
        env=environment,
        cwd=folder / "service",
        capture_output=True,
        text=True,
        timeout=10,
        check=False,
    )


def test_an_unusable_environment_ends_the_process_with_one_line_that_names_each_variable(folder: Path) -> None:
    ended = run(folder, "main.py", REQUEST_TIMEOUT="soon", TABLE_NAME="answers")
    assert (ended.returncode, ended.stderr) == (2, "")
    said = json.loads(ended.stdout)
    at_fault = ["ENVIRONMENT", "INTERNAL_API_URL", "REQUEST_TIMEOUT", "AWS_DEFAULT_REGION", "FUNCTION_NAME"]
    assert [variable["name"] for variable in said["variables"]] == at_fault
    assert said["level"] == "error"
    assert "REQUEST_TIMEOUT is 'soon': a whole number of seconds from 1 to 55 would do" in said["message"]


def test_an_address_that_is_taken_ends_the_process_with_one_line(
    folder: Path, service: Service, environment: dict[str, str]
) -> None:
    ended = run(folder, "main.py", **environment, ENVIRONMENT="test", BIND_ADDRESS="127.0.0.1", PORT=str(service.port))
    assert (ended.returncode, ended.stderr) == (1, "")
    assert f"cannot listen at 127.0.0.1:{service.port}" in json.loads(ended.stdout)["message"]


def test_the_health_check_finds_a_healthy_service_well(folder: Path, service: Service) -> None:
    ended = run(folder, "healthcheck.py", BIND_ADDRESS="127.0.0.1", PORT=str(service.port))
    assert (ended.returncode, ended.stderr) == (0, "")


def test_the_health_check_asks_localhost_where_the_service_listens_everywhere(folder: Path, service: Service) -> None:
    for everywhere in ({}, {"BIND_ADDRESS": "0.0.0.0"}):
        assert run(folder, "healthcheck.py", PORT=str(service.port), **everywhere).returncode == 0


def test_the_health_check_says_what_it_found_where_nothing_listens(folder: Path) -> None:
    ended = run(folder, "healthcheck.py", BIND_ADDRESS="127.0.0.1", PORT="1")
    assert ended.returncode == 1
    assert "http://127.0.0.1:1/health" in ended.stderr
    assert "Traceback" not in ended.stderr
