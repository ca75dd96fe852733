"""A network that stands already, and what every network is to the components that live in one."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

from components import addresses
from components.errors import InvalidArgsError, of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pulumi import Input

_ID: Final = r"{}-(?:[0-9a-f]{{8}}|[0-9a-f]{{17}})"
"""https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/resource-ids.html"""


class AnyNetwork(Protocol):
    """A `Network` of this stack, or an `AdoptedNetwork`: what a component that lives in one asks of it."""

    @property
    def vpc_id(self) -> Input[str]:
        """The VPC's id."""
        ...

    @property
    def cidr(self) -> str:
        """The VPC's IPv4 block."""
        ...

    @property
    def zones(self) -> Sequence[str]:
        """Letters of its zones, in the order of the ids below."""
        ...

    @property
    def public_subnet_ids(self) -> Sequence[Input[str]]:
        """For what the internet reaches: one a zone, or none at all."""
        ...

    @property
    def app_subnet_ids(self) -> Sequence[Input[str]]:
        """For tasks: one a zone."""
        ...

    @property
    def data_subnet_ids(self) -> Sequence[Input[str]]:
        """For databases and file systems: one a zone, or none at all."""
        ...

    @property
    def endpoint_ids(self) -> Mapping[str, Input[str]]:
        """Ids of the VPC's endpoints, by their service's short name."""
        ...

    @property
    def nat_addresses(self) -> Mapping[str, Input[str]]:
        """As whom the internet sees the app tier: the address of each NAT gateway, by its zone. None: nobody says."""
        ...


@dataclass(frozen=True, kw_only=True)
class AdoptedNetwork:
    """A VPC that somebody else keeps, by its ids: nothing of it is made or changed here.

    Raises:
        InvalidArgsError: an id or an address that is none, one twice, or a tier that has not one subnet a zone.

    """

    vpc_id: str
    """Such as ``vpc-0a1b2c3d4e5f67890``."""
    cidr: str
    """The VPC's primary IPv4 block, /16 to /28."""
    zones: tuple[str, ...]
    """Letters of its zones, one or more; the subnets of each tier are in this order."""
    app_subnet_ids: tuple[str, ...]
    """Subnets for tasks, one a zone, whose route tables lead out by NAT or endpoints and not to the internet."""
    public_subnet_ids: tuple[str, ...] = ()
    """Subnets with an internet gateway, one a zone. Default: none; an internet-facing load balancer needs them."""
    data_subnet_ids: tuple[str, ...] = ()
    """Subnets for databases, one a zone. Default: none."""
    endpoint_ids: Mapping[str, str] = field(default_factory=dict[str, str])
    """VPC endpoints, by their service's short name: ``{"execute-api": "vpce-..."}``. Default: none."""
    nat_addresses: Mapping[str, str] = field(default_factory=dict[str, str])
    """Public IPv4 addresses of its NAT gateways, by the letter of the zone: ``{"a": "203.0.113.7"}``.

    Default: none; a load balancer that is open to ``nat`` needs them.
    """

    def __post_init__(self) -> None:
        addresses.vpc_block(of(self, "cidr"), self.cidr)
        addresses.check_zones(of(self, "zones"), self.zones, fewest=1)
        self._check_id("vpc_id", "vpc", self.vpc_id)
        for service, endpoint in self.endpoint_ids.items():
            self._check_id(f"endpoint_ids[{service}]", "vpce", endpoint)
        for zone, address in self.nat_addresses.items():
            addresses.check_address(of(self, f"nat_addresses[{zone}]"), address)
        if len({*self.nat_addresses.values()}) < len(self.nat_addresses) or {*self.nat_addresses} - {*self.zones}:
            raise InvalidArgsError(
                of(self, "nat_addresses"), got=self.nat_addresses, want="each address once, by the letter of its zone"
            )
        seen: set[str] = set()
        for tier in ("app_subnet_ids", "public_subnet_ids", "data_subnet_ids"):
            ids: tuple[str, ...] = getattr(self, tier)
            for subnet in ids:
                self._check_id(tier, "subnet", subnet)
                if subnet in seen:
                    raise InvalidArgsError(of(self, tier), got=subnet, want="each subnet once, in one tier")
                seen.add(subnet)
            if len(ids) != len(self.zones) and (ids or tier == "app_subnet_ids"):
                raise InvalidArgsError(
                    of(self, tier), got=ids, want=f"one subnet for each of the zones {', '.join(self.zones)}"
                )

    def _check_id(self, which: str, prefix: str, value: str) -> None:
        if not re.fullmatch(_ID.format(prefix), value):
            raise InvalidArgsError(of(self, which), got=value, want=f"an id such as '{prefix}-0a1b2c3d4e5f67890'")
