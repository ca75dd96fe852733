"""What attackers send, and that they get nothing for it."""

from __future__ import annotations

import gzip
import http.client
import json
import socket
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.apps.express_api.databases import ADA, Client, Database
from tests.apps.express_api.processes import INFO, LOGIN, PRESCRIPTION, Api, api

INJECTIONS = [
    "' OR '1'='1", "'; DROP TABLE api.clients; --", "x'||pg_sleep(9)||'", "\\'; SELECT pg_sleep(9)--", '" OR ""="',
    "1) UNION SELECT id, email, password_hash, now() FROM api.clients --", "$1", "%27%20OR%201=1",
]  # fmt: skip


@pytest.fixture(scope="module")
def token(shop: Api) -> str:
    return shop.token(ADA)


@pytest.mark.parametrize("injected", INJECTIONS)
def test_what_looks_like_sql_is_a_value_like_any_other(
    injected: str, shop: Api, token: str, database: Database
) -> None:
    began = time.monotonic()
    spaced = injected.replace(" ", "%20")
    # An address has no blanks; a comment is as good to PostgreSQL.
    found = shop.login(Client(f"{injected}@example.com".replace(" ", "/**/"), injected))
    asked = [shop.prescriptions(token, f"?{name}={spaced}") for name in ("limit", "cursor")]
    forged = shop.send("GET", PRESCRIPTION, Authorization=f"Bearer {injected}")
    assert [answer.status for answer in (found, *asked, forged)] == [401, 400, 400, 401]
    assert shop.send("GET", INFO, X_Request_Id=injected).headers["X-Request-Id"] != injected
    assert time.monotonic() - began < 8, "nobody slept in the database"
    assert database.sql("SELECT count(*) FROM api.clients") == [["2"]]


@pytest.mark.parametrize(
    "path",
    [
        "/../../../../etc/passwd", "/api/../main.js", "/api/info/../../package.json", "//etc/passwd", "/..%2f..%2fetc/",
        "/api/info/%2e%2e/%2e%2e/etc/passwd", "/api/client/prescription/..%5c..%5cmain.js", "/%00", "/api/info%00",
        "/%c0%ae%c0%ae/etc/passwd", "/%ff", "/%", "/package.json", "/main.js", "/migrations/0001-clients.sql",
        "/node_modules/pg/package.json", "/.npmrc", "/api/client/prescription/1", "/__proto__", "/api", "http://x/../y",
    ],
)  # fmt: skip
def test_no_path_leads_to_a_file(path: str, shop: Api) -> None:
    answer = shop.send("GET", path)
    assert answer.status in {400, 404}
    assert set(answer.json) == {"error", "request_id"}


def test_what_is_too_large_is_refused_and_not_kept(shop: Api) -> None:
    """By its length where it says one, by its count where it does not."""
    json_type = {"Content-Type": "application/json"}
    credentials = json.dumps(ADA.credentials)
    padded = credentials.replace("{", "{" + " " * 8192, 1)
    assert shop.send("POST", LOGIN, padded, **json_type).status == 413
    connection = http.client.HTTPConnection(shop.host, timeout=10)
    connection.request("POST", LOGIN, iter([b" " * 4096] * 4), json_type, encode_chunked=True)
    assert connection.getresponse().status == 413
    connection.close()
    bomb = gzip.compress(padded.encode())
    assert shop.send("POST", LOGIN, bomb, **json_type, Content_Encoding="gzip").status == 415
    assert shop.send("POST", LOGIN, "[" * 8000, **json_type).status == 400
    assert shop.send("POST", LOGIN, credentials, Content_Type="text/plain").status == 415
    assert shop.send("POST", LOGIN, credentials, Content_Type="application/json; charset=klingon").status == 415
    assert shop.send("POST", LOGIN).status == 415
    assert shop.send("GET", INFO, X_Large="x" * 20_000).status == 431
    assert shop.send("GET", "/" + "x" * 20_000).status == 431


def test_who_sends_slowly_is_cut_and_keeps_nobody_waiting(shop: Api) -> None:
    """A request that trickles in holds a connection; so many of them would hold all."""
    head = f"POST {LOGIN} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n"
    host, port = shop.host.split(":")
    slow = [socket.create_connection((host, int(port))) for _ in range(60)]
    began = time.monotonic()
    for number, each in enumerate(slow):
        each.sendall(head.encode() if number % 2 else f"{head}\r\n{{".encode())
    open_ones, took = set(slow), []
    while open_ones and time.monotonic() - began < 9:
        for each in list(open_ones):
            each.settimeout(0.001)
            try:
                each.sendall(b" ")
                if not each.recv(4096):
                    raise ConnectionResetError
            except TimeoutError:
                continue
            except OSError:
                open_ones.remove(each)
        asked = time.monotonic()
        assert shop.send("GET", INFO).status == 200
        took.append(time.monotonic() - asked)
        time.sleep(0.2)
    for each in slow:
        each.close()
    assert not open_ones
    assert 4 < time.monotonic() - began < 9
    assert max(took) < 2


def test_ten_thousand_attempts_are_ten_and_the_health_check_stays_quick(database: Database) -> None:
    """All but the first of an account are refused before anything is worked out for them."""
    database.sql("DELETE FROM api.login_attempts")
    body = json.dumps({"email": ADA.email, "password": "guessed wrong"})
    request = (
        f"POST {LOGIN} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n{body}"
    ).encode()

    def hammer(running: Api) -> list[bytes]:
        host, port = running.host.split(":")
        with socket.create_connection((host, int(port))) as connection:
            answers = connection.makefile("rb")
            statuses: list[bytes] = []
            for _ in range(100):
                connection.sendall(request * 20)
                for _ in range(20):
                    statuses.append(answers.readline().split()[1])
                    length = 0
                    while (line := answers.readline()) != b"\r\n":
                        if line.lower().startswith(b"content-length:"):
                            length = int(line.split(b":")[1])
                    answers.read(length)
            return statuses

    with api(database) as running, ThreadPoolExecutor(5) as pool:
        hammering = [pool.submit(hammer, running) for _ in range(5)]
        took: list[float] = []
        while not all(each.done() for each in hammering):
            began = time.monotonic()
            assert running.send("GET", INFO).status == 200
            took.append(time.monotonic() - began)
            time.sleep(0.1)
        statuses = [status for each in hammering for status in each.result()]
        assert len(statuses) == 10_000
        assert set(statuses) <= {b"401", b"429", b"503"}
        assert 0 < statuses.count(b"401") <= 10
        assert statuses.count(b"503") < 30, "of a machine that is busy with other tests"
        assert len(took) > 3
        assert max(took) < 5, "after which a load balancer gives a health check up"


def test_nothing_secret_is_logged(shop: Api, token: str, database: Database) -> None:
    """Not even a part of what could not be read."""
    for body in ('{"email": "a@b", "password": "pa55-in-a-broken-body', "pa55-in-no-json"):
        assert shop.send("POST", LOGIN, body, Content_Type="application/json").status == 400
    shop.login(Client("somebody@example.com", "pa55-of-somebody"))
    shop.prescriptions(f"{token}x", "?cursor=pa55-in-a-cursor")
    shop.send("GET", "/pa55-in-a-path?pa55")
    shop.line(message="request", route="none", status=404)
    text = json.dumps(shop.lines)
    secret = [ADA.password, token, token.split(".")[1], "pa55", database.password, database.server.password, ADA.email]
    assert not [each for each in secret if json.dumps(each)[1:-1] in text]
