"""Found in VPC Lattice: a network of services that AWS runs between VPCs and accounts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import pulumi_aws as aws
from pulumi import Output

from components import naming, resource_policy, security_group
from components.discovery.way import End, Found, Way
from components.errors import InvalidArgsError
from components.grants import Grant

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pulumi import Input, Resource

    from components.base import Owner
    from components.discovery.way import Server, Wanted

_HTTPS: Final = 443
_INVOKE: Final = "vpc-lattice-svcs:Invoke"
_VERSIONS: Final = {"grpc": "GRPC", "http2": "HTTP2", "http": "HTTP1"}


@dataclass(frozen=True, kw_only=True)
class Lattice(Way):
    """A name that AWS gives, with a certificate of AWS's own: TLS without a domain.

    The VPC is associated with a service network of the server's own. Of its callers, the policy admits the VPC alone,
    and the security groups those alone that open their way.
    """

    kind = "lattice"

    prefix_list_id: Input[str]
    """Lattice's own addresses, which differ by region: the prefix list ``com.amazonaws.<region>.vpc-lattice``, by its
    id. https://docs.aws.amazon.com/vpc-lattice/latest/ug/security-groups.html"""
    signed: bool = False
    """Whether callers must sign each request (SigV4), with leave to `vpc-lattice-svcs:Invoke`. Default: False, since a
    plain gRPC or HTTP client does not sign."""

    def check(self, wanted: Wanted) -> None:
        """Refuse what Lattice does not speak, and a logical name that leaves no room in a service's."""
        naming.autonamed(wanted.name, naming.LATTICE_SERVICE)
        if wanted.protocol not in _VERSIONS:
            raise InvalidArgsError(
                "Discovery.protocol", got=wanted.protocol, want=f"one of {', '.join(_VERSIONS)}, which lattice leads to"
            )

    def make(self, owner: Owner, server: Server) -> Found:
        """Make the service network, the service in it, and who may call it."""
        name = server.name
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
        callers, associations = _join(owner, server, service)
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
            ends=(End(name="lattice", port=_HTTPS, security_group_id=callers, prefix_list_id=self.prefix_list_id),),
            grants=(Grant(actions=(_INVOKE,), resources=(Output.concat(service.arn, "/*"),)),) if self.signed else (),
            lattice_target_group_arn=target_group.arn,
            before=(listener, policy, *associations),
        )

    def _admitted(self, server: Server) -> Input[str]:
        principal: dict[str, Any] = {"AWS": server.account.id if self.signed else "*"}
        from_here = {"StringEquals": {"vpc-lattice-svcs:SourceVpc": server.network.vpc_id}}
        return resource_policy.document([resource_policy.admit(principal, [_INVOKE], "*", from_here)])


def _join(owner: Owner, server: Server, service: aws.vpclattice.Service) -> tuple[Output[str], Sequence[Resource]]:
    """Make the network of *service*, with the VPC in it, and the group of those in the VPC who may enter it."""
    name = server.name
    callers = aws.ec2.SecurityGroup(
        f"{name}-lattice",
        vpc_id=server.network.vpc_id,
        description="Those who enter the service network",
        tags=owner.tags,
        opts=owner.child(),
    )
    network = aws.vpclattice.ServiceNetwork(name, auth_type="NONE", tags=owner.tags, opts=owner.child())
    of_vpc = aws.vpclattice.ServiceNetworkVpcAssociation(
        name,
        service_network_identifier=network.id,
        vpc_identifier=server.network.vpc_id,
        security_group_ids=[callers.id],
        tags=owner.tags,
        opts=owner.child(),
    )
    of_service = aws.vpclattice.ServiceNetworkServiceAssociation(
        name,
        service_network_identifier=network.id,
        service_identifier=service.id,
        tags=owner.tags,
        opts=owner.child(),
    )
    return callers.id, (of_vpc, of_service)
