"""user, news and blog: list, create, read, change, delete, each under no more rights than its own table's."""

from __future__ import annotations

import json
import random
import secrets
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from tests.apps.microservices.processes import Container, Emulator, service

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ADA = {"name": "Ada", "email": "ada@example.com"}
GOOD: dict[str, dict[str, Any]] = {
    "user": ADA | {"about": "Counts,\nand \N{GREEK SMALL LETTER MU}"},
    "news": {"title": "Ships sail", "text": "They do.", "source": "https://example.com/ships?of=today"},
    "blog": {"title": "On sails", "author": "Ada", "text": "x" * 20_000, "tags": ["ships", "sea-2"]},
}
NOWHERE = "0" * 32


@pytest.fixture
def fresh(emulator: Emulator) -> Iterator[Container]:
    """A user service whose table is empty."""
    with service("user", **emulator.table()) as running:
        yield running


def refused(answer: Any) -> tuple[int, Any]:
    """The status and the field at fault."""
    return answer.status, answer.json["error"].get("field")


@pytest.mark.parametrize("name", GOOD)
def test_an_item_is_created_read_changed_and_deleted(name: str, containers: Callable[[str], Container]) -> None:
    """What the service says of it in between is what was given, and what the next change needs."""
    container = containers(name)
    created = container.send("POST", f"/{name}", GOOD[name])
    assert created.status == 201
    where = created.headers["Location"]
    assert where == f"/{name}/{created.json['id']}"
    assert {field: created.json[field] for field in GOOD[name]} == GOOD[name]
    read = container.send("GET", where)
    assert (read.status, read.json, read.etag) == (200, created.json, '"1"')
    less = {field: value for field, value in GOOD[name].items() if field not in {"about", "source", "tags"}}
    changed = container.send("PUT", where, less, If_Match=read.etag)
    assert (changed.status, changed.etag, changed.json["version"]) == (200, '"2"', 2)
    assert changed.json["created_at"] == created.json["created_at"]
    assert set(changed.json) == {"id", "version", "created_at", "updated_at", *less}, "an absent field is taken away"
    deleted = container.send("DELETE", where, If_Match=changed.etag)
    assert (deleted.status, deleted.text) == (204, "")
    assert container.send("GET", where).status == 404


def test_a_change_of_what_has_changed_since_is_refused(user: Container) -> None:
    """Two who read the same item do not overwrite each other."""
    where = user.send("POST", "/user", ADA).headers["Location"]
    assert user.send("PUT", where, ADA | {"name": "First"}, If_Match='"1"').status == 200
    late = user.send("PUT", where, ADA | {"name": "Second"}, If_Match='"1"')
    assert (late.status, late.etag) == (412, '"2"'), "it is told what it would have to match"
    assert user.send("DELETE", where, If_Match='"1"').status == 412
    assert user.send("PUT", where, ADA, If_Match='"not-a-version"').status == 412
    assert user.send("GET", where).json["name"] == "First"
    assert user.send("PUT", where, ADA, If_Match="*").status == 200


def test_a_change_says_what_it_would_change(user: Container) -> None:
    where = user.send("POST", "/user", ADA).headers["Location"]
    assert refused(user.send("PUT", where, ADA)) == (428, "If-Match")
    for none in ("1", 'W/"1"', '"1", "2"', '""', '"'):
        assert refused(user.send("PUT", where, ADA, If_Match=none)) == (400, "If-Match")


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
@pytest.mark.parametrize("item", [NOWHERE, "nobody", "%2e%2e", "..", "%00", "a%2fb"])
def test_what_is_not_there_is_404(method: str, item: str, user: Container) -> None:
    """A change creates nothing: its item would have an id that was not given out."""
    assert user.send(method, f"/user/{item}", ADA, If_Match="*").status == 404


def test_a_list_is_paged_to_its_end_the_newest_first(fresh: Container) -> None:
    made = [fresh.send("POST", "/user", ADA | {"name": f"Ada {number}"}).json["id"] for number in range(7)]
    seen: list[str] = []
    path, pages = "/user?limit=3", 0
    while path:
        page = fresh.send("GET", path).json
        seen += [item["id"] for item in page["items"]]
        pages += 1
        path = f"/user?limit=3&cursor={page['next']}" if page["next"] else ""
    assert pages == 3
    assert sorted(seen, reverse=True) == seen, "ids are in the order of creation"
    assert set(seen) == set(made)
    assert len(seen) == 7
    exact = fresh.send("GET", "/user?limit=7").json
    assert (len(exact["items"]), exact["next"]) == (7, None), "no empty page follows a full last one"


