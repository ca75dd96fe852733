"""A database's section is right, or each mistake in it is told by its setting, its value and what would do."""

from __future__ import annotations

import json
from typing import Any
from unittest import mock

import pytest
from pydantic import ValidationError

from components.account import Account
from components.adopted_network import AdoptedNetwork
from components.database import VERSIONS
from settings import AdoptSettings, NetworkSettings
from settings.database import DatabaseSettings

ACCOUNT = Account(id="111122223333", region="eu-west-1")
ADOPTED: dict[str, Any] = {
    "vpc_id": "vpc-0a1b2c3d",
    "cidr": "10.1.0.0/16",
    "zones": ["b", "c"],
    "app_subnet_ids": ["subnet-2a1b2c3d", "subnet-3a1b2c3d"],
    "data_subnet_ids": ["subnet-4a1b2c3d", "subnet-5a1b2c3d"],
}


def read(**said: Any) -> DatabaseSettings:
    return DatabaseSettings.model_validate_json(json.dumps(said))


def wrong(**said: Any) -> str:
    with pytest.raises(ValidationError) as refused:
        read(**said)
    return str(refused.value)


def adopted(**changed: Any) -> AdoptSettings:
    return AdoptSettings.model_validate_json(json.dumps({**ADOPTED, **changed}))


def told(network: NetworkSettings) -> list[str]:
    return [*read().problems(mock.Mock(network=network))]


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"storage": 20, "storage_limit": 22, "backup_days": 1},
        {"storage": 59_578, "storage_limit": 65_536, "backup_days": 35},
        {"storage": 65_536, "storage_limit": None},
        *({"engine_version": version} for version in VERSIONS),
        {"instance_class": "db.r8gd.24xlarge"},
        {"final_snapshot": False, "at_once": True},
    ],
)
def test_what_is_at_its_bounds_is_taken_by_the_component_too(said: dict[str, Any]) -> None:
    """Else a stack file that was found good would fail once the network is there."""
    args = read(**said).args(ACCOUNT, adopted().value(), name="api", users=["application"], protect=True)
    assert {key: getattr(args, key) for key in said} == said


@pytest.mark.parametrize("protect", [True, False])
def test_whether_it_may_be_deleted_is_the_stacks_to_say(protect: bool) -> None:  # noqa: FBT001
    """And not whether a snapshot stays: who takes the protection off is about to delete it."""
    args = read().args(ACCOUNT, adopted().value(), name="api", protect=protect)
    assert (args.deletion_protection, args.final_snapshot) == (protect, True)


def test_every_setting_reaches_the_component() -> None:
    """One that is read and goes nowhere would look as if it did something."""
    said: dict[str, Any] = {
        "instance_class": "db.m8g.large",
        "engine_version": "16",
        "major_upgrade": True,
        "storage": 21,
        "storage_limit": 101,
        "multi_az": False,
        "backup_days": 8,
        "final_snapshot": False,
        "at_once": True,
        "own_key": True,
    }
    args = read(**said, log_retention_days=60).args(ACCOUNT, adopted().value(), name="api", protect=True)
    assert said.keys() | {"log_retention_days"} == DatabaseSettings.model_fields.keys()
    assert {key: getattr(args, key) for key in said} == said
    assert args.logs.retention_days == 60


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"instance_class": "t4g.micro"}, "got 't4g.micro'; a class such as 'db.t4g.micro'"),
        ({"instance_class": "db.T4G.micro"}, "got 'db.T4G.micro'; a class"),
        ({"instance_class": "db.t4g.nano"}, "got 'db.t4g.nano'; a class"),
        ({"instance_class": "db.r3.huge"}, "got 'db.r3.huge'; a class"),
        ({"engine_version": "14"}, "Input should be '15', '16', '17' or '18'"),
        ({"engine_version": 17}, "Input should be '15', '16', '17' or '18'"),
        ({"storage": 19}, "greater than or equal to 20"),
        ({"storage": 65_537}, "less than or equal to 65536"),
        ({"storage_limit": 65_537}, "less than or equal to 65536"),
        ({"storage": 100}, "storage_limit: got 100; 110 or more, a tenth over the 100 GiB of `storage`, or null"),
        ({"storage": 59_579, "storage_limit": 65_536}, "storage_limit: got 65536; 65537 or more"),
        ({"storage_limit": 21}, "storage_limit: got 21; 22 or more, a tenth over the 20 GiB of `storage`, or null"),
        ({"backup_days": 0}, "greater than or equal to 1"),
        ({"backup_days": 36}, "less than or equal to 35"),
        ({"multi_az": "yes"}, "valid boolean"),
        ({"log_retention_days": 8}, "CloudWatch keeps logs for one of"),
        ({"deletion_protection": True}, "Extra inputs are not permitted"),
    ],
)
def test_what_cannot_work_is_refused_when_it_is_read(said: dict[str, Any], message: str) -> None:
    """All errors of a stack file are said at once, before anything is made; none names a class of ours."""
    error = wrong(**said)
    assert message in error
    assert "Database." not in error


def test_several_mistakes_are_told_together() -> None:
    error = wrong(storage=19, backup_days=0, instance_class="big")
    assert "3 validation errors" in error


@pytest.mark.parametrize(
    "network",
    [{}, {"adopt": ADOPTED}, {"zones": ["a", "b", "c"]}],
    ids=["made", "adopted with data subnets", "of three zones"],
)
def test_a_network_with_data_subnets_in_two_zones_will_do(network: dict[str, Any]) -> None:
    assert told(NetworkSettings.model_validate_json(json.dumps(network))) == []


@pytest.mark.parametrize(
    "changed",
    [
        {"data_subnet_ids": []},
        {"zones": ["b"], "app_subnet_ids": ["subnet-2a1b2c3d"], "data_subnet_ids": ["subnet-4a1b2c3d"]},
    ],
    ids=["no data subnets", "one zone"],
)
def test_an_adopted_network_without_them_is_told_what_to_add(changed: dict[str, Any]) -> None:
    """The component would refuse it too, when half of the stack is there."""
    (said,) = told(NetworkSettings(adopt=adopted(**changed)))
    assert said.startswith("needs subnets in two zones; add `data_subnet_ids` to `network: {adopt: ...}`")
    with pytest.raises(ValueError, match=r"Database\.network: got 'a network with [01] data subnet"):
        read().args(ACCOUNT, adopted(**changed).value(), name="api", protect=True)
    assert isinstance(adopted(**changed).value(), AdoptedNetwork)
