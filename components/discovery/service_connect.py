"""Found by ECS Service Connect: a proxy beside each client knows the server's tasks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from components import naming
from components.discovery.way import Connect, End, Found, Way
from components.errors import InvalidArgsError, of, within

if TYPE_CHECKING:
    from components.base import Owner
    from components.discovery.way import Server, Wanted

_LONGEST_TIMEOUT: Final = 2_147_483_647
"""`TimeoutConfiguration` in botocore's `ecs` model names no bound: what an integer holds."""


@dataclass(frozen=True, kw_only=True)
class ServiceConnect(Way):
    """The name ``<service>.<namespace>``, as Cloud Map would have it, answered by the client's own proxy.

    The proxy spreads requests over the tasks, ejects failing ones and counts them. It is deployed with the client:
    clients see the server from their next deployment on.

    Raises:
        InvalidArgsError: a time out of bounds.

    """

    kind = "service_connect"
    registers = True
    before_nlb = True

    idle_timeout: int = 300
    """Seconds of silence before the proxy closes a connection; 0 for never. Default: 300, ECS's own but for TCP."""
    request_timeout: int = 15
    """Seconds for a whole answer, a stream to its end; 0 for any time. Default: 15, ECS's own. TCP has none."""

    def __post_init__(self) -> None:
        within(self, "idle_timeout", 0, _LONGEST_TIMEOUT, "seconds")
        within(self, "request_timeout", 0, _LONGEST_TIMEOUT, "seconds")

    def check(self, wanted: Wanted) -> None:
        """Refuse a time for answers where there are none to see, and a name that is too long."""
        naming.fixed(_registered_as(wanted.service_name), naming.CONNECT)
        if wanted.protocol == "tcp" and self.request_timeout:
            raise InvalidArgsError(
                of(self, "request_timeout"),
                got=self.request_timeout,
                want="0: over TCP the proxy sees no requests; or say which protocol is spoken",
            )

    def make(self, owner: Owner, server: Server) -> Found:  # noqa: ARG002 - ECS makes what it takes
        """Return the place in Service Connect; ECS makes what it takes."""
        namespace = server.registered()
        dns_name = f"{server.service_name}.{namespace.domain}"
        return Found(
            address={"DNS": dns_name, "PORT": str(server.port)},
            ends=(End(name="", port=server.port, security_group_id=server.security_group_id),),
            connect=Connect(
                namespace=namespace,
                discovery_name=_registered_as(server.service_name),
                dns_name=dns_name,
                idle_timeout=self.idle_timeout,
                request_timeout=self.request_timeout,
            ),
        )


def _registered_as(service_name: str) -> str:
    # Not the name that `CloudMap` registers: when one way follows the other, ECS would find it taken.
    return f"{service_name}-connect"
