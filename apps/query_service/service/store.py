"""The service's own table, which keeps answers until they expire.

Key schema: partition key `pk` (S, the user's id), sort key `sk` (S). Time to live on `expires_at` (epoch seconds).

- The *head*, `sk = "head"`, one a user: which generation of rows is in force (`generation`), when its source was
  asked (`asked_at`, epoch milliseconds), the limit it was asked with (`kept_limit`), how many rows came (`row_count`),
  `expires_at`.
- The *pages*, `sk = "page#<generation>#<number of its first row>"`: rows as JSON text. A page is never changed.

An answer's pages are put first (PutItem), under a generation of their own that no head names yet; then the head is
turned to them by one conditional UpdateItem. So a reader (GetItem of the head, Query of the generation's pages) never
sees half an answer or a mixture of two, and of two answers that race the one whose source was asked later stays.
Pages that no head names are never read, and expire.
"""

from __future__ import annotations

import json
import time
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from aws import AWS_ERRORS, words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from aws import DynamoDB
    from question import Question

FRESH_SECONDS: Final = 300
"""How long an answer is kept: the read side may be that much behind. Longer than any request lives, so that a head
guards against slower answers for as long as there can be any."""

ROWS_A_PAGE: Final = 25
"""100 rows, the most that may be asked, are four calls to write and one to read."""

LARGEST_PAGE: Final = 300_000
"""Characters of ASCII. An item may have 400 KB, names and keys with it."""

_HEAD: Final = "head"


class TooLargeError(Exception):
    """A row that no item can hold; the answer is good, and cannot be kept."""


@dataclass(frozen=True, kw_only=True)
class Kept:
    """An answer out of the table."""

    rows: list[Any]
    expires_at: int
    """Epoch seconds."""


