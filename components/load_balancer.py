"""An Application Load Balancer that ends TLS and refuses whatever no service claims."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import pulumi_aws as aws
from pulumi import Output

from components import addresses, naming
from components.base import Component, declared
from components.errors import InvalidArgsError, of, within
from components.routes import Route, Routes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pulumi import Input, ResourceOptions

    from components.adopted_network import AnyNetwork

# Named because the API's own default is still ELBSecurityPolicy-2016-08 (TLS 1.0).
# https://docs.aws.amazon.com/elasticloadbalancing/latest/application/describe-ssl-policies.html
TLS_POLICY: Final = "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09"

_HTTP, _HTTPS = 80, 443
_NOT_FOUND: Final[aws.lb.ListenerDefaultActionArgsDict] = {
    "type": "fixed-response",
    "fixed_response": {"content_type": "text/plain", "message_body": "No such route", "status_code": "404"},
}
_TO_HTTPS: Final[aws.lb.ListenerDefaultActionArgsDict] = {
    "type": "redirect",
    "redirect": {"protocol": "HTTPS", "port": str(_HTTPS), "status_code": "HTTP_301"},
}
_CERTIFICATE: Final = re.compile(r"arn:[\w-]+:(acm:[a-z0-9-]+:\d{12}:certificate|iam::\d{12}:server-certificate)/.+")
_HOST_NAME: Final = re.compile(r"([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}")
_ZONES_FEWEST: Final = 2


@dataclass(frozen=True, kw_only=True)
class LoadBalancerArgs:
    """What a `LoadBalancer` takes.

    Raises:
        InvalidArgsError: a network of fewer than two zones or without the tier asked for, a block that is none or
            opens an internal load balancer to everybody, a certificate that is none, or a time out of bounds.

    """

    network: AnyNetwork
    """Its app tier where internal, its public tier otherwise, in two zones or more."""
    internal: bool = True
    """Reached from the network alone. Default: True; a stack says so where it means the internet."""
    open_to: Sequence[str] = ()
    """Who is let in: IPv4 blocks, and the word ``vpc`` for the network's own. Default: nobody; a stack opens it."""
    clients: Mapping[str, Input[str]] = field(default_factory=dict["str", "Input[str]"])
    """Security groups let in, each by a name of the caller's, which names its rule. Default: none."""
    certificate_arn: Input[str] | None = None
    """ACM certificate for port 443, in the load balancer's own region. Default: none, and HTTP on port 80 alone.

    With it, port 80 redirects to HTTPS.
    """
    domain: str | None = None
    """The host name that the certificate is for and that DNS points here; `url` says it.

    Default: none, and `url` has AWS's own name, which no certificate fits.
    """
    idle_timeout: int = 60
    """Seconds of silence before a connection is closed, 1 to 4000. Default: 60, as AWS's own."""
    deletion_protection: bool = True
    """Whether AWS refuses to delete it. Default: True; a stack that comes and goes turns it off."""
    access_logs: Input[str] | None = None
    """Name of the S3 bucket in which each request is written down, under the load balancer's name. Default: none.

    It is in the same region, and its policy lets the log delivery service write; AWS tries that at once.
    https://docs.aws.amazon.com/elasticloadbalancing/latest/application/enable-access-logging.html
    """

    def __post_init__(self) -> None:
        within(self, "idle_timeout", 1, 4000, "seconds")
        tier = "app" if self.internal else "public"
        if len(self.subnet_ids()) < _ZONES_FEWEST:
            raise InvalidArgsError(
                of(self, "network"),
                got=f"{len(self.subnet_ids())} subnets in its {tier} tier",
                want=f"{_ZONES_FEWEST} zones or more, each with a subnet in that tier",
            )
        for source in self.open_to:
            self._check_source(source)
        if len(set(self.blocks())) != len(self.open_to):
            raise InvalidArgsError(
                of(self, "open_to"), got=tuple(self.open_to), want=f"each block once; vpc is {self.network.cidr}"
            )
        if self.clients and not self.internal:
            raise InvalidArgsError(
                of(self, "clients"), got=tuple(self.clients), want="none: through the internet nobody has a group"
            )
        if isinstance(self.certificate_arn, str) and not _CERTIFICATE.fullmatch(self.certificate_arn):
            raise InvalidArgsError(
                of(self, "certificate_arn"), got=self.certificate_arn, want="the ARN of an ACM certificate"
            )
        if self.domain is not None:
            if self.certificate_arn is None:
                raise InvalidArgsError(of(self, "domain"), got=self.domain, want="a certificate_arn for it too")
            if not _HOST_NAME.fullmatch(self.domain):
                raise InvalidArgsError(
                    of(self, "domain"), got=self.domain, want="a host name such as 'api.example.com'"
                )

    def subnet_ids(self) -> Sequence[Input[str]]:
        """Return the subnets it stands in, one a zone."""
        return self.network.app_subnet_ids if self.internal else self.network.public_subnet_ids

    def blocks(self) -> Iterator[str]:
        """Go through the blocks let in, with ``vpc`` spelt out."""
        return (self.network.cidr if source == "vpc" else source for source in self.open_to)

    def _check_source(self, source: str) -> None:
        field_ = of(self, "open_to")
        if source == "vpc":
            if not self.internal:
                raise InvalidArgsError(
                    field_, got=source, want="blocks of the internet: the VPC comes from its NAT's addresses"
                )
        elif addresses.block(field_, source).prefixlen == 0 and self.internal:
            raise InvalidArgsError(field_, got=source, want="'vpc', the blocks of peers, or clients by security group")


