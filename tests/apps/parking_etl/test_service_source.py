"""The open data's API as the container reads it: what is asked for again, and what is final."""

from __future__ import annotations

import datetime as dt
import json
import random
import socket
import ssl
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.apps.parking_etl.conftest import load
from tests.apps.parking_etl.scripted import END, ROW, Read, answer, answering

if TYPE_CHECKING:
    from pathlib import Path


def test_pages_are_read_until_one_is_empty() -> None:
    """A source that gives less than it is asked for has not ended."""
    pages = [answer(json.dumps(rows).encode()) for rows in ([ROW, ROW], [ROW], [ROW, ROW])]
    with answering(*pages, answer(END)) as server:
        read = Read(f"{server.url}/mirror")
    assert read.pages == [[ROW, ROW], [ROW], [ROW, ROW]]
    assert server.asked == [f"GET /mirror/api/datasets/a1b2/json?page={page}&size=2 HTTP/1.1" for page in range(4)]


def reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")


@pytest.mark.parametrize(
    "mishap",
    [
        pytest.param(answer(b"{}", "500 Internal Server Error"), id="500"),
        pytest.param(answer(b"", "503 Service Unavailable"), id="503"),
        pytest.param(answer(b"", "429 Too Many Requests"), id="429"),
        pytest.param(answer(b'[{"ID": ', length=200), id="cut off"),
        pytest.param(answer(b"[]", length=200), id="cut off, and the rest would pass for the last page"),
        pytest.param(b"HTTP/1.1 200 OK\r\n\r\n" + b'[{"ID": "0100', id="cut off without a length"),
        pytest.param(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n[{}\r\n", id="cut off in chunks"),
        pytest.param(answer(b"<html>busy</html>"), id="a page for people"),
        pytest.param(answer(b"\xff\xfe["), id="no text"),
        pytest.param(answer(b""), id="nothing"),
        pytest.param(b"", id="closed"),
        pytest.param(b"SSH-2.0-OpenSSH_9.6\r\n", id="no HTTP"),
        pytest.param(reset, id="reset"),
    ],
)
def test_what_may_pass_is_asked_for_again(mishap: Any) -> None:
    with answering(mishap, mishap, answer(json.dumps([ROW]).encode()), answer(END)) as server:
        read = Read(server.url)
    assert (read.pages, read.error, len(read.pauses)) == ([[ROW]], None, 2)


def test_it_is_not_asked_for_for_ever() -> None:
    with answering(*[answer(b"", "502 Bad Gateway")] * 4) as server:
        read = Read(server.url, RETRIES="3")
    assert isinstance(read.error, load("exits").UnavailableError)
    assert "status 502" in str(read.error)
    assert len(server.asked) == 4


def test_pauses_grow_and_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs that failed together are not to come back together."""
    source, bounds = load("source"), list[float]()

    def uniform(low: float, high: float) -> float:
        bounds.append(high)
        return low + (high - low) / 2

    monkeypatch.setattr(source.random, "uniform", uniform)
    with answering(*[b""] * 9) as server:
        read = Read(server.url, RETRIES="8")
    assert bounds == [0.5, 1, 2, 4, 8, 15, 15, 15]
    assert read.pauses == [bound / 2 for bound in bounds]


@pytest.mark.parametrize("status", ["301 Moved Permanently", "400 Bad Request", "403 Forbidden", "404 Not Found"])
def test_an_answer_that_will_not_change_is_final(status: str) -> None:
    with answering(answer(b"", status)) as server:
        read = Read(server.url)
    assert isinstance(read.error, load("exits").UnavailableError)
    assert f"status {status[:3]}" in str(read.error)
    assert read.pauses == []


@pytest.mark.parametrize("body", [b'{"message": "maintenance"}', b"null", b'"[]"', b"7"])
def test_json_that_is_no_list_is_bad_data(body: bytes) -> None:
    with answering(answer(body)) as server:
        read = Read(server.url)
    assert isinstance(read.error, load("exits").BadDataError)
    assert "no list of rows" in str(read.error)


def test_a_body_that_stays_broken_is_bad_data() -> None:
    """Whoever looks at it should look at the source's data, not at its network."""
    with answering(*[answer(b"[" * 100_000)] * 3) as server:
        read = Read(server.url, RETRIES="2")
    assert isinstance(read.error, load("exits").BadDataError)
    assert len(server.asked) == 3


def test_a_page_too_large_is_not_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load("source"), "LARGEST_PAGE", 100_000)
    with answering(answer(b" " * 50_000_000)) as server:
        read = Read(server.url)
    assert isinstance(read.error, load("exits").BadDataError)
    assert "more than 100000 bytes" in str(read.error)


def test_rows_without_end_are_bad_data(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load("source"), "MOST_ROWS", 4)
    with answering(*[answer(json.dumps([ROW, ROW]).encode())] * 4) as server:
        read = Read(server.url)
    assert isinstance(read.error, load("exits").BadDataError)
    assert str(read.error) == "dataset a1b2 has more than 4 rows"
    assert (len(server.asked), len(read.pages)) == (3, 2)


def test_as_many_rows_as_may_be_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load("source"), "MOST_ROWS", 4)
    with answering(*[answer(json.dumps([ROW, ROW]).encode())] * 2, answer(END)) as server:
        read = Read(server.url)
    assert (read.pages, read.error) == ([[ROW, ROW]] * 2, None)


