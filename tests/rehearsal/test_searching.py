"""The search for secrets finds each in every form that it is written in."""

from __future__ import annotations

import base64
import json
import urllib.parse
from typing import Final

import pytest

from tests.rehearsal.searching import Search

SECRET: Final = 'cR7"vN+2xK/9 pQ4zT8'  # noqa: S105 - nobody's
"""With what each form of writing has its own way for."""
FORMS: Final = {
    "as it is": SECRET,
    "in JSON": json.dumps({"a": SECRET}),
    "in JSON in JSON": json.dumps(json.dumps({"a": SECRET})),
    "in a URL": f"?a={urllib.parse.quote(SECRET, safe='')}&",
    "in a form": urllib.parse.urlencode({"a": SECRET}),
    "in hexadecimal": SECRET.encode().hex(),
    "over two lines": f"{SECRET[:7]}\n{SECRET[7:]}",
    **{
        f"in Base64 behind {before} and before {after}": base64.b64encode(
            b"u" * before + SECRET.encode() + b"v" * after
        ).decode()
        for before in range(4)
        for after in range(3)
    },
    "in a URL's Base64": base64.urlsafe_b64encode(SECRET.encode()).decode(),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("before", range(9))
def test_a_secret_is_found_in_each_form_and_wherever_it_begins(form: str, before: int) -> None:
    """A search by windows would pass over what begins between two."""
    search = Search({"planted": SECRET, "another": "3xD8wL5mY1rB"})
    assert search.found("." * before + FORMS[form] + "...") == {"planted"}


@pytest.mark.parametrize("cut", [slice(20), slice(-20, None), slice(33)])
def test_a_long_secret_is_found_where_it_is_cut(cut: slice) -> None:
    """A report quotes the beginning of an answer, and a terminal shows the end of a line."""
    planted = "VwQ4xN8rTb2Lk6HcJ0mZs5Yd9GfA3eUp7i"
    assert Search({"planted": planted}).found(f"got {planted[cut]}…") == {"planted"}


def test_what_looks_like_a_secret_is_found_whoever_made_it() -> None:
    """A token that no witness has seen is one all the same."""
    search = Search({})
    assert search.found("got eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJlLXRoYXQtaXM") == {"a signed token"}
    assert search.found("-----BEGIN EC PRIVATE KEY-----") == {"a private key"}
    assert search.found("PASSWORD 'SCRAM-SHA-256$4096:c2FsdHNhbHQ=$aa:bb'") == {"what PostgreSQL has of a password"}
    assert search.found("nothing of it") == set()
