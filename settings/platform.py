"""What a stack says of the things it has one of: account, tags, network, cluster, load balancers, alerts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from components import naming
from components.account import Account
from components.adopted_network import AdoptedNetwork
from components.errors import InvalidArgsError
from components.flow_logs import FlowLogs
from components.load_balancer import LoadBalancerArgs
from components.network import NetworkArgs
from settings.section import ACCOUNT_ID, REGION, Section, Text, below
from settings.workload import CapacitySettings, RetentionDays, Strategy, WorkloadSettings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pulumi import Input

    from components.adopted_network import AnyNetwork

Zone = Annotated[str, Text(r"[a-f]", "a zone's letter, a to f")]
Cidr = Annotated[str, Text(r"[0-9]{1,3}(\.[0-9]{1,3}){3}/[0-9]{1,2}", "an IPv4 block such as '10.0.0.0/16'")]
# https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html
Tag = Annotated[
    str,
    Text(
        r"(?! +$)(?![Aa][Ww][Ss]:)[\w .:/=+@-]{1,256}",
        "a tag's value: 1 to 256 letters, digits, spaces and _.:/=+-@, not spaces alone, nor 'aws:' first",
    ),
]
Email = Annotated[str, Text(r"[^@\s]+@[^@\s]+\.[^@\s]+", "an e-mail address")]
CertificateArn = Annotated[
    str, Text(rf"arn:[a-z-]+:acm:{REGION}:{ACCOUNT_ID}:certificate/\S+", "the ARN of an ACM certificate")
]
AccountId = Annotated[str, Text(ACCOUNT_ID, "an account's 12 digits")]

# Rules a security group has in each direction, a quota that AWS raises on request.
# https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html#vpc-limits-security-groups
_MOST_RULES: Final = 60
# https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSecurityGroup.html
_SECURITY_GROUP: Final = naming.NameRule(
    what="security group",
    longest=255,
    pattern=r"(?!sg-).+",
    reads="not 'sg-' at the beginning, which is how AWS's ids begin",
)


class AdoptSettings(Section):
    """A VPC that exists, by its ids: its owner answers for its routes."""

    vpc_id: str
    cidr: Cidr
    """The VPC's own IPv4 block."""
    zones: tuple[Zone, ...]
    """Letters of the zones, in the order of the subnets below."""
    public_subnet_ids: tuple[str, ...] = ()
    app_subnet_ids: tuple[str, ...]
    """Private subnets, one a zone, for tasks and internal load balancers."""
    data_subnet_ids: tuple[str, ...] = ()
    endpoint_ids: dict[str, str] = Field(default_factory=dict)
    """Short service name, such as `execute-api` → interface endpoint."""

    @model_validator(mode="after")
    def _as_a_component_takes_it(self) -> Self:
        self.value()
        return self

    def value(self) -> AdoptedNetwork:
        """Return the network as the components take it."""
        return AdoptedNetwork(**self.model_dump())


class NetworkSettings(Section):
    """The stack's VPC: made, or adopted."""

    adopt: AdoptSettings | None = None
    """Default: none; a VPC is made. With it nothing else may be said here."""
    cidr: Cidr = "10.0.0.0/16"
    zones: tuple[Zone, ...] = ("a", "b")
    """Letters of the availability zones. A letter keeps its addresses whatever the others are."""
    nat: Literal["none", "single", "per_zone"] = "per_zone"
    """NAT gateways: one a zone survives the loss of any; `single` is cheaper."""
    gateway_endpoints: tuple[Literal["s3", "dynamodb"], ...] = ("s3", "dynamodb")
    """Free of charge, and keeps that traffic off the NAT gateways."""
    interface_endpoints: tuple[str, ...] = ()
    """Short service names, such as `execute-api`. Each costs by zone and hour: from about five on, more than a NAT."""
    flow_log_days: RetentionDays | None = 30
    """Days that flow logs are kept. `null`: none are written."""

    @model_validator(mode="after")
    def _adopted_or_made(self) -> Self:
        beside = sorted(self.model_fields_set - {"adopt"}) if self.adopt else []
        if beside:
            raise ValueError(f"an adopted network has its own {', '.join(beside)}: take these out, or take out `adopt`")
        # Which account and region it is says nothing of the rest, and every error of a file is told at once.
        self.args(Account(id="000000000000", region="us-east-1"))
        return self

    def args(self, account: Account) -> NetworkArgs:
        """Return what a network that is made takes."""
        return NetworkArgs(
            account=account,
            cidr=self.cidr,
            zones=self.zones,
            nat=self.nat,
            gateway_endpoints=self.gateway_endpoints,
            interface_endpoints=self.interface_endpoints,
            flow_logs=FlowLogs(retention_days=self.flow_log_days) if self.flow_log_days else None,
        )

    def sketch(self) -> AdoptedNetwork:
        """Return a network of this shape with ids that are nobody's, to hold other settings against."""
        if self.adopt:
            return self.adopt.value()
        ids = tuple(f"subnet-{number:08x}" for number in range(2 * len(self.zones)))
        return AdoptedNetwork(
            vpc_id="vpc-00000000",
            cidr=self.cidr,
            zones=self.zones,
            app_subnet_ids=ids[: len(self.zones)],
            public_subnet_ids=ids[len(self.zones) :],
        )

    def endpoints(self) -> set[str]:
        """Return the interface endpoints there are, by short service name."""
        return set(self.adopt.endpoint_ids) if self.adopt else set(self.interface_endpoints)