class LoadBalancer(Component):
    """A security group, a load balancer, and a listener that answers 404 to what no service claims.

    With a certificate the listener is on 443, and a second one on 80 redirects to it. The group has no way out:
    each service adds one, to its own port.

    Raises:
        InvalidArgsError: *name* is none for a load balancer, or leaves no room for Pulumi's suffix.

    """

    arn: Output[str]
    """Its ARN."""
    arn_suffix: Output[str]
    """The end of it, by which CloudWatch's metrics know it: ``app/shop-1a2b3c4/50dc6c495c0c9188``."""
    dns_name: Output[str]
    """Where it answers, such as ``shop-1a2b3c4.eu-west-1.elb.amazonaws.com``."""
    zone_id: Output[str]
    """The Route 53 zone of that name, for an alias."""
    security_group_id: Output[str]
    """Whom a service lets in."""
    listener_arn: Output[str]
    """What a service adds its rule to: HTTPS where there is a certificate."""
    url: Output[str]
    """Scheme and host name, without a slash at the end."""

    def __init__(self, name: str, args: LoadBalancerArgs, opts: ResourceOptions | None = None) -> None:
        naming.autonamed(name, naming.LOAD_BALANCER)
        super().__init__(name, declared(args), opts)
        self._routes = Routes(self)
        self.security_group_id = self._admit(name, args)
        balancer = aws.lb.LoadBalancer(
            name,
            load_balancer_type="application",
            internal=args.internal,
            subnets=list(args.subnet_ids()),
            security_groups=[self.security_group_id],
            idle_timeout=args.idle_timeout,
            enable_http2=True,
            # A header whose name is malformed, or two readings of one request, is how requests are smuggled past.
            drop_invalid_header_fields=True,
            desync_mitigation_mode="defensive",
            enable_deletion_protection=args.deletion_protection,
            access_logs=None
            if args.access_logs is None
            else {"enabled": True, "bucket": args.access_logs, "prefix": name},
            tags=self.tags,
            opts=self.child(),
        )
        self.arn, self.arn_suffix = balancer.arn, balancer.arn_suffix
        self.dns_name, self.zone_id = balancer.dns_name, balancer.zone_id
        self.listener_arn = self._listen(name, args)
        scheme = "http" if args.certificate_arn is None else "https"
        self.url = self.dns_name.apply(lambda dns_name: f"{scheme}://{args.domain or dns_name}")
        self.register_outputs(
            {
                "arn": self.arn,
                "arn_suffix": self.arn_suffix,
                "dns_name": self.dns_name,
                "zone_id": self.zone_id,
                "security_group_id": self.security_group_id,
                "listener_arn": self.listener_arn,
                "url": self.url,
            }
        )

    def route(
        self,
        *,
        path: str | Sequence[str] | None = None,
        host: str | Sequence[str] | None = None,
        priority: int | None = None,
    ) -> Route:
        """Claim the requests for *path* at *host*, for a service to take as its entrance.

        Args:
            path: patterns, one of which must fit: ``/orders`` is that path alone, ``/orders/*`` all below it.
                Default: any path.
            host: host names or patterns, one of which must fit: ``shop.example.com``. Default: any host.
            priority: 1 to 50000, the smaller the sooner. Default: given out by what the route says, the more specific
                the sooner, and never by its place among others. See `components.routes`.

        Raises:
            InvalidArgsError: a pattern that AWS refuses, neither path nor host, or a clash with a route claimed
                before: the same requests, the same priority, or one that never gets a request for the other.

        """
        return self._routes.claim(path=path, host=host, priority=priority)

    def _admit(self, name: str, args: LoadBalancerArgs) -> Output[str]:
        group = aws.ec2.SecurityGroup(
            name,
            vpc_id=args.network.vpc_id,
            description="Load balancer: whom it lets in, and the services behind it",
            tags={**self.tags, "Name": name},
            opts=self.child(),
        ).id
        for port in (_HTTP,) if args.certificate_arn is None else (_HTTP, _HTTPS):
            for block in args.blocks():
                self._admit_one(f"{name}-{port}-{block}", group, port, cidr_ipv4=block)
            for client, client_group in args.clients.items():
                self._admit_one(f"{name}-{port}-{client}", group, port, referenced_security_group_id=client_group)
        return group

    def _admit_one(
        self,
        name: str,
        group: Output[str],
        port: int,
        *,
        cidr_ipv4: str | None = None,
        referenced_security_group_id: Input[str] | None = None,
    ) -> None:
        aws.vpc.SecurityGroupIngressRule(
            name,
            security_group_id=group,
            cidr_ipv4=cidr_ipv4,
            referenced_security_group_id=referenced_security_group_id,
            ip_protocol="tcp",
            from_port=port,
            to_port=port,
            tags=self.tags,
            opts=self.child(),
        )

    def _listen(self, name: str, args: LoadBalancerArgs) -> Output[str]:
        plain = aws.lb.Listener(
            f"{name}-http",
            load_balancer_arn=self.arn,
            port=_HTTP,
            protocol="HTTP",
            default_actions=[_NOT_FOUND if args.certificate_arn is None else _TO_HTTPS],
            tags=self.tags,
            opts=self.child(),
        )
        if args.certificate_arn is None:
            return plain.arn
        return aws.lb.Listener(
            f"{name}-https",
            load_balancer_arn=self.arn,
            port=_HTTPS,
            protocol="HTTPS",
            ssl_policy=TLS_POLICY,
            certificate_arn=args.certificate_arn,
            default_actions=[_NOT_FOUND],
            tags=self.tags,
            opts=self.child(),
        ).arn
