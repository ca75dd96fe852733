"""Scripts are followed in their order, and silence is not waited for twice."""

from __future__ import annotations

import io
from collections import deque
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

from rehearsal import asking, requests
from rehearsal.graph import Answer, Registered
from rehearsal.progress import Progress
from rehearsal.result import Result
from rehearsal.script import Request, Script
from rehearsal.tree import Tree

OUTPUTS = {"front_url": "http://front", "back_url": "http://back"}
DEFINITION = Registered(
    urn="urn:definition",
    type="aws:ecs/taskDefinition:TaskDefinition",
    name="definition",
    parent="urn:shop",
    custom=True,
    inputs={"family": "shop"},
)
SHOP = Registered(urn="urn:shop", type="drydock:index:Shop", name="shop", parent="", custom=False, inputs={})


def request(path: str, entrance: str = "front_url") -> Request:
    said = {"name": f"{path} holds", "entrance": entrance, "method": "GET", "path": path, "expect": {"status": 200}}
    return Request.model_validate(said)


def asked(monkeypatch: pytest.MonkeyPatch, *sent: Request, late: str = "", says: int = 0) -> tuple[Result, list[str]]:
    """Follow a script of *sent*, of which that to *late* is not answered; return what was found and what was sent."""
    really: list[str] = []
    container = SimpleNamespace(id="c", labels={"com.amazonaws.ecs.task-definition-family": "shop"}, lines=deque[str]())

    def ask(_client: object, workload: str, _outputs: object, request: Request) -> requests.Asked:
        really.append(request.path)
        container.lines += [f"{request.path} line {number}" for number in range(says)]
        wrong = ["no answer within 35 s"] if request.path == late else []
        return requests.asked(workload, request, wrong, late=bool(wrong))

    monkeypatch.setattr(requests, "ask", ask)
    result = Result(stack="dev")
    following: Any = asking.Asking(
        Tree([SHOP, DEFINITION], {"workloads": {"shop": OUTPUTS}}),
        {"shop": Script(requests=sent)},
        emulator=SimpleNamespace(endpoint="http://127.0.0.1:1"),  # type: ignore[arg-type]
        containers=SimpleNamespace(all=lambda: [container]),  # type: ignore[arg-type]
        make=lambda _: Answer(id=""),
        result=result,
        progress=Progress(Console(file=io.StringIO())),
    )
    following.ask()
    return result, really


def test_after_silence_nothing_more_is_sent_through_that_entrance(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each would wait as long, and a hanging handler would hold a rehearsal for minutes."""
    found, sent = asked(monkeypatch, request("/a"), request("/b"), request("/c", "back_url"), request("/d"), late="/a")
    assert sent == ["/a", "/c"]
    assert [(each.path, each.ok) for each in found.requests] == [
        ("/a", False),
        ("/b", False),
        ("/c", True),
        ("/d", False),
    ]
    assert found.errors[1:] == [
        f"shop: GET {path} ({path} holds):\n  not sent: GET /a (/a holds) had no answer in time through this entrance"
        for path in ("/b", "/d")
    ]


def test_a_failed_request_is_told_with_the_latest_of_what_was_said_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    found, _ = asked(monkeypatch, request("/a"), request("/b"), late="/b", says=20)
    (error,) = found.errors
    assert error.splitlines()[:3] == ["shop: GET /b (/b holds):", "  no answer within 35 s", "  | /b line 10"]
    assert len(error.splitlines()) == 12


def test_an_entrance_that_is_no_url_is_told_before_anything_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(OUTPUTS, "back_url", "arn:aws:x")
    with pytest.raises(requests.EntranceError, match="shop: the request '/b holds' goes through the output 'back_url'"):
        asked(monkeypatch, request("/a"), request("/b", "back_url"))
