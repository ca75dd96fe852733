"""What is said to callers when the work itself goes wrong, or does not end."""

from __future__ import annotations

import asyncio
import io
import json
import threading
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType


class _Answers:
    """The service's work, held up or failing."""

    def __init__(self, failure: Exception | None = None) -> None:
        self.go = threading.Event()
        self.begun = threading.Event()
        self._failure = failure

    def drop(self, *_: object) -> bool:
        self.begun.set()
        self.go.wait(5)
        if self._failure:
            raise self._failure
        return True


@pytest.fixture
def ask(load: Callable[[str], ModuleType]) -> Callable[..., Any]:
    """Send one DELETE through the routes; *meanwhile* runs once the work has begun. Returns answer and log."""
    routes, messages, journal = load("routes"), load("messages"), load("journal")

    def run(answers: _Answers, meanwhile: Callable[[Any], None], timeout: float = 5) -> tuple[Any, list[Any]]:
        log = io.StringIO()

        async def both() -> Any:
            ready = asyncio.get_running_loop().create_future()
            ready.set_result(answers)
            made = routes.Routes(ready, timeout, journal.Journal(log))
            request = messages.Request(method="DELETE", target="/query/user/a", headers={}, body=b"")
            answering = asyncio.ensure_future(made(request))
            await asyncio.to_thread(answers.begun.wait, 5)
            meanwhile(made)
            response = await answering
            answers.go.set()
            await asyncio.sleep(0.05)
            return response

        return asyncio.run(both()), [json.loads(line) for line in log.getvalue().splitlines()]

    return run


def test_a_failure_nobody_foresaw_is_500_to_the_caller_and_a_traceback_in_the_log(ask: Callable[..., Any]) -> None:
    answers = _Answers(KeyError("secret detail"))
    response, log = ask(answers, lambda _: answers.go.set())
    assert response.status == 500
    assert "secret detail" not in json.dumps(response.body)
    assert (log[0]["level"], log[0]["error_message"]) == ("error", "KeyError('secret detail')")
    assert any("in drop" in line for line in log[0]["traceback"])


def test_a_failure_after_the_deadline_is_in_the_log_all_the_same(ask: Callable[..., Any]) -> None:
    """The caller has its 504 by then, and nobody waits for the thread any more."""
    response, log = ask(_Answers(KeyError("late")), lambda _: None, timeout=0.05)
    assert response.status == 504
    assert [line["message"] for line in log] == ["request", "this should not have happened"]


def test_what_outlasts_the_drain_is_told_so(ask: Callable[..., Any]) -> None:
    response, _ = ask(_Answers(), lambda routes: routes.cut())
    assert (response.status, response.headers["retry-after"]) == (503, "1")
