"""What a script keeps of one answer is in its later requests, and in nothing that is printed."""

from __future__ import annotations

from typing import Any

import pytest

from rehearsal import keeping
from rehearsal.keeping import Kept
from rehearsal.script import Request


def request(**said: Any) -> Request:
    whole = {"name": "it holds", "entrance": "url", "method": "GET", "path": "/", "expect": {"status": 200}, **said}
    return Request.model_validate(whole)


def kept(content: bytes = b'{"token": "s3same", "page": {"next": "b-7"}}', **fields: str) -> Kept:
    """Return what is kept of *content* by a login that keeps *fields*: name → field."""
    found = Kept()
    assert not list(found.take(request(keep=fields), content))
    return found


def test_a_later_request_has_it_wherever_it_says_so() -> None:
    """In its path, its headers and its body, at any depth; several in one text too."""
    said = request(
        method="POST",
        path="/orders?after=${page}",
        headers={"Authorization": "Bearer ${ada}"},
        json={"of": ["${ada}/${page}", 3, None], "deep": {"er": "${page}"}},
    )
    sent = kept(ada="token", page="page.next").fill(said)
    assert sent.path == "/orders?after=b-7"
    assert sent.headers == {"Authorization": "Bearer s3same"}
    assert sent.json_ == {"of": ["s3same/b-7", 3, None], "deep": {"er": "b-7"}}
    assert kept(ada="token").fill(request(method="POST", text="token=${ada}&more")).text == "token=s3same&more"


def test_the_request_of_the_script_stays_as_it_is() -> None:
    """It is what the report tells of."""
    said = request(path="/orders?after=${page}")
    kept(page="page.next").fill(said)
    assert said.path == "/orders?after=${page}"


def test_one_that_names_nothing_is_sent_as_it_is() -> None:
    said = request(headers={"X": "$ada {ada} $${"}, path="/$1")
    assert kept(ada="token").fill(said) is said
    assert not keeping.names(said)


def test_the_last_answer_is_what_is_kept() -> None:
    """A second login has another token, and the first may be good no more."""
    found = kept(ada="token")
    list(found.take(request(keep={"ada": "token"}), b'{"token": "another"}'))
    assert found.fill(request(path="/${ada}")).path == "/another"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<html>",
        b"[]",
        b'"text"',
        b"{}",
        b'{"token": 7}',
        b'{"token": ""}',
        b'{"token": null}',
        b'{"a": {"token": 1}}',
    ],
)
def test_what_is_not_there_is_told_by_its_field(content: bytes) -> None:
    """Else the next request would be sent without it, and its failure would say something else."""
    found = Kept()
    assert list(found.take(request(keep={"ada": "token"}), content)) == [
        "expected text in 'token', to keep it as 'ada', got none"
    ]


def test_a_field_below_something_that_is_no_object_is_not_there() -> None:
    assert list(Kept().take(request(keep={"page": "page.next"}), b'{"page": ["next"]}')) == [
        "expected text in 'page.next', to keep it as 'page', got none"
    ]


def test_a_text_to_print_has_names_in_the_place_of_values() -> None:
    """A token is as good as a password."""
    found = kept(ada="token", page="page.next")
    assert found.hide("no answer from /orders?after=b-7 (Bearer s3same, s3same)") == (
        "no answer from /orders?after=${page} (Bearer ${ada}, ${ada})"
    )
    assert "s3same" not in repr(found)
