"""What attackers send to a deployment through its API gateway, and that they get nothing for it."""

from __future__ import annotations

import gzip
import json
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from tests.apps.express_api.deployed import ADA, GRACE, HEALTH_TIMEOUT, Deployed, deploy, watched
from tests.apps.express_api.floods import Flood
from tests.apps.express_api.processes import INFO, LOGIN, PRESCRIPTION
from tests.apps.express_api.test_attacks import INJECTIONS
from tests.apps.express_api.test_tokens import OTHER_KEY, decoded, encoded, signed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.apps.express_api.test_outages import Timed
    from tests.apps.microservices.processes import Answered

JSON = {"Content_Type": "application/json"}
THROTTLED = b'{"message":"Too Many Requests"}'
AT_THE_GATEWAY = {"message": "Forbidden"}
"""How API Gateway refuses; the service says why, and of which request."""


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    with deploy(tmp_path_factory.mktemp("attacked")) as made:
        yield made


@pytest.fixture(scope="module")
def token(deployed: Deployed) -> str:
    return deployed.token(ADA)


@pytest.fixture(scope="module")
def graces_token(deployed: Deployed) -> str:
    return deployed.token(GRACE)


@pytest.mark.parametrize("injected", INJECTIONS)
def test_what_looks_like_sql_is_a_value_like_any_other(injected: str, deployed: Deployed, token: str) -> None:
    """In each place that a caller can write to; what sleeps in the database would be told with 503."""
    spaced = injected.replace(" ", "%20")
    bearer = {"Authorization": f"Bearer {token}"}
    credentials = {"email": f"{injected}@example.com".replace(" ", "/**/"), "password": injected}
    asked = [
        deployed.ask("POST", LOGIN, credentials, caller="127.0.1.1"),
        deployed.ask("POST", LOGIN, {"email": [injected], "password": {"$ne": injected}}),
        *(deployed.ask("GET", f"{PRESCRIPTION}?{name}={spaced}", **bearer) for name in ("limit", "cursor")),
        deployed.ask("GET", f"{PRESCRIPTION}/{spaced}", **bearer),
        deployed.ask("GET", PRESCRIPTION, Authorization=f"Bearer {injected}"),
    ]
    assert [answer.status for answer in asked] == [401, 400, 400, 400, 404, 401]
    headers = dict.fromkeys(("X_Request_Id", "X_Forwarded_For", "User_Agent", "Cookie", "Accept"), injected)
    told = deployed.ask("GET", PRESCRIPTION, **bearer, **headers)
    assert len(told.json["items"]) == 3
    assert told.headers["X-Request-Id"] != injected
    assert deployed.database.sql("SELECT count(*) FROM api.clients") == [["2"]]


@pytest.mark.parametrize(
    "path",
    [
        "/../../../../etc/passwd", "/../../../../_ministack/health", "/../../../../health", "/../dev/api/info",
        "/api/../main.js", "/api/info/../../package.json", "//etc/passwd", "/..%2f..%2fetc/", "/..;/api/info",
        "/api/info/%2e%2e/%2e%2e/etc/passwd", "/api/client/prescription/..%5c..%5cmain.js", "/%00", "/api/info%00",
        "/%c0%ae%c0%ae/etc/passwd", "/%252e%252e/main.js", "/%ff", "/%", "/main.js", "/migrations/0001-clients.sql",
        "/node_modules/pg/package.json", "/.npmrc", "/%0d%0aX-Sent:%201", "/$context.identity.apiKey",
        "/%22)%23set($x=1)",
    ],
)  # fmt: skip
def test_no_path_leads_to_a_file_or_to_another_service(path: str, deployed: Deployed) -> None:
    """Nor back out of the stage: what answers is the service, which has nothing there."""
    answer = deployed.ask("GET", path)
    assert answer.status in {400, 404}
    assert set(answer.json) == {"error", "request_id"}
    assert "X-Sent" not in answer.headers


def test_no_header_leads_elsewhere(deployed: Deployed) -> None:
    """By some of these, proxies are told another path, host or method than the one that was judged."""
    for name in ("X_Original_URL", "X_Rewrite_URL", "X_Forwarded_Path", "X_Forwarded_Prefix"):
        assert deployed.ask("GET", "/api/nothing", **{name: INFO}).status == 404
    assert deployed.ask("GET", LOGIN, X_HTTP_Method_Override="POST").status == 405
    assert deployed.ask("GET", INFO, X_Forwarded_Host="elsewhere.example.com", Forwarded="host=x").status == 200


