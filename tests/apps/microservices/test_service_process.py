"""What every service's process does by itself: its environment, its limits, its end."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from tests.apps.microservices.processes import REGION, SERVICES, Container, Emulator, running, service

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from types import ModuleType

SET = {"AWS_DEFAULT_REGION": REGION, "TABLE_NAME": "items", "BUCKET_NAME": "days"}
KEYS = {"AWS_ACCESS_KEY_ID": "none", "AWS_SECRET_ACCESS_KEY": "none"}
ADA = {"name": "Ada", "email": "ada@example.com"}


@contextmanager
def silent() -> Iterator[socket.socket]:
    """An endpoint that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listener:
        listener.settimeout(10)
        yield listener


def url_of(listener: socket.socket) -> str:
    return f"http://127.0.0.1:{listener.getsockname()[1]}"


def run(*arguments: str, **variables: str) -> tuple[int, str]:
    """The exit code and the log of a service that is expected to end by itself."""
    ended = subprocess.run(  # noqa: S603 -- our own
        [sys.executable, "main.py", *arguments],
        env={"PYTHONDONTWRITEBYTECODE": "1", **variables},
        cwd=SERVICES,
        capture_output=True,
        text=True,
        timeout=10,
        check=False,
    )
    assert not ended.stderr
    return ended.returncode, ended.stdout


def test_a_service_that_is_not_there_is_said_with_those_that_are() -> None:
    for arguments in ((), ("users",), ("serving",), ("../user",)):
        code, log = run(*arguments)
        assert code == 2
        assert "blog, market, news, user would do" in log


def test_every_variable_at_fault_is_named_at_once() -> None:
    code, log = run("user", PORT="http", BIND_ADDRESS="here", BASE_PATH="user", REQUEST_TIMEOUT="56", TABLE_NAME="a b")
    assert code == 2
    for name in ("PORT", "BIND_ADDRESS", "BASE_PATH", "REQUEST_TIMEOUT", "TABLE_NAME", "AWS_DEFAULT_REGION"):
        assert name in log
    assert "BUCKET_NAME is not set" in run("market", **SET | {"BUCKET_NAME": ""})[1]


def test_what_is_not_set_has_a_default(load: Callable[[str], ModuleType]) -> None:
    found = load("serving.environment").read(SET, "user", "TABLE_NAME")
    assert (found.bind_address, found.port, found.base_path, found.request_timeout) == ("0.0.0.0", 8080, "/user", 10)
    assert found.storage_name == "items"


def test_a_service_is_a_folder_and_nothing_lists_it(load: Callable[[str], ModuleType]) -> None:
    """Each says what it needs; a sixth is one folder more."""
    names = load("serving.service").names()
    assert {"blog", "market", "news", "user"} <= set(names)
    assert "serving" not in names
    for name in names:
        service = load(f"{name}.service").SERVICE
        assert service.storage == ("BUCKET_NAME" if name == "market" else "TABLE_NAME")


def test_a_sixth_service_is_one_folder_more(tmp_path: Path, emulator: Emulator) -> None:
    """Nothing that is there already is touched."""
    copy = shutil.copytree(SERVICES, tmp_path / "services", ignore=shutil.ignore_patterns("__pycache__"))
    (copy / "recipe").mkdir()
    (copy / "recipe" / "service.py").write_text(
        "from records.collection import Headline, service\n"
        "from records.fields import Text\n"
        "SERVICE = service({'dish': Text(longest=80)}, lambda recipe: Headline(title=recipe['dish'], summary=''))\n"
    )
    with running([sys.executable, "main.py", "recipe"], copy, **emulator.table()) as recipe:
        assert recipe.send("POST", "/recipe", {"dish": "Soup"}).status == 201
        assert recipe.send("GET", "/recipe/latest").json["items"][0]["title"] == "Soup"
        assert recipe.send("POST", "/recipe", {"dish": ""}).status == 400