class ClusterSettings(Section):
    """The ECS cluster."""

    capacity: Strategy = (CapacitySettings(provider="FARGATE"),)
    """What services run on unless they say otherwise."""
    container_insights: Literal["disabled", "enabled", "enhanced"] = "enhanced"
    exec_audit: bool = False
    """Whether ECS Exec sessions are possible, encrypted, and recorded."""


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


class AlertSettings(Section):
    """Who hears of alarms."""

    emails: tuple[Email, ...] = ()
    """Each gets a message from AWS and must confirm."""


def _one_account(ids: tuple[str, ...]) -> tuple[str, ...]:
    if len(ids) != 1:
        raise ValueError("name exactly one account: a stack lives in one")
    return ids


class Workloads(Section):
    """Which workloads run here, and how each is set: one key a folder of `apps/`, which brings its own class."""

    def each(self) -> Iterator[tuple[str, WorkloadSettings]]:
        """Yield name and settings of each workload that the stack names."""
        for field, info in type(self).model_fields.items():
            section = getattr(self, field)
            if section is not None:
                yield info.alias or field, section


class Settings(Section):
    """Everything that a stack file may say under `drydock:`."""

    region: Annotated[str, Text(REGION, "a region such as 'eu-west-1'")]
    """AWS region, such as `ap-southeast-1`."""
    allowed_account_ids: Annotated[tuple[AccountId, ...], AfterValidator(_one_account)]
    """The one account this stack lives in, as text. With any other account's credentials nothing is done."""
    stage: Annotated[str, Text(r"[a-z][a-z0-9-]{0,11}", "1 to 12 small letters, digits and hyphens, a letter first")]
    """The tag Environment, and what workloads are told, such as `dev`."""
    owner: Tag
    """The tag Owner: who answers for it."""
    cost_center: Tag
    """The tag CostCenter."""
    protect: bool = True
    """Whether load balancers, tables and repositories refuse to be deleted. Turn off what may be thrown away."""
    network: NetworkSettings = NetworkSettings()
    cluster: ClusterSettings = ClusterSettings()
    internal_load_balancer: LoadBalancerSettings | None = None
    """Reached from inside the network. Default: none."""
    public_load_balancer: LoadBalancerSettings | None = None
    """Reached from the internet. Default: none."""
    alerts: AlertSettings = AlertSettings()
    api_gateway_logging: bool = True
    """Whether this stack makes the one role by which API Gateway logs in its account and region. Off where another
    stack of the same account makes it: made twice, the later replaces the earlier."""
    image_pull_accounts: tuple[AccountId, ...] = ()
    """Other accounts that may pull the images built here, so that one digest serves several stacks."""
    workloads: Workloads

    def problems(self) -> Iterator[str]:
        """Yield what parts of the settings, each right by itself, have against each other."""
        for name, rule in self._names():
            try:
                naming.autonamed(name, rule)
            except InvalidArgsError as error:
                yield f"stage: got {self.stage!r}; {error}"
                break  # one setting, told once
        certificates = self.account().arn("acm", "certificate/")
        for kind, balancer in self._balancers().items():
            try:
                balancer.args(self.network.sketch(), internal=kind == "internal", protect=self.protect)
            except InvalidArgsError as error:
                yield f"{kind}_load_balancer: {error}"
            if balancer.certificate_arn and not balancer.certificate_arn.startswith(certificates):
                yield (
                    f"{kind}_load_balancer.certificate_arn: got {balancer.certificate_arn!r}; one of the stack's own "
                    f"account and region, {certificates}...: a load balancer takes no other"
                )
        for name, section in self.workloads.each():
            yield from (below(f"workloads.{name}", problem) for problem in section.problems(self))

    def _balancers(self) -> dict[str, LoadBalancerSettings]:
        kinds = {"internal": self.internal_load_balancer, "public": self.public_load_balancer}
        return {kind: balancer for kind, balancer in kinds.items() if balancer}

    def _names(self) -> Iterator[tuple[str, naming.NameRule]]:
        """Yield each name that the platform makes of the stage and that AWS may refuse, with the rule for it."""
        if self.network.interface_endpoints:
            yield f"{self.stage}-endpoints", _SECURITY_GROUP
        for kind, balancer in self._balancers().items():
            yield f"{self.stage}-{kind}", naming.LOAD_BALANCER
            yield f"{self.stage}-{kind}", _SECURITY_GROUP
            if balancer.access_log_days:
                yield f"{self.stage}-{kind}-access-logs", naming.BUCKET

    def account(self) -> Account:
        """Return the account and region as the components take them."""
        partition = "aws-cn" if self.region.startswith("cn-") else "aws-us-gov" if "-gov-" in self.region else "aws"
        return Account(id=self.allowed_account_ids[0], region=self.region, partition=partition)

    def tags(self) -> dict[str, str]:
        """Return the default tags of the provider. A workload's resources have its own name under Service."""
        return {
            "Project": "drydock",
            "Environment": self.stage,
            "Owner": self.owner,
            "CostCenter": self.cost_center,
            "Service": "platform",
            "ManagedBy": "pulumi",
        }
