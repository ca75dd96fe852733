"""The service's own table, in the emulator: one answer a user, whole, the newest, and no longer than it is fresh."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from tests.apps.query_service.conftest import Emulator


class _Recording:
    """A client that notes what it is asked to do."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self.done: list[str] = []

    def __getattr__(self, name: str) -> Any:
        def call(**request: Any) -> Any:
            self.done.append(name)
            return getattr(self._client, name)(**request)

        return call


class _Table:
    """A store on a table, with a clock that the test turns, and users that no other test has."""

    def __init__(self, store: ModuleType, question: ModuleType, client: Any, table_name: str) -> None:
        self.client = _Recording(client)
        self.time = 1_800_000_000.0
        self.store = store.Store(self.client, table_name, lambda: self.time)
        self.user_id = uuid.uuid4().hex
        self._question = question
        self._table_name = table_name

    def asked(self, limit: int) -> Any:
        return self._question.Question(user_id=self.user_id, limit=limit)

    def keep(self, rows: list[Any], limit: int = 100, after: float = 0) -> int | None:
        return self.store.keep(self.asked(limit), rows, int((self.time + after) * 1000))

    def rows(self, limit: int = 100) -> list[Any] | None:
        kept = self.store.read(self.asked(limit))
        return kept and kept.rows

    def records(self) -> list[str]:
        """The sort keys of the user's items, without their generations."""
        items = self.client._client.query(
            TableName=self._table_name,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": self.user_id}},
        )["Items"]
        return ["#".join([item["sk"]["S"].split("#")[0], *item["sk"]["S"].split("#")[2:]]) for item in items]


@pytest.fixture
def table(load: Callable[[str], ModuleType], emulator: Emulator, environment: dict[str, str]) -> _Table:
    return _Table(load("store"), load("question"), emulator.client("dynamodb"), environment["TABLE_NAME"])


def numbered(count: int) -> list[Any]:
    return [{"number": number} for number in range(count)]


def test_nothing_kept_is_no_answer(table: _Table) -> None:
    assert table.rows() is None


@pytest.mark.parametrize("count", [0, 1, 25, 26, 100])
def test_rows_come_back_as_they_were_kept(table: _Table, count: int) -> None:
    table.keep(numbered(count))
    assert table.rows() == numbered(count)


def test_rows_of_any_json_come_back(table: _Table) -> None:
    rows = [
        {"text": "ü 😀 \ud800", "deep": [{"a": None}], "ratio": 0.1, "big": 10**30, "yes": True},
        "",
        None,
    ]
    table.keep(rows)
    assert table.rows() == rows


def test_only_pages_with_rows_that_are_wanted_are_read(table: _Table) -> None:
    table.keep(numbered(100))
    assert table.records() == ["head", "page#000", "page#025", "page#050", "page#075"]
    low, high = (list(table.store._query(table.user_id, "page#", "page#~"))[index]["sk"]["S"] for index in (0, 1))
    assert high > low
    assert table.rows(26) == numbered(26)
    assert table.rows(25) == numbered(25)


def test_large_rows_take_more_pages_and_one_too_large_for_any_is_refused(
    table: _Table, load: Callable[[str], ModuleType]
) -> None:
    large = [{"text": "x" * 200_000}] * 3
    table.keep(large)
    assert table.records() == ["head", "page#000", "page#001", "page#002"]
    assert table.rows(2) == large[:2]
    with pytest.raises(load("store").TooLargeError, match="row 1 has"):
        table.keep([{}, {"text": "x" * 400_000}], after=1)


def test_an_answer_is_no_answer_once_it_expires_though_it_is_still_there(table: _Table) -> None:
    """DynamoDB's time to live may take days."""
    expires_at = table.keep(numbered(1))
    assert expires_at == 1_800_000_300
    table.time = expires_at - 0.001
    assert table.rows() == numbered(1)
    table.time = expires_at
    assert table.rows() is None
    assert table.records()


def test_an_answer_with_a_page_gone_is_no_answer(table: _Table) -> None:
    """Half an answer would be a wrong one."""
    table.keep(numbered(30))
    page = list(table.store._query(table.user_id, "page#", "page#~"))[1]
    table.client.delete_item(TableName=table._table_name, Key={key: page[key] for key in ("pk", "sk")})
    assert table.rows(30) is None
    assert table.rows(25) == numbered(25)


def test_a_slower_answer_from_an_older_reading_takes_nothings_place_and_leaves_nothing(table: _Table) -> None:
    table.keep(numbered(2), after=1)
    before = table.records()
    assert table.keep(numbered(60), after=0) is None
    assert table.rows() == numbered(2)
    assert table.records() == before


def test_a_head_written_twice_for_one_answer_keeps_it(table: _Table, monkeypatch: pytest.MonkeyPatch) -> None:
    """The SDK repeats a call whose answer was lost: the second must not take the first for somebody else's."""
    update = table.client.update_item

    def twice(**request: Any) -> Any:
        update(**request)
        return update(**request)

    monkeypatch.setattr(table.client, "update_item", twice, raising=False)
    assert table.keep(numbered(3))
    assert table.rows() == numbered(3)


def test_a_newer_answer_takes_the_place_of_an_older_one_at_once_and_whole(table: _Table) -> None:
    table.keep(numbered(60))
    table.keep([{"newer": True}], after=1)
    assert table.rows() == [{"newer": True}]


def test_a_drop_takes_every_row_of_the_user_with_it(table: _Table) -> None:
    table.keep(numbered(60))
    table.keep(numbered(30), after=0.001)
    table.time += 1
    assert table.store.drop(table.user_id) is True
    assert table.rows() is None
    assert table.records() == ["head"]
    assert table.store.drop(table.user_id) is False


def test_a_drop_holds_against_an_answer_that_was_already_on_its_way(table: _Table) -> None:
    """Or whoever drops an answer because it is wrong would have it back a moment later."""
    on_its_way = table.time
    table.time += 1
    table.store.drop(table.user_id)
    assert table.keep(numbered(3), after=on_its_way - table.time) is None
    assert table.rows() is None
    assert table.records() == ["head"]


def test_a_drop_does_not_hold_against_an_answer_read_after_it(table: _Table) -> None:
    table.store.drop(table.user_id)
    assert table.keep(numbered(3), after=0.001)
    assert table.rows() == numbered(3)


def test_the_store_needs_exactly_the_five_actions_of_the_tasks_role(table: _Table) -> None:
    table.keep(numbered(1))
    table.rows()
    table.time += 1
    table.store.drop(table.user_id)
    assert set(table.client.done) == {"get_item", "query", "put_item", "update_item", "delete_item"}
