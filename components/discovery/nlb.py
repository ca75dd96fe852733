"""Found behind a Network Load Balancer of its own."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from components import network_load_balancer, security_group
from components.discovery.way import End, Found, Way
from components.errors import within
from components.network_load_balancer import NetworkListener, NetworkLoadBalancerArgs, TcpHealth

if TYPE_CHECKING:
    from components.base import Owner
    from components.discovery.way import Server, Wanted


@dataclass(frozen=True, kw_only=True)
class Nlb(Way):
    """An internal load balancer that passes connections on: one address, and no knowledge of what is spoken.

    A client that keeps one connection for all of its calls, as gRPC does, keeps to one task by it.

    Raises:
        InvalidArgsError: a time out of bounds.

    """

    kind = "nlb"

    health: TcpHealth = field(default_factory=TcpHealth)
    """When a task gets connections."""
    deregistration_delay: int = 30
    """Seconds that a task taken out keeps the connections it has, 0 to 3600."""
    cross_zone: bool = True
    """Whether each zone's address leads to the tasks of all zones."""
    deletion_protection: bool = False
    """Whether AWS refuses to delete it. Default: False, or another way could not take its place."""

    def __post_init__(self) -> None:
        within(self, "deregistration_delay", 0, 3600, "seconds")

    def check(self, wanted: Wanted) -> None:
        """Refuse a logical name that leaves no room in a load balancer's."""
        network_load_balancer.check_name(f"{wanted.name}-nlb", self._args(wanted))

    def make(self, owner: Owner, server: Server) -> Found:
        """Make the load balancer, and open the way from it to the tasks."""
        made = network_load_balancer.create(owner, f"{server.name}-nlb", self._args(server))
        tasks, way = server.security_group_id, f"{server.name}-from-nlb"
        security_group.open_way(owner, way, server.port, from_group=made.security_group_id, to_group=tasks)
        return Found(
            address={"HOST": made.resource.dns_name, "PORT": str(server.port)},
            ends=(End(name="nlb", port=server.port, security_group_id=made.security_group_id),),
            target_group_arn=made.target_groups[server.port].arn,
            before=(made.listeners[server.port],),
        )

    def _args(self, wanted: Wanted) -> NetworkLoadBalancerArgs:
        listener = NetworkListener(port=wanted.port, health=self.health, deregistration_delay=self.deregistration_delay)
        return NetworkLoadBalancerArgs(
            network=wanted.network,
            listeners=[listener],
            cross_zone=self.cross_zone,
            deletion_protection=self.deletion_protection,
        )
