"""Which tokens are taken: those that the service has signed, as they were, until they expire."""

from __future__ import annotations

import base64
import hmac
import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.apps.express_api.databases import ADA, GRACE, TOKEN_KEY, Database
from tests.apps.express_api.processes import UNLIMITED, Api, api

if TYPE_CHECKING:
    from collections.abc import Callable

OTHER_KEY = "another key, which has more than 32 bytes as well"


def encoded(part: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")


def decoded(part: str) -> Any:
    return json.loads(base64.urlsafe_b64decode(part + "=="))


def signed(payload: dict[str, Any], key: str = TOKEN_KEY, algorithm: str = "HS256", **header: Any) -> str:
    text = f"{encoded({'alg': algorithm, 'typ': 'JWT', **header})}.{encoded(payload)}"
    digest = {"HS256": "sha256", "HS384": "sha384", "HS512": "sha512"}.get(algorithm, "sha256")
    mac = hmac.new(key.encode(), text.encode(), digest).digest()
    return f"{text}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}"


@pytest.fixture(scope="module")
def payload(shop: Api) -> dict[str, Any]:
    """What a token of a client says."""
    return decoded(shop.token(ADA).split(".")[1])


def without(name: str) -> Callable[[dict[str, Any]], str]:
    return lambda payload: signed({key: value for key, value in payload.items() if key != name})


FORGED: dict[str, Callable[[dict[str, Any]], str]] = {
    "of no algorithm": lambda payload: f"{encoded({'alg': 'none', 'typ': 'JWT'})}.{encoded(payload)}.",
    "of no algorithm, signed": lambda payload: signed(payload, algorithm="none"),
    "of an algorithm of public keys": lambda payload: signed(payload, algorithm="RS256"),
    "of another hash": lambda payload: signed(payload, algorithm="HS512"),
    "by another key": lambda payload: signed(payload, OTHER_KEY),
    "by an empty key": lambda payload: signed(payload, ""),
    "with a key of its own": lambda payload: signed(
        payload, OTHER_KEY, jwk={"kty": "oct", "k": base64.urlsafe_b64encode(OTHER_KEY.encode()).decode()}
    ),
    "with a key that is a file": lambda payload: signed(payload, "", kid="/dev/null"),
    "with an extension that is critical": lambda payload: signed(payload, crit=["b64"], b64=False),
    "of another type": lambda payload: signed(payload, typ="at+jwt"),
    "expired": lambda payload: signed(payload | {"exp": int(time.time()) - 1}),
    "that expires never": without("exp"),
    "that expires as a text": lambda payload: signed(payload | {"exp": "9999999999"}),
    "of nobody": without("sub"),
    "of another issuer": lambda payload: signed(payload | {"iss": "elsewhere"}),
    "for somebody else": lambda payload: signed(payload | {"aud": "elsewhere"}),
    "that is not good yet": lambda payload: signed(payload | {"nbf": int(time.time()) + 60}),
    "that says nothing": lambda _: signed({}),
    "that is no object": lambda _: signed([]),  # type: ignore[arg-type]
    "of dots": lambda _: "..",
    "of one part": lambda _: "token",
    "that is endless": lambda payload: signed(payload | {"more": "x" * 4000}),
}


@pytest.mark.parametrize("forged", FORGED)
def test_a_token_is_refused(forged: str, shop: Api, payload: dict[str, Any]) -> None:
    assert shop.prescriptions(signed(payload)).status == 200, "what is forged is forged well"
    answer = shop.prescriptions(FORGED[forged](payload))
    assert answer.status == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_token_that_was_changed_into_anothers_is_refused(shop: Api) -> None:
    """Its signature is of what it said before."""
    mine, theirs = shop.token(GRACE).split("."), shop.token(ADA).split(".")
    changed = encoded(decoded(mine[1]) | {"sub": decoded(theirs[1])["sub"]})
    for parts in ([mine[0], changed, mine[2]], [mine[0], theirs[1], mine[2]], [mine[0], mine[1], theirs[2]]):
        assert shop.prescriptions(".".join(parts)).status == 401


def test_a_token_expires(database: Database) -> None:
    """As the server's own clock says, and with no grace."""
    with api(database, TOKEN_MINUTES="1", **UNLIMITED) as running:  # noqa: S106 -- no password
        said = decoded(running.token(ADA).split(".")[1])
        assert said["exp"] - said["iat"] == 60
        soon = int(time.time()) + 2
        token = signed(said | {"exp": soon})
        assert running.prescriptions(token).status == 200
        time.sleep(max(0, soon + 0.1 - time.time()))
        assert running.prescriptions(token).status == 401


def test_a_key_that_was_rotated_is_good_for_what_it_has_signed(database: Database, shop: Api) -> None:
    """Else the rotation would be the end of all sessions."""
    old = shop.token(ADA)
    with api(database, TOKEN_KEY=OTHER_KEY, TOKEN_KEY_PREVIOUS=TOKEN_KEY, **UNLIMITED) as rotated:
        assert rotated.prescriptions(old).status == 200
        new = rotated.token(ADA)
        assert rotated.prescriptions(new).status == 200
        assert shop.prescriptions(new).status == 401, "the old key signs no more"
