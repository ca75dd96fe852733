"""AWS services reached from within a network, without NAT or the internet."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import pulumi_aws as aws

from components.errors import InvalidArgsError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pulumi import Output

    from components.base import Owner

GATEWAY: Final = ("s3", "dynamodb")
"""The services that have a gateway endpoint, which costs nothing.
https://docs.aws.amazon.com/vpc/latest/privatelink/gateway-endpoints.html
"""

TO_START_A_TASK: Final = {"interface_endpoints": ("ecr.api", "ecr.dkr", "logs"), "gateway_endpoints": ("s3",)}
"""What a Fargate task cannot start without where there is no other way out: the registry's two services, the bucket
that image layers lie in, and the logs. https://docs.aws.amazon.com/AmazonECR/latest/userguide/vpc-endpoints.html
"""

_HTTPS: Final = 443
_SHORT_NAME: Final = re.compile(r"[a-z0-9]+([.-][a-z0-9]+)*")
# Said where a service's name is expected, and no service's name.
_SLIPS: Final = {
    "ecr": "'ecr.api' and 'ecr.dkr'",
    "cloudwatch": "'logs' or 'monitoring'",
    "apigateway": "'execute-api'",
}


def check_gateway(field: str, services: Sequence[str]) -> None:
    """Refuse *field* unless *services* have gateway endpoints, each named once."""
    for service in services:
        if service not in GATEWAY:
            raise InvalidArgsError(
                field, got=service, want=f"one of {', '.join(GATEWAY)}; others have interface endpoints"
            )
    _check_once(field, services)


def check_interface(field: str, services: Sequence[str]) -> None:
    """Refuse *field* unless *services* are short names of services with interface endpoints, each named once."""
    for service in services:
        if service in GATEWAY:
            raise InvalidArgsError(field, got=service, want="name it in gateway_endpoints, where it costs nothing")
        if service in _SLIPS:
            raise InvalidArgsError(field, got=service, want=_SLIPS[service])
        if not _SHORT_NAME.fullmatch(service) or "amazonaws" in service:
            raise InvalidArgsError(field, got=service, want="a service's short name, such as 'ecr.api' or 'logs'")
    _check_once(field, services)


def make_gateways(
    services: Sequence[str],
    *,
    network: str,
    region: str,
    vpc_id: Output[str],
    route_tables: Sequence[Output[str]],
    within: Owner,
) -> Mapping[str, Output[str]]:
    """Make a gateway endpoint for each of *services*, routed from *route_tables*; return their ids by service."""
    return {
        service: aws.ec2.VpcEndpoint(
            f"{network}-{service}",
            vpc_id=vpc_id,
            vpc_endpoint_type="Gateway",
            service_name=f"com.amazonaws.{region}.{service}",
            route_table_ids=list(route_tables),
            tags={**within.tags, "Name": f"{network}-{service}"},
            opts=within.child(),
        ).id
        for service in services
    }


def make_interfaces(
    services: Sequence[str],
    *,
    network: str,
    region: str,
    vpc_id: Output[str],
    cidr: str,
    subnets: Sequence[Output[str]],
    within: Owner,
) -> Mapping[str, Output[str]]:
    """Make an interface endpoint for each of *services* in *subnets*, open to *cidr*; return their ids by service."""
    if not services:
        return {}
    name = f"{network}-endpoints"
    group = aws.ec2.SecurityGroup(
        name,
        vpc_id=vpc_id,
        description="Interface endpoints: HTTPS from within the VPC",
        tags={**within.tags, "Name": name},
        opts=within.child(),
    ).id
    aws.vpc.SecurityGroupIngressRule(
        f"{name}-{_HTTPS}-{cidr}",
        security_group_id=group,
        description="HTTPS from within the VPC",
        cidr_ipv4=cidr,
        ip_protocol="tcp",
        from_port=_HTTPS,
        to_port=_HTTPS,
        tags=within.tags,
        opts=within.child(),
    )
    return {
        service: aws.ec2.VpcEndpoint(
            f"{network}-{service}",
            vpc_id=vpc_id,
            vpc_endpoint_type="Interface",
            service_name=f"com.amazonaws.{region}.{service}",
            subnet_ids=list(subnets),
            security_group_ids=[group],
            # The service's usual name then leads here. For execute-api that is the name of every REST API, public
            # ones included, which this network can then no longer reach.
            private_dns_enabled=True,
            tags={**within.tags, "Name": f"{network}-{service}"},
            opts=within.child(),
        ).id
        for service in services
    }


def _check_once(field: str, services: Sequence[str]) -> None:
    if len(set(services)) != len(services):
        raise InvalidArgsError(field, got=tuple(services), want="each service once")
