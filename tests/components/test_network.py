"""A network's graph, whole."""

from __future__ import annotations

import json
from typing import Any

import pulumi
import pulumi_aws as aws
import pytest

from components.account import Account
from components.errors import InvalidArgsError
from components.flow_logs import FlowLogs
from components.network import Network, NetworkArgs
from tests.components.recorder import STACK, UNKNOWN, Recorded, of_type, one, record

ACCOUNT = Account(id="123456789012", region="eu-west-1")
WITHOUT_NAT = ("ecr.api", "ecr.dkr", "logs")


def args(**given: Any) -> NetworkArgs:
    return NetworkArgs(**{"account": ACCOUNT, **given})


def network(*, preview: bool = False, **given: Any) -> list[Recorded]:
    return record(lambda: Network("main", args(**given)), preview=preview)


def routes(resources: list[Recorded]) -> dict[str, dict[str, str]]:
    """Return what each subnet's table says beside the VPC's own route: subnet → destination → target."""
    by_table: dict[str, dict[str, str]] = {}
    for route in of_type(resources, "route:Route").values():
        target = route.inputs.get("gatewayId") or route.inputs["natGatewayId"]
        by_table.setdefault(route.inputs["routeTableId"], {})[route.inputs["destinationCidrBlock"]] = target
    return {
        link.inputs["subnetId"].removesuffix("-id"): by_table.get(link.inputs["routeTableId"], {})
        for link in of_type(resources, ":RouteTableAssociation").values()
    }


TWO_ZONES = {
    "main-public-a": ("eu-west-1a", "10.0.1.0/24"),
    "main-public-b": ("eu-west-1b", "10.0.2.0/24"),
    "main-app-a": ("eu-west-1a", "10.0.10.0/24"),
    "main-app-b": ("eu-west-1b", "10.0.11.0/24"),
    "main-data-a": ("eu-west-1a", "10.0.20.0/24"),
    "main-data-b": ("eu-west-1b", "10.0.21.0/24"),
}
THIRD_ZONE = {
    "main-public-c": ("eu-west-1c", "10.0.3.0/24"),
    "main-app-c": ("eu-west-1c", "10.0.12.0/24"),
    "main-data-c": ("eu-west-1c", "10.0.22.0/24"),
}


@pytest.mark.parametrize(("zones", "plan"), [({}, TWO_ZONES), ({"zones": ("a", "b", "c")}, TWO_ZONES | THIRD_ZONE)])
def test_each_zone_has_a_subnet_in_each_tier_by_the_default_plan(zones: dict[str, Any], plan: dict[str, Any]) -> None:
    """Another address is another subnet, and all that stands in it is replaced."""
    made = network(**zones)
    subnets = of_type(made, ":Subnet")
    assert one(made, ":Vpc").inputs["cidrBlock"] == "10.0.0.0/16"
    assert {name: (it.inputs["availabilityZone"], it.inputs["cidrBlock"]) for name, it in subnets.items()} == plan
    assert not any(subnet.inputs["mapPublicIpOnLaunch"] for subnet in subnets.values())


def test_the_public_tier_meets_the_internet_the_app_tier_its_zones_nat_and_the_data_tier_nothing() -> None:
    assert routes(network()) == {
        "main-public-a": {"0.0.0.0/0": "main-id"},
        "main-public-b": {"0.0.0.0/0": "main-id"},
        "main-app-a": {"0.0.0.0/0": "main-nat-a-id"},
        "main-app-b": {"0.0.0.0/0": "main-nat-b-id"},
        "main-data-a": {},
        "main-data-b": {},
    }


def test_a_single_nat_stands_in_the_first_zone_by_letter_and_serves_all() -> None:
    """Were it the first as listed, reordering the list would move every task's way out."""
    resources = network(nat="single", zones=("c", "a"))
    assert set(of_type(resources, ":NatGateway")) == set(of_type(resources, ":Eip")) == {"main-nat-a"}
    assert one(resources, ":NatGateway").inputs["subnetId"] == "main-public-a-id"
    assert {routes(resources)[f"main-app-{zone}"]["0.0.0.0/0"] for zone in "ac"} == {"main-nat-a-id"}


@pytest.mark.parametrize(("nat", "zones"), [("single", "a"), ("per_zone", "ab")])
def test_the_internet_sees_the_app_tier_by_the_addresses_of_its_nat(nat: str, zones: str) -> None:
    """Whoever lets it in by them names each, and no other."""
    told = one(network(nat=nat), ":Network").outputs["nat_addresses"]
    assert told == {zone: f"main-nat-{zone}.publicIp" for zone in zones}


