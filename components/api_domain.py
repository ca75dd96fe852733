"""The names of its own that a REST API is reached by, beside the one that AWS gives it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pulumi_aws as aws

from components.domain import certify, lead

if TYPE_CHECKING:
    from pulumi import Input, Output

    from components.base import Owner
    from components.domain import Domain

TLS_POLICY: Final = "SecurityPolicy_TLS13_1_2_PFS_PQ_2025_09"
"""TLS 1.2 and 1.3 with forward secrecy, post-quantum where the client can. Named because the API's own default begins
with TLS 1.0. Whoever calls by another name than the certificate's is refused: `ACCESS_MODE`.
https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-security-policies.html"""
ACCESS_MODE: Final = "STRICT"


def serve(owner: Owner, name: str, domain: Domain, *, api_id: Output[str], stage_name: Input[str]) -> None:
    """Have *stage_name* of the API *name* answer at all names of *domain*, from the root of each."""
    certificate_arn = certify(owner, name, domain)
    for host in domain.names():
        made = aws.apigateway.DomainName(
            f"{name}-{host}",
            domain_name=host,
            regional_certificate_arn=certificate_arn,
            endpoint_configuration={"types": "REGIONAL"},
            security_policy=TLS_POLICY,
            endpoint_access_mode=ACCESS_MODE,
            tags=owner.tags,
            opts=owner.child(),
        )
        aws.apigateway.BasePathMapping(
            f"{name}-{host}",
            rest_api=api_id,
            stage_name=stage_name,
            domain_name=made.domain_name,
            opts=owner.child(),
        )
        lead(
            owner,
            name,
            domain,
            host,
            dns_name=made.regional_domain_name,
            zone_id=made.regional_zone_id,
        )