class Store:
    """The answers in one table. Raises what its client raises."""

    def __init__(self, client: DynamoDB, table_name: str, clock: Callable[[], float] = time.time) -> None:
        self._client = client
        self._table = table_name
        self._clock = clock

    def now(self) -> int:
        """Epoch milliseconds, by which answers are put in order."""
        return int(self._clock() * 1000)

    def read(self, question: Question) -> Kept | None:
        """Read the fresh answer to *question*; None where there is none, or fewer rows were kept than it asks for."""
        item = self._client.get_item(TableName=self._table, Key=_key(question.user_id, _HEAD), ConsistentRead=True).get(
            "Item"
        )
        if not item or "generation" not in item:
            return None
        expires_at, kept_limit, row_count = (int(item[name]["N"]) for name in ("expires_at", "kept_limit", "row_count"))
        if expires_at * 1000 <= self.now():  # time to live may take days to remove it
            return None
        if question.limit > kept_limit and row_count == kept_limit:  # there may be more than were asked for
            return None
        rows = self._rows(question, item["generation"]["S"]) if row_count else []
        # Fewer than the head promises: a page has expired in between.
        if len(rows) < min(question.limit, row_count):
            return None
        return Kept(rows=rows[: question.limit], expires_at=expires_at)

    def keep(self, question: Question, rows: list[Any], asked_at: int) -> int | None:
        """Keep *rows* as the answer to *question*, from a source asked at *asked_at*.

        Returns when it expires, in epoch seconds; None where a newer answer, or a newer `drop`, is in force.

        Raises:
            TooLargeError: a row is larger than an item may be.

        """
        pages = list(_pages(rows))
        generation = f"{asked_at:014d}-{uuid.uuid4().hex[:8]}"
        expires_at = self.now() // 1000 + FRESH_SECONDS
        keys = [_key(question.user_id, _page(generation, first)) for first, _ in pages]
        for key, (_, text) in zip(keys, pages, strict=True):
            self._client.put_item(
                TableName=self._table, Item={**key, "rows": {"S": text}, "expires_at": _n(expires_at)}
            )
        try:
            self._client.update_item(
                TableName=self._table,
                Key=_key(question.user_id, _HEAD),
                UpdateExpression="SET generation = :generation, asked_at = :asked_at, kept_limit = :kept_limit, "
                "row_count = :row_count, expires_at = :expires_at",
                # The last part is for the SDK's own retry of a call that was done, its answer being lost.
                ConditionExpression="attribute_not_exists(asked_at) OR asked_at < :asked_at "
                "OR generation = :generation",
                ExpressionAttributeValues={
                    ":generation": {"S": generation},
                    ":asked_at": _n(asked_at),
                    ":kept_limit": _n(question.limit),
                    ":row_count": _n(len(rows)),
                    ":expires_at": _n(expires_at),
                },
            )
        except AWS_ERRORS as error:
            if words(error)["error_code"] != "ConditionalCheckFailedException":
                raise
            for key in keys:
                self._client.delete_item(TableName=self._table, Key=key)
            return None
        return expires_at

    def drop(self, user_id: str) -> bool:
        """Drop a user's answer with all its rows; False where none was kept.

        The head stays until it expires, without a generation: it refuses an answer whose source was asked before this,
        and which is still on its way.
        """
        now = self.now()
        before = self._client.update_item(
            TableName=self._table,
            Key=_key(user_id, _HEAD),
            UpdateExpression="SET asked_at = :now, expires_at = :expires_at REMOVE generation, kept_limit, row_count",
            ExpressionAttributeValues={":now": _n(now), ":expires_at": _n(now // 1000 + FRESH_SECONDS)},
            ReturnValues="ALL_OLD",
        ).get("Attributes", {})
        # Of every generation up to now, those that no head names with them: none of the user's rows is to stay.
        for item in self._query(user_id, "page#", f"page#{now:014d}~", keys_only=True):
            self._client.delete_item(TableName=self._table, Key={name: item[name] for name in ("pk", "sk")})
        return "generation" in before

    def _rows(self, question: Question, generation: str) -> list[Any]:
        # Pages are named by their first row, so that no page is read that holds none of the rows wanted.
        items = self._query(question.user_id, _page(generation, 0), _page(generation, question.limit - 1))
        return [row for item in items for row in json.loads(item["rows"]["S"])]

    def _query(self, user_id: str, low: str, high: str, *, keys_only: bool = False) -> Iterator[dict[str, Any]]:
        request: dict[str, Any] = {
            "TableName": self._table,
            "KeyConditionExpression": "pk = :pk AND sk BETWEEN :low AND :high",
            "ExpressionAttributeValues": {":pk": {"S": user_id}, ":low": {"S": low}, ":high": {"S": high}},
            "ConsistentRead": True,
        }
        if keys_only:
            request["ProjectionExpression"] = "pk, sk"
        while True:
            answer = self._client.query(**request)
            yield from answer["Items"]
            if not answer.get("LastEvaluatedKey"):
                return
            request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]


def _pages(rows: list[Any]) -> Iterator[tuple[int, str]]:
    """Cut *rows* into pages: the number of each one's first row, and its rows as JSON text."""
    first, texts, size = 0, list[str](), 0
    for number, row in enumerate(rows):
        text = json.dumps(row, separators=(",", ":"))
        if len(text) > LARGEST_PAGE:
            raise TooLargeError(f"row {number} has {len(text)} characters, and a page {LARGEST_PAGE} at most")
        if len(texts) == ROWS_A_PAGE or size + len(text) > LARGEST_PAGE:
            yield first, f"[{','.join(texts)}]"
            first, texts, size = number, [], 0
        texts.append(text)
        size += len(text) + 1
    if texts:
        yield first, f"[{','.join(texts)}]"


def _page(generation: str, first: int) -> str:
    return f"page#{generation}#{first:03d}"


def _key(user_id: str, sk: str) -> dict[str, Any]:
    return {"pk": {"S": user_id}, "sk": {"S": sk}}


def _n(number: int) -> dict[str, str]:
    return {"N": str(number)}
