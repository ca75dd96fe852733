"""A Network Load Balancer: connections as they come, by port, to the tasks behind each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import pulumi_aws as aws
from pulumi import Output

from components import naming
from components.balancer import TLS_POLICY, BalancerArgs, admit, check_certificate
from components.base import Component, declared
from components.errors import InvalidArgsError, of, one_of, within

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pulumi import Input, ResourceOptions

    from components.base import Owner

Alpn = Literal["HTTP1Only", "HTTP2Only", "HTTP2Optional", "HTTP2Preferred"]


@dataclass(frozen=True, kw_only=True)
class TcpHealth:
    """When a target counts as healthy: it accepts a connection.

    Bounds: the texts of `CreateTargetGroup` in botocore's `elbv2` model.

    Raises:
        InvalidArgsError: a bound broken, or a timeout that is not under the interval.

    """

    interval: int = 30
    """Seconds between two checks, 5 to 300."""
    timeout: int = 10
    """Seconds until a check counts as failed, 2 to 120, and under the interval."""
    healthy: int = 2
    """Passes in a row that make a target healthy, 2 to 10."""
    unhealthy: int = 2
    """Failures in a row that make it unhealthy, 2 to 10."""

    def __post_init__(self) -> None:
        within(self, "interval", 5, 300, "seconds")
        within(self, "timeout", 2, 120, "seconds")
        within(self, "healthy", 2, 10)
        within(self, "unhealthy", 2, 10)
        if self.timeout >= self.interval:
            raise InvalidArgsError(of(self, "timeout"), got=self.timeout, want=f"under the interval, {self.interval} s")


@dataclass(frozen=True, kw_only=True)
class NetworkListener:
    """One port, and how its connections reach the targets behind it.

    Raises:
        InvalidArgsError: a port or time out of bounds, a certificate that is none, or a protocol to be agreed on
            (*alpn*) without TLS.

    """

    port: int
    """Where it listens, 1 to 65535."""
    target_port: int | None = None
    """Where the targets do. Default: on the same."""
    certificate_arn: Input[str] | None = None
    """ACM certificate, in the load balancer's region: TLS ends here. Default: none; TCP, passed on as it is."""
    alpn: Alpn | None = None
    """What TLS offers its clients to speak: ``HTTP2Only`` for gRPC. Default: nothing."""
    health: TcpHealth = field(default_factory=TcpHealth)
    """When a target gets connections."""
    deregistration_delay: int = 30
    """Seconds that a target taken out keeps the connections it has, 0 to 3600. Default: 30, as `Service`'s."""
    connection_termination: bool = False
    """Whether these are cut at the end of that time. Default: they last until the target ends them."""
    preserve_client_ip: bool = False
    """Whether targets see the client's address instead of the load balancer's. Default: False, AWS's own for ip
    targets over TCP; with it a target cannot call itself through the load balancer.
    https://docs.aws.amazon.com/elasticloadbalancing/latest/network/edit-target-group-attributes.html
    """
    proxy_protocol: bool = False
    """Whether each connection begins with a header of the proxy protocol, version 2, that says who the client is. The
    target must expect it."""

    def __post_init__(self) -> None:
        within(self, "port", 1, 65535)
        within(self, "target_port", 1, 65535)
        within(self, "deregistration_delay", 0, 3600, "seconds")
        one_of(self, "alpn", ("HTTP1Only", "HTTP2Only", "HTTP2Optional", "HTTP2Preferred"))
        check_certificate(self, "certificate_arn")
        if self.alpn and self.certificate_arn is None:
            raise InvalidArgsError(
                of(self, "alpn"), got=self.alpn, want="a certificate_arn too: it is agreed on within TLS"
            )


@dataclass(frozen=True, kw_only=True)
class NetworkLoadBalancerArgs(BalancerArgs):
    """What a `NetworkLoadBalancer` takes.

    Raises:
        InvalidArgsError: what any load balancer refuses (see `BalancerArgs`), no listener, or a port twice.

    """

    listeners: Sequence[NetworkListener]
    """One or more, each on a port of its own."""
    cross_zone: bool = True
    """Whether each zone's address leads to the targets of all zones. Default: True, or a zone whose only task is being
    replaced would answer nobody; AWS bills what crosses zones."""

    def __post_init__(self) -> None:
        BalancerArgs.__post_init__(self)
        ports = [each.port for each in self.listeners]
        if not ports or len(set(ports)) != len(ports):
            raise InvalidArgsError(of(self, "listeners"), got=ports, want="one or more, each on a port of its own")


