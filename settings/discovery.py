"""What a workload may say of how its service is found."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import Field, model_validator

from components.discovery import Address, AlbGrpc, CloudMap, Lattice, Nlb, ServiceConnect, Way
from components.errors import InvalidArgsError
from components.network_load_balancer import TcpHealth
from settings.section import Section, Text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from components.routes import Route
    from settings.platform import Settings

Kind = Literal["cloud_map", "service_connect", "nlb", "alb_grpc", "lattice", "address"]
Seconds = Annotated[int, Field(ge=0, le=2_147_483_647)]


class CloudMapSettings(Section):
    """The numbers of `cloud_map`."""

    ttl: Seconds = 10
    """Seconds that a DNS answer may be kept."""


class ServiceConnectSettings(Section):
    """The numbers of `service_connect`."""

    idle_timeout: Seconds = 300
    """Seconds of silence before a connection is closed; 0 for never."""
    request_timeout: Seconds = 15
    """Seconds for a whole answer, a stream to its end; 0 for any time."""


class NlbSettings(Section):
    """The numbers of `nlb`."""

    health_interval: int = 30
    """Seconds between two checks, 5 to 300."""
    health_timeout: int = 10
    """Seconds until a check counts as failed, 2 to 120, and under the interval."""
    healthy: int = 2
    """Passes in a row that make a task healthy, 2 to 10."""
    unhealthy: int = 2
    """Failures in a row that make it unhealthy, 2 to 10."""
    deregistration_delay: int = 30
    """Seconds that a task taken out keeps the connections it has, 0 to 3600."""
    cross_zone: bool = True
    """Whether each zone's address leads to the tasks of all zones."""

    @model_validator(mode="after")
    def _as_a_component_takes_it(self) -> Self:
        self.value()
        return self

    def value(self) -> Nlb:
        """Return the way as the components take it."""
        health = TcpHealth(
            interval=self.health_interval,
            timeout=self.health_timeout,
            healthy=self.healthy,
            unhealthy=self.unhealthy,
        )
        return Nlb(health=health, deregistration_delay=self.deregistration_delay, cross_zone=self.cross_zone)


class LatticeSettings(Section):
    """What `lattice` must know."""

    prefix_list_id: Annotated[str, Text(r"pl-[0-9a-f]{8,17}", "an id such as 'pl-0721453c7ac4ec009'")]
    """Of the region's prefix list `com.amazonaws.<region>.vpc-lattice`."""
    signed: bool = False
    """Whether callers must sign each request."""


class AddressSettings(Section):
    """What `address` tells clients."""

    host: Annotated[str, Text(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?", "a host name or an IPv4 address")]
    """A host name or an IPv4 address."""
    port: Annotated[int, Field(ge=1, le=65535)] | None = None
    """Default: the server's own."""
    tls: bool = False
    """Whether clients speak TLS to it."""


class DiscoverySettings(Section):
    """How a service is found."""

    ways: tuple[Kind, ...] = ("cloud_map",)
    """One way; or `cloud_map` or `service_connect` and then `nlb`, in the order in which clients try them."""
    cloud_map: CloudMapSettings = CloudMapSettings()
    service_connect: ServiceConnectSettings = ServiceConnectSettings()
    nlb: NlbSettings = NlbSettings()
    lattice: LatticeSettings | None = None
    """Default: none; `ways: [lattice]` needs it."""
    address: AddressSettings | None = None
    """Default: none; `ways: [address]` needs it."""

    @model_validator(mode="after")
    def _what_a_way_must_know(self) -> Self:
        if (
            not self.ways
            or (self.ways[1:] not in ((), ("nlb",)))
            or (len(self.ways) > 1 and self.ways[0] not in ("cloud_map", "service_connect"))
        ):
            raise ValueError(f"ways: got {list(self.ways)}; one way, or cloud_map or service_connect and then nlb")
        for kind in ("lattice", "address"):
            if kind in self.ways and getattr(self, kind) is None:
                raise ValueError(f"ways: got {kind}; say what it must know, under `{kind}`")
        return self

    def problems(self, stack: Settings) -> Iterator[str]:
        """Yield what the ways need of the stack and do not find there."""
        balancer = stack.internal_load_balancer
        if "alb_grpc" in self.ways and (balancer is None or balancer.domain is None):
            yield (
                "ways: got 'alb_grpc', which speaks TLS alone; add `domain` to `internal_load_balancer`, or choose "
                "another way"
            )

    def value(self, route: Callable[[], Route]) -> tuple[Way, ...]:
        """Return the ways as the components take them; *route* claims the requests that `alb_grpc` leads to."""
        return tuple(self._way(kind, route) for kind in self.ways)

    def _way(self, kind: Kind, route: Callable[[], Route]) -> Way:
        match kind:
            case "cloud_map":
                return CloudMap(ttl=self.cloud_map.ttl)
            case "service_connect":
                said = self.service_connect
                return ServiceConnect(idle_timeout=said.idle_timeout, request_timeout=said.request_timeout)
            case "nlb":
                return self.nlb.value()
            case "alb_grpc":
                return AlbGrpc(route=route())
            case "lattice" if self.lattice:
                return Lattice(prefix_list_id=self.lattice.prefix_list_id, signed=self.lattice.signed)
            case "address" if self.address:
                return Address(host=self.address.host, port=self.address.port, tls=self.address.tls)
            case _:
                raise InvalidArgsError("Discovery.ways", got=kind, want=f"what it must know, under `{kind}`")