def test_a_field_of_an_items_own_name_is_refused_when_the_service_is_written(load: Callable[[str], ModuleType]) -> None:
    collection, fields = load("records.collection"), load("records.fields")
    with pytest.raises(ValueError, match="id"):
        collection.service({"id": fields.Text(longest=1)}, lambda _: None)


def test_a_request_ends_at_its_deadline_and_a_full_service_says_so() -> None:
    """AWS does not answer here; the service is well all the while."""
    with (
        silent() as aws,
        service("user", **SET, **KEYS, AWS_ENDPOINT_URL=url_of(aws), REQUEST_TIMEOUT="2") as user,
    ):
        with ThreadPoolExecutor(20) as pool:
            began = time.monotonic()
            answers = [answer.result() for answer in [pool.submit(user.send, "GET", "/user") for _ in range(20)]]
            assert time.monotonic() - began < 4
        statuses = [answer.status for answer in answers]
        assert set(statuses) == {503, 504}
        assert statuses.count(503) >= 4, "there is room for 16"
        assert user.send("GET", "/health").status == 200


def test_slow_clients_cost_no_thread(user: Container) -> None:
    """Requests are read on the event loop: more clients that never finish than there are threads change nothing."""
    with ExitStack() as clients:
        for _ in range(64):
            client = clients.enter_context(socket.create_connection(user.host.split(":")))
            client.sendall(b"POST /user HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
        assert user.send("GET", "/user?limit=1").status == 200


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"nonsense\r\n\r\n", b"400"),
        (b"GET /user HTTP/1.1\r\n\r\n", b"400"),
        (b"POST /user HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n", b"413"),
        (b"GET /user HTTP/1.1\r\nHost: x\r\nA: " + b"x" * 20_000, b"431"),
        (b"POST /user HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}", b"400"),
        (b"GET /user\x00 HTTP/1.1\r\nHost: x\r\n\r\n", b"400"),
    ],
)
def test_what_is_no_request_is_refused_and_the_connection_closed(sent: bytes, status: bytes, user: Container) -> None:
    with socket.create_connection(user.host.split(":"), timeout=5) as client:
        client.sendall(sent)
        told = b"".join(iter(lambda: client.recv(65536), b""))
    assert told.startswith(b"HTTP/1.1 " + status), told
    assert b"connection: close" in told.lower()


def test_chunks_without_end_are_cut_at_the_limit(user: Container) -> None:
    with socket.create_connection(user.host.split(":"), timeout=5) as client:
        client.sendall(b"POST /user HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
        client.sendall(b"10000\r\n" + b"x" * 0x10000 + b"\r\n")
        for _ in range(4):
            client.sendall(b"10000\r\n" + b"x" * 0x10000 + b"\r\n")
        assert client.recv(65536).startswith(b"HTTP/1.1 413")


def test_bodies_that_may_be_large_leave_room_for_fewer_connections(load: Callable[[str], ModuleType]) -> None:
    """512 of market's megabytes would be all the memory that a task has."""
    server, journal = load("serving.connections").Server, load("serving.journal")

    async def unasked(_: Any) -> None: ...

    most = [server(unasked, journal.Journal(), largest_body=size)._most for size in (256 * 1024, 1024 * 1024)]
    assert most == [512, 128]


def test_what_is_in_flight_at_sigterm_is_answered_and_so_is_what_comes_meanwhile() -> None:
    """A load balancer may send for a moment longer: none of it is lost."""
    with (
        silent() as aws,
        service("user", **SET, **KEYS, AWS_ENDPOINT_URL=url_of(aws), REQUEST_TIMEOUT="2") as user,
    ):
        with ThreadPoolExecutor(2) as pool:
            waiting = pool.submit(user.send, "GET", "/user")
            asked, _ = aws.accept()
            with asked:
                user.terminate()
                time.sleep(0.3)
                health = user.send("GET", "/health")
                refused = user.send("GET", "/nothing")
                assert (health.status, health.json) == (503, {"status": "draining"})
                assert (refused.status, refused.headers["Connection"]) == (404, "close")
                assert waiting.result().status == 504
        assert user.read_to_the_end() == 0
        assert [line["message"] for line in user.lines][-1] == "stopped"
