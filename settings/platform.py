"""What a stack says of the things it has one of: account, tags, network, cluster, load balancers, alerts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Final, cast

from pydantic import AfterValidator

from components import naming
from components.account import Account
from components.errors import InvalidArgsError
from settings import on_instances
from settings.cluster import ClusterSettings
from settings.image import Registry
from settings.load_balancer import LoadBalancerSettings
from settings.network import NetworkSettings
from settings.roles import RoleSettings
from settings.section import ACCOUNT_ID, REGION, Section, Text, below
from settings.service import ServiceSettings
from settings.sleep import SleepSettings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from settings.workload import WorkloadSettings

# https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html
Tag = Annotated[
    str,
    Text(
        r"(?! +$)(?![Aa][Ww][Ss]:)[\w .:/=+@-]{1,256}",
        "a tag's value: 1 to 256 letters, digits, spaces and _.:/=+-@, not spaces alone, nor 'aws:' first",
    ),
]
Email = Annotated[str, Text(r"[^@\s]+@[^@\s]+\.[^@\s]+", "an e-mail address")]
AccountId = Annotated[str, Text(ACCOUNT_ID, "an account's 12 digits")]

# https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSecurityGroup.html
_SECURITY_GROUP: Final = naming.NameRule(
    what="security group",
    longest=255,
    pattern=r"(?!sg-).+",
    reads="not 'sg-' at the beginning, which is how AWS's ids begin",
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

    def services(self) -> Iterator[tuple[str, ServiceSettings]]:
        """Yield path and settings of each service that the stack names, be it a workload or a part of one."""
        for name, section in self.each():
            yield from _services(f"workloads.{name}", section)


def _services(path: str, part: object) -> Iterator[tuple[str, ServiceSettings]]:
    if isinstance(part, ServiceSettings):
        yield path, part
    parts: Mapping[str, object] = {}
    if isinstance(part, Section):
        parts = {name: getattr(part, name) for name in type(part).model_fields}
    elif isinstance(part, Mapping):
        parts = cast("Mapping[str, object]", part)
    for name, each in parts.items():
        yield from _services(f"{path}.{name}", each)


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
    sleep: SleepSettings | None = None
    """Working hours, outside which nothing runs. Default: none; the stack never sleeps."""
    api_gateway_logging: bool = True
    """Whether this stack makes the one role by which API Gateway logs in its account and region. Off where another
    stack of the same account makes it: made twice, the later replaces the earlier."""
    roles: RoleSettings = RoleSettings()
    image_registry: Registry | None = None
    """The account and region in whose repositories the images are that come by digest alone, such as
    `111122223333.dkr.ecr.eu-west-1.amazonaws.com`: made by the bootstrap stack, so that one digest serves every stack.
    What this stack builds is in repositories of its own, whose names then begin with its stage. Default: none; each
    image is in a repository of this stack's."""
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
            certificate = balancer.domain and balancer.domain.certificate_arn
            if certificate and not certificate.startswith(certificates):
                yield (
                    f"{kind}_load_balancer.domain.certificate_arn: got {certificate!r}; one of the stack's own "
                    f"account and region, {certificates}...: a load balancer takes no other"
                )
        yield from self._names_of_both()
        if self.sleep:
            yield from (below("sleep", problem) for problem in self.sleep.problems(protect=self.protect))
        yield from (below("cluster", problem) for problem in self.cluster.problems(self.stage))
        yield from on_instances.clashes(self.workloads.services(), self.cluster)
        for name, section in self.workloads.each():
            yield from (below(f"workloads.{name}", problem) for problem in section.problems(self))

    def _balancers(self) -> dict[str, LoadBalancerSettings]:
        kinds = {"internal": self.internal_load_balancer, "public": self.public_load_balancer}
        return {kind: balancer for kind, balancer in kinds.items() if balancer}

    def _names_of_both(self) -> Iterator[str]:
        """Yield each name that both load balancers would have: a record leads to one, and one proof has one owner."""
        internal, public = (
            balancer.domain.proved() if balancer and balancer.domain else set[str]()
            for balancer in (self.internal_load_balancer, self.public_load_balancer)
        )
        for name in sorted(internal & public):
            yield (
                f"public_load_balancer.domain: got {name!r} or '*.{name}', one of which internal_load_balancer has "
                "too; another name for one of them, since both are proved by the same record"
            )

    def _names(self) -> Iterator[tuple[str, naming.NameRule]]:
        """Yield each name that is made of the stage and that AWS may refuse, with the rule for it."""
        if self.image_registry:
            yield self.stage, naming.REPOSITORY
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
