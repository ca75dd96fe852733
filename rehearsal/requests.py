"""Sends a workload's requests through its entrances, and holds the answers against what was expected."""

from __future__ import annotations

import contextlib
import http
import json
import re
import time
from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, cast
from urllib.parse import urlsplit

import urllib3
from pulumi.runtime.rpc import UNKNOWN

from rehearsal import client
from rehearsal.hiding import Hiding
from rehearsal.keeping import Kept
from rehearsal.result import Asked

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Sequence

    from rehearsal.client import Client
    from rehearsal.emulator import Emulator
    from rehearsal.graph import Answer, Registered
    from rehearsal.script import Expectation, Request, Script
    from rehearsal.tree import Tree

_BRIEF: Final = 300
"""Characters of an answer that are quoted: a few lines of a terminal."""
_STAGE: Final = "aws:apigateway/stage:Stage"
_METHOD_SETTINGS: Final = "aws:apigateway/methodSettings:MethodSettings"


class EntranceError(Exception):
    """A request or a seed names an output that the workload does not have, or that is no URL."""


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
    for rows in script.rows:
        output_of(workload, outputs, rows.database)
    for request in script.requests:
        if request.api_key is not None:
            output_of(workload, outputs, request.api_key)
    for request in (*script.requests, *script.streams):
        value = output_of(workload, outputs, request.entrance)
        if value != UNKNOWN and not re.match("https?://[^/]", value):
            raise EntranceError(
                f"{workload}: the request {request.name!r} goes through the output {request.entrance!r}, which is "
                f"a {type(outputs[request.entrance]).__name__} and no URL: name an output that begins with "
                "http:// or https://"
            )
    for request in script.requests:
        url = output_of(workload, outputs, request.entrance)
        if (request.host or request.scheme) and urlsplit(url).hostname in client.LOOPBACK:
            raise EntranceError(
                f"{workload}: the request {request.name!r} says `host` or `scheme`, which are for load balancers, and "
                f"the output {request.entrance!r} is none's"
            )


def with_key(emulator: Emulator, workload: str, outputs: Mapping[str, Any], request: Request) -> Request:
    """Return *request* with the value of the API key that it names: fetched, and kept nowhere else.

    Raises:
        EntranceError: it names an output that is not there.

    """
    if request.api_key is None:
        return request
    key = output_of(workload, outputs, request.api_key)
    value = emulator.client("apigateway").get_api_key(apiKey=key, includeValue=True)["value"]
    return request.model_copy(update={"headers": {**request.headers, "X-Api-Key": value}})


def ask(
    through: Client, workload: str, outputs: Mapping[str, Any], request: Request, kept: Kept | None = None
) -> Asked:
    """Send *request* through its entrance, with what was *kept* of earlier answers, and compare the answer."""
    kept = kept or Kept()
    sent = kept.fill(request)
    hiding = Hiding(sent)

    def hide(text: str) -> str:
        return hiding(kept.hide(text))

    url = client.url_of(sent, output_of(workload, outputs, request.entrance))
    headers, body = client.headers_and_body(sent)
    started = time.monotonic()
    status, late = 0, False
    problems: list[str] = []
    answers: list[bytes] = []
    others = 0
    try:
        while not problems and len(answers) + others < request.times:
            status, answered, content = through.send(request.method, url, headers, body, host=request.host)
            if status == request.expect.sometimes:
                others += 1
                continue
            hiding.add(answered, content)
            not_there = [*kept.take(request, content)]
            problems = [*_differences(request, status, answered, content, hide)] or not_there
            answers.append(content)
        late = bool(problems) and status == http.HTTPStatus.GATEWAY_TIMEOUT
        problems = problems or [
            *_not_both(request.expect, answers, others),
            *_too_much_alike(request.expect, answers, hide),
        ]
    except urllib3.exceptions.ReadTimeoutError:
        problems, late = [f"no answer from {hide(url)} within {client.TIMEOUT:.0f} s"], True
    except (urllib3.exceptions.HTTPError, client.NoSuchNameError, OSError) as error:
        problems = [hide(f"no answer from {url}: {error}")]
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


