"""Found in VPC Lattice: a network of services that AWS runs, here for one VPC."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import pulumi_aws as aws
from pulumi import Output

from components import naming, resource_policy, security_group, service_network
from components.discovery.way import End, Found, Way
from components.errors import InvalidArgsError
from components.grants import Grant
from components.service_network import ServiceNetwork, ServiceNetworkArgs

if TYPE_CHECKING:
    from pulumi import Input

    from components.base import Owner
    from components.discovery.way import Server, Wanted

_HTTPS: Final = 443
_INVOKE: Final = "vpc-lattice-svcs:Invoke"
_VERSIONS: Final = {"grpc": "GRPC", "http2": "HTTP2", "http": "HTTP1"}


@dataclass(frozen=True, kw_only=True)
class Lattice(Way):
    """A name that AWS gives, with a certificate of AWS's own: TLS without a domain.

    The server is in a service network that its VPC has joined. Of its callers, the policy admits the VPC alone, and the
    security groups those alone that open their way.
    """

    kind = "lattice"

    prefix_list_id: Input[str]
    """Lattice's own addresses, which differ by region: the prefix list ``com.amazonaws.<region>.vpc-lattice``, by its
    id. https://docs.aws.amazon.com/vpc-lattice/latest/ug/security-groups.html"""
    signed: bool = False
    """Whether callers must sign each request (SigV4), with leave to `vpc-lattice-svcs:Invoke`. Default: False, since a
    plain gRPC or HTTP client does not sign."""
    service_network: ServiceNetwork | None = None
    """What the server is in: one that others share. Default: one of its own, and then the only one of its VPC."""

    def check(self, wanted: Wanted) -> None:
        """Refuse what Lattice does not speak, and a logical name that leaves no room in a service's."""
        naming.autonamed(wanted.name, naming.LATTICE_SERVICE)
        if self.service_network is None:
            service_network.refuse_a_second(wanted.network.vpc_id)
        if wanted.protocol not in _VERSIONS:
            raise InvalidArgsError(
                "Discovery.protocol", got=wanted.protocol, want=f"one of {', '.join(_VERSIONS)}, which lattice leads to"
            )

    def make(self, owner: Owner, server: Server) -> Found:
        """Make the service, its place in the service network, and who may call it."""
        name = server.name
        network = self.service_network or ServiceNetwork(
            name, ServiceNetworkArgs(vpc_id=server.network.vpc_id), owner.child()
        )
        target_group = aws.vpclattice.TargetGroup(
            name,
            type="IP",
            config={
                "port": server.port,
                "protocol": "HTTP",
                "protocol_version": _VERSIONS[server.protocol],
                "vpc_identifier": server.network.vpc_id,
                "ip_address_type": "IPV4",
            },
            tags=owner.tags,
            opts=owner.child(),
        )
        service = aws.vpclattice.Service(name, auth_type="AWS_IAM", tags=owner.tags, opts=owner.child())
        listener = aws.vpclattice.Listener(
            name,
            service_identifier=service.id,
            protocol="HTTPS",  # the only one by which gRPC passes
            port=_HTTPS,
            default_action={
                "forwards": [{"target_groups": [{"target_group_identifier": target_group.id, "weight": 100}]}]
            },
            tags=owner.tags,
            opts=owner.child(),
        )
        policy = aws.vpclattice.AuthPolicy(
            name, resource_identifier=service.arn, policy=self._admitted(server), opts=owner.child()
        )
        place = aws.vpclattice.ServiceNetworkServiceAssociation(
            name,
            service_network_identifier=network.id,
            service_identifier=service.id,
            tags=owner.tags,
            opts=owner.child(),
        )
        security_group.let_in(
            owner,
            f"{name}-from-lattice",
            server.security_group_id,
            server.port,
            from_prefix_list=self.prefix_list_id,
        )
        return Found(
            address={
                "HOST": service.dns_entries.apply(lambda entries: entries[0].domain_name or ""),
                "PORT": str(_HTTPS),
                "TLS": "1",
            },
            ends=(
                End(
                    name="lattice",
                    port=_HTTPS,
                    security_group_id=network.security_group_id,
                    prefix_list_id=self.prefix_list_id,
                ),
            ),
            grants=(Grant(actions=(_INVOKE,), resources=(Output.concat(service.arn, "/*"),)),) if self.signed else (),
            lattice_target_group_arn=target_group.arn,
            before=(listener, policy, network.association, place),
        )

    def _admitted(self, server: Server) -> Input[str]:
        principal: dict[str, Any] = {"AWS": server.account.id if self.signed else "*"}
        from_here = {"StringEquals": {"vpc-lattice-svcs:SourceVpc": server.network.vpc_id}}
        return resource_policy.document([resource_policy.admit(principal, [_INVOKE], "*", from_here)])
