"""How a service is found: by which ways, and what its clients are told, allowed and let out to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi_aws as aws
from pulumi import Output

from components import naming, security_group
from components.base import Component, declared
from components.discovery.way import AppProtocol, End, Found, Server, Wanted, Way
from components.errors import InvalidArgsError, of, one_of, within
from components.namespace import Namespace, NamespaceArgs

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pulumi import Input, Resource, ResourceOptions

    from components.account import Account
    from components.adopted_network import AnyNetwork
    from components.base import Owner
    from components.grants import Grant


@dataclass(frozen=True, kw_only=True)
class DiscoveryArgs:
    """What a `Discovery` takes.

    Raises:
        InvalidArgsError: no way or ways that no client could try in that order, a port or name out of bounds.

    """

    account: Account
    """Where it is."""
    network: AnyNetwork
    """Where server and clients stand."""
    ways: Sequence[Way]
    """How it is found: one way, or two in the order in which clients try them. Of `CloudMap`, `ServiceConnect`, `Nlb`,
    `AlbGrpc`, `Lattice` and `Address`; the second can be `Nlb` alone, behind one of the first two."""
    port: int
    """The container port that its tasks listen on, 1 to 65535."""
    protocol: AppProtocol = "grpc"
    """What is spoken there."""
    service_name: str | None = None
    """What it is called where names are registered, as the first label of its DNS name. Default: the component's."""
    namespace: Namespace | str | None = None
    """Where its name is registered: one that others share, or the domain of one of its own, such as
    ``workflow.local``. Default: none; `CloudMap` and `ServiceConnect` need one."""

    def __post_init__(self) -> None:
        within(self, "port", 1, 65535)
        one_of(self, "protocol", ("grpc", "http2", "http", "tcp"))
        kinds = [way.kind for way in self.ways]
        if len(kinds) != 1 and not (len(kinds) == 2 and self.ways[0].before_nlb and kinds[1] == "nlb"):  # noqa: PLR2004
            raise InvalidArgsError(
                of(self, "ways"),
                got=kinds,
                want="one way, or cloud_map or service_connect and then nlb: of the others none has port and protocol "
                "in common with a second",
            )
        if isinstance(self.namespace, str):
            naming.fixed(self.namespace, naming.NAMESPACE)
        if self.namespace is None and self.ways[0].registers:
            raise InvalidArgsError(
                of(self, "namespace"), got=None, want=f"a Namespace or a domain, in which {kinds[0]} registers the name"
            )


class Discovery(Component):
    """The ways to one service, and the security group that its tasks wear in each of them.

    The server's side is ``ServiceArgs(discovery=...)``; a client's is ``ServiceArgs(calls=[...])`` with `environment`
    in its container and `grants` in its task. Another way changes what is registered where and what clients are told,
    and neither the server's task definition nor its network.

    Raises:
        InvalidArgsError: a way that cannot lead to this server, or names that leave no room in AWS's limits.

    """

    security_group_id: Output[str]
    """Of the server's tasks, beside the service's own: whoever calls them is let in there."""

    def __init__(self, name: str, args: DiscoveryArgs, opts: ResourceOptions | None = None) -> None:
        wanted = Wanted(
            name=name,
            service_name=naming.fixed(args.service_name or name, naming.DISCOVERY),
            account=args.account,
            network=args.network,
            port=args.port,
            protocol=args.protocol,
        )
        naming.autonamed(name, naming.SECURITY_GROUP)
        for way in args.ways:
            way.check(wanted)
        super().__init__(name, declared(args) | {"ways": [way.kind for way in args.ways]}, opts)
        self.name, self.account, self.port, self.protocol = name, args.account, args.port, args.protocol

        group = aws.ec2.SecurityGroup(
            name,
            description="Tasks that serve, and whom they let in",
            vpc_id=args.network.vpc_id,
            tags=self.tags,
            opts=self.child(),
        )
        self.security_group_id = group.id
        server = Server(**vars(wanted), security_group_id=group.id, namespace=self._namespace(args))
        self.found: Sequence[Found] = [way.make(self, server) for way in args.ways]
        self._serves: list[Resource] = []
        self.register_outputs({"security_group_id": self.security_group_id})

    def environment(self, prefix: str) -> Mapping[str, Input[str]]:
        """Return what a client's container is told, each name beginning with *prefix* (``WORKFLOW_SERVICE``).

        ``_HOST`` and ``_PORT`` are the address. Cloud Map and Service Connect have ``_DNS`` in place of the host, a
        name with all addresses, and Cloud Map ``_NAMESPACE`` and ``_NAME`` for its API. ``_TLS=1`` where TLS is spoken;
        ``_FALLBACK_HOST`` is the second way's host, on the same port. What does not apply is not there.
        """
        first, *second = self.found
        said = dict(first.address)
        for each in second:
            said["FALLBACK_HOST"] = each.address["HOST"]
        return {f"{prefix}_{key}": value for key, value in said.items()}

    def grants(self) -> Sequence[Grant]:
        """Return what a client may do in AWS so as to find the server, or to call it."""
        return [grant for found in self.found for grant in found.grants]

    def served_by(self, service: Resource) -> None:
        """Take note of the ECS service that serves; `Service` calls it."""
        self._serves.append(service)

    @property
    def servers(self) -> Sequence[Resource]:
        """What a client's deployment waits for, so far as it is made before it: the server, in Service Connect."""
        return self._serves if any(found.connect for found in self.found) else ()

    def _namespace(self, args: DiscoveryArgs) -> Namespace | None:
        if not args.ways[0].registers or not isinstance(args.namespace, str):
            return args.namespace if isinstance(args.namespace, Namespace) else None
        return Namespace(self.name, NamespaceArgs(domain=args.namespace, vpc_id=args.network.vpc_id), self.child())


def open_ways(owner: Owner, name: str, client: Input[str], calls: Sequence[Discovery]) -> Sequence[Resource]:
    """Open the ways from the group *client* to the servers of *calls*, by rules that are children of *owner*.

    Each names its port and, where there is one, the group at the other end. Two servers behind one address share it.
    """
    out: dict[tuple[object, int], tuple[str, End]] = {}
    into: dict[tuple[object, int], tuple[str, End]] = {}
    # By name: the order in which servers are named must not rename the rules.
    for called in sorted(calls, key=lambda each: each.name):
        for end in (end for found in called.found for end in found.ends):
            own = f"{name}-to-{called.name}{'-' if end.name else ''}{end.name}"
            out.setdefault((_same(end.prefix_list_id or end.cidr or end.security_group_id), end.port), (own, end))
            if end.security_group_id is not None:
                into.setdefault((_same(end.security_group_id), end.port), (own, end))
    return [
        *(
            security_group.let_out(
                owner,
                own,
                client,
                end.port,
                to_group=end.security_group_id if end.prefix_list_id is None and end.cidr is None else None,
                to_prefix_list=end.prefix_list_id,
                to_block=end.cidr,
            )
            for own, end in out.values()
        ),
        *(
            security_group.let_in(owner, own, end.security_group_id, end.port, from_group=client)
            for own, end in into.values()
            if end.security_group_id is not None
        ),
    ]


def _same(there: Input[str] | None) -> object:
    """Return what tells one end from another: an id that is not known yet is its output."""
    return there if isinstance(there, str) else id(there)
