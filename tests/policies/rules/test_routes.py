"""A subnet's verdict through its route table, at a first preview (no id known) and after a deployment."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from policies.resources import Graph, Resource
from policies.rules import routes
from policies.rules.routes import Verdict, prove
from tests.policies.build import UNKNOWN, made
from tests.policies.net import Net


@pytest.fixture(params=[False, True], ids=["preview", "deployed"])
def net(request: pytest.FixtureRequest) -> Net:
    return Net(deployed=request.param)


def test_a_table_without_routes_is_private(net: Net) -> None:
    assert net.verdict() is Verdict.PRIVATE


def test_a_route_to_a_nat_gateway_is_private(net: Net) -> None:
    assert net.verdict(net.route("natGatewayId", net.nat)) is Verdict.PRIVATE


def test_a_route_to_an_internet_gateway_is_public(net: Net) -> None:
    assert net.verdict(net.route("gatewayId", net.igw)) is Verdict.PUBLIC


def test_one_public_route_among_private_ones_is_public(net: Net) -> None:
    assert net.verdict(net.route("natGatewayId", net.nat), net.route("gatewayId", net.igw, "r2")) is Verdict.PUBLIC


def test_a_route_of_another_table_is_not_its_own(net: Net) -> None:
    other = net.add(routes.ROUTE_TABLE, "public", {"vpcId": net.vpc})
    assert net.verdict(other, net.route("gatewayId", net.igw, table=other)) is Verdict.PRIVATE


def test_the_proof_names_the_route_and_the_gateway(net: Net) -> None:
    route = net.route("gatewayId", net.igw, "out")
    because = prove(Graph([*net.resources, route]), net.subnet).because
    assert "Route 'out'" in because
    assert "InternetGateway 'main'" in because or "an internet gateway" in because


@pytest.mark.parametrize("key", sorted(routes.PRIVATE_TARGETS))
def test_every_private_target_is_private(net: Net, key: str) -> None:
    assert net.verdict(net.route(key, "some-id")) is Verdict.PRIVATE


def test_a_carrier_gateway_is_public(net: Net) -> None:
    assert net.verdict(net.route("carrierGatewayId", "cagw-1")) is Verdict.PUBLIC


@pytest.mark.parametrize(
    ("gateway", "verdict"),
    [
        ("igw-1", Verdict.PUBLIC),
        ("vgw-1", Verdict.PRIVATE),
        ("local", Verdict.PRIVATE),
        ("other-1", Verdict.UNPROVED),
        (UNKNOWN, Verdict.UNPROVED),
    ],
)
def test_a_gateway_outside_the_stack_is_told_by_its_id(net: Net, gateway: str, verdict: Verdict) -> None:
    assert net.verdict(net.route("gatewayId", gateway)) is verdict


def test_a_vpn_gateway_of_the_stack_is_private(net: Net) -> None:
    vpn = net.add(routes.VPN_GATEWAY, "v", {}, prefix="vgw")
    assert net.verdict(vpn, net.route("gatewayId", vpn)) is Verdict.PRIVATE


def test_a_route_that_leads_nowhere_known_is_not_proved(net: Net) -> None:
    assert net.verdict(net.route("destinationCidrBlock", "0.0.0.0/0")) is Verdict.UNPROVED


def test_empty_texts_of_the_provider_mean_not_given(net: Net) -> None:
    """After a deployment a route carries every target it does not have, as an empty text."""
    route = net.add(
        routes.ROUTE, "r", {"routeTableId": net.table, "gatewayId": "", "carrierGatewayId": "", "natGatewayId": net.nat}
    )
    assert net.verdict(route) is Verdict.PRIVATE


def inline(net: Net, entries: list[dict[str, Any]], *came_from: Resource) -> Verdict:
    """The table with *entries* written in it; they share one dependency entry, as Pulumi has it."""
    inputs = {**net.table.inputs, **made("t", "t", {"routes": entries}).inputs}
    sources = {**net.table.sources, "routes": frozenset(it.urn for it in came_from)}
    table = replace(net.table, inputs=inputs, sources=sources)
    resources = [*(it for it in net.resources if it.urn != table.urn), table]
    return prove(Graph(resources), net.subnet).verdict


def test_inline_routes_are_told_apart_by_their_key_though_they_share_dependencies(net: Net) -> None:
    """Both gateways are in the one dependency entry: only the key says which of them a route has."""
    nat = {"cidrBlock": "0.0.0.0/0", "natGatewayId": UNKNOWN}
    out = {"cidrBlock": "0.0.0.0/0", "gatewayId": UNKNOWN}
    assert inline(net, [nat], net.nat, net.igw) is Verdict.PRIVATE
    assert inline(net, [out], net.nat, net.igw) is Verdict.PUBLIC
    assert inline(net, [out], net.nat) is Verdict.UNPROVED
    assert inline(net, [{**out, "gatewayId": "igw-9"}]) is Verdict.PUBLIC


def test_inline_routes_not_known_at_all_are_not_proved(net: Net) -> None:
    inputs = {**net.table.inputs, **made("t", "t", {"routes": UNKNOWN}).inputs}
    table = replace(net.table, inputs=inputs)
    resources = [*(it for it in net.resources if it.urn != table.urn), table]
    assert prove(Graph(resources), net.subnet).verdict is Verdict.UNPROVED


def test_an_association_with_a_table_outside_the_stack_is_not_proved(net: Net) -> None:
    association = net.add(routes.ASSOCIATION, "app-a", {"subnetId": net.subnet, "routeTableId": "rtb-elsewhere"})
    resources = [*(it for it in net.resources if it.urn != association.urn), association]
    assert prove(Graph(resources), net.subnet).verdict is Verdict.UNPROVED


# Without an association the VPC's main table counts.


def test_the_implicit_main_table_is_local(net: Net) -> None:
    assert net.verdict(without=(net.association,)) is Verdict.PRIVATE


@pytest.mark.parametrize("attribute", ["mainRouteTableId", "defaultRouteTableId"])
def test_a_route_put_into_the_implicit_main_table_counts(net: Net, attribute: str) -> None:
    table_id = net.vpc.outputs.get(attribute) if net.deployed else UNKNOWN
    sources = {} if net.deployed else {"routeTableId": [net.vpc], "gatewayId": [net.igw]}
    gateway = net.igw.outputs["id"] if net.deployed else UNKNOWN
    stray = made(routes.ROUTE, "stray", {"routeTableId": table_id, "gatewayId": gateway}, sources=sources)
    assert net.verdict(stray, without=(net.association,)) is Verdict.PUBLIC


def test_a_main_association_counts(net: Net) -> None:
    main = net.add(routes.MAIN_ASSOCIATION, "m", {"vpcId": net.vpc, "routeTableId": net.table})
    assert net.verdict(main, without=(net.association,)) is Verdict.PRIVATE
    out = net.route("gatewayId", net.igw)
    assert net.verdict(main, out, without=(net.association,)) is Verdict.PUBLIC


def test_the_adopted_default_table_counts(net: Net) -> None:
    table_id = "rtb-main" if net.deployed else UNKNOWN
    sources = {} if net.deployed else {"defaultRouteTableId": [net.vpc]}
    default = made(routes.DEFAULT_ROUTE_TABLE, "d", {"defaultRouteTableId": table_id}, sources=sources,
                   outputs={"id": "rtb-main"} if net.deployed else {})  # fmt: skip
    out = net.route("gatewayId", net.igw, table=default)
    assert net.verdict(default, without=(net.association,)) is Verdict.PRIVATE
    assert net.verdict(default, out, without=(net.association,)) is Verdict.PUBLIC


def test_a_vpc_outside_the_stack_is_not_proved(net: Net) -> None:
    assert net.verdict(without=(net.association, net.vpc)) is Verdict.UNPROVED


def test_the_default_vpc_is_public(net: Net) -> None:
    default = net.add(routes.DEFAULT_VPC, "d", {})
    subnet = net.add(routes.SUBNET, "s", {"vpcId": default})
    assert prove(Graph([default, subnet]), subnet).verdict is Verdict.PUBLIC


def test_a_default_subnet_is_public(net: Net) -> None:
    subnet = net.add(routes.DEFAULT_SUBNET, "s", {})
    assert prove(Graph([subnet]), subnet).verdict is Verdict.PUBLIC
