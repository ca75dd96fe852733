"""An Application Load Balancer that ends TLS and refuses whatever no service claims."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import pulumi_aws as aws
from pulumi import Output

from components import naming
from components.balancer import TLS_POLICY, BalancerArgs, admit
from components.base import Component, declared
from components.domain import certify, point
from components.errors import within
from components.routes import Route, Routes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pulumi import Input, ResourceOptions

    from components.domain import Domain

_HTTP, _HTTPS = 80, 443
_NOT_FOUND: Final[aws.lb.ListenerDefaultActionArgsDict] = {
    "type": "fixed-response",
    "fixed_response": {"content_type": "text/plain", "message_body": "No such route", "status_code": "404"},
}
_TO_HTTPS: Final[aws.lb.ListenerDefaultActionArgsDict] = {
    "type": "redirect",
    "redirect": {"protocol": "HTTPS", "port": str(_HTTPS), "status_code": "HTTP_301"},
}


@dataclass(frozen=True, kw_only=True)
class LoadBalancerArgs(BalancerArgs):
    """What a `LoadBalancer` takes.

    Raises:
        InvalidArgsError: what any load balancer refuses (see `BalancerArgs`), or a time out of bounds.

    """

    domain: Domain | None = None
    """The names that it is reached by. With one: HTTPS on port 443, and port 80 redirects to it.

    Default: none, and HTTP alone, by AWS's own name for it, which no certificate fits.
    """
    idle_timeout: int = 60
    """Seconds of silence before a connection is closed, 1 to 4000. Default: 60, as AWS's own."""
    access_logs: Input[str] | None = None
    """Name of the S3 bucket in which each request is written down, under the load balancer's name. Default: none.

    It is in the same region, and its policy lets the log delivery service write; AWS tries that at once.
    https://docs.aws.amazon.com/elasticloadbalancing/latest/application/enable-access-logging.html
    """

    def __post_init__(self) -> None:
        BalancerArgs.__post_init__(self)
        within(self, "idle_timeout", 1, 4000, "seconds")


class LoadBalancer(Component):
    """A security group, a load balancer, and a listener that answers 404 to what no service claims.

    With a domain the listener is on 443, with the certificate, and a second one on 80 redirects to it. The group has no
    way out: each service adds one, to its own port.

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
    """What a service adds its rule to: HTTPS where there is a domain."""
    domain: str | None
    """The host name that clients ask for; None where it has none of its own."""
    names: tuple[str, ...]
    """All host names of its domain, that one first, patterns such as ``*.shop.example.com`` too; empty without one."""
    internal: bool
    """Whether it is reached from its network alone."""
    tls: bool
    """Whether it ends TLS, on port 443."""
    url: Output[str]
    """Scheme and host name, without a slash at the end."""

    def __init__(self, name: str, args: LoadBalancerArgs, opts: ResourceOptions | None = None) -> None:
        naming.autonamed(name, naming.LOAD_BALANCER)
        super().__init__(name, declared(args), opts)
        self._routes = Routes(self)
        self.internal = args.internal
        self.domain, self.tls = args.domain and args.domain.name, args.domain is not None
        self.names = args.domain.names() if args.domain else ()
        self.security_group_id = admit(self, name, args, (_HTTP, _HTTPS) if self.tls else (_HTTP,))
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
        self.listener_arn = self._listen(name, args.domain)
        if args.domain:
            point(self, name, args.domain, dns_name=self.dns_name, zone_id=self.zone_id)
        scheme = "https" if self.tls else "http"
        self.url = self.dns_name.apply(lambda dns_name: f"{scheme}://{self.domain or dns_name}")
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

    def route_for_tests(self, route: Route, *, header: tuple[str, str]) -> Route:
        """Claim those of *route*'s requests that have *header*, a name and its value: a rule just before its own.

        Raises:
            InvalidArgsError: another rule is there, there is no place, or too many patterns are with the header.

        """
        return self._routes.claim_for_tests(route, header)

    def _listen(self, name: str, domain: Domain | None) -> Output[str]:
        plain = aws.lb.Listener(
            f"{name}-http",
            load_balancer_arn=self.arn,
            port=_HTTP,
            protocol="HTTP",
            default_actions=[_NOT_FOUND if domain is None else _TO_HTTPS],
            tags=self.tags,
            opts=self.child(),
        )
        if domain is None:
            return plain.arn
        return aws.lb.Listener(
            f"{name}-https",
            load_balancer_arn=self.arn,
            port=_HTTPS,
            protocol="HTTPS",
            ssl_policy=TLS_POLICY,
            certificate_arn=certify(self, name, domain),
            default_actions=[_NOT_FOUND],
            tags=self.tags,
            opts=self.child(),
        ).arn
