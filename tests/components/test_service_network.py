"""A VPC joins one service network, and what is found by Lattice in it shares that."""

from __future__ import annotations

import pytest

from components.discovery import Lattice
from components.errors import InvalidArgsError
from components.service_network import ServiceNetwork, ServiceNetworkArgs
from tests.components.discovery.stack import NETWORK, discovery
from tests.components.recorder import of_type, record

VPC = ServiceNetworkArgs(vpc_id=NETWORK.vpc_id)
ASSOCIATION, PLACE = ":ServiceNetworkVpcAssociation", ":ServiceNetworkServiceAssociation"


def test_two_servers_share_the_network_that_they_are_given() -> None:
    """AWS refuses the VPC's second association, and only when the first is there."""

    def build() -> None:
        shared = Lattice(prefix_list_id="pl-0a1b2c3d", service_network=ServiceNetwork("main", VPC))
        for name in ("agent", "other"):
            discovery("lattice", name=name, args={"ways": [shared], "namespace": None})

    made = record(build)
    assert of_type(made, ASSOCIATION).keys() == {"main"}
    places = {name: each.inputs["serviceNetworkIdentifier"] for name, each in of_type(made, PLACE).items()}
    assert places == {"agent": "main-id", "other": "main-id"}


def test_a_second_network_of_one_vpc_is_refused() -> None:
    def twice() -> None:
        ServiceNetwork("main", VPC)
        ServiceNetwork("other", VPC)

    with pytest.raises(InvalidArgsError, match="one ServiceNetwork for all: the VPC has joined 'main' already"):
        record(twice)


def test_a_second_server_with_a_network_of_its_own_is_refused_before_anything_of_it_is_made() -> None:
    """Each alone is right, so that nobody would see it before `up` fails."""

    def build() -> None:
        for name in ("agent", "other"):
            discovery("lattice", name=name, args={"namespace": None})

    with pytest.raises(InvalidArgsError, match=r"Lattice\.service_network: .* has joined 'agent' already"):
        record(build)


def test_another_vpc_or_another_run_of_the_program_has_its_own() -> None:
    """A rehearsal runs the program twice, in one process."""

    def build() -> None:
        ServiceNetwork("main", VPC)
        ServiceNetwork("other", ServiceNetworkArgs(vpc_id="vpc-1a1b2c3d"))

    for _ in range(2):
        assert len(of_type(record(build), ASSOCIATION)) == 2
