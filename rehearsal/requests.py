"""Sends a workload's requests through its entrances, and holds the answers against what was expected."""

from __future__ import annotations

import contextlib
import http
import json
import re
import shlex
import time
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Self, cast
from urllib.parse import urlsplit

import urllib3
from pulumi.runtime.rpc import UNKNOWN

from rehearsal.result import Asked

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Sequence

    from rehearsal.emulator import Emulator
    from rehearsal.graph import Answer, Registered
    from rehearsal.script import Request, Script
    from rehearsal.tree import Tree

TIMEOUT: Final = 35.0
"""Seconds for one answer. An API Gateway gives up after 29 and a workload here after 30 by default, each with an answer
that says so; what is still silent then is not going to speak."""
_BRIEF: Final = 300
"""Characters of an answer that are quoted: a few lines of a terminal."""
_LOAD_BALANCER: Final = "drydock:index:LoadBalancer"
_STAGE: Final = "aws:apigateway/stage:Stage"
_METHOD_SETTINGS: Final = "aws:apigateway/methodSettings:MethodSettings"


class EntranceError(Exception):
    """A request or a seed names an output that the workload does not have, or that is no URL."""


class Client:
    """An HTTP client that finds every name where the emulator is, as a resolver inside the VPC would find AWS."""

    def __init__(self, gateway: str, domains: Mapping[str, str] = MappingProxyType({})) -> None:
        """Resolve each name to *gateway*, such as ``http://127.0.0.1:4566``, and loopback addresses to themselves.

        *domains* are load balancers' own → the names that AWS gave them, which the emulator knows them by.
        """
        self._gateway, self._domains = gateway, domains
        self._pools = urllib3.PoolManager(retries=False, timeout=urllib3.Timeout(TIMEOUT))

    def __enter__(self) -> Self:
        """Keep connections open until the block ends."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close them."""
        self._pools.clear()

    def send(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None
    ) -> tuple[int, Mapping[str, str], bytes]:
        """Send a request, follow no redirect, and return the answer's status, headers and body.

        Raises:
            urllib3.exceptions.HTTPError: there was no answer.

        """
        address, host = self.resolve(url)
        answer = self._pools.request(method, address, body=body, headers={**host, **headers}, redirect=False)
        return answer.status, answer.headers, answer.data

    def resolve(self, url: str) -> tuple[str, dict[str, str]]:
        """Return where *url* is to be had, and the header that says whom it is for.

        The port goes with the name, since the emulator picks a load balancer's listener by it. It ends no TLS.
        """
        asked = urlsplit(url)
        if asked.hostname in ("127.0.0.1", "localhost"):
            return url, {}
        port = asked.port or {"http": 80, "https": 443}[asked.scheme]
        rest = asked._replace(scheme="", netloc="").geturl()
        host = self._domains.get(str(asked.hostname), str(asked.hostname))
        return f"{self._gateway}{rest}", {"Host": f"{host}:{port}" if port != 80 else host}  # noqa: PLR2004

    def curl(self, url: str, request: Request) -> str:
        """Return the shell command that sends *request* to its entrance's *url*."""
        address, host = self.resolve(url.rstrip("/") + request.path)
        headers, body = _headers_and_body(request)
        words = ["curl", "-i", "-X", request.method]
        for name, value in {**host, **headers}.items():
            words += ["-H", f"{name}: {value}"]
        words += ["-d", body.decode()] if body is not None else []
        return shlex.join([*words, address])


def domains(tree: Tree) -> dict[str, str]:
    """Return the hosts of the URLs of *tree*'s load balancers → their DNS names.

    They differ where a balancer has a domain, whose record is nothing of the program's.
    """
    outputs = [each.outputs for each in tree.of(_LOAD_BALANCER)]
    return {str(urlsplit(str(each["url"])).hostname): str(each["dns_name"]).lower() for each in outputs}


def seed(emulator: Emulator, workload: str, outputs: Mapping[str, Any], script: Script) -> int:
    """Put the script's items into the workload's tables; return how many.

    Raises:
        EntranceError: an output that does not exist.

    """
    from boto3.dynamodb.types import TypeSerializer  # noqa: PLC0415 - boto3 is slow to import

    dynamodb, serializer = emulator.client("dynamodb"), cast("Any", TypeSerializer())
    for part in script.seed:
        table = output_of(workload, outputs, part.table)
        for item in part.items:
            dynamodb.put_item(TableName=table, Item={name: serializer.serialize(value) for name, value in item.items()})
    return sum(len(part.items) for part in script.seed)


def output_of(workload: str, outputs: Mapping[str, Any], name: str) -> str:
    """Return the workload's output *name*.

    Raises:
        EntranceError: it has none of that name.

    """
    if name not in outputs:
        raise EntranceError(f"{workload}: its script names the output {name!r}; it has {', '.join(sorted(outputs))}")
    return str(outputs[name])