def test_a_page_begins_where_the_last_ended_though_that_item_is_gone(fresh: Container) -> None:
    for number in range(3):
        fresh.send("POST", "/user", ADA | {"name": f"Ada {number}"})
    first = fresh.send("GET", "/user?limit=1").json
    fresh.send("DELETE", f"/user/{first['items'][0]['id']}")
    second = fresh.send("GET", f"/user?limit=2&cursor={first['next']}").json
    assert [item["name"] for item in second["items"]] == ["Ada 1", "Ada 0"]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=ten", "limit"),
        ("limit=", "limit"),
        ("limit=1&limit=2", "limit"),
        ("cursor=", "cursor"),
        ("cursor=%ff", "cursor"),
        ("cursor=bm9uc2Vuc2U", "cursor"),
        ("offset=5", "offset"),
    ],
)
def test_a_page_that_cannot_be_is_refused_by_name(query: str, field: str, user: Container) -> None:
    assert refused(user.send("GET", f"/user?{query}")) == (400, field)


def test_the_latest_are_in_two_lines_each(fresh: Container) -> None:
    for number in range(4):
        fresh.send("POST", "/user", ADA | {"name": f"Ada {number}", "about": "long\n" * 80 + "end"})
    latest = fresh.send("GET", "/user/latest?limit=2").json
    assert latest["all"] == "/user"
    assert [item["title"] for item in latest["items"]] == ["Ada 3", "Ada 2"]
    assert all(len(item["summary"]) == 200 and "\n" not in item["summary"] for item in latest["items"])
    assert "ada@example.com" not in json.dumps(latest), "an address is not for a page that everybody sees"
    assert len(fresh.send("GET", "/user/latest").json["items"]) == 3


def test_a_creation_that_is_sent_twice_is_done_once(fresh: Container) -> None:
    """A load balancer or client that got no answer may try again."""
    first = fresh.send("POST", "/user", ADA, Idempotency_Key="k-1")
    again = fresh.send("POST", "/user", ADA, Idempotency_Key="k-1")
    assert (first.status, again.status, again.json) == (201, 201, first.json)
    assert len(fresh.send("GET", "/user").json["items"]) == 1
    other = fresh.send("POST", "/user", ADA | {"name": "Eve"}, Idempotency_Key="k-1")
    assert other.status == 409, "the same key for another body is a mistake of the caller's"
    fresh.send("DELETE", first.headers["Location"])
    assert fresh.send("POST", "/user", ADA, Idempotency_Key="k-1").status == 409, "nor does a retry bring back"
    assert fresh.send("POST", "/user", ADA, Idempotency_Key="k-2").status == 201
    assert refused(fresh.send("POST", "/user", ADA, Idempotency_Key="no blanks")) == (400, "Idempotency-Key")


def test_of_several_at_one_moment_one_is_done(fresh: Container) -> None:
    """The table decides, not whoever looked at it first; who is not served is told to try again, or to read again."""
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: fresh.send("POST", "/user", ADA, Idempotency_Key="k-1"), range(8)))
        assert {answer.status for answer in made} <= {201, 503}
        assert len({answer.json["id"] for answer in made if answer.status == 201}) == 1
        where = next(answer.headers["Location"] for answer in made if answer.status == 201)
        changed = list(pool.map(lambda _: fresh.send("PUT", where, ADA, If_Match='"1"').status, range(8)))
        assert sorted(changed) == [200] + [412] * 7
        deleted = list(pool.map(lambda _: fresh.send("DELETE", where).status, range(8)))
        assert sorted(deleted) == [204] + [404] * 7


@pytest.mark.parametrize(
    ("name", "change", "field"),
    [
        ("user", {"name": None}, "name"),
        ("user", {"name": ""}, "name"),
        ("user", {"name": " Ada"}, "name"),
        ("user", {"name": "A\x00da"}, "name"),
        ("user", {"name": "two\nlines"}, "name"),
        ("user", {"name": "half \ud800"}, "name"),
        ("user", {"name": "x" * 101}, "name"),
        ("user", {"name": 5}, "name"),
        ("user", {"email": "ada"}, "email"),
        ("user", {"email": "ada@example"}, "email"),
        ("user", {"email": "a b@example.com"}, "email"),
        ("user", {"id": "mine"}, "id"),
        ("user", {"admin": True}, "admin"),
        ("news", {"source": "http://example.com"}, "source"),
        ("news", {"source": "javascript:alert(1)"}, "source"),
        ("news", {"source": 'https://example.com/"><script>'}, "source"),
        ("blog", {"text": "x" * 20_001}, "text"),
        ("blog", {"tags": "ships"}, "tags"),
        ("blog", {"tags": ["Ships"]}, "tags[0]"),
        ("blog", {"tags": ["a", "b", "a"]}, "tags[2]"),
        ("blog", {"tags": ["a", 1]}, "tags[1]"),
        ("blog", {"tags": [f"t{number}" for number in range(11)]}, "tags"),
    ],
)
def test_a_field_that_will_not_do_is_named_with_what_would(
    name: str, change: dict[str, Any], field: str, containers: Callable[[str], Container]
) -> None:
    answer = containers(name).send("POST", f"/{name}", GOOD[name] | change)
    assert refused(answer) == (400, field)
    assert answer.json["error"]["expected"]
    assert "would do" in answer.json["error"]["message"]


