"""The plan of subnets is arithmetic alone."""

from __future__ import annotations

import itertools
from ipaddress import IPv4Network

import pytest

from components import addresses
from components.errors import InvalidArgsError

DEFAULT = IPv4Network("10.0.0.0/16")


@pytest.mark.parametrize(
    ("letter", "public", "app", "data"),
    [
        ("a", "10.0.1.0/24", "10.0.10.0/24", "10.0.20.0/24"),
        ("b", "10.0.2.0/24", "10.0.11.0/24", "10.0.21.0/24"),
        ("c", "10.0.3.0/24", "10.0.12.0/24", "10.0.22.0/24"),
        ("f", "10.0.6.0/24", "10.0.15.0/24", "10.0.25.0/24"),
    ],
)
def test_the_default_plan_reads_as_the_third_number(letter: str, public: str, app: str, data: str) -> None:
    """People know a zone and a tier by this number; a renumbered subnet is a replaced one."""
    assert addresses.zone_blocks(DEFAULT, letter) == addresses.ZoneBlocks(public=public, app=app, data=data)


@pytest.mark.parametrize("prefix", [16, 17, 18, 19])
def test_all_blocks_lie_within_the_vpc_and_apart(prefix: int) -> None:
    vpc = IPv4Network(f"10.32.0.0/{prefix}")
    blocks = [
        IPv4Network(text)
        for letter in addresses.ZONE_LETTERS
        for text in vars(addresses.zone_blocks(vpc, letter)).values()
    ]
    assert all(block.subnet_of(vpc) for block in blocks)
    assert not any(one.overlaps(other) for one, other in itertools.combinations(blocks, 2))
    assert {block.prefixlen for block in blocks} == {prefix + 8}


@pytest.mark.parametrize("cidr", ["10.0.0.0/20", "10.0.0.0/24", "10.0.0.0/28"])
def test_a_vpc_whose_slots_no_load_balancer_fits_is_refused(cidr: str) -> None:
    with pytest.raises(InvalidArgsError, match=r"/16 to /19.*AdoptedNetwork"):
        addresses.plannable_vpc("Network.cidr", cidr)


@pytest.mark.parametrize("cidr", ["10.0.0.0/15", "10.0.0.0/8", "10.0.0.0/29", "10.0.0.0/32"])
def test_a_vpc_that_aws_has_no_size_for_is_refused(cidr: str) -> None:
    with pytest.raises(InvalidArgsError, match="/16 to /28"):
        addresses.vpc_block("Network.cidr", cidr)


@pytest.mark.parametrize("cidr", ["127.0.0.0/16", "169.254.0.0/16", "224.0.0.0/16", "0.0.0.0/16"])
def test_a_vpc_of_addresses_that_no_machine_may_have_is_refused(cidr: str) -> None:
    with pytest.raises(InvalidArgsError, match="usable addresses"):
        addresses.vpc_block("Network.cidr", cidr)


@pytest.mark.parametrize("cidr", ["", "10.0.0.0", "10.0.0.0/33", "10.0.0/16", "fd00::/8", "ten"])
def test_what_is_no_block_is_refused(cidr: str) -> None:
    with pytest.raises(InvalidArgsError, match=r"^Network\.cidr"):
        addresses.block("Network.cidr", cidr)


@pytest.mark.parametrize("cidr", ["10.0.0.1/16", "10.0.0.0/255.255.0.0"])
def test_a_block_written_otherwise_than_aws_keeps_it_is_refused(cidr: str) -> None:
    """AWS rewrites it, and every later preview would show a change of what nobody changed."""
    with pytest.raises(InvalidArgsError, match=r"'10\.0\.0\.0/16'"):
        addresses.block("Network.cidr", cidr)


@pytest.mark.parametrize(
    ("zones", "want"),
    [
        (("a",), "2 zones or more"),
        ((), "2 zones or more"),
        (("a", "a"), "each zone once"),
        (("a", "g"), "'g'"),
        (("a", "eu-west-1b"), "letter alone"),
        (("a", "B"), "'B'"),
        (("a", ""), "letter alone"),
    ],
)
def test_zones_are_two_letters_or_more_each_once(zones: tuple[str, ...], want: str) -> None:
    with pytest.raises(InvalidArgsError, match=want):
        addresses.check_zones("Network.zones", zones, fewest=2)
