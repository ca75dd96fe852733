"""Who calls an API by a key, and how much each may ask: plans, and the keys in them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

import pulumi_aws as aws
from pulumi import ResourceOptions

from components import naming
from components.api_stage import Throttle
from components.errors import InvalidArgsError, of, one_of, within

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pulumi import Input, Output

    from components.base import Owner

_NAME: Final = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")
_MOST: Final = 2**31 - 1


@dataclass(frozen=True, kw_only=True)
class Quota:
    """How many requests each key has for a day, a week or a month; past it API Gateway answers 429.

    It is no wall: AWS counts on a best-effort basis, and a few more may pass.
    https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-request-throttling.html

    Raises:
        InvalidArgsError: a number out of bounds, or another period.

    """

    limit: int
    """Requests, 1 to 2147483647: `QuotaSettings` in botocore's `apigateway` model has a 32-bit integer."""
    period: Literal["DAY", "WEEK", "MONTH"] = "DAY"
    """What they are counted over, from its first moment in UTC. Default: a day."""

    def __post_init__(self) -> None:
        within(self, "limit", 1, _MOST, "requests")
        one_of(self, "period", ("DAY", "WEEK", "MONTH"))


@dataclass(frozen=True, kw_only=True)
class UsagePlan:
    """Clients that have a key each, and what each of them may ask.

    A key says who calls, so that one client's excess is not another's. It is no proof of identity: whoever has seen
    it has it.

    Raises:
        InvalidArgsError: no client, or names that none can have.

    """

    clients: Sequence[str]
    """Their names, one key each: lower-case letters, digits and single hyphens. Their order says nothing."""
    throttle: Throttle = field(default_factory=Throttle)
    """What each key is held to, beside the stage's own throttle. Default: as that one's default."""
    quota: Quota | None = None
    """What each key has in all. Default: no end."""

    def __post_init__(self) -> None:
        wrong = [client for client in self.clients if not _NAME.fullmatch(client)]
        if wrong or not self.clients or len(set(self.clients)) != len(self.clients):
            raise InvalidArgsError(
                of(self, "clients"),
                got=tuple(self.clients),
                want="one or more names, each once, of lower-case letters, digits and hyphens between them",
            )


def check(owner: object, field_: str) -> None:
    """Refuse plans in ``owner.field_`` whose names none can have, or with a client in two of them.

    API Gateway refuses a key in two plans of one stage.
    """
    plans: Mapping[str, UsagePlan] = getattr(owner, field_)
    clients = [client for plan in plans.values() for client in plan.clients]
    if twice := sorted({client for client in clients if clients.count(client) > 1}):
        raise InvalidArgsError(of(owner, field_), got=twice, want="each client in one plan of a stage")
    for plan in plans:
        if not _NAME.fullmatch(plan):
            raise InvalidArgsError(of(owner, field_), got=plan, want="lower-case letters, digits and hyphens")


def check_lengths(name: str, plans: Mapping[str, UsagePlan]) -> None:
    """Refuse *plans* of the API *name* where a key or a plan would have too long a name."""
    for plan, said in plans.items():
        naming.autonamed(f"{name}-{plan}", naming.USAGE_PLAN)
        for client in said.clients:
            naming.autonamed(f"{name}-{client}", naming.API_KEY)


def issue(
    owner: Owner, name: str, plans: Mapping[str, UsagePlan], *, api_id: Output[str], stage_name: Input[str]
) -> dict[str, Output[str]]:
    """Make *plans* for a stage of the API *name*, and a key for each client, as children of *owner*.

    Returns the id of each client's key. AWS makes up its value, which stays there, and in state as a secret.
    """
    ids: dict[str, Output[str]] = {}
    for plan, said in sorted(plans.items()):
        made = aws.apigateway.UsagePlan(
            f"{name}-{plan}",
            api_stages=[{"api_id": api_id, "stage": stage_name}],
            throttle_settings={
                "rate_limit": said.throttle.rate_limit,
                "burst_limit": said.throttle.burst_limit,
            },
            quota_settings={"limit": said.quota.limit, "period": said.quota.period} if said.quota else None,
            tags=owner.tags,
            opts=owner.child(),
        )
        for client in sorted(said.clients):
            key = aws.apigateway.ApiKey(
                f"{name}-{client}",
                # The provider's own says who made it.
                description=f"{client}, of the plan {plan}",
                tags=owner.tags,
                opts=owner.child(),
            )
            aws.apigateway.UsagePlanKey(
                f"{name}-{client}",
                key_id=key.id,
                key_type="API_KEY",
                usage_plan_id=made.id,
                # It has the key's value, too, and the provider hides it in the key alone.
                opts=owner.child(ResourceOptions(additional_secret_outputs=["value"])),
            )
            ids[client] = key.id
    return ids


def command(key_id: str, *, region: str) -> str:
    """Return the shell command that shows the value of the key of that id to whoever may see it."""
    return (
        f"aws apigateway get-api-key --region {region} --api-key {key_id} --include-value --query value --output text"
    )
