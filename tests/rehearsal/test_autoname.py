"""Physical names are given as the provider gives them."""

from __future__ import annotations

import re

import pulumi_aws as aws
import pytest

from rehearsal import autoname, schema
from rehearsal.autoname import Names, NameTooLongError

# What the package deprecates within itself is told when a part of it is first imported.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

ROLE = "aws:iam/role:Role"
assert aws.__name__, "the types below are known once the package is imported"


def name_of(token: str, logical: str, **inputs: object) -> dict[str, object]:
    return Names(1).named(token, logical, f"urn::{logical}", inputs)


def test_a_name_is_the_logical_one_and_seven_hexadecimal_digits() -> None:
    assert re.fullmatch(r"task-[0-9a-f]{7}", str(name_of(ROLE, "task")["name"]))


def test_a_name_that_was_given_stays() -> None:
    assert name_of(ROLE, "task", name="mine") == {}


def test_the_same_seed_gives_the_same_name_in_any_order() -> None:
    """A preview and the run after it would otherwise name every resource differently."""
    first, second = Names(7), Names(7)
    urns = ["urn::a", "urn::b", "urn::c"]
    assert [first.suffix(urn) for urn in urns] == list(reversed([second.suffix(urn) for urn in reversed(urns)]))
    assert len({first.suffix(urn) for urn in urns}) == 3
    assert first.suffix("urn::a") != Names(8).suffix("urn::a")


@pytest.mark.parametrize("token", sorted(autoname._RULES))
def test_each_limit_is_reached_and_not_passed(token: str) -> None:
    rule = autoname._RULES[token]
    room = rule.longest - 8 - len(rule.prefix)
    assert len(str(name_of(token, "n" * room)[rule.name])) == rule.longest
    with pytest.raises(NameTooLongError, match=f"is longer than {rule.longest}, the most that '{rule.name}'"):
        name_of(token, "n" * (room + 1))


@pytest.mark.parametrize("token", sorted(autoname._RULES))
def test_each_rule_is_of_a_type_and_a_property_that_the_provider_has(token: str) -> None:
    """A misspelt token or property would leave its resources without a name, and its limit unchecked."""
    assert autoname._RULES[token].name in schema.inputs_of(token)


def test_where_only_lower_case_is_allowed_the_name_is_in_lower_case() -> None:
    assert str(name_of("aws:s3/bucket:Bucket", "Logs")["bucket"]).startswith("logs-")


def test_a_fifo_queue_ends_as_sqs_wants_it() -> None:
    assert str(name_of("aws:sqs/queue:Queue", "jobs", fifoQueue=True)["name"]).endswith(".fifo")


def test_a_type_without_a_name_gets_none() -> None:
    assert name_of("aws:ec2/vpc:Vpc", "main") == {}
    assert name_of("aws:ecs/taskDefinition:TaskDefinition", "task", family="task") == {}


def test_a_type_that_the_table_does_not_name_has_the_providers_general_limit() -> None:
    assert len(str(name_of("aws:ecs/service:Service", "n" * 247)["name"])) == 255
