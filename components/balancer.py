"""What load balancers of either kind have alike: where they stand, and whom their security group lets in."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import pulumi_aws as aws
from pulumi import Output

from components import addresses, security_group
from components.errors import InvalidArgsError, of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pulumi import Input

    from components.adopted_network import AnyNetwork
    from components.base import Owner

# Named because the API's own default is still ELBSecurityPolicy-2016-08 (TLS 1.0).
# https://docs.aws.amazon.com/elasticloadbalancing/latest/application/describe-ssl-policies.html
TLS_POLICY: Final = "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09"

_ZONES_FEWEST: Final = 2
_CERTIFICATE: Final = re.compile(r"arn:[\w-]+:(acm:[a-z0-9-]+:\d{12}:certificate|iam::\d{12}:server-certificate)/.+")


@dataclass(frozen=True, kw_only=True)
class BalancerArgs:
    """What a load balancer of either kind takes.

    Raises:
        InvalidArgsError: a network of fewer than two zones or without the tier asked for, a block that is none or
            opens an internal load balancer to everybody, or a word that says nothing of such a load balancer.

    """

    network: AnyNetwork
    """Its app tier where internal, its public tier otherwise, in two zones or more."""
    internal: bool = True
    """Reached from the network alone. Default: True; a stack says so where it means the internet."""
    open_to: Sequence[str] = ()
    """Who is let in: IPv4 blocks, and a word for the network's own tasks. Default: nobody; a stack opens it.

    The word is ``vpc``, the network's block, where it is internal; else it is ``nat``, the address of each NAT gateway:
    as that they come where they call it at its public name.
    """
    clients: Mapping[str, Input[str]] = field(default_factory=dict["str", "Input[str]"])
    """Security groups let in, each by a name of the caller's, which names its rule. Default: none."""
    deletion_protection: bool = True
    """Whether AWS refuses to delete it. Default: True; a stack that comes and goes turns it off."""

    def __post_init__(self) -> None:
        tier = "app" if self.internal else "public"
        if len(self.subnet_ids()) < _ZONES_FEWEST:
            raise InvalidArgsError(
                of(self, "network"),
                got=f"{len(self.subnet_ids())} subnets in its {tier} tier",
                want=f"{_ZONES_FEWEST} zones or more, each with a subnet in that tier",
            )
        for source in self.open_to:
            self._check_source(source)
        self._check_once()
        if self.clients and not self.internal:
            raise InvalidArgsError(
                of(self, "clients"), got=tuple(self.clients), want="none: through the internet nobody has a group"
            )

    def subnet_ids(self) -> Sequence[Input[str]]:
        """Return the subnets it stands in, one a zone."""
        return self.network.app_subnet_ids if self.internal else self.network.public_subnet_ids

    def blocks(self) -> Iterator[tuple[str, Input[str]]]:
        """Go through the blocks let in, with words spelt out, each with what its rule is named by."""
        for source in self.open_to:
            if source == "nat":
                for zone, address in self.network.nat_addresses.items():
                    yield f"nat-{zone}", Output.concat(address, "/32")
            else:
                block = self.network.cidr if source == "vpc" else source
                yield block, block

    def _check_once(self) -> None:
        said = [self.network.cidr if source == "vpc" else source for source in self.open_to]
        if "nat" in said:
            # Those of a network of this stack are not known yet, and nobody can have said them.
            said += [f"{address}/32" for address in self.network.nat_addresses.values() if isinstance(address, str)]
        if len(set(said)) != len(said):
            raise InvalidArgsError(
                of(self, "open_to"), got=tuple(self.open_to), want=f"each block once; vpc is {self.network.cidr}"
            )

    def _check_source(self, source: str) -> None:
        field_ = of(self, "open_to")
        if source == "vpc":
            if not self.internal:
                raise InvalidArgsError(
                    field_, got=source, want="'nat': to what has a public name the VPC comes from its NAT's addresses"
                )
        elif source == "nat":
            if self.internal:
                raise InvalidArgsError(field_, got=source, want="'vpc': nobody within comes through NAT")
            if not self.network.nat_addresses:
                raise InvalidArgsError(
                    field_, got=source, want="a network with NAT gateways: its nat, or an adopted one's nat_addresses"
                )
        elif addresses.block(field_, source).prefixlen == 0 and self.internal:
            raise InvalidArgsError(field_, got=source, want="'vpc', the blocks of peers, or clients by security group")


def check_certificate(owner: object, field_: str) -> None:
    """Refuse ``owner.field_`` if it is known and no certificate's ARN. None stands for "not given" and passes."""
    value = getattr(owner, field_)
    if isinstance(value, str) and not _CERTIFICATE.fullmatch(value):
        raise InvalidArgsError(of(owner, field_), got=value, want="the ARN of an ACM certificate")


def admit(owner: Owner, name: str, args: BalancerArgs, ports: Sequence[int]) -> Output[str]:
    """Make the load balancer's group *name* as a child of *owner*: those of *args* are let in, to each of *ports*.

    Returns its id. It has no way out: each target adds one, to its own port.
    """
    group = aws.ec2.SecurityGroup(
        name,
        vpc_id=args.network.vpc_id,
        description="Load balancer: whom it lets in, and the services behind it",
        tags={**owner.tags, "Name": name},
        opts=owner.child(),
    ).id
    for port in ports:
        for whose, block in args.blocks():
            security_group.let_in(owner, f"{name}-{port}-{whose}", group, port, from_block=block)
        for client, client_group in args.clients.items():
            security_group.let_in(owner, f"{name}-{port}-{client}", group, port, from_group=client_group)
    return group
