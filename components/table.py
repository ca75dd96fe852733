"""A DynamoDB table, and the rights to it."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import pulumi_aws as aws

from components import naming
from components.base import Part
from components.errors import InvalidArgsError, of
from components.grants import Grant

if TYPE_CHECKING:
    from pulumi import Output, ResourceOptions

Key = str | tuple[str, Literal["S", "N", "B"]]
"""An attribute's name, of type string; or its name and its type: S string, N number, B binary."""

_READ: Final = ("BatchGetItem", "ConditionCheckItem", "GetItem", "Query", "Scan")
_WRITE: Final = ("BatchWriteItem", "DeleteItem", "PutItem", "UpdateItem")
# IAM's actions on a table's items, and the two that clients ask about the table itself. A transaction needs those of
# its parts. https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazondynamodb.html
ACTIONS: Final = (
    *_READ, *_WRITE, "DescribeTable", "DescribeTimeToLive",
    "PartiQLDelete", "PartiQLInsert", "PartiQLSelect", "PartiQLUpdate",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class TableArgs:
    """What a `Table` takes.

    Raises:
        InvalidArgsError: a key attribute without a name or of an unknown type, two keys of one name, or a time to
            live that is a key.

    """

    partition_key: Key
    """What an item is found by: ``"user_id"``, or ``("user_id", "N")``. It cannot be changed later."""
    sort_key: Key | None = None
    """What the items of one partition are ordered by. Default: none, one item a partition."""
    ttl_attribute: str | None = None
    """Attribute with the second (since 1970) after which DynamoDB deletes the item. Default: items stay."""
    point_in_time_recovery: bool = True
    """Whether the table can be restored to any second of the last 35 days."""
    deletion_protection: bool = True
    """Whether AWS refuses to delete the table until this is turned off."""

    def __post_init__(self) -> None:
        names = [name for name, _ in self.keys()]
        if len(set(names)) < len(names):
            raise InvalidArgsError(of(self, "sort_key"), got=names[-1], want="another attribute than the partition key")
        if self.ttl_attribute in names:
            raise InvalidArgsError(
                of(self, "ttl_attribute"), got=self.ttl_attribute, want="an attribute that is no key"
            )
        if self.ttl_attribute == "":
            raise InvalidArgsError(of(self, "ttl_attribute"), got="", want="the name of an attribute, or None")

    def keys(self) -> list[tuple[str, str]]:
        """Return name and type of the partition key, and of the sort key if there is one."""
        given = [("partition_key", self.partition_key), ("sort_key", self.sort_key)]
        return [_attribute(of(self, field), key) for field, key in given if key is not None]


class Table(Part):
    """A table that is paid by the request, encrypted with AWS's own key for DynamoDB in this account, and kept.

    That key costs nothing to have and its use stands in CloudTrail; who may use the table needs no right to it.

    Raises:
        InvalidArgsError: a name that DynamoDB refuses, Pulumi's suffix counted.

    """

    arn: Output[str]
    table_name: Output[str]

    def __init__(self, name: str, args: TableArgs, opts: ResourceOptions | None = None) -> None:
        naming.autonamed(name, naming.TABLE)
        super().__init__(opts)

        keys = args.keys()
        table = aws.dynamodb.Table(
            name,
            billing_mode="PAY_PER_REQUEST",
            hash_key=keys[0][0],
            range_key=keys[1][0] if args.sort_key else None,
            attributes=[{"name": key, "type": kind} for key, kind in keys],
            ttl={"attribute_name": args.ttl_attribute, "enabled": True} if args.ttl_attribute else None,
            point_in_time_recovery={"enabled": args.point_in_time_recovery},
            server_side_encryption={"enabled": True},
            deletion_protection_enabled=args.deletion_protection,
            tags=self.tags,
            opts=self.child(),
        )
        self.arn, self.table_name = table.arn, table.name

    def read(self) -> Grant:
        """Allow every way of reading items, scans of the whole table too; `grant` says less."""
        return self.grant(*_READ)

    def write(self) -> Grant:
        """Allow every way of putting, changing and deleting items."""
        return self.grant(*_WRITE)

    def read_write(self) -> Grant:
        """Allow what `read` and `write` do."""
        return self.grant(*_READ, *_WRITE)

    def grant(self, *actions: str) -> Grant:
        """Allow exactly *actions* on this table, named as DynamoDB does: ``table.grant("GetItem", "Query")``.

        Raises:
            InvalidArgsError: no action, or one that DynamoDB has not on a table, with the nearest that it has.

        """
        for action in actions:
            if action not in ACTIONS:
                raise InvalidArgsError("Table.grant", got=action, want=_nearest(action))
        return Grant(actions=tuple(f"dynamodb:{action}" for action in actions), resources=(self.arn,))


def _attribute(field: str, key: Key) -> tuple[str, str]:
    name, kind = (key, "S") if isinstance(key, str) else key
    # botocore's `dynamodb` model: KeySchemaAttributeName, ScalarAttributeType.
    if not 1 <= len(name) <= 255 or kind not in ("S", "N", "B"):  # noqa: PLR2004 - the model's
        raise InvalidArgsError(
            field, got=key, want="a name of 1 to 255 characters, or a pair of it and 'S', 'N' or 'B'"
        )
    return name, kind


def _nearest(action: str) -> str:
    by_lower = {known.lower(): known for known in ACTIONS}
    found = difflib.get_close_matches(action.removeprefix("dynamodb:").lower(), by_lower, n=1)
    return f"did you mean {by_lower[found[0]]!r}?" if found else f"one of {', '.join(ACTIONS)}"
