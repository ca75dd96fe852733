"""Subnets outside the stack: what AWS answers decides, and no answer is no proof."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import boto3
import pytest
from moto import mock_aws

from policies.rules import live_routes
from policies.rules.routes import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

REGION = "eu-west-1"


@pytest.fixture(scope="module")
def ec2() -> Iterator[Any]:
    with mock_aws():  # brings credentials of its own
        yield boto3.client("ec2", region_name=REGION)


@pytest.fixture
def subnet(ec2: Any) -> dict[str, str]:
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    made = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24")["Subnet"]["SubnetId"]
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    return {"vpc": vpc, "id": made, "table": table, "gateway": gateway}


def test_its_own_table_decides(ec2: Any, subnet: dict[str, str]) -> None:
    ec2.associate_route_table(SubnetId=subnet["id"], RouteTableId=subnet["table"])
    assert live_routes.prove(subnet["id"], REGION).verdict is Verdict.PRIVATE
    ec2.create_route(RouteTableId=subnet["table"], DestinationCidrBlock="0.0.0.0/0", GatewayId=subnet["gateway"])
    proof = live_routes.prove(subnet["id"], REGION)
    assert proof.verdict is Verdict.PUBLIC
    assert subnet["table"] in proof.because


def test_without_its_own_the_main_table_decides(ec2: Any, subnet: dict[str, str]) -> None:
    assert live_routes.prove(subnet["id"], REGION).verdict is Verdict.PRIVATE
    main = ec2.describe_route_tables(
        Filters=[{"Name": "vpc-id", "Values": [subnet["vpc"]]}, {"Name": "association.main", "Values": ["true"]}]
    )["RouteTables"][0]["RouteTableId"]
    ec2.create_route(RouteTableId=main, DestinationCidrBlock="0.0.0.0/0", GatewayId=subnet["gateway"])
    assert live_routes.prove(subnet["id"], REGION).verdict is Verdict.PUBLIC


def test_a_subnet_that_aws_does_not_know_is_not_proved(ec2: Any) -> None:
    assert live_routes.prove("subnet-0123456789abcdef0", REGION).verdict is Verdict.UNPROVED


def test_no_answer_is_no_proof(monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody without credentials or network must not be told that all is well."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    assert live_routes.prove("subnet-1", REGION).verdict is Verdict.UNPROVED


def test_without_boto3_it_is_not_proved(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_routes, "find_spec", lambda _: None)
    assert "boto3 is not installed" in live_routes.prove("subnet-1", REGION).because
