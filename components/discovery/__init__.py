"""How a service is found: one component, and a value for each way there is."""

from __future__ import annotations

from components.discovery.address import Address
from components.discovery.alb_grpc import AlbGrpc
from components.discovery.cloud_map import CloudMap
from components.discovery.component import Discovery, DiscoveryArgs, open_ways
from components.discovery.lattice import Lattice
from components.discovery.nlb import Nlb
from components.discovery.service_connect import ServiceConnect
from components.discovery.way import AppProtocol, Way

__all__ = [
    "Address",
    "AlbGrpc",
    "AppProtocol",
    "CloudMap",
    "Discovery",
    "DiscoveryArgs",
    "Lattice",
    "Nlb",
    "ServiceConnect",
    "Way",
    "open_ways",
]
