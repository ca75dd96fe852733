"""A load balancer that workloads of a stack share, as its file says it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final, Self

from pydantic import Field, model_validator

from components.load_balancer import LoadBalancerArgs
from settings.section import ACCOUNT_ID, REGION, Section, Text

if TYPE_CHECKING:
    from pulumi import Input

    from components.adopted_network import AnyNetwork

CertificateArn = Annotated[
    str, Text(rf"arn:[a-z-]+:acm:{REGION}:{ACCOUNT_ID}:certificate/\S+", "the ARN of an ACM certificate")
]

# Rules a security group has in each direction, a quota that AWS raises on request.
# https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html#vpc-limits-security-groups
_MOST_RULES: Final = 60


class LoadBalancerSettings(Section):
    """One application load balancer, shared by the workloads that have routes on it."""

    certificate_arn: CertificateArn | None = None
    """ACM certificate of the stack's region. With it: HTTPS, and HTTP only redirects. Default: HTTP alone."""
    open_to: tuple[str, ...] = ()
    """IPv4 blocks that may call it, or the word `vpc`: 60 at most, and 30 with a certificate. Default: nobody."""
    idle_timeout: Annotated[int, Field(ge=1, le=4000)] = 60
    """Seconds of silence before a connection is closed."""
    domain: str | None = None
    """The host name that the certificate is for and that DNS points here, such as `api.example.com`."""
    access_log_days: Annotated[int, Field(ge=1, le=3650)] | None = 90
    """Days that access logs are kept, in a bucket of their own. `null`: none are written."""

    @model_validator(mode="after")
    def _fits_one_security_group(self) -> Self:
        ports = 2 if self.certificate_arn else 1
        if len(self.open_to) * ports > _MOST_RULES:
            raise ValueError(
                f"open_to: got {len(self.open_to)} blocks; {_MOST_RULES // ports} or fewer: each takes a rule for each "
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
            certificate_arn=self.certificate_arn,
            domain=self.domain,
            open_to=self.open_to,
            idle_timeout=self.idle_timeout,
            deletion_protection=protect,
            access_logs=access_logs,
        )
