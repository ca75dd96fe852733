"""The page of the four services, asked for as a browser does."""

from __future__ import annotations

import gzip
import http.client
import socket
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from tests.apps.microservices.pages import Behind, Page, behind, latest
from tests.apps.microservices.processes import WEB, Container, web

if TYPE_CHECKING:
    from collections.abc import Iterator

NAMES = ["blog", "market", "news", "user"]
STYLE_SHEET = "/assets/bootstrap.min.css"


@pytest.fixture(scope="module")
def shop() -> Iterator[tuple[Container, Behind]]:
    """The page's server, and the services behind it."""
    with behind() as services, web(services.url) as running:
        yield running, services


@contextmanager
def shown(says: dict[str, Any]) -> Iterator[tuple[Page, Container]]:
    """The page of services that say what they are told to."""
    with behind() as services, web(services.url, " ".join(says)) as running:
        services.says = says
        answer = running.send("GET", "/")
        assert answer.status == 200
        assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
        yield Page(answer.text), running


def into_services(page: Page) -> list[str | None]:
    return [link for link in page.links() if not str(link).startswith("#")]


def test_the_page_shows_and_links_the_latest_of_each() -> None:
    says = {name: latest(name, f"First of {name}", f"Second of {name}") for name in NAMES}
    says["market"] |= {"all": "/market/days"}
    says["market"]["items"][0]["at"] = "2026-01-05"
    with shown(says) as (page, _):
        assert list(page.cards) == NAMES
        for name in NAMES:
            assert f"First of {name} what it says 2026-01-05" in page.cards[name]
            assert f"Second of {name} what it says 2026-01-05 08:00 UTC" in page.cards[name]
        assert into_services(page) == ["/blog", "/market/days", "/news", "/user"]
        assert {f"#{name}" for name in NAMES} <= set(page.links())


def test_a_service_that_is_down_or_talks_nonsense_has_a_card_that_says_so() -> None:
    """The others are shown all the same, and the log says why."""
    broken: list[Any] = [
        404, 500, 302, b"no JSON", b"null", b"[]", b'{"items": 5}', b'{"items": ["' + b"x" * 100_000 + b'"]}',
        {"items": [None]}, {"items": ["text"]}, {"items": [{"title": 5, "summary": "", "at": ""}]},
    ]  # fmt: skip
    says = {f"broken-{number}": said for number, said in enumerate(broken)}
    with shown(says | {"blog": latest("blog", "A post"), "user": latest("user")}) as (page, running):
        assert [name for name, card in page.cards.items() if "cannot be reached" in card] == list(says)
        assert "A post" in page.cards["blog"]
        assert "Nothing here yet" in page.cards["user"]
        assert into_services(page) == [f"/{name}" for name in page.cards]
        for name in says:
            assert running.line(message="a service gave no answer", service=name)["error_message"]
        running.line(message="request", route="/")
        assert not [line for line in running.lines if line.get("service") in {"blog", "user"}]


def test_a_service_that_is_silent_costs_two_seconds_at_most() -> None:
    with behind() as services, web(services.url) as running:
        services.says = {"news": None, "blog": latest("blog", "A post")}
        began = time.monotonic()
        page = Page(running.send("GET", "/").text)
        assert 1.9 < time.monotonic() - began < 4
        assert "cannot be reached" in page.cards["news"]
        assert "A post" in page.cards["blog"]


def test_what_a_service_says_is_text_and_no_html() -> None:
    """Anybody may write a post; nobody may have it run in another's browser."""
    evil = """<script>alert(1)</script><img src=x onerror=alert(1)>"'&</li>"""
    with shown({"blog": latest("blog", evil, summary=evil, at=f'{evil}2026-01-05"')}) as (page, _):
        assert page.cards["blog"].count("<script>alert(1)</script>") == 3, "shown as it was written"
        assert not [tag for tag, _ in page.elements if tag in {"script", "img"}]
        assert not [name for _, attributes in page.elements for name in attributes if name.startswith("on")]


def test_a_service_links_into_itself_alone() -> None:
    links = ["//evil.example", "/other", "/s1/../user", "/s3\\x", "/s4s", "", None, 5, "javascript:alert(1)", "/s9/?a"]
    with shown({f"s{number}": {"all": link, "items": []} for number, link in enumerate(links)}) as (page, _):
        assert into_services(page) == [f"/s{number}" for number in range(len(links))]


def test_a_page_is_one_question_a_second_however_many_look(shop: tuple[Container, Behind]) -> None:
    container, services = shop
    time.sleep(1.05)  # for which an answer is kept
    services.asked.clear()
    with ThreadPoolExecutor(16) as pool:
        assert {answer.status for answer in pool.map(lambda _: container.send("GET", "/"), range(64))} == {200}
    assert len(services.asked) in {4, 8}, "8, if a second ended in between"
    assert set(services.asked) == {f"/{name}/latest?limit=3" for name in NAMES}


def test_the_services_may_be_below_a_path(shop: tuple[Container, Behind]) -> None:
    _, services = shop
    services.says["below"] = latest("news", "Found")
    services.asked.clear()
    with web(f"{services.url}/below/", "news") as running:
        assert "Found" in Page(running.send("GET", "/").text).cards["news"]
    assert services.asked == ["/below/news/latest?limit=3"]


def test_the_page_needs_nothing_from_elsewhere_and_runs_no_script(shop: tuple[Container, Behind]) -> None:
    container, _ = shop
    answer = container.send("GET", "/")
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'self'; img-src data:;")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "X-Powered-By" not in answer.headers
    page = Page(answer.text)
    loaded = [attributes["href"] for tag, attributes in page.elements if tag == "link"]
    assert loaded == ["data:,", STYLE_SHEET]
    assert ("html", {"lang": "en"}) in page.elements
    assert any(attributes.get("name") == "viewport" for tag, attributes in page.elements if tag == "meta")
    assert not any("style" in attributes for _, attributes in page.elements), "the policy would drop it"