def test_what_is_too_large_or_unreadable_is_refused(deployed: Deployed) -> None:
    """By the service where its own limit is passed, by the gateway where that is, and both are well afterwards."""
    credentials = json.dumps(ADA.credentials)
    padded = credentials.replace("{", "{" + " " * 8192, 1)
    refused = deployed.ask("POST", LOGIN, padded, **JSON)
    assert (refused.status, set(refused.json)) == (413, {"error", "request_id"})
    refused = deployed.ask("POST", LOGIN, " " * (10 * 1024 * 1024 + 1), **JSON)
    assert (refused.status, refused.json) == (413, {"message": "Request Too Long"})
    assert deployed.ask("POST", LOGIN, gzip.compress(padded.encode()), **JSON, Content_Encoding="gzip").status == 415
    assert deployed.ask("POST", LOGIN, "[" * 8000, **JSON).status == 400
    assert deployed.ask("POST", LOGIN, credentials, Content_Type="application/json; charset=klingon").status == 415
    assert deployed.ask("POST", LOGIN, credentials, Content_Type="text/xml").json == {
        "message": "Unsupported Media Type"
    }
    assert deployed.ask("GET", INFO, X_Large="x" * 20_000).status == 431
    assert deployed.ask("GET", INFO).status == 200


def test_a_body_that_trickles_in_keeps_nobody_waiting(deployed: Deployed) -> None:
    """Sent to the task itself, who cuts it off: API Gateway hands a request on once it is whole, so none comes slowly.

    And one that trickles into the gateway for longer than the service would wait is answered, which shows just that.
    """
    body = json.dumps({"email": "a@example.com"})
    head = f"Host: x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    with ThreadPoolExecutor(1) as pool, watched(deployed) as health:
        slow = [_opened(deployed.task, f"POST {LOGIN} HTTP/1.1\r\n{head}\r\n{{") for _ in range(60)]
        sent = f"POST {deployed.path}{LOGIN} HTTP/1.1\r\n{head}X-Api-Key: {deployed.keys['web']}\r\n\r\n"
        through = pool.submit(_trickle, _opened(deployed.gateway, sent), body, 6.0)
        began = time.monotonic()
        assert deployed.ask("GET", INFO).status == 200
        # 408, or an end without a word: either way it is over, and none was let in.
        assert {each.recv(4096).partition(b"\r\n")[0] for each in slow} <= {b"", b"HTTP/1.1 408 Request Timeout"}
        assert 3 < time.monotonic() - began < 9
        for each in slow:
            each.close()
        assert through.result().startswith(b"HTTP/1.1 400"), "whole, and read: it has no password"
    assert_well(deployed, health)


def _opened(host: str, sent: str) -> socket.socket:
    address, port = host.split(":")
    opened = socket.create_connection((address, int(port)), timeout=15)
    opened.sendall(sent.encode())
    return opened


def _trickle(connection: socket.socket, body: str, seconds: float) -> bytes:
    with connection:
        for character in body:
            time.sleep(seconds / len(body))
            connection.sendall(character.encode())
        return connection.recv(4096)


def test_a_token_is_taken_as_the_service_signed_it_or_not_at_all(
    deployed: Deployed, token: str, graces_token: str
) -> None:
    """Whoever has its key, which is in Secrets Manager alone, could sign one: so what is forged here is forged well."""
    key, said = deployed.token_key(), decoded(token.split(".")[1])
    assert deployed.prescriptions(signed(said, key)).status == 200
    head, hers, signature = graces_token.split(".")
    ada = encoded(decoded(hers) | {"sub": said["sub"]})
    forged = [
        f"{encoded({'alg': 'none', 'typ': 'JWT'})}.{encoded(said)}.",
        signed(said, key, algorithm="HS512"),
        signed(said, key, algorithm="RS256"),
        signed(said, key, typ="at+jwt"),
        signed(said, OTHER_KEY),
        signed(said, ""),
        signed(said | {"exp": int(time.time()) - 1}, key),
        signed({name: value for name, value in said.items() if name != "exp"}, key),
        signed(said | {"iss": "elsewhere"}, key),
        signed(said | {"more": "x" * 4000}, key),
        f"{head}.{ada}.{signature}",
        f"{head}.{encoded(said)}.{signature}",
        f"{token}x",
        deployed.keys["web"],
    ]
    for each in forged:
        answer = deployed.prescriptions(each)
        assert answer.status == 401, each
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_client_reads_its_own_whatever_it_asks_for(deployed: Deployed, token: str, graces_token: str) -> None:
    """Nobody's key, cursor or id of another client opens what is that one's."""
    ada = decoded(token.split(".")[1])["sub"]
    page = deployed.prescriptions(token, "?limit=1")
    own = deployed.prescriptions(graces_token).json["items"]
    assert [each["medicine"] for each in own] == ["Salbutamol"]
    for query in (f"?client_id={ada}", f"?sub={ada}", f"?limit=100&client={ada}"):
        assert deployed.prescriptions(graces_token, query).json["items"] == own
    theirs = deployed.prescriptions(graces_token, f"?cursor={page.json['next']}")
    assert [each for each in theirs.json["items"] if each not in own] == []
    bearer = {"Authorization": f"Bearer {graces_token}"}
    for key in ("web", "mobile"):
        assert deployed.ask("GET", PRESCRIPTION, key=key, X_Client_Id=ada, **bearer).json["items"] == own
    assert deployed.ask("GET", f"{PRESCRIPTION}/{ada}", **bearer).status == 404