def test_a_nat_gateway_waits_for_its_subnets_way_to_the_internet() -> None:
    resources = network()
    to_internet = one(resources, "route:Route", "main-public")
    assert all(to_internet.urn in nat.dependencies for nat in of_type(resources, ":NatGateway").values())


@pytest.mark.parametrize(
    ("tier", "waits_for"),
    [
        ("public", ["main-public-a", "main-public-a", "main-public"]),
        ("app", ["main-app-a", "main-app-a", "main-app-a"]),
    ],
)
def test_who_takes_a_subnet_waits_for_its_way_out(tier: str, waits_for: list[str]) -> None:
    """A load balancer made earlier is refused or mute, and a task could pull no image."""

    def build() -> None:
        made = Network("main", args())
        subnet = {"public": made.public_subnet_ids, "app": made.app_subnet_ids}[tier][0]
        aws.ec2.NetworkInterface("taker", subnet_id=subnet)

    resources = record(build)
    taker = one(resources, ":NetworkInterface")
    tokens = ("subnet:Subnet", ":RouteTableAssociation", "route:Route")
    expected = {one(resources, token, name).urn for token, name in zip(tokens, waits_for, strict=True)}
    assert taker.inputs["subnetId"] == f"main-{tier}-a-id"
    assert expected <= taker.property_dependencies["subnetId"], "a policy finds the subnet by these"


def test_the_vpc_has_the_names_that_private_endpoints_need() -> None:
    """Without either AWS refuses an endpoint's private names."""
    vpc = one(network(), ":Vpc").inputs
    assert (vpc["enableDnsSupport"], vpc["enableDnsHostnames"]) == (True, True)


def test_without_nat_the_app_tier_has_endpoints_and_no_route_out() -> None:
    resources = network(nat="none", interface_endpoints=WITHOUT_NAT)
    assert not of_type(resources, ":NatGateway")
    assert routes(resources)["main-app-a"] == {}
    assert set(of_type(resources, ":VpcEndpoint")) == {
        "main-s3", "main-dynamodb", "main-ecr.api", "main-ecr.dkr", "main-logs",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        ({}, "ecr.api, ecr.dkr, logs to interface_endpoints"),
        ({"interface_endpoints": ("ecr.api", "logs")}, "add ecr.dkr to interface_endpoints"),
        ({"interface_endpoints": WITHOUT_NAT, "gateway_endpoints": ()}, "add s3 to gateway_endpoints"),
    ],
)
def test_a_network_in_which_no_task_could_start_is_refused(given: dict[str, Any], missing: str) -> None:
    """It would deploy, and every task would time out while it pulls its image."""
    with pytest.raises(InvalidArgsError, match=missing):
        args(nat="none", **given)


def test_adding_a_zone_changes_nothing_of_the_others() -> None:
    def by_urn(resources: list[Recorded]) -> dict[str, Any]:
        # The gateway endpoints gain the new zone's route table, and the component says what it was told.
        return {it.urn: it.inputs for it in resources if it.custom and not it.type.endswith(":VpcEndpoint")}

    two, three = by_urn(network()), by_urn(network(zones=("a", "b", "c")))
    assert two.items() <= three.items()


def test_the_order_of_zones_says_nothing() -> None:
    def said(*zones: str) -> dict[str, Any]:
        return {it.urn: it.inputs for it in network(zones=zones) if it.custom}

    assert said("b", "a", "c") == said("a", "b", "c")


def test_the_default_security_group_has_no_rule() -> None:
    """Inline rules, even empty ones that change, would open what every forgotten interface lands in."""
    shut = one(network(), ":DefaultSecurityGroup")
    assert not {"ingress", "egress"} & set(shut.inputs)


def test_gateway_endpoints_are_routed_from_the_app_tier_alone() -> None:
    endpoint = one(network(), ":VpcEndpoint", "main-s3")
    assert endpoint.inputs["vpcEndpointType"] == "Gateway"
    assert endpoint.inputs["routeTableIds"] == ["main-app-a-id", "main-app-b-id"]


def test_interface_endpoints_stand_in_the_app_tier_under_their_services_usual_name() -> None:
    endpoint = one(network(interface_endpoints=("execute-api",)), ":VpcEndpoint", "main-execute-api")
    assert endpoint.inputs["vpcEndpointType"] == "Interface"
    assert endpoint.inputs["serviceName"] == "com.amazonaws.eu-west-1.execute-api"
    assert endpoint.inputs["privateDnsEnabled"] is True
    assert endpoint.inputs["subnetIds"] == ["main-app-a-id", "main-app-b-id"]
    assert endpoint.inputs["securityGroupIds"] == ["main-endpoints-id"]