def test_bootstrap_comes_with_the_page_and_small(shop: tuple[Container, Behind]) -> None:
    container, _ = shop
    plain = container.send("GET", STYLE_SHEET)
    assert (plain.status, plain.headers["Content-Type"]) == (200, "text/css; charset=utf-8")
    assert "Bootstrap" in plain.text[:200]
    assert plain.headers["Cache-Control"] == "public, max-age=3600"
    connection = http.client.HTTPConnection(container.host, timeout=5)
    connection.request("GET", STYLE_SHEET, headers={"Accept-Encoding": "gzip"})
    answer = connection.getresponse()
    small = answer.read()
    connection.close()
    assert answer.headers["Content-Encoding"] == "gzip"
    assert len(small) < 50_000
    assert gzip.decompress(small).decode() == plain.text
    assert container.send("GET", STYLE_SHEET, If_None_Match=plain.etag).status == 304
    assert container.send("GET", "/assets/bootstrap.css").status == 404, "nothing else of the package is served"


def test_the_hidden_path_tells_the_address_that_answered(shop: tuple[Container, Behind]) -> None:
    """By it one sees that a load balancer spreads requests over tasks."""
    answer = shop[0].send("GET", "/whoami")
    assert answer.json == {"ip": "127.0.0.1", "host": socket.gethostname(), "service": "web"}
    assert answer.headers["Cache-Control"] == "no-store"
    assert "whoami" not in shop[0].send("GET", "/").text
    port = shop[0].host.partition(":")[2]
    with web("http://127.0.0.1:9", "news", BIND_ADDRESS="127.0.0.9", PORT=port) as other:
        assert other.send("GET", "/whoami").json["ip"] == "127.0.0.9"


def test_what_is_not_there_and_what_will_not_do_are_refused(shop: tuple[Container, Behind]) -> None:
    container, _ = shop
    for path in ("/nothing", "/%ff", "/..%2fpackage.json", "/assets/../package.json", "/assets"):
        answer = container.send("GET", path)
        assert answer.status in {400, 404}
        assert answer.json["error"]["message"]
    for path in ("/", "/whoami", "/health", STYLE_SHEET):
        answer = container.send("POST", path, {})
        assert (answer.status, answer.headers["Allow"]) == (405, "GET, HEAD")
    assert container.send("HEAD", "/").status == 200


def test_a_request_can_be_followed_by_its_id(shop: tuple[Container, Behind]) -> None:
    answer = shop[0].send("GET", "/whoami", X_Request_Id="trace-me-1")
    assert answer.headers["X-Request-Id"] == "trace-me-1"
    assert shop[0].send("GET", "/whoami", X_Request_Id="no, not that").headers["X-Request-Id"] != "no, not that"
    line = shop[0].line(request_id="trace-me-1")
    assert (line["route"], line["status"], line["level"]) == ("/whoami", 200, "info")
    assert not [line for line in shop[0].lines if line["level"] == "error"]
    well = [line for line in shop[0].lines if line.get("route") == "/health" and line["status"] == 200]
    assert not well, "it is so all day"


def test_what_is_in_flight_at_sigterm_is_answered_and_so_is_what_comes_meanwhile() -> None:
    """Of a rolling replacement under load no request may be lost."""
    with behind() as services, web(services.url) as running:
        services.says = {"news": None}
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(running.send, "GET", "/")
            time.sleep(0.3)
            running.terminate()
            time.sleep(0.3)
            health, meanwhile = running.send("GET", "/health"), running.send("GET", "/whoami")
            assert (health.status, meanwhile.status, meanwhile.headers["Connection"]) == (503, 200, "close")
            assert waiting.result().status == 200
        assert running.read_to_the_end() == 0
        assert running.lines[-1]["message"] == "stopped"


def test_every_variable_at_fault_is_named_at_once() -> None:
    for variables, named in (
        ({}, ["SERVICES_URL is not set", "SERVICES is not set"]),
        (
            {"PORT": "0", "BIND_ADDRESS": "here", "SERVICES_URL": "ftp://x", "SERVICES": "a a"},
            ["PORT", "BIND_", "_URL"],
        ),
        ({"SERVICES_URL": "http://me:secret@x", "SERVICES": "../x"}, ["SERVICES_URL", "SERVICES"]),
    ):
        ended = subprocess.run(
            ["node", "main.js"],  # noqa: S607 -- the one that the image has too
            env={"PATH": "/usr/local/bin:/usr/bin:/bin", **variables},
            cwd=WEB, capture_output=True, text=True, timeout=10, check=False,
        )  # fmt: skip
        assert (ended.returncode, ended.stderr) == (2, "")
        assert all(each in ended.stdout for each in named)


@pytest.mark.parametrize("where", ["web", "services"])
def test_a_container_can_say_whether_it_is_well(where: str, shop: tuple[Container, Behind], user: Container) -> None:
    """ECS asks so; the images have no curl."""
    container, command = (
        (shop[0], ["node", "healthcheck.js"]) if where == "web" else (user, ["python3", "healthcheck.py"])
    )
    folder = WEB.parent / where
    for port, code in ((container.host.partition(":")[2], 0), ("9", 1)):
        ended = subprocess.run(  # noqa: S603 -- our own
            command,
            env={"PATH": "/usr/local/bin:/usr/bin:/bin", "BIND_ADDRESS": "127.0.0.1", "PORT": port},
            cwd=folder, capture_output=True, text=True, timeout=10, check=False,
        )  # fmt: skip
        assert ended.returncode == code, ended.stderr
