"""Who gets a token, and how often one may try."""

from __future__ import annotations

import base64
import json
import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING

import pytest

from tests.apps.express_api.databases import ADA, CLIENTS, GRACE, Client, Database
from tests.apps.express_api.processes import INFO, LOGIN, Api, api

if TYPE_CHECKING:
    from collections.abc import Iterator

NOBODY = Client("nobody@example.com")
WRONG = Client(ADA.email, "a wrong password")


def test_a_client_gets_a_token_that_says_who_and_until_when(shop: Api, database: Database) -> None:
    answer = shop.send("POST", LOGIN, ADA.credentials)
    assert answer.status == 200
    assert answer.headers["Cache-Control"] == "no-store"
    header, payload, _ = (part + "==" for part in answer.json["token"].split("."))
    assert json.loads(base64.urlsafe_b64decode(header)) == {"alg": "HS256", "typ": "JWT"}
    said = json.loads(base64.urlsafe_b64decode(payload))
    assert said["exp"] - said["iat"] == 15 * 60
    assert datetime.fromisoformat(answer.json["expires_at"]).timestamp() == said["exp"]
    ((client,),) = database.sql("SELECT id FROM api.clients WHERE email = 'ada@example.com'")
    written = database.sql("SELECT id, client_id, extract(epoch FROM expires_at)::bigint FROM api.logins")
    assert [said["jti"], said["sub"], str(said["exp"])] in written
    assert said["sub"] == client
    assert set(said) == {"iss", "aud", "sub", "jti", "iat", "exp"}, "anybody who has a token can read it"


def test_an_address_is_the_same_however_it_is_written(shop: Api) -> None:
    assert shop.login(Client("Ada@EXAMPLE.com")).status == 200


@contextmanager
def counting(database: Database, **limits: str) -> Iterator[Api]:
    """Run an API of these limits, for which nobody has tried yet."""
    database.sql("DELETE FROM api.login_attempts")
    with api(database, PROXIES="1", **limits) as running:
        yield running


