"""Stand-ins for the services behind the page, and a reader of the page."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from html.parser import HTMLParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

Latest = dict[str, Any]


class Behind:
    """The services: what each says, and how often it was asked."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.says: dict[str, Any] = {}
        """Name → what its `latest` is; bytes are sent as they are, a number is a status, None is silence."""
        self.asked: list[str] = []
        self.release = threading.Event()


@contextmanager
def behind() -> Iterator[Behind]:
    """Run them all, below a path of one server, as behind a load balancer."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            services.asked.append(self.path)
            name = self.path.split("/")[1]
            said = services.says.get(name, 404)
            if said is None:
                services.release.wait(10)
                said = 503
            status, body = (said, b"") if isinstance(said, int) else (200, said)
            body = body if isinstance(body, bytes) else json.dumps(body).encode()
            if status == 302:
                self.send_response(302)
                self.send_header("Location", f"{services.url}/elsewhere/latest")
            else:
                self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    services = Behind(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield services
    finally:
        services.release.set()
        server.shutdown()
        server.server_close()
        thread.join(5)


def latest(name: str, *titles: str, summary: str = "what it says", at: str = "2026-01-05T08:00:00.000Z") -> Latest:
    """What a service that is well says."""
    return {"all": f"/{name}", "items": [{"title": title, "summary": summary, "at": at} for title in titles]}


class Page(HTMLParser):
    """A page as a browser would see it: its elements, and what each card says."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.cards: dict[str, str] = {}
        self._card = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the element, and whether a card begins."""
        self.elements.append((tag, dict(attrs)))
        if tag == "section":
            self._card = str(dict(attrs)["id"])
            self.cards[self._card] = ""

    def handle_endtag(self, tag: str) -> None:
        """Note whether a card ends."""
        if tag == "section":
            self._card = ""

    def handle_data(self, data: str) -> None:
        """Note what a card says, as it would be seen."""
        if self._card and data.strip():
            self.cards[self._card] = f"{self.cards[self._card]} {' '.join(data.split())}".strip()

    def links(self) -> list[str | None]:
        """Where its links lead."""
        return [attributes["href"] for tag, attributes in self.elements if tag == "a"]
