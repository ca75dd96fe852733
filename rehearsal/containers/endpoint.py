"""The part of Docker's HTTP API that the emulator's ECS uses, on a Unix socket."""

from __future__ import annotations

import datetime as dt
import http.server
import json
import re
import signal
import socketserver
import sys
import threading
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs, unquote, urlsplit

from botocore.exceptions import ClientError

from rehearsal.containers.container import ContainerError
from rehearsal.containers.images import ImageNotFoundError, digest_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from rehearsal.containers import Containers
    from rehearsal.containers.container import Container

_API: Final = "1.44"
"""The version of Docker's API that is answered."""

Answer = tuple[int, Any]
"""A status and what is sent as JSON with it."""


def serve(containers: Containers, path: Path) -> socketserver.ThreadingUnixStreamServer:
    """Serve *containers* on the Unix socket *path*, in threads of this process, until it is shut down."""

    class Handler(_Handler):
        of = containers

    server = _Server(str(path), Handler)
    threading.Thread(
        target=server.serve_forever, kwargs={"poll_interval": 0.05}, name="containers", daemon=True
    ).start()
    return server


class _Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    # With Python's own 5 the emulator is told "temporarily unavailable" when many tasks start at once.
    request_queue_size = 256

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Pass over a caller that is gone, as the emulator is at a run's end; tell all else."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(http.server.BaseHTTPRequestHandler):
    of: Containers
    protocol_version = "HTTP/1.1"

    def _answer(self) -> None:
        url = urlsplit(self.path)
        path = unquote(re.sub(r"^/v[\d.]+", "", url.path))
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        try:
            status, answer = _route(self.of, self.command, path, query, json.loads(body or b"{}"))
        except ImageNotFoundError as error:
            status, answer = 404, {"message": str(error)}
        except (ContainerError, ClientError) as error:
            status, answer = 500, {"message": str(error)}
        sent = b"" if answer is None else json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(sent)))
        self.end_headers()
        self.wfile.write(sent)

    # The names that http.server looks for.
    do_GET = _answer  # noqa: N815
    do_POST = _answer  # noqa: N815
    do_DELETE = _answer  # noqa: N815

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Say nothing: the rehearsal's output is the rehearsal's."""


def _route(containers: Containers, method: str, path: str, query: dict[str, str], body: dict[str, Any]) -> Answer:
    for wanted, pattern, handle in _ROUTES:
        found = re.fullmatch(pattern, path)
        if found and wanted == method:
            return handle(containers, *found.groups(), query, body)
    return 501, {"message": f"{method} {path} is not answered: containers are plain processes here"}


def _version(_containers: Containers, _query: dict[str, str], _body: dict[str, Any]) -> Answer:
    return 200, {"ApiVersion": _API, "MinAPIVersion": _API, "Version": "drydock", "Os": "linux", "Arch": "amd64"}


def _ping(_containers: Containers, _query: dict[str, str], _body: dict[str, Any]) -> Answer:
    return 200, "OK"


def _pull(containers: Containers, query: dict[str, str], _body: dict[str, Any]) -> Answer:
    containers.folder_of(query["fromImage"])
    return 200, {"status": "Pull complete"}


def _image(containers: Containers, image: str, _query: dict[str, str], _body: dict[str, Any]) -> Answer:
    containers.folder_of(image)
    return 200, {"Id": digest_of(image), "RepoTags": [image], "Config": {}}


def _distribution(containers: Containers, image: str, _query: dict[str, str], _body: dict[str, Any]) -> Answer:
    containers.folder_of(image)
    return 200, {"Descriptor": {"digest": digest_of(image), "mediaType": "", "size": 0}, "Platforms": []}


def _tag(_containers: Containers, _image: str, _query: dict[str, str], _body: dict[str, Any]) -> Answer:
    return 201, None


def _list(containers: Containers, query: dict[str, str], _body: dict[str, Any]) -> Answer:
    wanted = [label.partition("=") for label in json.loads(query.get("filters") or "{}").get("label", [])]
    return 200, [
        {"Id": each.id, "Image": each.image, "Labels": dict(each.labels), "State": each.status}
        for each in containers.present()
        if all(name in each.labels and (not sign or each.labels[name] == value) for name, sign, value in wanted)
    ]


def _create(containers: Containers, _query: dict[str, str], body: dict[str, Any]) -> Answer:
    variables: list[str] = body.get("Env") or []
    environment = {name: value for name, _, value in (each.partition("=") for each in variables)}
    made = containers.create(body["Image"], body.get("Cmd") or [], environment, body.get("Labels") or {})
    return 201, {"Id": made, "Warnings": []}


def _of_one(handle: Callable[[Containers, Container, dict[str, str]], Answer]) -> Callable[..., Answer]:
    def handled(containers: Containers, reference: str, query: dict[str, str], _body: dict[str, Any]) -> Answer:
        container = containers.find(reference)
        return (
            handle(containers, container, query) if container else (404, {"message": f"No such container: {reference}"})
        )

    return handled


@_of_one
def _inspect(_containers: Containers, container: Container, _query: dict[str, str]) -> Answer:
    # Without the environment, which holds secrets.
    return 200, {
        "Id": container.id,
        "Name": f"/{container.name}",
        "Created": _time(container.created_at),
        "Config": {"Image": container.image, "Labels": dict(container.labels), "Tty": False},
        "State": {
            "Status": container.status,
            "Running": container.status == "running",
            "ExitCode": container.exit_code,
            "FinishedAt": _time(container.finished_at),
            "Health": {"Status": container.health.lower().replace("unknown", "none")},
        },
        "NetworkSettings": {"Networks": {"loopback": {"IPAddress": container.address}}},
    }


@_of_one
def _start(containers: Containers, container: Container, _query: dict[str, str]) -> Answer:
    containers.start(container)
    return 204, None


@_of_one
def _wait(_containers: Containers, container: Container, _query: dict[str, str]) -> Answer:
    return 200, {"StatusCode": container.wait()}


@_of_one
def _stop(containers: Containers, container: Container, _query: dict[str, str]) -> Answer:
    # The `t` that the emulator sends is its own; the task definition's stopTimeout counts.
    containers.stop_one(container)
    return 204, None


@_of_one
def _kill(containers: Containers, container: Container, query: dict[str, str]) -> Answer:
    named = query.get("signal", "SIGKILL")
    containers.kill_one(container, int(named) if named.isdigit() else signal.Signals[named])
    return 204, None


@_of_one
def _logs(_containers: Containers, _container: Container, _query: dict[str, str]) -> Answer:
    # Empty: lines reach CloudWatch Logs as the execution role, not by the emulator's own forwarder, which asks nobody.
    return 200, None


@_of_one
def _remove(containers: Containers, container: Container, _query: dict[str, str]) -> Answer:
    containers.remove(container)
    return 204, None


def _time(seconds: float) -> str:
    return dt.datetime.fromtimestamp(seconds, dt.UTC).isoformat().replace("+00:00", "Z")


_ROUTES: Final[tuple[tuple[str, str, Callable[..., Answer]], ...]] = (
    ("GET", r"/version", _version),
    ("GET", r"/_ping", _ping),
    ("POST", r"/images/create", _pull),
    ("GET", r"/images/(.+)/json", _image),
    ("POST", r"/images/(.+)/tag", _tag),
    ("GET", r"/distribution/(.+)/json", _distribution),
    ("GET", r"/containers/json", _list),
    ("POST", r"/containers/create", _create),
    ("GET", r"/containers/([^/]+)/json", _inspect),
    ("POST", r"/containers/([^/]+)/start", _start),
    ("POST", r"/containers/([^/]+)/wait", _wait),
    ("POST", r"/containers/([^/]+)/stop", _stop),
    ("POST", r"/containers/([^/]+)/kill", _kill),
    ("GET", r"/containers/([^/]+)/logs", _logs),
    ("DELETE", r"/containers/([^/]+)", _remove),
)
