"""What the client counts, under the names that dashboards know."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from prometheus_client import Counter, Gauge, Histogram

if TYPE_CHECKING:
    from collections.abc import Callable

    from prometheus_client import CollectorRegistry

# A conversation is paced: most take a second or so, and none more than half a minute.
_SECONDS: Final = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30)


class Metrics:
    """Three metrics in one registry, which may hold them once."""

    def __init__(self, registry: CollectorRegistry, connections: Callable[[], float]) -> None:
        gauge = Gauge("grpc_connections", "Connections that are ready to take a call.", registry=registry)
        gauge.set_function(connections)
        self.seconds = Histogram(
            "grpc_request_duration_seconds",
            "From a call to its last message or its failure, whatever was tried in between.",
            buckets=_SECONDS,
            registry=registry,
        )
        self.failures = Counter(
            "grpc_failures_total",
            "Attempts that failed, by the gRPC status; one that was tried again is counted too.",
            ["reason"],
            registry=registry,
        )
