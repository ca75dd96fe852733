"""What becomes of the clients that an operator adds."""

from __future__ import annotations

import json

import pytest

from tests.apps.express_api.databases import ADA, API, GRACE, Client, CommandFailedError, Database, command


def test_clients_that_are_added_again_are_the_same_with_what_is_said_now(empty: Database) -> None:
    empty.migrate()
    empty.add(ADA, GRACE)
    ids = empty.sql("SELECT id FROM api.clients ORDER BY email")
    changed = Client(GRACE.email.upper(), prescriptions=[GRACE.prescriptions[0] | {"directions": "At night"}])
    empty.add(ADA, changed)
    assert empty.sql("SELECT id FROM api.clients ORDER BY email") == ids
    assert empty.sql("SELECT count(*) FROM api.prescriptions") == [[str(len(ADA.prescriptions) + 1)]]
    assert empty.sql("SELECT count(*) FROM api.prescriptions WHERE directions = 'At night'") == [["1"]]


def test_a_password_is_kept_as_a_hash_that_is_hard_to_guess(database: Database) -> None:
    """And two clients of one password have not one hash."""
    kept = [row[0] for row in database.sql("SELECT password_hash FROM api.clients ORDER BY email")]
    assert ADA.password == GRACE.password
    assert len(set(kept)) == len(kept) == 2
    assert all(each.startswith("scrypt$15$8$3$") for each in kept)


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("{", "no JSON"),
        ('{"password": "s3cret-s3cret-s3cret"', "no JSON"),
        ("{}", "no list"),
        ([{"email": "ada", "password": "s3cret-s3cret-s3cret"}], "client 1: "),
        ([GRACE.credentials, {"email": "ada@example.com", "password": "s3cret"}], "client 2: a password of 12"),
        ([{"email": "a@b", "password": "s3cret-s3cret", "prescriptions": [{"issued_on": "never"}]}], "date"),
        ([{"email": "a@b", "password": "s3cret-s3cret", "prescriptions": [{"medicine": None}]}], "null"),
    ],
)
def test_what_is_no_client_is_refused_whole_and_told_without_its_password(
    said: object, why: str, database: Database
) -> None:
    text = said if isinstance(said, str) else json.dumps(said)
    before = database.sql("SELECT count(*), max(password_hash) FROM api.clients")
    with pytest.raises(CommandFailedError, match=why) as failed:
        command(API, "add-clients.js", database.place | database.master, text)
    assert failed.value.code == 1
    assert "s3cret" not in failed.value.text
    assert database.sql("SELECT count(*), max(password_hash) FROM api.clients") == before
