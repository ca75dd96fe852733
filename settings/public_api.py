"""What stands before a workload that the public calls: keys, throttles, limits, a name, a firewall."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import Field, model_validator

from components import api_stage
from components.usage_plan import Quota, UsagePlan
from settings.load_balancer import DomainSettings
from settings.section import ACCOUNT_ID, REGION, Section, Text
from settings.workload import RetentionDays

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from settings.load_balancer import LoadBalancerSettings
    from settings.platform import Settings

AclArn = Annotated[
    str,
    Text(
        rf"arn:[a-z-]+:wafv2:{REGION}:{ACCOUNT_ID}:regional/webacl/[^/]+/[^/]+", "the ARN of a regional WAFv2 web ACL"
    ),
]
PlanName = Annotated[
    str, Text(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", "1 to 63 lower-case letters, digits and hyphens between them")
]


class ThrottleSettings(Section):
    """How many requests are let through; past it API Gateway answers 429."""

    rate_limit: Annotated[int, Field(ge=1, le=10_000)] = 100
    """Requests a second, over time."""
    burst_limit: Annotated[int, Field(ge=1, le=5_000)] = 200
    """Requests at once."""

    def value(self) -> api_stage.Throttle:
        """Return it as the components take it."""
        return api_stage.Throttle(rate_limit=self.rate_limit, burst_limit=self.burst_limit)


class QuotaSettings(Section):
    """How many requests each key has in all."""

    limit: Annotated[int, Field(ge=1, le=2**31 - 1)]
    """Requests."""
    period: Literal["DAY", "WEEK", "MONTH"] = "DAY"
    """What they are counted over, from its first moment in UTC."""


class PlanSettings(ThrottleSettings):
    """Clients with a key each, and what each of these may ask: its throttle, beside that of all together."""

    clients: tuple[PlanName, ...]
    """Their names, one key each."""
    quota: QuotaSettings | None = None
    """Default: none; a key has no end."""

    @model_validator(mode="after")
    def _somebody_has_a_key(self) -> Self:
        if not self.clients:
            raise ValueError("clients: got []; the name of one client or more")
        return self

    def plan(self) -> UsagePlan:
        """Return it as the components take it."""
        quota = self.quota and Quota(limit=self.quota.limit, period=self.quota.period)
        return UsagePlan(clients=self.clients, throttle=self.value(), quota=quota)


class PublicApiSettings(Section):
    """A public REST API before a load balancer."""

    stage: Annotated[str, Text(r"\w{1,128}", "1 to 128 letters, digits and underscores")] = "prod"
    """The first part of every URL's path, where there is no domain."""
    throttle: ThrottleSettings = ThrottleSettings()
    """What all callers together are held to."""
    plans: dict[PlanName, PlanSettings] = Field(default_factory=dict)
    """Plan → clients with a key each. With any, whoever has no key is refused. Default: none; anybody may call."""
    timeout_ms: Annotated[int, Field(ge=50, le=300_000)] = 29_000
    """Milliseconds that an answer may take; past it 504. More than 29000 needs a raised quota."""
    domain: DomainSettings | None = None
    """The names that it is reached by. Default: AWS's own, and the stage."""
    web_acl_arn: AclArn | None = None
    """A regional WAF web ACL that judges every request first. Default: none."""
    tracing: bool = False
    """Whether requests are sampled for X-Ray."""
    log_retention_days: RetentionDays = 30
    """Days its access log is kept."""

    @model_validator(mode="after")
    def _one_key_a_client(self) -> Self:
        clients = [client for plan in self.plans.values() for client in plan.clients]
        if twice := sorted({client for client in clients if clients.count(client) > 1}):
            raise ValueError(f"plans: got {', '.join(map(repr, twice))} more than once; each client once, in one plan")
        return self

    def problems(self, stack: Settings) -> Iterator[str]:
        """Yield what it shares with the stack and cannot, and what it names that is another account's or region's."""
        account = stack.account()
        named = {
            "domain.certificate_arn": (self.domain and self.domain.certificate_arn, account.arn("acm", "certificate/")),
            "web_acl_arn": (self.web_acl_arn, account.arn("wafv2", "regional/webacl/")),
        }
        for setting, (arn, own) in named.items():
            if arn and not arn.startswith(own):
                yield (
                    f"{setting}: got {arn!r}; one of the stack's own account and region, {own}...: API Gateway takes "
                    "no other"
                )
        for kind in ("internal_load_balancer", "public_load_balancer"):
            balancer: LoadBalancerSettings | None = getattr(stack, kind)
            shared = self.domain and balancer and balancer.domain and self.domain.proved() & balancer.domain.proved()
            for name in sorted(shared or ()):
                yield (
                    f"domain: got {name!r} or '*.{name}', one of which {kind} has too; another name for one of them, "
                    "since both are proved by the same record"
                )

    def usage_plans(self) -> Mapping[str, UsagePlan]:
        """Return the plans as the components take them."""
        return {name: plan.plan() for name, plan in self.plans.items()}