@dataclass(frozen=True, kw_only=True)
class MadeNetworkLoadBalancer:
    """A network load balancer that was made."""

    resource: aws.lb.LoadBalancer
    """The load balancer itself."""
    security_group_id: Output[str]
    """Whom a target lets in."""
    target_groups: Mapping[int, aws.lb.TargetGroup]
    """By the listener's port."""
    listeners: Mapping[int, aws.lb.Listener]
    """By port. A service waits for its own: ECS refuses a target group that no balancer uses."""


class NetworkLoadBalancer(Component):
    """A security group, a load balancer, and for each port a listener and the group of ip targets it leads to.

    A service registers itself in a target group, and lets the load balancer's group in on its own port.

    Raises:
        InvalidArgsError: *name* is none for a load balancer, or leaves no room for a port and Pulumi's suffix.

    """

    arn: Output[str]
    """Its ARN."""
    dns_name: Output[str]
    """Where it answers, such as ``shop-1a2b3c4.elb.eu-west-1.amazonaws.com``."""
    zone_id: Output[str]
    """The Route 53 zone of that name, for an alias."""
    security_group_id: Output[str]
    """Whom a target lets in."""
    target_group_arns: Mapping[str, Output[str]]
    """By the listener's port, as text. Each is known once its listener is there."""

    def __init__(self, name: str, args: NetworkLoadBalancerArgs, opts: ResourceOptions | None = None) -> None:
        check_name(name, args)
        super().__init__(name, declared(args), opts)
        made = create(self, name, args)
        self.arn, self.dns_name, self.zone_id = made.resource.arn, made.resource.dns_name, made.resource.zone_id
        self.security_group_id = made.security_group_id
        self.target_group_arns = {
            str(port): made.listeners[port].arn.apply(lambda _, arn=group.arn: arn)
            for port, group in made.target_groups.items()
        }
        self.register_outputs(
            {
                "arn": self.arn,
                "dns_name": self.dns_name,
                "zone_id": self.zone_id,
                "security_group_id": self.security_group_id,
                "target_group_arns": self.target_group_arns,
            }
        )


def check_name(name: str, args: NetworkLoadBalancerArgs) -> None:
    """Refuse a *name* that leaves no room, in 32 characters, for the longest port and Pulumi's suffix."""
    naming.autonamed(name, naming.LOAD_BALANCER)
    for listener in args.listeners:
        naming.autonamed(f"{name}-{listener.port}", naming.TARGET_GROUP)


def create(owner: Owner, name: str, args: NetworkLoadBalancerArgs) -> MadeNetworkLoadBalancer:
    """Make the load balancer *name* and all its parts as children of *owner*."""
    group = admit(owner, name, args, [each.port for each in args.listeners])
    balancer = aws.lb.LoadBalancer(
        name,
        load_balancer_type="network",
        internal=args.internal,
        subnets=list(args.subnet_ids()),
        # One that is made without any can never be given one.
        security_groups=[group],
        enable_cross_zone_load_balancing=args.cross_zone,
        enable_deletion_protection=args.deletion_protection,
        tags=owner.tags,
        opts=owner.child(),
    )
    target_groups = {each.port: _target_group(owner, name, args, each) for each in args.listeners}
    listeners = {
        each.port: aws.lb.Listener(
            f"{name}-{each.port}",
            load_balancer_arn=balancer.arn,
            port=each.port,
            protocol="TCP" if each.certificate_arn is None else "TLS",
            ssl_policy=None if each.certificate_arn is None else TLS_POLICY,
            certificate_arn=each.certificate_arn,
            alpn_policy=each.alpn,
            default_actions=[{"type": "forward", "target_group_arn": target_groups[each.port].arn}],
            tags=owner.tags,
            opts=owner.child(),
        )
        for each in args.listeners
    }
    return MadeNetworkLoadBalancer(
        resource=balancer, security_group_id=group, target_groups=target_groups, listeners=listeners
    )


def _target_group(
    owner: Owner, name: str, args: NetworkLoadBalancerArgs, listener: NetworkListener
) -> aws.lb.TargetGroup:
    health = listener.health
    return aws.lb.TargetGroup(
        f"{name}-{listener.port}",
        vpc_id=args.network.vpc_id,
        # Of Fargate's tasks nothing else is known.
        target_type="ip",
        protocol="TCP",
        port=listener.target_port or listener.port,
        deregistration_delay=listener.deregistration_delay,
        connection_termination=listener.connection_termination,
        preserve_client_ip=str(listener.preserve_client_ip).lower(),
        proxy_protocol_v2=listener.proxy_protocol,
        health_check={
            "protocol": "TCP",
            "interval": health.interval,
            "timeout": health.timeout,
            "healthy_threshold": health.healthy,
            "unhealthy_threshold": health.unhealthy,
        },
        tags=owner.tags,
        opts=owner.child(),
    )
