"""A small network for the route rules: private until something is added."""

from __future__ import annotations

from typing import Any

from policies.resources import Graph, Resource
from policies.rules import routes
from policies.rules.routes import Verdict, prove
from tests.policies.build import UNKNOWN, made


class Net:
    """A VPC with one subnet and its own route table: private until something is added.

    Deployed, every reference is a known id and there are no dependencies to read; at a preview it is the other way.
    """

    def __init__(self, *, deployed: bool) -> None:
        self.deployed = deployed
        self.vpc = self.add(routes.VPC, "main", {}, defaultRouteTableId="rtb-main", mainRouteTableId="rtb-main")
        self.subnet = self.add(routes.SUBNET, "app-a", {"vpcId": self.vpc})
        self.table = self.add(routes.ROUTE_TABLE, "app-a", {"vpcId": self.vpc})
        self.association = self.add(routes.ASSOCIATION, "app-a", {"subnetId": self.subnet, "routeTableId": self.table})
        self.igw = self.add(routes.INTERNET_GATEWAY, "main", {"vpcId": self.vpc}, prefix="igw")
        self.nat = self.add("aws:ec2/natGateway:NatGateway", "a", {}, prefix="nat")
        self.resources = [self.vpc, self.subnet, self.table, self.association, self.igw, self.nat]

    def add(self, token: str, name: str, inputs: dict[str, Any], *, prefix: str = "id", **outputs: str) -> Resource:
        """Make a resource whose *inputs* may refer to others."""
        known = {key: self._id(value) for key, value in inputs.items()}
        sources = {key: [value] for key, value in inputs.items() if isinstance(value, Resource) and not self.deployed}
        answered = {"id": f"{prefix}-{token.rsplit(':', 1)[-1]}-{name}", **outputs} if self.deployed else {}
        return made(token, name, known, sources=sources, outputs={**known, **answered})

    def _id(self, value: Any) -> Any:
        if not isinstance(value, Resource):
            return value
        return value.outputs["id"] if self.deployed else UNKNOWN

    def route(self, key: str, target: Any, name: str = "r", table: Resource | None = None) -> Resource:
        """Make a route of the subnet's table, or of *table*."""
        return self.add(routes.ROUTE, name, {"routeTableId": table or self.table, key: target})

    def verdict(self, *more: Resource, without: tuple[Resource, ...] = ()) -> Verdict:
        """Judge the subnet with *more* in the graph, and some of it not."""
        gone = {it.urn for it in without}
        return prove(Graph([it for it in [*self.resources, *more] if it.urn not in gone]), self.subnet).verdict
