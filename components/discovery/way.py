"""What a way of being found is: what it is told of the server, and what it gives to the server and to clients."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Literal, cast

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pulumi import Input, Output, Resource

    from components.account import Account
    from components.adopted_network import AnyNetwork
    from components.base import Owner
    from components.grants import Grant
    from components.namespace import Namespace

AppProtocol = Literal["grpc", "http2", "http", "tcp"]


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Who is to be found, whatever the way."""

    name: str
    """Logical name: what resources are called after."""
    service_name: str
    """What it is called where names are registered."""
    account: Account
    """Where it runs."""
    network: AnyNetwork
    """Where it stands."""
    port: int
    """Where its tasks listen."""
    protocol: AppProtocol
    """What is spoken there."""


@dataclass(frozen=True, kw_only=True)
class Server(Wanted):
    """The same, with what all ways have in common already made."""

    security_group_id: Output[str]
    """The group that all of its tasks wear: whoever calls them is let in there."""
    namespace: Namespace | None
    """Where its name is registered; None if none of its ways registers one."""

    def registered(self) -> Namespace:
        """Return the namespace, for a way that registers a name."""
        return cast("Namespace", self.namespace)


@dataclass(frozen=True, kw_only=True)
class End:
    """Where a client's connections end."""

    name: str
    """What tells it from the other ends of one server; empty for the server's own tasks."""
    port: int
    """The only one that is opened."""
    security_group_id: Input[str] | None = None
    """The group that lets the client's in, and, where neither of the next two is said, that it is let out to."""
    prefix_list_id: Input[str] | None = None
    """The addresses that the client's group is let out to, by a list of them."""
    cidr: str | None = None
    """The same by a block."""


@dataclass(frozen=True, kw_only=True)
class Connect:
    """A place in Service Connect."""

    namespace: Namespace
    """Whose names a task's proxy knows: those of one namespace."""
    discovery_name: str
    """What ECS registers the server as."""
    dns_name: str
    """What clients call."""
    idle_timeout: int
    """Seconds."""
    request_timeout: int
    """Seconds."""


@dataclass(frozen=True, kw_only=True)
class Found:
    """A way that was made."""

    address: Mapping[str, Input[str]]
    """What clients are told, by the end of its variable's name: ``{"HOST": ..., "PORT": "50051"}``."""
    ends: Sequence[End] = ()
    """Where the client's connections end."""
    grants: Sequence[Grant] = ()
    """What a client may do in AWS, so as to find or to call."""
    registry_arn: Input[str] | None = None
    """The Cloud Map service in which ECS registers each task."""
    target_group_arn: Input[str] | None = None
    """The target group of a load balancer in which it does."""
    lattice_target_group_arn: Output[str] | None = None
    """The target group of VPC Lattice in which it does."""
    connect: Connect | None = None
    """The place in Service Connect."""
    before: Sequence[Resource] = field(default_factory=tuple["Resource", ...])
    """What the server's service waits for."""


class Way:
    """A way of being found, with its numbers."""

    kind: ClassVar[str]
    """What settings and errors call it."""
    registers: ClassVar[bool] = False
    """Whether it needs a namespace."""
    before_nlb: ClassVar[bool] = False
    """Whether clients can fall back from it to an NLB: the same port, and neither with TLS."""

    def check(self, wanted: Wanted) -> None:
        """Refuse a server that it cannot lead to, before anything is made. Default: it leads to any."""

    def make(self, owner: Owner, server: Server) -> Found:
        """Make what it takes, as children of *owner*."""
        raise NotImplementedError