@pytest.mark.parametrize(
    "client", [WRONG, NOBODY, Client(ADA.email, ADA.password + " "), Client(ADA.email, "x" * 1024)]
)
def test_whatever_was_wrong_the_answer_is_one(client: Client, shop: Api) -> None:
    answer = shop.login(client)
    assert (answer.status, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
    assert answer.json["error"] == {"message": "no client has this email address and password"}


def test_nobody_learns_by_the_clock_who_is_a_client(shop: Api) -> None:
    """An unknown address that is answered at once would tell all that are known."""

    def taken(client: Client) -> float:
        began = time.perf_counter()
        assert shop.login(client).status == 401
        return time.perf_counter() - began

    known, unknown = zip(*[(taken(WRONG), taken(NOBODY)) for _ in range(5)], strict=True)
    # Without the work that is done for nobody it is a hundredth.
    assert 0.6 < statistics.median(unknown) / statistics.median(known) < 1.6


@pytest.mark.parametrize(
    "body",
    [
        {}, [], {"email": ADA.email}, {"email": ADA.email, "password": ""}, {"email": ADA.email, "password": 5},
        {"email": [ADA.email], "password": ADA.password}, {"email": {"$gt": ""}, "password": {"$gt": ""}},
        {"email": "no address", "password": "x"}, {"email": "a\0@example.com", "password": "x"},
        {"email": "a" * 250 + "@b.co", "password": "x"}, {"email": ADA.email, "password": "x" * 1025},
        {"__proto__": {"email": ADA.email, "password": ADA.password}},
    ],
)  # fmt: skip
def test_what_is_no_login_is_refused_before_anything_is_asked(body: object, shop: Api) -> None:
    answer = shop.send("POST", LOGIN, body)
    assert (answer.status, set(answer.json)) == (400, {"error", "request_id"})


def test_an_account_has_so_many_attempts_whoever_makes_them_and_at_whichever_task(database: Database) -> None:
    """What one task counted by itself, two would let pass twice; nor is an account that is not there told by it."""
    with counting(database, LOGINS_PER_ACCOUNT="4") as one, counting(database, LOGINS_PER_ACCOUNT="4") as other:
        for email in (f"{time.time()}@example.com", GRACE.email):
            tried = [
                task.login(Client(email, "wrong"), X_Forwarded_For=f"198.51.100.{number}")
                for number, task in enumerate((one, other) * 4)
            ]
            assert [answer.status for answer in tried] == [401] * 4 + [429] * 4
            assert 0 < int(tried[-1].headers["Retry-After"]) <= 900
        assert one.login(GRACE).status == 429, "the right one too: who guesses it must not learn so"
        assert one.login(ADA).status == 200


def test_who_has_logged_in_may_err_again(database: Database) -> None:
    with counting(database, LOGINS_PER_ACCOUNT="2") as running:
        for _ in range(3):
            assert [running.login(client).status for client in (WRONG, ADA)] == [401, 200]


def test_an_address_has_so_many_attempts_on_whatever_account(database: Database) -> None:
    """And an address that is refused counts against nobody's account."""
    with counting(database, LOGINS_PER_ADDRESS="3", LOGINS_PER_ACCOUNT="2") as running:
        tried = [
            running.login(Client(f"{number}@example.net"), X_Forwarded_For=f"spoofed-{number}, 203.0.113.7").status
            for number in range(3)
        ]
        refused = [running.login(ADA, X_Forwarded_For="203.0.113.7").status for _ in range(3)]
        assert (tried, refused) == ([401] * 3, [429] * 3)
        assert running.login(ADA, X_Forwarded_For="203.0.113.8").status == 200


def test_whoever_has_a_network_of_version_6_has_one_address(database: Database) -> None:
    with counting(database, LOGINS_PER_ADDRESS="2") as running:
        addresses = ["2001:db8::1", "2001:0db8:0:0:ffff::2", "2001:DB8::3:4:5:6", "2001:db8:0:1::1"]
        tried = [running.login(NOBODY, X_Forwarded_For=address).status for address in addresses]
        assert tried == [401, 401, 429, 401]


def test_a_quarter_of_an_hour_later_one_may_try_again(database: Database) -> None:
    with counting(database, LOGINS_PER_ACCOUNT="1") as running:
        assert [running.login(WRONG).status for _ in range(2)] == [401, 429]
    # Another task, which does not remember what the first has refused.
    with api(database, LOGINS_PER_ACCOUNT="1") as running:
        database.sql("UPDATE api.login_attempts SET began = began - interval '14 minutes'")
        assert running.login(WRONG).status == 429
    with api(database, LOGINS_PER_ACCOUNT="1") as running:
        database.sql("UPDATE api.login_attempts SET began = began - interval '1 minute'")
        assert [running.login(WRONG).status for _ in range(2)] == [401, 429]


def test_thousands_who_log_in_at_once_are_no_burden_to_the_rest(shop: Api) -> None:
    """From anywhere, for any account: no counter stops it, and hashing takes all the time that it is given."""
    with ThreadPoolExecutor(48) as pool:
        attempts = [
            pool.submit(shop.login, Client(f"{number}@example.com", "wrong"), X_Forwarded_For=f"10.1.2.{number}")
            for number in range(96)
        ]
        took: list[float] = []
        while not all(attempt.done() for attempt in attempts):
            began = time.monotonic()
            assert shop.send("GET", INFO).status == 200
            took.append(time.monotonic() - began)
            time.sleep(0.05)
    answers = [attempt.result() for attempt in attempts]
    assert {answer.status for answer in answers} == {401, 503}
    assert {answer.headers["Retry-After"] for answer in answers if answer.status == 503} == {"2"}
    assert max(took) < 5, "after which a load balancer gives a health check up"
    assert [shop.login(client).status for client in CLIENTS] == [200, 200]
