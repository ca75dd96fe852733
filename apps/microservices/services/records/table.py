"""Items in one DynamoDB table, and the keys by which a creation that is sent twice is done once.

An item is at `pk` "item", its id at `sk`: so a page of the newest is one Query. One partition takes 1000 writes and
3000 reads a second, which is where this design ends.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html

A creation's key is at `pk` "key", and leaves the table by its `expires_at`. The table: `pk` and `sk` strings, time to
live `expires_at`. The rights: GetItem, Query, PutItem, UpdateItem, DeleteItem.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, cast

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from serving.aws import ask
from serving.faults import RefusalError, StorageError

from records.item import Item, Page

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

KEY_SECONDS: Final = 24 * 60 * 60
"""How long a creation's key is remembered."""

_CONDITION: Final = "ConditionalCheckFailedException"

# boto3 gives them no types.
_write: Final[Callable[[Any], dict[str, Any]]] = cast("Any", TypeSerializer()).serialize
_read: Final[Callable[[dict[str, Any]], Any]] = cast("Any", TypeDeserializer()).deserialize


class Table:
    """The items of one service. Whatever AWS refuses is a `StorageError`. Safe for several threads at once."""

    def __init__(self, client: Any, name: str, clock: Callable[[], float] = time.time) -> None:
        self._client = client
        self._name = name
        self._clock = clock

    def create(self, fields: dict[str, Any], key: str | None) -> Item:
        """Keep a new item. The *key* of an earlier creation, with the same *fields*, gives the item of that one.

        Raises:
            RefusalError: 409, where the key was used for other fields, or for an item that is gone.

        """
        seconds = self._clock()
        now = datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        item_id = f"{int(seconds * 1000):012x}{secrets.token_hex(10)}"
        item = Item(id=item_id, version=1, created_at=now, updated_at=now, fields=fields)
        # No condition: the id is new, and the SDK's own retry of a put that was done puts the same again.
        put = {"TableName": self._name, "Item": _row(item)}
        if key is None:
            ask(self._client.put_item, **put)
            return item
        remembered = {
            "pk": "key",
            "sk": key,
            "made": item_id,
            "fingerprint": _fingerprint(fields),
            "expires_at": int(seconds) + KEY_SECONDS,
        }
        remember = {
            "TableName": self._name,
            "Item": {name: _write(value) for name, value in remembered.items()},
            # Time to live may take days to remove it.
            "ConditionExpression": "attribute_not_exists(pk) OR expires_at <= :now",
            "ExpressionAttributeValues": {":now": _write(int(seconds))},
        }
        try:
            ask(self._client.transact_write_items, TransactItems=[{"Put": put}, {"Put": remember}])
        except StorageError as error:
            if error.code != "TransactionCanceledException":
                raise
            return self._made_before(key, fields, error)
        return item

    def read(self, item_id: str) -> Item | None:
        """Read an item; None where there is none."""
        found = ask(self._client.get_item, TableName=self._name, Key=_key("item", item_id), ConsistentRead=True)
        return _item(found["Item"]) if found.get("Item") else None

    def list(self, limit: int, after: str | None) -> Page:
        """Read up to *limit* items, the newest first, of those created before the one whose id is *after*."""
        request: dict[str, Any] = {
            "TableName": self._name,
            "KeyConditionExpression": "pk = :item",
            "ExpressionAttributeValues": {":item": _write("item")},
            "ScanIndexForward": False,
            "ConsistentRead": True,
            "Limit": limit + 1,  # one more tells whether there are more
        }
        if after is not None:
            request["KeyConditionExpression"] += " AND sk < :after"
            request["ExpressionAttributeValues"][":after"] = _write(after)
        answer = ask(self._client.query, **request)
        rows = answer["Items"]
        # Items of 1 MB together end a query before its limit.
        more = len(rows) > limit or "LastEvaluatedKey" in answer
        return Page(items=[_item(row) for row in rows[:limit]], more=more)

    def change(self, item_id: str, fields: dict[str, Any], etag: str) -> Item:
        """Put *fields* in the place of an item's own, if it still has *etag*; `*` is any.

        Raises:
            RefusalError: 404, or 412 where it has another.

        """
        now = datetime.fromtimestamp(self._clock(), UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        condition, values = _unchanged(etag)
        try:
            answer = ask(
                self._client.update_item,
                TableName=self._name,
                Key=_key("item", item_id),
                UpdateExpression="SET content = :content, updated_at = :now, version = version + :one",
                ConditionExpression=condition,
                ExpressionAttributeValues={
                    **values,
                    ":content": _write(fields),
                    ":now": _write(now),
                    ":one": _write(1),
                },
                ReturnValues="ALL_NEW",
            )
        except StorageError as error:
            raise self._why(error, item_id) from error
        return _item(answer["Attributes"])

    def delete(self, item_id: str, etag: str) -> None:
        """Delete an item, if it still has *etag*; `*` is any.

        Raises:
            RefusalError: 404, or 412 where it has another.

        """
        condition, values = _unchanged(etag)
        request = {"TableName": self._name, "Key": _key("item", item_id), "ConditionExpression": condition}
        if values:
            request["ExpressionAttributeValues"] = values
        try:
            ask(self._client.delete_item, **request)
        except StorageError as error:
            raise self._why(error, item_id) from error

    def _made_before(self, key: str, fields: dict[str, Any], error: StorageError) -> Item:
        found = ask(self._client.get_item, TableName=self._name, Key=_key("key", key), ConsistentRead=True)
        record = {name: _read(value) for name, value in found.get("Item", {}).items()}
        if not record or record["expires_at"] <= self._clock():
            raise error  # cancelled for another reason: two at one moment, say
        if record["fingerprint"] != _fingerprint(fields):
            raise RefusalError(409, "this Idempotency-Key was used for another body: a new one would do")
        item = self.read(record["made"])
        if item is None:
            raise RefusalError(409, "what this Idempotency-Key was used for is deleted: a new one would do")
        return item

    def _why(self, error: StorageError, item_id: str) -> Exception:
        if error.code != _CONDITION:
            return error
        found = self.read(item_id)
        if found is None:
            return RefusalError(404, f"there is no item {item_id}")
        message = f"the item has changed since: it is {found.etag} now; read it again"
        return RefusalError(412, message, headers={"etag": found.etag})


def _unchanged(etag: str) -> tuple[str, dict[str, Any]]:
    """The condition that an item has *etag*: one that no version has is one that the item has not."""
    if etag == "*":
        return "attribute_exists(pk)", {}
    version = int(etag[1:-1]) if re.fullmatch(r'"[1-9][0-9]{0,14}"', etag) else 0
    return "version = :version", {":version": _write(version)}


def _key(kind: str, name: str) -> dict[str, Any]:
    return {"pk": {"S": kind}, "sk": {"S": name}}


def _row(item: Item) -> dict[str, Any]:
    # Not `fields`, which is one of DynamoDB's reserved words.
    kept = {
        "version": item.version,
        "created_at": item.created_at,
        "updated_at": item.updated_at,
        "content": item.fields,
    }
    return _key("item", item.id) | {name: _write(value) for name, value in kept.items()}


def _item(row: Mapping[str, Any]) -> Item:
    kept = {name: _read(value) for name, value in row.items()}
    return Item(
        id=kept["sk"],
        version=int(kept["version"]),
        created_at=kept["created_at"],
        updated_at=kept["updated_at"],
        fields=kept["content"],
    )


def _fingerprint(fields: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()
