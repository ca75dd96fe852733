"""Whether a subnet is private, proved through its route table; it holds at a first preview, when no id is known.

A subnet is PUBLIC when its route table has a route to an internet gateway (or a carrier's), PRIVATE when the table is
in the graph and has none, and UNPROVED when the table, or what a route leads to, cannot be seen.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final

from policies.reading import Absent, Known, Tree, Unknown, listed
from policies.resources import is_blank

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from policies.resources import Graph, Resource

SUBNET: Final = "aws:ec2/subnet:Subnet"
DEFAULT_SUBNET: Final = "aws:ec2/defaultSubnet:DefaultSubnet"
VPC: Final = "aws:ec2/vpc:Vpc"
DEFAULT_VPC: Final = "aws:ec2/defaultVpc:DefaultVpc"
ROUTE: Final = "aws:ec2/route:Route"
ROUTE_TABLE: Final = "aws:ec2/routeTable:RouteTable"
DEFAULT_ROUTE_TABLE: Final = "aws:ec2/defaultRouteTable:DefaultRouteTable"
ASSOCIATION: Final = "aws:ec2/routeTableAssociation:RouteTableAssociation"
MAIN_ASSOCIATION: Final = "aws:ec2/mainRouteTableAssociation:MainRouteTableAssociation"
INTERNET_GATEWAY: Final = "aws:ec2/internetGateway:InternetGateway"
VPN_GATEWAY: Final = "aws:ec2/vpnGateway:VpnGateway"

# Where a route may lead without opening its subnet to the internet. A peer, a transit gateway or an appliance has
# routes of its own; what matters is that nothing outside can open a connection to an address in this subnet.
PRIVATE_TARGETS: Final = frozenset(
    {
        "natGatewayId",
        "transitGatewayId",
        "vpcEndpointId",
        "egressOnlyGatewayId",
        "vpcPeeringConnectionId",
        "networkInterfaceId",
        "localGatewayId",
        "coreNetworkArn",
        "odbNetworkArn",
    }
)


class Verdict(Enum):
    """What the graph shows of a subnet."""

    PRIVATE = "private"
    PUBLIC = "public"
    UNPROVED = "unproved"


@dataclass(frozen=True)
class Proof:
    """A verdict and the fact it rests on."""

    verdict: Verdict
    because: str


def prove(graph: Graph, subnet: Resource) -> Proof:
    """Follow *subnet* to its route table and judge every route there."""
    explicit = [it for it in graph.of_type(ASSOCIATION) if graph.refers(it, "subnetId", subnet)]
    if explicit:
        return _worst(_associated(graph, association) for association in explicit)
    if subnet.type == DEFAULT_SUBNET:
        return Proof(Verdict.PUBLIC, "a default subnet's route table leads to an internet gateway")
    return _main(graph, subnet)


def _main(graph: Graph, subnet: Resource) -> Proof:
    """No table is associated with it: its VPC's main one counts."""
    vpc = next((it for it in graph.of_type(VPC) if graph.refers(subnet, "vpcId", it)), None)
    if vpc is None:
        if any(graph.refers(subnet, "vpcId", it) for it in graph.of_type(DEFAULT_VPC)):
            return Proof(Verdict.PUBLIC, "the default VPC's main route table leads to an internet gateway")
        return Proof(Verdict.UNPROVED, "no route table is associated with it, and its VPC is not in this stack")
    mains = [it for it in graph.of_type(MAIN_ASSOCIATION) if graph.refers(it, "vpcId", vpc)]
    if mains:
        return _worst(_associated(graph, main) for main in mains)
    defaults = [
        it for it in graph.of_type(DEFAULT_ROUTE_TABLE)
        if graph.refers(it, "defaultRouteTableId", vpc, "defaultRouteTableId")
    ]  # fmt: skip
    if defaults:
        return _worst(_table(graph, table) for table in defaults)
    strays = [
        it for it in graph.of_type(ROUTE)
        if any(graph.refers(it, "routeTableId", vpc, key) for key in ("mainRouteTableId", "defaultRouteTableId"))
    ]  # fmt: skip
    local = Proof(Verdict.PRIVATE, f"the main route table of {vpc.title} has local routes only")
    return _worst([local, *(_route(graph, route) for route in strays)])


def _associated(graph: Graph, association: Resource) -> Proof:
    tables = [
        it for it in graph.of_type(ROUTE_TABLE, DEFAULT_ROUTE_TABLE) if graph.refers(association, "routeTableId", it)
    ]
    if tables:
        return _worst(_table(graph, table) for table in tables)
    return Proof(Verdict.UNPROVED, f"the route table of {association.title} is not in this stack")


def _table(graph: Graph, table: Resource) -> Proof:
    routes = (it for it in graph.of_type(ROUTE) if graph.refers(it, "routeTableId", table))
    clear = Proof(Verdict.PRIVATE, f"{table.title} has no route to an internet gateway")
    return _worst([clear, *_inline(graph, table), *(_route(graph, route) for route in routes)])


def _route(graph: Graph, route: Resource) -> Proof:
    return _target(graph, route, route.inputs, route.title, "{}")


def _inline(graph: Graph, table: Resource) -> Iterator[Proof]:
    """Judge the routes written in a table: they share one dependency entry, but each shows which key it has."""
    match table.read("routes"):
        case Absent():
            return
        case Unknown():
            yield Proof(Verdict.UNPROVED, f"the routes of {table.title} are not known yet")
        case Known(routes):
            for index, entry in enumerate(listed(routes)):
                where = f"route {index} of {table.title}"
                if isinstance(entry, dict):
                    yield _target(graph, table, entry, where, "routes")
                else:
                    yield Proof(Verdict.UNPROVED, f"{where} is not known yet")


def _target(graph: Graph, owner: Resource, route: dict[str, Tree], where: str, source: str) -> Proof:
    """Judge one route by the key that says where it leads; *source* names *owner*'s property its value came from."""
    if not is_blank(route.get("carrierGatewayId")):
        return Proof(Verdict.PUBLIC, f"{where} leads to a carrier gateway")
    gateway = route.get("gatewayId")
    if not is_blank(gateway):
        return _gateway(graph, owner, gateway, where, source.format("gatewayId"))
    if any(not is_blank(route.get(key)) for key in PRIVATE_TARGETS):
        return Proof(Verdict.PRIVATE, f"{where} leads to no internet gateway")
    return Proof(Verdict.UNPROVED, f"{where} does not say where it leads")


def _gateway(graph: Graph, owner: Resource, gateway: Tree, where: str, source: str) -> Proof:
    if isinstance(gateway, str):
        if gateway == "local" or gateway.startswith(("vgw-", "vpce-")):
            return Proof(Verdict.PRIVATE, f"{where} leads to no internet gateway")
        if gateway.startswith("igw-"):
            return Proof(Verdict.PUBLIC, f"{where} leads to an internet gateway")
    internet = graph.sources(owner, source, INTERNET_GATEWAY)
    if internet:
        return Proof(Verdict.PUBLIC, f"{where} leads to {internet[0].title}")
    private = graph.sources(owner, source, VPN_GATEWAY)
    if private:
        return Proof(Verdict.PRIVATE, f"{where} leads to {private[0].title}")
    return Proof(Verdict.UNPROVED, f"{where} leads to a gateway that is not in this stack")


def _worst(proofs: Iterable[Proof]) -> Proof:
    order = [Verdict.PUBLIC, Verdict.UNPROVED, Verdict.PRIVATE]
    return min(proofs, key=lambda proof: order.index(proof.verdict))
