"""The public load balancer may be open to the addresses of NAT, where the network has any that are known."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from settings import SettingsError
from tests.settings.test_passed_on import ADOPTED
from tests.settings.test_reader import GOOD, load

NO_NAT = {"nat": "none", "interface_endpoints": ["ecr.api", "ecr.dkr", "logs", "execute-api"]}


def stack(network: dict[str, Any]) -> dict[str, Any]:
    """Return a good stack file in *network*, whose public load balancer is for an office and its own tasks."""
    public = {"open_to": ["198.51.100.0/24", "nat"]}
    return {**copy.deepcopy(GOOD), "drydock:network": network, "drydock:public_load_balancer": public}


@pytest.mark.parametrize("network", [{"nat": "single"}, {"nat": "per_zone"}, {"adopt": ADOPTED}])
def test_it_is_open_to_those_that_there_are(network: dict[str, Any]) -> None:
    assert load(stack(network)).public_load_balancer


@pytest.mark.parametrize("network", [NO_NAT, {"adopt": {**ADOPTED, "nat_addresses": {}}}])
def test_where_nobody_knows_of_any_that_is_told_before_anything_is_made(network: dict[str, Any]) -> None:
    with pytest.raises(SettingsError, match=r"public_load_balancer: .*open_to: got 'nat'; a network with NAT gateways"):
        load(stack(network))


def test_they_count_as_one_for_each_zone_that_there_may_be() -> None:
    """AWS would refuse the last rule, half-way through a deployment."""
    config = stack({"nat": "per_zone"})
    config["drydock:public_load_balancer"]["open_to"] += [f"10.{number}.0.0/16" for number in range(54)]
    with pytest.raises(SettingsError, match=r"open_to: got 61 blocks \(`nat` may be 6\); 60 or fewer"):
        load(config)
