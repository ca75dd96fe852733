"""A network by its ids is checked before anything is put into it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from components.account import Account
from components.adopted_network import AdoptedNetwork
from components.errors import InvalidArgsError
from components.network import Network, NetworkArgs
from tests.components.recorder import record

if TYPE_CHECKING:
    from components.adopted_network import AnyNetwork


def subnet(number: int) -> str:
    return f"subnet-0a1b2c3d4e5f6{number:04x}"


def adopted(**given: Any) -> AdoptedNetwork:
    return AdoptedNetwork(
        **{
            "vpc_id": "vpc-0a1b2c3d4e5f67890",
            "cidr": "10.0.0.0/20",
            "zones": ("a", "c"),
            "app_subnet_ids": (subnet(1), subnet(2)),
            "public_subnet_ids": (subnet(3), subnet(4)),
            "data_subnet_ids": (subnet(5), subnet(6)),
            "endpoint_ids": {"execute-api": "vpce-0a1b2c3d4e5f67890"},
            "nat_addresses": {"a": "203.0.113.7", "c": "203.0.113.8"},
            **given,
        }
    )


def test_ids_are_kept_as_given() -> None:
    assert adopted().app_subnet_ids == (subnet(1), subnet(2))
    assert adopted(vpc_id="vpc-1a2b3c4d").vpc_id == "vpc-1a2b3c4d"


def test_only_the_app_tier_must_be_there() -> None:
    assert adopted(public_subnet_ids=(), data_subnet_ids=(), endpoint_ids={}, nat_addresses={}).public_subnet_ids == ()


def test_a_network_of_this_stack_and_an_adopted_one_are_asked_alike() -> None:
    """A component that took one and not the other would tie a team's stack to the platform's."""

    def check(network: AnyNetwork) -> None:
        tiers = (network.public_subnet_ids, network.app_subnet_ids, network.data_subnet_ids)
        assert {len(ids) for ids in tiers} == {len(network.zones)} == {2}
        assert network.vpc_id is not None
        assert set(network.endpoint_ids)
        assert set(network.nat_addresses) == set(network.zones)
        assert network.cidr

    check(adopted())
    record(lambda: check(Network("main", NetworkArgs(account=Account(id="123456789012", region="eu-west-1")))))


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"vpc_id": "10.0.0.0/16"}, "AdoptedNetwork.vpc_id"),
        ({"vpc_id": "vpc-0A1B2C3D4E5F67890"}, "AdoptedNetwork.vpc_id"),
        ({"vpc_id": subnet(9)}, "AdoptedNetwork.vpc_id"),
        ({"cidr": "10.0.0.0/8"}, "AdoptedNetwork.cidr"),
        ({"zones": ()}, "AdoptedNetwork.zones"),
        ({"zones": ("a", "a")}, "AdoptedNetwork.zones"),
        ({"app_subnet_ids": ()}, "AdoptedNetwork.app_subnet_ids"),
        ({"app_subnet_ids": (subnet(1),)}, "AdoptedNetwork.app_subnet_ids"),
        ({"app_subnet_ids": (subnet(1), subnet(1))}, "AdoptedNetwork.app_subnet_ids"),
        ({"app_subnet_ids": ("subnet-1", subnet(2))}, "AdoptedNetwork.app_subnet_ids"),
        ({"public_subnet_ids": (subnet(1), subnet(7))}, "AdoptedNetwork.public_subnet_ids"),
        ({"public_subnet_ids": (subnet(7),)}, "AdoptedNetwork.public_subnet_ids"),
        ({"data_subnet_ids": (subnet(3), subnet(7))}, "AdoptedNetwork.data_subnet_ids"),
        ({"nat_addresses": {"a": "203.0.113.7/32"}}, "AdoptedNetwork.nat_addresses[a]"),
        ({"nat_addresses": {"b": "203.0.113.7"}}, "AdoptedNetwork.nat_addresses"),
        ({"nat_addresses": {"a": "203.0.113.7", "c": "203.0.113.7"}}, "AdoptedNetwork.nat_addresses"),
        ({"endpoint_ids": {"execute-api": "vpc-0a1b2c3d4e5f67890"}}, "AdoptedNetwork.endpoint_ids[execute-api]"),
    ],
)
def test_a_wrong_id_is_named_with_its_value(given: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidArgsError) as refused:
        adopted(**given)
    assert str(refused.value).startswith(f"{field}: got ")
