"""A service network of VPC Lattice: what a VPC joins, so that its tasks reach the services in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from weakref import WeakKeyDictionary

import pulumi_aws as aws
from pulumi.runtime.settings import get_monitor

from components import naming
from components.base import Part
from components.errors import InvalidArgsError

if TYPE_CHECKING:
    from pulumi import Input, Output, Resource, ResourceOptions

_JOINED: Final[WeakKeyDictionary[object, dict[object, str]]] = WeakKeyDictionary()
"""A run of a program, by whom it registers with → the VPCs that joined a network, each with that one's logical name."""


@dataclass(frozen=True, kw_only=True)
class ServiceNetworkArgs:
    """What a `ServiceNetwork` takes."""

    vpc_id: Input[str]
    """The VPC that joins it, and no other."""


class ServiceNetwork(Part):
    """A service network with one VPC in it.

    AWS lets a VPC join one alone, so that all services that are found by Lattice in a VPC share it.
    https://docs.aws.amazon.com/vpc-lattice/latest/ug/service-network-associations.html

    Raises:
        InvalidArgsError: the VPC has joined another, or a name that leaves no room in AWS's limits.

    """

    id: Output[str]
    security_group_id: Output[str]
    """Whom it lets in: those in the VPC whose way is opened to it."""
    association: Resource
    """The VPC's place in it."""

    def __init__(self, name: str, args: ServiceNetworkArgs, opts: ResourceOptions | None = None) -> None:
        naming.autonamed(name, naming.SERVICE_NETWORK)
        refuse_a_second(args.vpc_id)
        _joined()[_same(args.vpc_id)] = name
        super().__init__(opts)
        group = aws.ec2.SecurityGroup(
            f"{name}-lattice",
            vpc_id=args.vpc_id,
            description="Those who enter the service network",
            tags=self.tags,
            opts=self.child(),
        )
        network = aws.vpclattice.ServiceNetwork(name, auth_type="NONE", tags=self.tags, opts=self.child())
        self.association = aws.vpclattice.ServiceNetworkVpcAssociation(
            name,
            service_network_identifier=network.id,
            vpc_identifier=args.vpc_id,
            security_group_ids=[group.id],
            tags=self.tags,
            opts=self.child(),
        )
        self.id, self.security_group_id = network.id, group.id


def refuse_a_second(vpc_id: Input[str]) -> None:
    """Refuse another service network for a VPC that has joined one.

    Raises:
        InvalidArgsError: it has; the message names it.

    """
    if name := _joined().get(_same(vpc_id)):
        raise InvalidArgsError(
            "Lattice.service_network",
            got=None,
            want=f"one ServiceNetwork for all: the VPC has joined {name!r} already, and AWS lets it join no second",
        )


def _joined() -> dict[object, str]:
    return _JOINED.setdefault(get_monitor(), {})


def _same(vpc_id: Input[str]) -> object:
    """Return what tells one VPC from another: an id that is not known yet is its output."""
    return vpc_id if isinstance(vpc_id, str) else id(vpc_id)