def check_names(workload: str, outputs: Mapping[str, Any], script: Script) -> None:
    """Hold every output that *script* names against those there are, before anything is sent.

    Raises:
        EntranceError: one is not there, or is an entrance and no URL; what a preview does not know may become one.

    """
    for part in script.seed:
        output_of(workload, outputs, part.table)
    for request in (*script.requests, *script.streams):
        value = output_of(workload, outputs, request.entrance)
        if value != UNKNOWN and not re.match("https?://[^/]", value):
            raise EntranceError(
                f"{workload}: the request {request.name!r} goes through the output {request.entrance!r}, which is "
                f"a {type(outputs[request.entrance]).__name__} and no URL: name an output that begins with "
                "http:// or https://"
            )


def ask(client: Client, workload: str, outputs: Mapping[str, Any], request: Request) -> Asked:
    """Send *request* through its entrance and compare the answer."""
    url = output_of(workload, outputs, request.entrance).rstrip("/") + request.path
    headers, body = _headers_and_body(request)
    started = time.monotonic()
    status, late = 0, False
    try:
        status, answered, content = client.send(request.method, url, headers, body)
        problems = list(_differences(request, status, answered, content))
        late = bool(problems) and status == http.HTTPStatus.GATEWAY_TIMEOUT
    except urllib3.exceptions.ReadTimeoutError:
        problems, late = [f"no answer from {url} within {TIMEOUT:.0f} s"], True
    except (urllib3.exceptions.HTTPError, OSError) as error:
        problems = [f"no answer from {url}: {error}"]
    return asked(workload, request, problems, status=status, seconds=time.monotonic() - started, late=late)


def asked(
    workload: str,
    request: Request,
    problems: Sequence[str],
    *,
    status: int = 0,
    seconds: float = 0.0,
    late: bool = False,
) -> Asked:
    """Return what is recorded of *request*; without a *status* there was no answer."""
    return Asked(
        workload=workload,
        name=request.name,
        entrance=request.entrance,
        method=request.method,
        path=request.path,
        status=status,
        seconds=seconds,
        ok=not problems,
        late=late,
        problems=tuple(problems),
    )


def _headers_and_body(request: Request) -> tuple[dict[str, str], bytes | None]:
    if request.json_ is not None:
        return {"Content-Type": "application/json", **request.headers}, json.dumps(request.json_).encode()
    return dict(request.headers), request.text.encode() if request.text is not None else None


def _differences(request: Request, status: int, headers: Mapping[str, str], content: bytes) -> Iterator[str]:
    wanted = request.expect
    text = content.decode(errors="replace")
    if status != wanted.status:
        yield f"expected status {wanted.status}, got {status}: {text[:_BRIEF]}"
    given = {name.lower(): value for name, value in headers.items()}
    for name, value in wanted.headers.items():
        if given.get(name.lower()) != value:
            yield f"expected header {name}: {value}, got {given.get(name.lower(), 'none')}"
    if wanted.json_ is None or status != wanted.status:
        return
    try:
        got = json.loads(text)
    except ValueError:
        yield f"expected JSON, got {text[:_BRIEF]!r}"
        return
    yield from differences(wanted.json_, got)


def differences(expected: Any, got: Any, at: str = "the answer") -> Iterator[str]:
    """Yield where *got* is not what was *expected*: part of each object, the whole of each list, all else equal."""
    match expected, got:
        case Mapping(), Mapping():
            wanted, there = cast("Mapping[str, Any]", expected), cast("Mapping[str, Any]", got)
            for name, value in wanted.items():
                if name not in there:
                    yield f"{at}: expected {name!r}, got {', '.join(map(repr, there)) or 'an empty object'}"
                else:
                    yield from differences(value, there[name], f"{at}.{name}")
        case list(), list():
            items, found = cast("list[Any]", expected), cast("list[Any]", got)
            if len(items) != len(found):
                yield f"{at}: expected {len(items)} elements, got {len(found)}: {_brief(found)}"
                return
            for index, item in enumerate(items):
                yield from differences(item, found[index], f"{at}[{index}]")
        case _:
            # True is 1 to Python and not to JSON.
            if expected != got or isinstance(expected, bool) != isinstance(got, bool):
                yield f"{at}: expected {_brief(expected)}, got {_brief(got)}"


def _brief(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= _BRIEF else f"{text[:_BRIEF]}…"


@contextlib.contextmanager
def outage(
    kind: str | None, tree: Tree, workload: str, emulator: Emulator, make: Callable[[Registered], Answer]
) -> Generator[None]:
    """Take *kind* away from *workload* while the block runs, and *make* it again as the program declared it."""
    if kind != "private_api":
        yield
        return
    stages = [stage for stage in tree.of(_STAGE) if tree.workload_of(stage) == workload]
    gateway = emulator.client("apigateway")
    for stage in stages:
        gateway.delete_stage(restApiId=stage.inputs["restApi"], stageName=stage.inputs["stageName"])
    try:
        yield
    finally:
        for stage in stages:
            make(stage)
            for settings in _settings_of(stage, tree.of(_METHOD_SETTINGS)):
                make(settings)


def _settings_of(stage: Registered, settings: Sequence[Registered]) -> list[Registered]:
    key = (stage.inputs["restApi"], stage.inputs["stageName"])
    return [each for each in settings if (each.inputs["restApi"], each.inputs["stageName"]) == key]