def test_whoever_has_no_good_key_is_refused_before_the_service(deployed: Deployed, token: str) -> None:
    """With a token or without one: a key is good while it is there, and on a plan of this stage."""
    keys: Any = deployed.emulator.client("apigateway")
    apart = keys.create_api_key(name="of-no-plan", enabled=True)["value"]
    assert deployed.ask("GET", INFO, key="mobile").status == deployed.ask("GET", INFO, key="guest").status == 200
    (plan,) = (each["id"] for each in keys.get_usage_plans()["items"] if "partners" in each["name"])
    keys.delete_usage_plan_key(usagePlanId=plan, keyId=deployed.key_ids["mobile"])
    keys.delete_api_key(apiKey=deployed.key_ids["guest"])
    web = deployed.keys["web"]
    for key in (
        "",
        "0123456789abcdefghij",
        web[:-1],
        f"{web}0",
        web.swapcase(),
        "' OR '1'='1",
        apart,
        "mobile",
        "guest",
    ):
        refused = deployed.ask("GET", PRESCRIPTION, key=key, Authorization=f"Bearer {token}")
        assert (refused.status, refused.json) == (403, AT_THE_GATEWAY), key
    for said in ({"Authorization": web}, {"Cookie": f"x-api-key={web}"}, {"Api_Key": web}):
        assert deployed.ask("GET", INFO, key="", **said).json == AT_THE_GATEWAY
    assert deployed.ask("GET", f"{INFO}?x-api-key={web}", key="").json == AT_THE_GATEWAY
    assert deployed.ask("GET", INFO).status == 200


def test_ten_thousand_attempts_on_one_account_are_ten(deployed: Deployed) -> None:
    """The gateway's throttle refuses the most; whom each says that it comes from, the service does not believe."""

    def guess(number: int) -> tuple[dict[str, str], dict[str, str]]:
        said = {"X-Api-Key": deployed.keys["web"], "X-Forwarded-For": f"10.0.{number % 250}.1"}
        return {"email": ADA.email, "password": f"guess {number}"}, said

    deployed.database.sql("DELETE FROM api.login_attempts")
    with watched(deployed) as health:
        flood = Flood(deployed.gateway, f"{deployed.path}{LOGIN}", guess, caller="127.0.3.1").send(10_000)
    assert_ten_at_most_were_looked_at(flood)
    assert 10_000 - flood.texts[THROTTLED] <= 20 + 10 * (flood.seconds + 1), "the burst, and ten a second"
    assert_well(deployed, health)
    assert deployed.database.sql("SELECT count(*) FROM api.login_attempts WHERE kind = 'address'") == [["1"]]
    refused = past_the_throttle(lambda: deployed.login(ADA, caller="127.0.3.2"))
    assert (refused.status, 0 < int(refused.headers["Retry-After"]) <= 900) == (429, True), "from elsewhere too"
    assert past_the_throttle(lambda: deployed.login(GRACE, caller="127.0.3.3")).status == 200


def test_ten_thousand_attempts_on_the_task_itself_are_ten(deployed: Deployed) -> None:
    """As if there were no gateway: then the service's own limit is what refuses, an account of nobody's as well."""

    def guess(number: int) -> tuple[dict[str, str], dict[str, str]]:
        return {"email": "nobody@example.com", "password": f"guess {number}"}, {}

    with watched(deployed) as health:
        flood = Flood(deployed.task, LOGIN, guess, caller="127.0.4.1").send(10_000)
    assert_ten_at_most_were_looked_at(flood)
    assert_well(deployed, health)
    assert past_the_throttle(lambda: deployed.login(GRACE, caller="127.0.4.2")).status == 200


def assert_ten_at_most_were_looked_at(flood: Flood) -> None:
    """Fail if a password of more than ten was compared, or had its turn to be; the rest were told to come later."""
    assert flood.statuses.total() == 10_000
    assert set(flood.statuses) <= {401, 429, 503}
    assert 0 < flood.statuses[401] <= 10
    assert flood.statuses[401] + flood.statuses[503] <= 20, "503 is of a machine that is busy with other tests"


def assert_well(deployed: Deployed, health: list[Timed]) -> None:
    """Fail unless the load balancer would have had its answer each time, and ECS has the task that it had."""
    assert deployed.state() == deployed.at_first
    assert len(health) > 3
    assert {timed.status for timed in health} == {200}
    assert max(timed.took for timed in health) < HEALTH_TIMEOUT


def past_the_throttle(ask: Callable[[], Answered]) -> Answered:
    """Ask until it is the service that answers, in ten seconds at most."""
    ends = time.monotonic() + 10
    while (answer := ask()).text.encode() == THROTTLED:
        assert time.monotonic() < ends
        time.sleep(0.2)
    return answer
