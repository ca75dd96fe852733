"""A load balancer that workloads of a stack share, as its file says it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final, Self

from pydantic import Field, model_validator

from components.addresses import ZONE_LETTERS
from components.domain import HOST_NAME, ZONE_ID, Domain
from components.errors import InvalidArgsError
from components.load_balancer import LoadBalancerArgs
from settings.section import ACCOUNT_ID, REGION, Section, Text

if TYPE_CHECKING:
    from pulumi import Input

    from components.adopted_network import AnyNetwork

CertificateArn = Annotated[
    str, Text(rf"arn:[a-z-]+:acm:{REGION}:{ACCOUNT_ID}:certificate/\S+", "the ARN of an ACM certificate")
]

HostName = Annotated[str, Text(HOST_NAME, "a host name in lower case, such as 'shop.example.com'")]
Name = Annotated[
    str, Text(rf"(\*\.)?{HOST_NAME}", "a host name in lower case, such as 'www.example.com' or '*.shop.example.com'")
]
ZoneId = Annotated[
    str, Text(ZONE_ID, "a hosted zone's id, such as 'Z0123456789ABCDEFGHIJ', without '/hostedzone/' before it")
]

# Rules a security group has in each direction, a quota that AWS raises on request.
# https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html#vpc-limits-security-groups
_MOST_RULES: Final = 60


class DomainSettings(Section):
    """The names that a load balancer is reached by: HTTPS, and HTTP only redirects. docs/domains.md has the steps."""

    name: HostName
    """The host name that clients ask for, such as `shop.example.com`: 64 characters at most."""
    further_names: tuple[Name, ...] = ()
    """More names of the same zone, such as `*.shop.example.com`. Default: none."""
    zone_id: ZoneId | None = None
    """The public Route 53 zone of the names: the certificate is made and proved there, and records lead to the load
    balancer."""
    certificate_arn: CertificateArn | None = None
    """Instead of a zone: an ACM certificate of the stack's region, issued already. Its records are somebody else's."""

    @model_validator(mode="after")
    def _as_the_component_takes_it(self) -> Self:
        if (self.zone_id is None) == (self.certificate_arn is None):
            said = "both" if self.zone_id else "neither"
            raise ValueError(
                f"got {said} of zone_id and certificate_arn; one of them: the hosted zone in which a certificate is "
                "proved, or the certificate that there is"
            )
        try:
            self.value()
        except InvalidArgsError as error:
            raise ValueError(str(error).removeprefix("Domain.")) from None
        return self

    def proved(self) -> set[str]:
        """Return the names that its zone proves to ACM: each that it says, and of a wildcard what it stands under."""
        names = (self.name, *self.further_names) if self.zone_id else ()
        return {name.removeprefix("*.") for name in names}

    def value(self) -> Domain:
        """Return it as the components take it."""
        return Domain(
            name=self.name,
            further_names=self.further_names,
            zone_id=self.zone_id,
            certificate_arn=self.certificate_arn,
        )


class LoadBalancerSettings(Section):
    """One application load balancer, shared by the workloads that have routes on it."""

    domain: DomainSettings | None = None
    """The names that it is reached by, over HTTPS. Default: none, and HTTP alone, by the name that AWS gives."""
    open_to: tuple[str, ...] = ()
    """IPv4 blocks that may call it: 60 at most, and 30 with a domain. Default: nobody. For the stack's own tasks the
    internal one takes the word `vpc`, and the public one `nat`, which is the address of each NAT gateway."""
    idle_timeout: Annotated[int, Field(ge=1, le=4000)] = 60
    """Seconds of silence before a connection is closed."""
    access_log_days: Annotated[int, Field(ge=1, le=3650)] | None = 90
    """Days that access logs are kept, in a bucket of their own. `null`: none are written."""

    @model_validator(mode="after")
    def _fits_one_security_group(self) -> Self:
        ports = 2 if self.domain else 1
        # How many addresses `nat` is, another section says: one a zone at most.
        blocks = len(self.open_to) + (len(ZONE_LETTERS) - 1 if "nat" in self.open_to else 0)
        if blocks * ports > _MOST_RULES:
            counted = f" (`nat` may be {len(ZONE_LETTERS)})" if "nat" in self.open_to else ""
            raise ValueError(
                f"open_to: got {blocks} blocks{counted}; {_MOST_RULES // ports} or fewer: each takes a rule for each "
                f"of {ports} port(s), and AWS lets a security group have {_MOST_RULES} (the VPC quota 'Inbound or "
                "outbound rules per security group')"
            )
        return self

    def args(
        self, network: AnyNetwork, *, internal: bool, protect: bool, access_logs: Input[str] | None = None
    ) -> LoadBalancerArgs:
        """Return what the load balancer takes in *network*, writing its access logs to that bucket."""
        return LoadBalancerArgs(
            network=network,
            internal=internal,
            domain=self.domain and self.domain.value(),
            open_to=self.open_to,
            idle_timeout=self.idle_timeout,
            deletion_protection=protect,
            access_logs=access_logs,
        )