def _differences(
    request: Request, status: int, headers: Mapping[str, str], content: bytes, hide: Callable[[str], str]
) -> Iterator[str]:
    """Yield where an answer is not what *request* expects; what is quoted of it, *hide* has seen while it was whole."""
    wanted = request.expect
    text = content.decode(errors="replace")
    brief = hide(text)[:_BRIEF]
    if status != wanted.status:
        yield f"expected status {wanted.status}, got {status}: {brief}"
    given = {name.lower(): value for name, value in headers.items()}
    for name, value in wanted.headers.items():
        if given.get(name.lower()) != value:
            yield f"expected header {name}: {value}, got {hide(given.get(name.lower(), 'none'))}"
    for part in wanted.contains:
        if part not in text:
            yield f"expected {part!r} in the answer, got {brief!r}"
    if wanted.json_ is None or status != wanted.status:
        return
    try:
        got = json.loads(text)
    except ValueError:
        yield f"expected JSON, got {brief!r}"
        return
    yield from differences(wanted.json_, got, hide=hide)


def _not_both(wanted: Expectation, answers: Sequence[bytes], others: int) -> Iterator[str]:
    """Say which of the two statuses that a throttled request is to have was in no answer."""
    if wanted.sometimes is not None and not (answers and others):
        missing = wanted.status if others else wanted.sometimes
        yield f"expected one answer or more of {len(answers) + others} to have status {missing}, got none"


def _too_much_alike(wanted: Expectation, answers: Sequence[bytes], hide: Callable[[str], str]) -> Iterator[str]:
    for field, fewest in wanted.distinct.items():
        values = Counter(_field(content, field) for content in answers)
        if len(values) < fewest:
            found = ", ".join(f"{hide(value)} ({count} times)" for value, count in values.items())
            yield f"expected {fewest} different values of {field!r} in {len(answers)} answers, got {found}"


def _field(content: bytes, name: str) -> str:
    try:
        answer = json.loads(content)
    except ValueError:
        return "no JSON"
    return json.dumps(cast("dict[str, Any]", answer).get(name)) if isinstance(answer, dict) else "no object"


def differences(expected: Any, got: Any, at: str = "the answer", *, hide: Callable[[str], str] = str) -> Iterator[str]:
    """Yield where *got* is not what was *expected*: part of each object, the whole of each list, all else equal.

    What is quoted is what *hide* makes of it.
    """
    match expected, got:
        case Mapping(), Mapping():
            wanted, there = cast("Mapping[str, Any]", expected), cast("Mapping[str, Any]", got)
            for name, value in wanted.items():
                if name not in there:
                    yield f"{at}: expected {name!r}, got {', '.join(map(repr, there)) or 'an empty object'}"
                else:
                    yield from differences(value, there[name], f"{at}.{name}", hide=hide)
        case list(), list():
            items, found = cast("list[Any]", expected), cast("list[Any]", got)
            if len(items) != len(found):
                yield f"{at}: expected {len(items)} elements, got {len(found)}: {_brief(found, hide)}"
                return
            for index, item in enumerate(items):
                yield from differences(item, found[index], f"{at}[{index}]", hide=hide)
        case _:
            # True is 1 to Python and not to JSON.
            if expected != got or isinstance(expected, bool) != isinstance(got, bool):
                yield f"{at}: expected {_brief(expected, hide)}, got {_brief(got, hide)}"


def _brief(value: Any, hide: Callable[[str], str]) -> str:
    text = hide(json.dumps(value))
    return text if len(text) <= _BRIEF else f"{text[:_BRIEF]}…"


@contextlib.contextmanager
def outage(
    kind: str | None, tree: Tree, workload: str, emulator: Emulator, make: Callable[[Registered], Answer]
) -> Generator[None]:
    """Take *kind* away from *workload* while the block runs, and *make* it again as the program declared it."""
    if kind != "private_api":
        yield
        return
    stages = tree.own(workload, _STAGE)
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
