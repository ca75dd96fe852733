"""The names that a load balancer or an API is reached by: their certificate, and the records that lead to it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import pulumi_aws as aws
from pulumi import CustomTimeouts, ResourceOptions

from components.balancer import check_certificate
from components.errors import InvalidArgsError, of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pulumi import Input

    from components.base import Owner

HOST_NAME: Final = r"([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}"
"""Pattern of a host name in lower case. Its last label has letters alone, as a listener rule's host must."""
ZONE_ID: Final = r"Z[A-Z0-9]{1,31}"
"""Pattern of a hosted zone's id: 32 characters at most (`ResourceId` in botocore's `route53` model), the first a Z in
every example of AWS's. The API puts ``/hostedzone/`` before it, and the provider does not."""

# `RequestCertificate` in botocore's `acm` model: the first name is the Common Name of RFC 5280; the names in all.
_LONGEST_FIRST: Final = 64
_LONGEST: Final = 253
_MOST_NAMES: Final = 100

# The provider's own is 75 minutes. A zone that its parent delegates to is seen within a few, and one that nobody
# delegates to never is: whoever deploys should not be kept for longer to be told so.
_PATIENCE: Final = "30m"
_TTL: Final = 300


@dataclass(frozen=True, kw_only=True)
class Domain:
    """The names of a load balancer or an API, and who makes their certificate: this library, or somebody else.

    With *zone_id* the certificate is requested, proved by records in that zone, and awaited; a record for each name
    leads to the load balancer. With *certificate_arn* nothing is made, and the records are somebody else's.

    Raises:
        InvalidArgsError: a name that is none, is too long, or comes twice; a zone or certificate that is none, both,
            or neither.

    """

    name: str
    """The host name that clients ask for and that ``url`` says, such as ``shop.example.com``: 64 characters at most."""
    further_names: Sequence[str] = ()
    """More names of the same certificate and load balancer, in the same zone: ``www.example.com``, or
    ``*.shop.example.com`` for whatever stands in the place of the ``*``, which holds no dot. 99 at most; 9 until AWS
    raises the quota 'Domain names per ACM certificate'. Their order says nothing. Default: none."""
    zone_id: Input[str] | None = None
    """The public Route 53 zone that holds all the names and that the internet asks for them, such as
    ``Z0123456789ABCDEFGHIJ``. A private one proves nothing to ACM."""
    certificate_arn: Input[str] | None = None
    """A certificate for the names, issued already, in the load balancer's region."""

    def __post_init__(self) -> None:
        self._check_name("name", self.name, _LONGEST_FIRST)
        for name in self.further_names:
            self._check_name("further_names", name.removeprefix("*."), _LONGEST - len("*."))
        if len(set(self.names())) != len(self.further_names) + 1 or len(self.names()) > _MOST_NAMES:
            raise InvalidArgsError(
                of(self, "further_names"),
                got=tuple(self.further_names),
                want=f"each name once, {self.name} not among them, and {_MOST_NAMES - 1} or fewer",
            )
        if (self.zone_id is None) == (self.certificate_arn is None):
            raise InvalidArgsError(
                of(self, "zone_id"),
                got=self.zone_id,
                want="one of the two: the zone_id in which a certificate is proved, or the certificate_arn of one",
            )
        if isinstance(self.zone_id, str) and not re.fullmatch(ZONE_ID, self.zone_id):
            raise InvalidArgsError(
                of(self, "zone_id"),
                got=self.zone_id,
                want="a hosted zone's id such as 'Z0123456789ABCDEFGHIJ', without '/hostedzone/'",
            )
        check_certificate(self, "certificate_arn")

    def names(self) -> tuple[str, ...]:
        """Return all names: the first as given, the others by the alphabet."""
        return (self.name, *sorted(self.further_names))

    def _check_name(self, field: str, name: str, longest: int) -> None:
        if not re.fullmatch(HOST_NAME, name) or len(name) > longest:
            raise InvalidArgsError(
                of(self, field),
                got=name,
                want=f"a host name in lower case such as 'shop.example.com', of {longest} characters or fewer",
            )


def certify(owner: Owner, name: str, domain: Domain) -> Input[str]:
    """Return the ARN of the certificate of *domain*, known once it is issued, with what *owner* needs for that.

    Another set of names is another certificate: the listener has it before the old one goes.
    """
    if domain.zone_id is None:
        # Refused above where both are missing.
        return domain.certificate_arn or ""
    certificate = aws.acm.Certificate(
        name,
        domain_name=domain.name,
        subject_alternative_names=list(domain.names()[1:]) or None,
        validation_method="DNS",
        tags=owner.tags,
        opts=owner.child(),
    )
    # A wildcard is proved by the record of what it stands under: one of each, named here, since the list of them that
    # the certificate has is unknown until it is made.
    proofs = {
        base: _proof(owner, f"{name}-{base}-validation", base, certificate, domain.zone_id)
        for base in dict.fromkeys(each.removeprefix("*.") for each in domain.names())
    }
    return aws.acm.CertificateValidation(
        name,
        certificate_arn=certificate.arn,
        validation_record_fqdns=[proof.fqdn for proof in proofs.values()],
        opts=owner.child(ResourceOptions(custom_timeouts=CustomTimeouts(create=_PATIENCE))),
    ).certificate_arn


def point(owner: Owner, name: str, domain: Domain, *, dns_name: Input[str], zone_id: Input[str]) -> None:
    """Lead every name of *domain* to the load balancer that is *dns_name*, of Route 53's own *zone_id* for it."""
    for each in domain.names():
        lead(owner, name, domain, each, dns_name=dns_name, zone_id=zone_id)


def lead(owner: Owner, name: str, domain: Domain, host: str, *, dns_name: Input[str], zone_id: Input[str]) -> None:
    """Lead *host*, one name of *domain*, to *dns_name*, of Route 53's own *zone_id* for it."""
    if domain.zone_id is None:
        return
    aws.route53.Record(
        f"{name}-{host}",
        zone_id=domain.zone_id,
        name=host,
        type="A",
        # There is no second answer to give where the targets are unwell.
        aliases=[{"name": dns_name, "zone_id": zone_id, "evaluate_target_health": False}],
        opts=owner.child(),
    )


def _proof(
    owner: Owner, name: str, base: str, certificate: aws.acm.Certificate, zone_id: Input[str]
) -> aws.route53.Record:
    option = certificate.domain_validation_options.apply(
        lambda options: next(each for each in options if (each.domain_name or "").removeprefix("*.") == base)
    )
    return aws.route53.Record(
        name,
        zone_id=zone_id,
        # ACM gives an account the same record for a name every time, so whoever was here before wrote the same.
        allow_overwrite=True,
        name=option.apply(lambda each: each.resource_record_name or ""),
        type="CNAME",
        records=[option.apply(lambda each: each.resource_record_value or "")],
        ttl=_TTL,
        opts=owner.child(),
    )
