"""Workloads in private subnets without public addresses: a compliant one, and one thing broken at a time."""

from __future__ import annotations

from typing import Any

import pytest

from policies.resources import Resource
from policies.rules import routes
from policies.rules.private_network import LAUNCH_TEMPLATE, LOAD_BALANCERS, PACK, PLACEMENTS
from tests.policies.build import UNKNOWN, alone, made, rules, together, unproved
from tests.policies.net import Net

SERVICE = "aws:ecs/service:Service"
PLACED = sorted((token, path) for token, placement in PLACEMENTS.items() for path in placement.subnets)


@pytest.fixture(params=[False, True], ids=["preview", "deployed"])
def net(request: pytest.FixtureRequest) -> Net:
    return Net(deployed=request.param)


def nested(path: str, value: Any) -> dict[str, Any]:
    """*value* at *path*, a list where the last step says several."""
    head, _, tail = path.partition(".*.")
    inner: Any = [{tail: it} for it in value] if tail else value
    for step in reversed(head.split(".")):
        inner = {step: inner}
    return inner


def placed(net: Net, token: str, path: str, *subnets: Resource | str) -> Resource:
    """A resource of type *token* in *subnets*."""
    ids: list[Any] = [it if isinstance(it, str) else (it.outputs["id"] if net.deployed else UNKNOWN) for it in subnets]
    sources = {path.partition(".")[0]: [it for it in subnets if isinstance(it, Resource)]}
    inputs = {**nested(path, ids[0] if path == "subnetId" else ids), "internal": True}
    return made(token, "x", inputs, sources=sources)


@pytest.mark.parametrize(("token", "path"), PLACED)
def test_what_stands_in_a_private_subnet_passes(net: Net, token: str, path: str) -> None:
    nat = net.route("natGatewayId", net.nat)
    assert together(PACK, *net.resources, nat, placed(net, token, path, net.subnet)) == []


@pytest.mark.parametrize(("token", "path"), PLACED)
def test_what_stands_in_a_public_subnet_is_refused(net: Net, token: str, path: str) -> None:
    out = net.route("gatewayId", net.igw)
    (finding,) = together(PACK, *net.resources, out, placed(net, token, path, net.subnet))
    assert finding.rule == "private-subnet"
    assert f"`{path}` has Subnet 'app-a', which is public" in finding.message


@pytest.mark.parametrize(("token", "path"), PLACED)
def test_subnets_not_known_at_all_are_not_proved(token: str, path: str) -> None:
    """A list that some other stack hands over is unknown and comes from no subnet here."""
    whole = path.partition(".*.")[0]
    resource = made(token, "x", {**nested(whole, UNKNOWN), "internal": True})
    assert unproved(together(PACK, resource, lookUpRoutes=False)) == ["private-subnet"]


def test_one_public_subnet_among_private_ones_is_refused(net: Net) -> None:
    public = net.add(routes.SUBNET, "public-a", {"vpcId": net.vpc})
    table = net.add(routes.ROUTE_TABLE, "public", {"vpcId": net.vpc})
    association = net.add(routes.ASSOCIATION, "public", {"subnetId": public, "routeTableId": table})
    out = net.route("gatewayId", net.igw, table=table)
    service = placed(net, SERVICE, "networkConfiguration.subnets", net.subnet, public)
    findings = together(PACK, *net.resources, public, table, association, out, service)
    assert rules(findings) == ["private-subnet"]
    assert "'public-a'" in findings[0].message


def test_a_whole_unknown_list_is_judged_by_where_it_came_from() -> None:
    """Lists made by `apply` hide how many ids they have."""
    net = Net(deployed=False)
    inputs = {"networkConfiguration": {"subnets": UNKNOWN}}
    service = made(SERVICE, "x", inputs, sources={"networkConfiguration": [net.subnet]})
    assert together(PACK, *net.resources, service) == []
    assert rules(together(PACK, *net.resources, net.route("gatewayId", net.igw), service)) == ["private-subnet"]


def test_more_unknown_ids_than_subnets_they_came_from_are_not_proved() -> None:
    """One from this stack and one from elsewhere: the second must not hide behind the first."""
    net = Net(deployed=False)
    inputs = {"networkConfiguration": {"subnets": [UNKNOWN, UNKNOWN]}}
    service = made(SERVICE, "x", inputs, sources={"networkConfiguration": [net.subnet]})
    assert unproved(together(PACK, *net.resources, service)) == ["private-subnet"]


