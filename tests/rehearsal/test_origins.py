"""Who resolves names by the machine's own resolver reaches load balancers all the same, under their own names."""

from __future__ import annotations

import http.client
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from rehearsal.origins import Origins

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

BALANCER = "http://shop-1.eu-west-1.elb.amazonaws.com"


class Gateway(ThreadingHTTPServer):
    """Stands for the emulator: answers with what it was asked."""

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    def _take(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        heard = f"{self.command} {self.headers['Host']} {self.path} {body.decode()} {self.headers.get('X-Own', '')}"
        self.send_response(302)
        self.send_header("Location", "https://elsewhere.example.com/")
        self.send_header("Content-Encoding", "own")
        self.send_header("Content-Length", str(len(heard)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(heard.encode())

    do_GET = do_HEAD = do_POST = _take  # noqa: N815 - the names that http.server looks for

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    with Gateway(("127.0.0.1", 0), _Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def origins(gateway: Gateway) -> Iterator[Origins]:
    with Origins(gateway.url, ["shop.example.com"]) as opened:
        yield opened


def ask(
    url: str, method: str = "GET", body: str | None = None, headers: Mapping[str, str] | None = None
) -> tuple[int, dict[str, str], str]:
    asked = urlsplit(url)
    connection = http.client.HTTPConnection(str(asked.hostname), asked.port or 80, timeout=5)
    try:
        connection.request(method, asked._replace(scheme="", netloc="").geturl(), body, dict(headers or {}))
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read().decode()
    finally:
        connection.close()


def test_a_load_balancers_origin_has_an_address_here_and_one_alone(origins: Origins) -> None:
    told = origins.translated({"A": BALANCER, "B": f"{BALANCER}/shop?x=1", "C": f"{BALANCER}:8080"})
    assert told["A"].startswith("http://127.0.0.1:")
    assert told["B"] == f"{told['A']}/shop?x=1"
    assert told["C"] != told["A"], "another port is another listener"


@pytest.mark.parametrize(
    "value", ["80", "https://api.example.com/x", "shop-1.eu-west-1.elb.amazonaws.com", "https://x.shop.example.com"]
)
def test_what_is_no_load_balancers_origin_stays(origins: Origins, value: str) -> None:
    """A host without a scheme is a network load balancer's: who calls it resolves it."""
    assert origins.translated({"URL": value}) == {"URL": value}


def test_a_request_arrives_under_the_balancers_own_name(origins: Origins) -> None:
    """By which the emulator knows the balancer, and the balancer its rules."""
    _, _, heard = ask(origins.here(f"{BALANCER}/a%20b?x=1"), "POST", "body", {"X-Own": "mine"})
    assert heard == "POST shop-1.eu-west-1.elb.amazonaws.com /a%20b?x=1 body mine"


def test_an_answer_comes_back_as_it_is(origins: Origins) -> None:
    """Neither followed nor decoded: that is for whoever asked."""
    status, headers, _ = ask(origins.here(f"{BALANCER}/"))
    assert (status, headers["Location"], headers["Content-Encoding"]) == (302, "https://elsewhere.example.com/", "own")
    assert ask(origins.here(f"{BALANCER}/"), "HEAD")[2] == ""


def test_a_domain_is_asked_for_at_its_balancer_and_https_is_its_port(origins: Origins) -> None:
    """What the name is for is known once the records are there; a container may be told of it before."""
    here = origins.here("https://shop.example.com")
    origins.domains = {"shop.example.com": "shop-1"}
    assert ask(f"{here}/user")[2].startswith("GET shop.example.com:443 /_alb/shop-1/user")


def test_an_emulator_that_is_gone_is_told(gateway: Gateway) -> None:
    with Origins("http://127.0.0.1:1") as origins:
        status, _, body = ask(origins.here(BALANCER))
    assert status == 502
    assert f"{BALANCER} gave no answer" in body


def test_nothing_listens_when_it_is_over(gateway: Gateway) -> None:
    with Origins(gateway.url) as origins:
        here = origins.here(BALANCER)
    with pytest.raises(ConnectionRefusedError):
        ask(here)