def test_interface_endpoints_are_reached_by_https_from_the_vpc_alone() -> None:
    resources = network(interface_endpoints=("logs", "execute-api"), cidr="10.16.0.0/16")
    rule = one(resources, ":SecurityGroupIngressRule")
    assert (rule.inputs["cidrIpv4"], rule.inputs["fromPort"], rule.inputs["toPort"], rule.inputs["ipProtocol"]) == (
        "10.16.0.0/16", 443, 443, "tcp",
    )  # fmt: skip
    assert not of_type(resources, ":SecurityGroupEgressRule")
    assert not {"ingress", "egress"} & set(one(resources, ":SecurityGroup").inputs)


def test_a_network_without_interface_endpoints_has_no_group_for_them() -> None:
    assert not of_type(network(), ":SecurityGroup")


def test_flow_logs_are_on_unless_a_stack_says_no() -> None:
    assert one(network(), ":FlowLog").inputs["vpcId"] == "main-id"
    without = network(flow_logs=None)
    assert not [it for it in without if it.type.endswith((":FlowLog", ":Role", ":LogGroup"))]
    assert "trusts" not in json.loads(one(without, ":Network").inputs["declared"])


def test_what_is_declared_is_readable_at_a_first_preview() -> None:
    """A rule reads the component's own words while every id and rendered policy is unknown."""
    resources = network(preview=True, nat="single")
    said = one(resources, ":Network").inputs
    assert json.loads(said["declared"])["args"]["nat"] == "single"
    assert json.loads(said["declared"])["policies"]["main-flow-logs"][0]["resources"] == [
        "arn:aws:logs:eu-west-1:123456789012:log-group:/vpc/main/flow-logs:*"
    ]
    assert one(resources, ":Subnet", "main-app-a").inputs["vpcId"] == UNKNOWN


def test_all_it_makes_is_its_own_under_the_given_provider() -> None:
    def build() -> None:
        provider = aws.Provider("explicit", region="eu-west-1")
        Network("main", args(interface_endpoints=("logs",)), pulumi.ResourceOptions(providers=[provider]))

    resources = record(build)
    whole = one(resources, ":Network")
    children = [it for it in resources if it.custom and not it.type.startswith("pulumi:")]
    assert whole.parent == STACK
    assert {child.parent for child in children} == {whole.urn}
    assert all(child.provider.endswith("::explicit::explicit-id") for child in children)
    assert all(child.name.startswith("main") for child in children)


def test_its_outputs_are_its_attributes() -> None:
    assert one(network(interface_endpoints=("execute-api",)), ":Network").outputs == {
        "vpc_id": "main-id",
        "cidr": "10.0.0.0/16",
        "zones": ["a", "b"],
        "public_subnet_ids": ["main-public-a-id", "main-public-b-id"],
        "app_subnet_ids": ["main-app-a-id", "main-app-b-id"],
        "data_subnet_ids": ["main-data-a-id", "main-data-b-id"],
        "endpoint_ids": {"s3": "main-s3-id", "dynamodb": "main-dynamodb-id", "execute-api": "main-execute-api-id"},
        "nat_addresses": {"a": "main-nat-a.publicIp", "b": "main-nat-b.publicIp"},
    }


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"cidr": "10.0.0.0/8"}, "Network.cidr"),
        ({"cidr": "10.0.0.0/24"}, "Network.cidr"),
        ({"cidr": "10.0.5.0/16"}, "Network.cidr"),
        ({"zones": ("a",)}, "Network.zones"),
        ({"zones": ("a", "z")}, "Network.zones"),
        ({"nat": "two"}, "Network.nat"),
        ({"gateway_endpoints": ("sqs",)}, "Network.gateway_endpoints"),
        ({"gateway_endpoints": ("s3", "s3")}, "Network.gateway_endpoints"),
        ({"interface_endpoints": ("com.amazonaws.eu-west-1.logs",)}, "Network.interface_endpoints"),
    ],
)
def test_a_wrong_argument_is_named_with_its_value(given: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidArgsError, match=rf"^{field}: got "):
        args(**given)


def test_a_name_too_long_for_its_role_is_refused_before_anything_is_registered() -> None:
    with pytest.raises(InvalidArgsError, match="at most 56 characters"):
        record(lambda: Network("n" * 47, args(flow_logs=FlowLogs())))