def test_an_id_outside_the_stack_is_not_proved_unless_vouched_for(net: Net) -> None:
    service = placed(net, SERVICE, "networkConfiguration.subnets", "subnet-0123456789abcdef0")
    (finding,) = together(PACK, *net.resources, service, lookUpRoutes=False)
    assert finding.unproved
    assert "subnet-0123456789abcdef0" in finding.message
    assert "privateSubnetIds" in finding.message
    assert together(PACK, service, privateSubnetIds=["subnet-0123456789abcdef0"], lookUpRoutes=False) == []


def test_a_service_without_its_own_network_stands_where_its_host_does() -> None:
    """Bridge networking on EC2: the Auto Scaling group's subnets are judged instead."""
    assert together(PACK, made(SERVICE, "x", {"cluster": "c"})) == []


@pytest.mark.parametrize("token", LOAD_BALANCERS)
def test_an_internet_facing_load_balancer_may_stand_in_public_subnets(token: str) -> None:
    net = Net(deployed=False)
    out = net.route("gatewayId", net.igw)
    internal = placed(net, token, "subnets", net.subnet)
    facing = made(token, "x", {"subnets": [UNKNOWN], "internal": False}, sources={"subnets": [net.subnet]})
    hidden = made(token, "x", {"subnets": [UNKNOWN], "internal": UNKNOWN}, sources={"subnets": [net.subnet]})
    assert rules(together(PACK, *net.resources, out, internal)) == ["private-subnet"]
    assert together(PACK, *net.resources, out, facing) == []
    assert unproved(together(PACK, *net.resources, out, hidden)) == ["private-subnet"]


FLAGS = sorted((token, it.public_ip) for token, it in PLACEMENTS.items() if it.public_ip)


@pytest.mark.parametrize(("token", "path"), FLAGS)
def test_a_public_address_is_refused(token: str, path: str) -> None:
    assert alone(PACK, made(token, "x", nested(path, value=False))) == []
    assert alone(PACK, made(token, "x", nested(path, "DISABLED"))) == []
    assert alone(PACK, made(token, "x", {})) == []
    (finding,) = alone(PACK, made(token, "x", nested(path, value=True)))
    assert finding.rule == "public-ip"
    assert f"`{path}` is on" in finding.message
    assert rules(alone(PACK, made(token, "x", nested(path, "ENABLED")))) == ["public-ip"]
    assert unproved(alone(PACK, made(token, "x", nested(path, UNKNOWN)))) == ["public-ip"]


def test_a_subnet_that_gives_out_public_addresses_is_refused() -> None:
    assert alone(PACK, made(routes.SUBNET, "x", {"mapPublicIpOnLaunch": False})) == []
    assert rules(alone(PACK, made(routes.SUBNET, "x", {"mapPublicIpOnLaunch": True}))) == ["subnet-public-ip"]
    assert unproved(alone(PACK, made(routes.SUBNET, "x", {"mapPublicIpOnLaunch": UNKNOWN}))) == ["subnet-public-ip"]


def test_a_launch_template_gives_out_no_public_address() -> None:
    def template(value: Any) -> Resource:
        return made(LAUNCH_TEMPLATE, "x", {"networkInterfaces": value})

    assert alone(PACK, template([{"associatePublicIpAddress": "false"}])) == []
    assert rules(alone(PACK, template([{"associatePublicIpAddress": "true"}]))) == ["public-ip"]
    assert unproved(alone(PACK, template(UNKNOWN))) == ["public-ip"]


def test_no_value_is_quoted() -> None:
    """Any of them may be a secret, and messages end in logs."""
    path = "networkConfiguration.assignPublicIp"
    flagged = alone(PACK, made(SERVICE, "x", nested(path, "hunter2")))
    stands = together(PACK, made(SERVICE, "x", nested("networkConfiguration.subnets", ["hunter2"])), lookUpRoutes=False)
    assert flagged
    assert stands
    assert not [it for it in [*flagged, *stands] if "hunter2" in it.message]