def test_what_cannot_be_an_item_is_refused_whatever_it_is(user: Container) -> None:
    """Each is answered, with a 4xx that says why: none is a 500, and none ends the service."""
    chance = random.Random(5)  # noqa: S311 -- the same each time
    bodies = [
        b"", b"{", b"null", b"[]", b"5", b'"text"', b"\xff\xfe{}", b"{} {}", b'{"name": NaN}', b"[" * 100_000,
        b'{"name": "a", "name": "b", "email": "a@b.cd"}', b'{"name": ' + b"9" * 5000 + b"}",
        b'{"\\ud800": "x"}', b'{"name": "\\ud800"}', b'{"name": {"a": []}, "email": true}',
        *(chance.randbytes(chance.randrange(200)) for _ in range(50)),
    ]  # fmt: skip
    whole = json.dumps(ADA).encode()
    for _ in range(100):
        broken = bytearray(whole)
        broken[chance.randrange(len(broken))] = chance.choice(b'{}[]",:\\\x00\xff')
        bodies.append(bytes(broken))
    statuses = [user.send("POST", "/user", body, Content_Type="application/json").status for body in bodies]
    # A letter of the name that became another is still a name.
    assert set(statuses) <= {201, 400}
    assert statuses[:15] == [400] * 15
    assert statuses.count(400) > 100
    assert user.send("GET", "/health").status == 200


@pytest.mark.parametrize("kind", ["text/plain", "application/json; charset=latin-1", "application/jsonx"])
def test_a_body_that_is_not_called_json_is_refused(kind: str, user: Container) -> None:
    """A form of another site can send text, and a browser asks nobody before it does."""
    assert refused(user.send("POST", "/user", json.dumps(ADA), Content_Type=kind)) == (415, "Content-Type")


def test_what_may_be_done_is_said_where_something_else_was_tried(user: Container) -> None:
    assert user.send("DELETE", "/user").headers["Allow"] == "GET, POST"
    assert user.send("POST", f"/user/{NOWHERE}", ADA).headers["Allow"] == "GET, PUT, DELETE"
    assert user.send("POST", "/user/latest", ADA).status == 405
    nothing = user.send("GET", "/users")
    assert nothing.status == 404
    assert "POST /user" in nothing.json["error"]["message"]
    assert [user.send("GET", path).status for path in ("/", "/user/", "/news", f"/user/{NOWHERE}/x")] == [404] * 4


def test_what_is_too_large_is_refused_before_it_is_read(user: Container) -> None:
    assert user.send("POST", "/user", b" " * 300_000, Content_Type="application/json").status == 413


def test_head_is_answered_as_get_without_the_body(user: Container) -> None:
    answer = user.send("HEAD", "/user/latest")
    assert (answer.status, answer.text) == (200, "")
    assert int(answer.headers["Content-Length"]) > 0


def test_a_service_is_well_at_both_its_paths(user: Container) -> None:
    """A target group asks it by itself, whoever debugs asks through the load balancer."""
    assert [user.send("GET", path).json for path in ("/health", "/user/health")] == [{"status": "ok"}] * 2


def test_a_request_can_be_found_in_the_log_without_what_it_held(user: Container) -> None:
    request_id = secrets.token_hex(8)
    answer = user.send("POST", "/user", ADA | {"name": "Unspoken"}, X_Request_Id=request_id)
    assert answer.headers["X-Request-Id"] == request_id
    line = user.line(request_id=request_id)
    assert (line["route"], line["method"], line["status"], line["service"]) == ("/", "POST", 201, "user")
    assert "Unspoken" not in json.dumps(user.lines)


def test_rights_that_are_lacking_are_no_fault_of_the_callers(emulator: Emulator) -> None:
    """User cannot use news's table: what AWS says of it is in the log, and the caller may try again."""
    own, other = emulator.table(), emulator.table()
    with service("user", **own | {"TABLE_NAME": other["TABLE_NAME"]}) as running:
        answer = running.send("GET", "/user")
        assert (answer.status, answer.headers["Retry-After"]) == (503, "1")
        assert other["TABLE_NAME"] not in answer.text
        assert running.line(error_code="AccessDeniedException")["level"] == "error"
