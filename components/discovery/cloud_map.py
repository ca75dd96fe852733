"""Found by Cloud Map: a DNS name with the address of every healthy task, and the same by API."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi_aws as aws

from components.discovery.way import End, Found, Way
from components.errors import within
from components.grants import Grant

if TYPE_CHECKING:
    from components.base import Owner
    from components.discovery.way import Server


@dataclass(frozen=True, kw_only=True)
class CloudMap(Way):
    """A name in the namespace, with one A record a task: clients choose among all of them.

    ECS tells Cloud Map each task's health, so that DNS gives out healthy ones alone (eight at the most at a time).

    Raises:
        InvalidArgsError: a time that DNS has not.

    """

    kind = "cloud_map"
    registers = True
    before_nlb = True

    ttl: int = 10
    """Seconds that an answer may be kept, 0 to 2147483647: as long as a task that is gone may still be called."""

    def __post_init__(self) -> None:
        within(self, "ttl", 0, 2_147_483_647, "seconds")

    def make(self, owner: Owner, server: Server) -> Found:
        """Make the Cloud Map service."""
        namespace = server.registered()
        registry = aws.servicediscovery.Service(
            server.name,
            name=server.service_name,
            dns_config={
                "namespace_id": namespace.id,
                "dns_records": [{"type": "A", "ttl": self.ttl}],
                "routing_policy": "MULTIVALUE",
            },
            # One is what Cloud Map has in any case; the provider leaves an empty block out, and with it the check.
            health_check_custom_config={"failure_threshold": 1},
            # All that is registered there are tasks, which ECS is slow to take out.
            force_destroy=True,
            tags=owner.tags,
            opts=owner.child(),
        )
        return Found(
            address={
                "DNS": f"{server.service_name}.{namespace.domain}",
                "PORT": str(server.port),
                "NAMESPACE": namespace.domain,
                "NAME": server.service_name,
            },
            ends=(End(name="", port=server.port, security_group_id=server.security_group_id),),
            grants=(Grant(actions=("servicediscovery:DiscoverInstances",), resources=(namespace.arn, registry.arn)),),
            registry_arn=registry.arn,
        )
