"""Found behind an Application Load Balancer that speaks gRPC."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, cast

import pulumi_aws as aws

from components import naming, security_group
from components.discovery.way import End, Found, Way
from components.errors import InvalidArgsError, of, within

if TYPE_CHECKING:
    from components.base import Owner
    from components.discovery.way import Server, Wanted
    from components.routes import Route

_HTTPS: Final = 443
_LAST_CODE: Final = 99
"""`GrpcCode` in botocore's `elbv2` model: 0 to 99, of which gRPC itself has 0 to 16."""


@dataclass(frozen=True, kw_only=True)
class AlbGrpc(Way):
    """A route of an application load balancer, each request of which goes to the next task.

    Raises:
        InvalidArgsError: a load balancer without a domain, a method that is none, or a bound broken.

    """

    kind = "alb_grpc"

    route: Route
    """Which requests, such as ``balancer.route(path="/WorkflowAgent/*")``: gRPC's path is ``/<service>/<method>``."""
    health_method: str = "/grpc.health.v1.Health/Check"
    """What is called to see whether a task is well. Default: the standard health service."""
    healthy_codes: tuple[int, ...] = (0,)
    """The grpc status codes, 0 to 99, that mean so. Default: 0, which is OK."""
    interval: int = 10
    """Seconds between two checks, 5 to 300."""
    timeout: int = 5
    """Seconds until a check counts as failed, 2 to 120, and under the interval."""
    healthy: int = 2
    """Passes in a row that make a task healthy, 2 to 10."""
    unhealthy: int = 2
    """Failures in a row that make it unhealthy, 2 to 10."""
    deregistration_delay: int = 30
    """Seconds that a task taken out may finish its calls, 0 to 3600."""

    def __post_init__(self) -> None:
        if self.route.load_balancer.domain is None:
            raise InvalidArgsError(
                of(self, "route"),
                got=self.route.load_balancer.pulumi_resource_name,
                want="a load balancer with a domain: gRPC passes by an HTTPS listener alone, and no certificate fits "
                "the name that AWS gives",
            )
        if not self.health_method.startswith("/") or self.health_method.count("/") != 2:  # noqa: PLR2004 - as it reads
            raise InvalidArgsError(of(self, "health_method"), got=self.health_method, want="'/<service>/<method>'")
        if not self.healthy_codes or not all(0 <= code <= _LAST_CODE for code in self.healthy_codes):
            raise InvalidArgsError(
                of(self, "healthy_codes"),
                got=self.healthy_codes,
                want=f"one or more grpc status codes, 0 to {_LAST_CODE}",
            )
        within(self, "interval", 5, 300, "seconds")
        within(self, "timeout", 2, 120, "seconds")
        within(self, "healthy", 2, 10)
        within(self, "unhealthy", 2, 10)
        within(self, "deregistration_delay", 0, 3600, "seconds")
        if self.timeout >= self.interval:
            raise InvalidArgsError(of(self, "timeout"), got=self.timeout, want=f"under the interval, {self.interval} s")

    def check(self, wanted: Wanted) -> None:
        """Refuse what speaks no gRPC, and a logical name that leaves no room in a target group's."""
        naming.autonamed(f"{wanted.name}-grpc", naming.TARGET_GROUP)
        if wanted.protocol != "grpc":
            raise InvalidArgsError(
                "Discovery.protocol", got=wanted.protocol, want="'grpc', which is all that alb_grpc leads to"
            )

    def make(self, owner: Owner, server: Server) -> Found:
        """Make the target group and the listener's rule, and open the way from the load balancer to the tasks."""
        name, balancer = f"{server.name}-grpc", self.route.load_balancer
        tasks, way = server.security_group_id, f"{server.name}-from-alb"
        security_group.open_way(owner, way, server.port, from_group=balancer.security_group_id, to_group=tasks)
        target_group = aws.lb.TargetGroup(
            name,
            vpc_id=server.network.vpc_id,
            target_type="ip",
            protocol="HTTP",
            protocol_version="GRPC",
            port=server.port,
            deregistration_delay=self.deregistration_delay,
            health_check={
                "path": self.health_method,
                "matcher": ",".join(str(code) for code in sorted(set(self.healthy_codes))),
                "interval": self.interval,
                "timeout": self.timeout,
                "healthy_threshold": self.healthy,
                "unhealthy_threshold": self.unhealthy,
            },
            tags=owner.tags,
            opts=owner.child(),
        )
        rule = aws.lb.ListenerRule(
            name,
            listener_arn=balancer.listener_arn,
            priority=self.route.priority,
            conditions=self.route.conditions(),
            actions=[{"type": "forward", "target_group_arn": target_group.arn}],
            tags=owner.tags,
            opts=owner.child(),
        )
        return Found(
            address={
                "HOST": cast("str", balancer.domain),  # refused without one above
                "PORT": str(_HTTPS),
                "TLS": "1",
            },
            ends=(End(name="alb", port=_HTTPS, security_group_id=balancer.security_group_id),),
            target_group_arn=target_group.arn,
            before=(rule,),
        )
