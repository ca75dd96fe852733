"""Whose prescriptions whose token shows."""

from __future__ import annotations

import base64
import re

import pytest

from tests.apps.express_api.databases import ADA, API, GRACE, Database
from tests.apps.express_api.processes import PRESCRIPTION, Api


@pytest.fixture(scope="module")
def ada(shop: Api) -> str:
    return shop.token(ADA)


@pytest.fixture(scope="module")
def grace(shop: Api) -> str:
    return shop.token(GRACE)


def cursor(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def test_a_client_sees_its_own_and_nobody_elses(shop: Api, grace: str) -> None:
    answer = shop.prescriptions(grace)
    (only,) = answer.json["items"]
    assert only == GRACE.prescriptions[0] | {"id": only["id"]}
    assert answer.json["next"] is None
    assert answer.headers["Cache-Control"] == "no-store"


def test_pages_have_everything_once_the_newest_first(shop: Api, ada: str) -> None:
    found, query = [], "?limit=7"
    while True:
        page = shop.prescriptions(ada, query).json
        found += page["items"]
        if page["next"] is None:
            break
        assert len(page["items"]) == 7
        query = f"?limit=7&cursor={page['next']}"
    told = [(each["issued_on"], each["medicine"], each["directions"]) for each in found]
    assert sorted(told) == sorted(
        (each["issued_on"], each["medicine"], each["directions"]) for each in ADA.prescriptions
    )
    assert [each["issued_on"] for each in found] == sorted((each["issued_on"] for each in found), reverse=True)
    assert len({each["id"] for each in found}) == len(ADA.prescriptions)


def test_a_page_has_twenty_unless_told_otherwise_and_the_last_has_no_next(shop: Api, ada: str) -> None:
    assert len(shop.prescriptions(ada).json["items"]) == 20
    whole = shop.prescriptions(ada, "?limit=30").json
    assert (len(whole["items"]), whole["next"]) == (30, None)


def test_a_cursor_of_another_client_gives_nothing_of_anothers(shop: Api, ada: str, grace: str) -> None:
    theirs = shop.prescriptions(ada, "?limit=1").json["next"]
    assert shop.prescriptions(grace, f"?cursor={theirs}").json["items"] == []
    everything = cursor("9999-12-31.999999999999999999")
    assert len(shop.prescriptions(grace, f"?cursor={everything}").json["items"]) == 1


@pytest.mark.parametrize(
    "query",
    [
        "?limit=0", "?limit=101", "?limit=-1", "?limit=1e2", "?limit=", "?limit=5&limit=6", "?cursor=", "?cursor=%00",
        "?cursor=x&cursor=y", f"?cursor={cursor('2026-02-30.1')}", f"?cursor={cursor('0000-01-01.1')}",
        f"?cursor={cursor('2026-01-01.9999999999999999999')}", f"?cursor={cursor('2026-01-01.1 OR 1=1')}",
    ],
)  # fmt: skip
def test_what_is_no_page_is_refused(query: str, shop: Api, ada: str) -> None:
    assert shop.prescriptions(ada, query).status == 400


def test_pages_are_read_by_their_index(database: Database) -> None:
    """However many a client has, a page costs what is on it: the service's own question, asked of many."""
    database.sql(
        """WITH many AS (INSERT INTO api.clients (email, password_hash) VALUES ('many@example.com', '') RETURNING id)
        INSERT INTO api.prescriptions (client_id, issued_on, medicine, directions)
        SELECT id, date '2020-01-01' + day, 'Ramipril', 'One a day' FROM many, generate_series(1, 5000) AS day"""
    )
    database.sql("ANALYZE api.prescriptions")
    ((client,),) = database.sql("SELECT id FROM api.clients WHERE email = 'many@example.com'")
    question = re.search(r"const PAGE = `(.*?)`", (API / "prescriptions.js").read_text(), re.DOTALL)
    assert question
    values = {"$1": f"'{client}'", "$2": "'2025-01-01'", "$3": "1", "$4": "21"}
    asked = re.sub(r"\$\d", lambda found: values[found[0]], question[1])
    plan = "\n".join(line for (line,) in database.sql(f"EXPLAIN {asked}"))
    database.sql("DELETE FROM api.prescriptions WHERE medicine = 'Ramipril'")
    database.sql("DELETE FROM api.clients WHERE email = 'many@example.com'")
    assert "Index Scan using prescriptions_of_client" in plan
    assert "Sort" not in plan


def test_without_a_token_there_is_nothing_to_see(shop: Api) -> None:
    for headers in ({}, {"Authorization": "Basic YTpi"}, {"Authorization": "Bearer"}, {"Authorization": "Bearer a b"}):
        answer = shop.send("GET", PRESCRIPTION, **headers)
        assert (answer.status, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
