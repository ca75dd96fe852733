"""Scripts are followed in their order, and silence is not waited for twice."""

from __future__ import annotations

import io
from collections import deque
from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from rich.console import Console

from rehearsal import asking, requests, streams
from rehearsal.graph import Answer, Registered
from rehearsal.progress import Progress
from rehearsal.result import Result, Streamed
from rehearsal.script import Request, Rows, Script
from rehearsal.script_streams import Streams
from rehearsal.subject import Subject
from rehearsal.tree import Tree

if TYPE_CHECKING:
    from rehearsal.keeping import Kept

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

    def ask(_client: object, workload: str, _outputs: object, request: Request, _kept: Kept) -> requests.Asked:
        really.append(request.path)
        container.lines += [f"{request.path} line {number}" for number in range(says)]
        wrong = ["no answer within 35 s"] if request.path == late else []
        return requests.asked(workload, request, wrong, late=bool(wrong))

    monkeypatch.setattr(requests, "ask", ask)
    result = Result(stack="dev")
    subject = Subject(
        tree=Tree([SHOP, DEFINITION], {"workloads": {"shop": OUTPUTS}}),
        scripts={"shop": Script(requests=sent)},
        emulator=SimpleNamespace(endpoint="http://127.0.0.1:1"),  # type: ignore[arg-type]
        containers=SimpleNamespace(all=lambda: [container]),  # type: ignore[arg-type]
        databases=SimpleNamespace(),  # type: ignore[arg-type]
        result=result,
        progress=Progress(Console(file=io.StringIO())),
    )
    following: Any = asking.Asking(subject, lambda _: Answer(id=""))
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


def test_what_no_answer_gave_is_not_made_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sent without it, a request fails for another reason than the one that there is to mend."""
    login = request("/a").model_copy(update={"keep": {"ada": "tokken"}})
    found, sent = asked(monkeypatch, login, request("/b?${ada}"), request("/c"))
    assert sent == ["/a", "/c"]
    (error,) = found.errors
    assert error.splitlines()[1] == "  not sent: no earlier answer gave ada"


def test_a_failed_request_is_told_with_the_latest_of_what_was_said_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    found, _ = asked(monkeypatch, request("/a"), request("/b"), late="/b", says=20)
    (error,) = found.errors
    assert error.splitlines()[:3] == ["shop: GET /b (/b holds):", "  no answer within 35 s", "  | /b line 10"]
    assert len(error.splitlines()) == 12


def test_an_entrance_that_is_no_url_is_told_before_anything_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(OUTPUTS, "back_url", "arn:aws:x")
    with pytest.raises(requests.EntranceError, match="shop: the request '/b holds' goes through the output 'back_url'"):
        asked(monkeypatch, request("/a"), request("/b", "back_url"))


def test_rows_are_put_into_the_database_that_the_output_names() -> None:
    """By its identifier, which Pulumi has made; as they stand in the script."""
    put: list[tuple[str, Rows]] = []
    said = Rows.model_validate({"database": "database", "table": "api.clients", "rows": [{"id": 1}]})
    subject = Subject(
        tree=Tree([SHOP, DEFINITION], {"workloads": {"shop": {**OUTPUTS, "database": "shop-1a2b3c4"}}}),
        scripts={"shop": Script(rows=(said,))},
        emulator=SimpleNamespace(client=lambda _: None),  # type: ignore[arg-type]
        containers=SimpleNamespace(),  # type: ignore[arg-type]
        databases=SimpleNamespace(put=lambda identifier, rows: put.append((identifier, rows))),  # type: ignore[arg-type]
        result=Result(stack="dev"),
        progress=Progress(Console(file=io.StringIO())),
    )
    following: Any = asking.Asking(subject, lambda _: Answer(id=""))
    following.seed()
    assert put == [("shop-1a2b3c4", said)]


def test_one_workloads_requests_have_what_an_earlier_one_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """And another workload's have not: its script could not name it."""
    keepers: list[tuple[str, Kept]] = []

    def ask(_client: object, workload: str, _outputs: object, request: Request, kept: Kept) -> requests.Asked:
        keepers.append((workload, kept))
        return requests.asked(workload, request, [])

    monkeypatch.setattr(requests, "ask", ask)
    other = replace(SHOP, urn="urn:other", name="other")
    subject = Subject(
        tree=Tree([SHOP, DEFINITION, other], {"workloads": {"shop": OUTPUTS, "other": OUTPUTS}}),
        scripts={"shop": Script(requests=(request("/a"), request("/b"))), "other": Script(requests=(request("/c"),))},
        emulator=SimpleNamespace(endpoint="http://127.0.0.1:1"),  # type: ignore[arg-type]
        containers=SimpleNamespace(all=list),  # type: ignore[arg-type]
        databases=SimpleNamespace(),  # type: ignore[arg-type]
        result=Result(stack="dev"),
        progress=Progress(Console(file=io.StringIO())),
    )
    following: Any = asking.Asking(subject, lambda _: Answer(id=""))
    following.ask()
    (_, first), (_, second), (_, third) = keepers
    assert [workload for workload, _ in keepers] == ["shop", "shop", "other"]
    assert first is second
    assert third is not first


def test_failed_streams_are_an_error_with_what_was_said_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    said = Streams.model_validate(
        {"name": "all whole", "entrance": "front_url", "method": "POST", "path": "/talk", "times": 3}
    )
    container = SimpleNamespace(
        id="c", labels={"com.amazonaws.ecs.task-definition-family": "shop"}, lines=deque(["old"])
    )

    def run(_client: object, workload: str, url: str, given: Streams, _killer: object) -> list[Streamed]:
        assert (workload, url, given) == ("shop", "http://front", said)
        container.lines.append("out of memory")
        figures: Any = {"complete": 2, "failed": {"INTERNAL": 1}, "retried": 0, "messages": 9, "hosts": {"a": 3}}
        figures |= {"killed": (), "replaced_in": 0.0, "seconds": 0.5, "ok": False, "problems": ("one failed",)}
        named = {name: getattr(given, name) for name in ("name", "entrance", "method", "path", "times")}
        return [Streamed(workload=workload, **named, **figures)]

    monkeypatch.setattr(streams, "run", run)
    result = Result(stack="dev")
    subject = Subject(
        tree=Tree([SHOP, DEFINITION], {"workloads": {"shop": OUTPUTS}}),
        scripts={"shop": Script(streams=(said,))},
        emulator=SimpleNamespace(endpoint="http://127.0.0.1:1"),  # type: ignore[arg-type]
        containers=SimpleNamespace(all=lambda: [container]),  # type: ignore[arg-type]
        databases=SimpleNamespace(),  # type: ignore[arg-type]
        result=result,
        progress=Progress(Console(file=io.StringIO())),
    )
    following: Any = asking.Asking(subject, lambda _: Answer(id=""))
    following.stream()
    assert [each.complete for each in result.streams] == [2]
    assert result.errors == ["shop: POST /talk (all whole):\n  one failed\n  | out of memory"]
