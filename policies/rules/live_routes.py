"""Asks AWS for the route table of a subnet outside the stack: read-only calls, with the pack's own environment."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, cast

from policies.rules.routes import Proof, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable

_TRUSTED_PREFIXES = ("vgw-", "vpce-")


def prove(subnet_id: str, region: str | None) -> Proof:
    """Judge a live subnet by `ec2:DescribeRouteTables`. Whatever goes wrong is unproved, never private."""
    if find_spec("boto3") is None:
        return Proof(Verdict.UNPROVED, "it is not in this stack, and boto3 is not installed to look it up")
    import boto3  # noqa: PLC0415 - 0.3 s, and few stacks need it
    from botocore.config import Config  # noqa: PLC0415
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

    brief = Config(connect_timeout=3, read_timeout=5, retries={"total_max_attempts": 2})
    try:
        # AWS_ENDPOINT_URL, AWS_PROFILE and the rest are botocore's to read.
        client = cast("Any", boto3).client("ec2", region_name=region, config=brief)
        return _judge(client.describe_route_tables, client.describe_subnets, subnet_id)
    except (BotoCoreError, ClientError) as error:
        return Proof(Verdict.UNPROVED, f"it is not in this stack, and AWS does not tell: {type(error).__name__}")


def _judge(tables_of: Callable[..., Any], subnets_of: Callable[..., Any], subnet_id: str) -> Proof:
    tables = tables_of(Filters=[{"Name": "association.subnet-id", "Values": [subnet_id]}])["RouteTables"]
    if not tables:
        vpc = subnets_of(SubnetIds=[subnet_id])["Subnets"][0]["VpcId"]
        main = [{"Name": "vpc-id", "Values": [vpc]}, {"Name": "association.main", "Values": ["true"]}]
        tables = tables_of(Filters=main)["RouteTables"]
    if not tables:
        return Proof(Verdict.UNPROVED, "AWS shows no route table for it")
    for table in tables:
        for route in table["Routes"]:
            gateway = route.get("GatewayId", "local")
            if route.get("CarrierGatewayId") or (gateway != "local" and not gateway.startswith(_TRUSTED_PREFIXES)):
                return Proof(Verdict.PUBLIC, f"{table['RouteTableId']} has a route to {gateway}")
    return Proof(Verdict.PRIVATE, f"{tables[0]['RouteTableId']} has no route to an internet gateway")