def test_small_pages_may_be_many() -> None:
    """What is too much is counted in rows, or `PAGE_SIZE` would decide how large the source may be."""
    with answering(*[answer(json.dumps([ROW]).encode())] * 250, answer(END)) as server:
        read = Read(server.url, PAGE_SIZE="1")
    assert (len(read.pages), read.error) == (250, None)


@pytest.mark.parametrize(
    ("beginning", "more"),
    [
        pytest.param(b"", b"H", id="status"),
        pytest.param(b"HTTP/1.1 200 OK\r\nX-Slow: ", b"x", id="head"),
        pytest.param(b"", b"HTTP/1.1 100 Continue\r\n\r\n", id="promises"),
        pytest.param(answer(b"", length=100_000), b" ", id="body"),
        pytest.param(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n", id="chunks"),
    ],
)
def test_a_page_that_trickles_in_has_one_timeout_for_all_of_it(beginning: bytes, more: bytes) -> None:
    """Each byte is on time, and the page would take an hour."""

    def trickle(connection: socket.socket) -> None:
        connection.sendall(beginning)
        for _ in range(50):
            connection.sendall(more)
            time.sleep(0.1)

    with answering(trickle) as server:
        began = time.monotonic()
        read = Read(server.url, RETRIES="0", REQUEST_TIMEOUT="1")
        assert 0.9 < time.monotonic() - began < 2
    assert isinstance(read.error, load("exits").UnavailableError)
    assert "timed out" in str(read.error)


def test_promises_that_come_without_a_pause_have_an_end_too() -> None:
    """No read of them ever waits."""

    def promise(connection: socket.socket) -> None:
        ends = time.monotonic() + 4
        while time.monotonic() < ends:
            connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n" * 1000)

    with answering(promise) as server:
        began = time.monotonic()
        read = Read(server.url, RETRIES="0", REQUEST_TIMEOUT="1")
        assert 0.9 < time.monotonic() - began < 2
    assert isinstance(read.error, load("exits").UnavailableError)


def test_a_silent_source_is_unavailable() -> None:
    with answering(lambda _connection: time.sleep(1.3)) as server:
        read = Read(server.url, RETRIES="0", REQUEST_TIMEOUT="1")
    assert isinstance(read.error, load("exits").UnavailableError)


def test_an_address_where_nothing_listens_is_unavailable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    read = Read(f"http://127.0.0.1:{port}", RETRIES="1")
    assert isinstance(read.error, load("exits").UnavailableError)
    assert len(read.pauses) == 1


def test_certificates_are_verified_but_for_the_roots_own_key_identifier() -> None:
    context = load("source").trust()
    assert context.verify_mode == ssl.CERT_REQUIRED
    assert context.check_hostname
    assert not context.verify_flags & ssl.VERIFY_X509_STRICT


def test_a_certificate_that_nobody_vouches_for_is_final(tmp_path: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(_self_signed(tmp_path))
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            connection, _ = listening.accept()
            with connection, pytest.raises((ssl.SSLError, OSError)):
                context.wrap_socket(connection, server_side=True)

        thread = threading.Thread(target=serve)
        thread.start()
        read = Read(f"https://localhost:{listening.getsockname()[1]}")
        thread.join()
    assert isinstance(read.error, load("exits").UnavailableError)
    assert "CERTIFICATE_VERIFY_FAILED" in str(read.error)
    assert read.pauses == []


def test_pages_come_over_tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One whole, and one that is cut off in the middle."""
    both = _self_signed(tmp_path)
    monkeypatch.setattr(load("source"), "trust", lambda: ssl.create_default_context(cafile=both))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(both)
    page = json.dumps([{**ROW, "NAME": "x" * 100_000}]).encode()
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            for said in (answer(page), answer(page)[:-1], answer(END)):
                with context.wrap_socket(listening.accept()[0], server_side=True) as connection:
                    connection.recv(4096)
                    connection.sendall(said)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        read = Read(f"https://localhost:{listening.getsockname()[1]}", RETRIES="1")
        thread.join(5)
    assert (len(read.pages), len(read.pauses), read.error) == (1, 1, None)


def _self_signed(folder: Path) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = folder / "both.pem"
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    return path


def _mangled(chance: random.Random) -> bytes:
    """An answer with a page in it, damaged somewhere; sometimes the head says so and sometimes it lies."""
    body = bytearray(json.dumps([ROW, {**ROW, "NAME": "停車場", "X": [None, 1.5, {"y": True}]}]).encode())
    for _ in range(chance.randrange(6)):
        match chance.randrange(4):
            case 0:
                body[chance.randrange(len(body)) :] = b""
            case 1:
                body[chance.randrange(len(body) + 1) : 0] = chance.randbytes(chance.randrange(1, 9))
            case 2:
                body += b"]" * chance.randrange(3)
            case _:
                body.insert(chance.randrange(len(body) + 1), chance.choice(b'[]{}",:0-eE\\u\n\x00\xff'))
        body = body or bytearray(b" ")
    head = chance.choice(
        [
            b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % max(len(body) + chance.choice([0, 0, 0, -3, 5]), 0),
            b"HTTP/1.1 200 OK\r\n\r\n",
            b"HTTP/1.0 200\r\nContent-Length: x\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n" % chance.choice([len(body), 4, 2**70]),
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n" + b"X: y\r\n" * chance.choice([1, 150]) + b"\r\n",
            b"HTTP/1.1 -1 ?\r\n\r\n",
            chance.randbytes(20),
        ]
    )
    return head + bytes(body) + chance.choice([b"", b"\r\n0\r\n\r\n"])


def test_whatever_comes_back_is_rows_or_an_error_with_an_exit_code() -> None:
    """Anything else would end a run as a fault of this program."""
    chance, exits = random.Random(11), load("exits")  # noqa: S311
    answers = [_mangled(chance) for _ in range(600)]
    outcomes: dict[str, int] = {}
    for mangled in answers:
        with answering(mangled, answer(END)) as server:
            read = Read(server.url, RETRIES="0", REQUEST_TIMEOUT="5")
        kind = type(read.error).__name__
        assert read.error is None or isinstance(read.error, exits.RunError), mangled
        assert all(type(page) is list for page in read.pages), mangled
        outcomes[kind] = outcomes.get(kind, 0) + 1
    assert all(outcomes[kind] > 20 for kind in ("NoneType", "BadDataError", "UnavailableError")), outcomes
