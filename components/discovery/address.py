"""Found at an address that somebody gives: the plainest way, and the only one that makes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from components.discovery.way import End, Found, Way
from components.errors import InvalidArgsError, of, within

if TYPE_CHECKING:
    from pulumi import Input

    from components.base import Owner
    from components.discovery.way import Server
    from components.load_balancer import LoadBalancer


@dataclass(frozen=True, kw_only=True)
class Address(Way):
    """A host that clients are told and nothing else: an internal load balancer's, say (`Address.of`), or a given one.

    Whoever answers there sees to it that the server's tasks are reached, such as by the service's own entrance.

    Raises:
        InvalidArgsError: no host, or a port out of bounds.

    """

    kind = "address"

    host: Input[str]
    """A host name or an IPv4 address."""
    port: int | None = None
    """Default: the server's own."""
    tls: bool = False
    """Whether clients speak TLS to it."""
    security_group_id: Input[str] | None = None
    """The group that stands there: opened to clients, and they to it. Default: none is known; clients are let out to
    the network's own block, and whoever stands there lets them in."""

    def __post_init__(self) -> None:
        within(self, "port", 1, 65535)
        if self.host == "":
            raise InvalidArgsError(of(self, "host"), got="", want="a host name or an IPv4 address")

    @classmethod
    def of(cls, balancer: LoadBalancer) -> Address:
        """Return the address of an application load balancer."""
        host, port = balancer.domain or balancer.dns_name, 443 if balancer.tls else 80
        return cls(host=host, port=port, tls=balancer.tls, security_group_id=balancer.security_group_id)

    def make(self, owner: Owner, server: Server) -> Found:  # noqa: ARG002 - it makes nothing
        """Return the address."""
        port = self.port or server.port
        return Found(
            address={"HOST": self.host, "PORT": str(port), **({"TLS": "1"} if self.tls else {})},
            ends=(
                End(
                    name="address",
                    port=port,
                    security_group_id=self.security_group_id,
                    cidr=None if self.security_group_id is not None else server.network.cidr,
                ),
            ),
        )
