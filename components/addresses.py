"""IPv4 arithmetic: which block each zone's subnets get, and which blocks AWS takes at all."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from typing import TYPE_CHECKING, Final

from components.errors import InvalidArgsError

if TYPE_CHECKING:
    from collections.abc import Sequence

# https://docs.aws.amazon.com/vpc/latest/userguide/vpc-cidr-blocks.html
_AWS_LARGEST, _AWS_SMALLEST = 16, 28

ZONE_LETTERS: Final = "abcdef"
"""The zones a region may have: us-east-1, which has most, ends at f. Six fit the plan below."""

# The slots of zone a; each later letter is one further. In 10.0.0.0/16 they read as the third number of the address.
_PUBLIC, _APP, _DATA = 1, 10, 20
_SLOT_BITS: Final = 8
"""A VPC has 256 slots, so that a /16 has slots of a /24."""
_PLAN_SMALLEST: Final = 19
"""A load balancer's subnets are /27 or larger, which are the slots of a /19.
https://docs.aws.amazon.com/elasticloadbalancing/latest/application/application-load-balancers.html#subnets-load-balancer
"""


@dataclass(frozen=True, kw_only=True)
class ZoneBlocks:
    """The blocks of one zone's three subnets."""

    public: str
    """For what the internet reaches: load balancers and NAT gateways."""
    app: str
    """For tasks: a way out, none in."""
    data: str
    """For databases and file systems: no way out."""


def zone_blocks(vpc: IPv4Network, letter: str) -> ZoneBlocks:
    """Return the blocks of zone *letter* in *vpc*.

    They come from the letter and from nothing else, so that adding or dropping a zone renumbers no other: in
    10.0.0.0/16 zone a has 10.0.1.0/24, 10.0.10.0/24 and 10.0.20.0/24, b has .2, .11 and .21, and so on.
    """
    zone = ZONE_LETTERS.index(letter)
    return ZoneBlocks(public=_slot(vpc, _PUBLIC + zone), app=_slot(vpc, _APP + zone), data=_slot(vpc, _DATA + zone))


def plannable_vpc(field: str, cidr: str) -> IPv4Network:
    """Return the VPC block *cidr* if `zone_blocks` fits it; refuse *field* otherwise."""
    network = vpc_block(field, cidr)
    if network.prefixlen > _PLAN_SMALLEST:
        raise InvalidArgsError(
            field,
            got=cidr,
            want=f"a VPC of /{_AWS_LARGEST} to /{_PLAN_SMALLEST}: a smaller one leaves the load balancer's subnets "
            "less than the /27 they need; bring such a network as an AdoptedNetwork",
        )
    return network


def vpc_block(field: str, cidr: str) -> IPv4Network:
    """Return the block *cidr* if AWS takes it as a VPC's; refuse *field* otherwise."""
    network = block(field, cidr)
    if not _AWS_LARGEST <= network.prefixlen <= _AWS_SMALLEST:
        raise InvalidArgsError(field, got=cidr, want=f"a VPC is /{_AWS_LARGEST} to /{_AWS_SMALLEST}")
    if network.is_loopback or network.is_link_local or network.is_multicast or network[0].packed[0] == 0:
        raise InvalidArgsError(field, got=cidr, want="a block of usable addresses, such as '10.0.0.0/16'")
    return network


def block(field: str, cidr: str) -> IPv4Network:
    """Return the IPv4 block *cidr*, written as its first address and a length; refuse *field* otherwise."""
    try:
        network = IPv4Network(cidr, strict=False)
    except ValueError:
        raise InvalidArgsError(field, got=cidr, want="an IPv4 block such as '10.0.0.0/16'") from None
    if str(network) != cidr:
        # AWS would quietly make it so, and the next preview would show a difference.
        raise InvalidArgsError(field, got=cidr, want=f"the block's own first address and length: {str(network)!r}")
    return network


def check_address(field: str, address: str) -> None:
    """Refuse *field* unless *address* is an IPv4 address."""
    try:
        IPv4Address(address)
    except ValueError:
        raise InvalidArgsError(field, got=address, want="an IPv4 address such as '203.0.113.7'") from None


def check_zones(field: str, zones: Sequence[str], *, fewest: int) -> None:
    """Refuse *field* unless *zones* are *fewest* or more letters of zones, each once."""
    for zone in zones:
        if zone not in ZONE_LETTERS or len(zone) != 1:
            raise InvalidArgsError(
                field, got=zone, want="a zone's letter alone, such as 'a' for eu-west-1a: a to " + ZONE_LETTERS[-1]
            )
    if len(set(zones)) != len(zones):
        raise InvalidArgsError(field, got=tuple(zones), want="each zone once")
    if len(zones) < fewest:
        raise InvalidArgsError(
            field, got=tuple(zones), want=f"{fewest} zones or more: a load balancer and a database need as many"
        )


def _slot(vpc: IPv4Network, number: int) -> str:
    length = vpc.prefixlen + _SLOT_BITS
    return str(IPv4Network((int(vpc.network_address) + (number << (32 - length)), length)))
