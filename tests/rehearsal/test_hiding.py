"""What a report quotes of an answer opens nothing."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from rehearsal import requests
from rehearsal.hiding import HIDDEN, Hiding
from rehearsal.script import Request

if TYPE_CHECKING:
    from rehearsal.client import Client

TOKEN = f"eyJ{'h' * 30}.eyJ{'p' * 500}.{'s' * 43}"
OPAQUE = "o" * 400
"""Longer than what is quoted: of what is cut before it is hidden, most would be shown."""


def request(**said: Any) -> Request:
    given = {
        "name": "a client logs in",
        "entrance": "url",
        "method": "POST",
        "path": "/login",
        "expect": {"status": 201},
    }
    return Request.model_validate(given | said)


def problems(content: object, headers: dict[str, str] | None = None, **said: Any) -> str:
    """Return what is told of an answer with *content* to a request that has *said* so."""
    sent = content if isinstance(content, bytes) else json.dumps(content).encode()
    client = SimpleNamespace(send=lambda *_, **__: (200, headers or {}, sent))
    asked = requests.ask(cast("Client", client), "shop", {"url": "http://shop"}, request(**said))
    assert not asked.ok
    return "\n".join(asked.problems)


@pytest.mark.parametrize("name", ["token", "access_token", "Password", "clientSecret", "apiKey", "session_cookie"])
@pytest.mark.parametrize(
    "expect",
    [
        {"status": 201},
        {"status": 200, "contains": ["other"]},
        {"status": 200, "json": [1]},
        {"status": 200, "json": {"a": [1, 2]}},
        {"status": 200, "json": {"a": [{"b": 1}]}},
    ],
)
def test_a_field_that_says_it_is_a_secret_is_not_quoted(name: str, expect: dict[str, Any]) -> None:
    told = problems({"a": [{name: OPAQUE, "b": 2}]}, expect=expect)
    assert "oooo" not in told


def test_what_differs_is_told_without_what_it_is() -> None:
    assert problems({"token": OPAQUE}, expect={"status": 200, "json": {"token": "another"}}) == (
        f'the answer.token: expected "another", got "{HIDDEN}"'
    )


def test_one_value_many_times_is_told_without_what_it_is() -> None:
    told = problems({"token": OPAQUE}, times=2, expect={"status": 200, "distinct": {"token": 2}})
    assert told == f"expected 2 different values of 'token' in 2 answers, got \"{HIDDEN}\" (2 times)"


@pytest.mark.parametrize("content", [f"<p>{TOKEN}</p>".encode(), {"message": TOKEN}, {"list": [TOKEN]}])
def test_a_token_is_known_by_its_form(content: object) -> None:
    """Under whatever name, and in what is no JSON."""
    assert "eyJ" not in problems(content)


@pytest.mark.parametrize(
    "sent",
    [
        {"headers": {"X-Api-Key": OPAQUE}},
        {"headers": {"Authorization": f"Bearer {OPAQUE}"}},
        {"json": {"email": "ada@example.com", "password": OPAQUE}},
    ],
)
def test_an_answer_that_gives_back_what_was_sent_is_quoted_without_it(sent: dict[str, Any]) -> None:
    """As an echo does, and many a page of an error."""
    assert problems(f"refused: {OPAQUE}".encode(), **sent) == f"expected status 201, got 200: refused: {HIDDEN}"


def test_a_cookie_is_not_quoted() -> None:
    told = problems({}, {"Set-Cookie": OPAQUE}, expect={"status": 200, "headers": {"Set-Cookie": "none"}})
    assert told == f"expected header Set-Cookie: none, got {HIDDEN}"


def test_all_else_is_quoted_as_it_is() -> None:
    """A report that hides what went wrong is of no use."""
    answer = {"status": "ok", "items": [1, 2], "email": "ada@example.com", "password": "abc"}
    text = json.dumps(answer)
    hiding = Hiding(request(json={"password": ""}))
    hiding.add({"Content-Type": "application/json"}, text.encode())
    assert hiding(text) == text, "a value of three characters would be hidden in every word"
