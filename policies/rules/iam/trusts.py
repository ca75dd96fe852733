"""Who may take on a role: a named service, held to this account and to the kind of resource that calls for it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, cast

from policies.reading import Tree, Unknown, listed
from policies.rules.iam import accounts
from policies.rules.iam.documents import conditions_of
from policies.rules.iam.statements import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from collections.abc import Set as AbstractSet

Conditions = dict[str, dict[str, tuple[Tree, ...]]]

TASKS: Final = "ecs-tasks.amazonaws.com"


@dataclass(frozen=True)
class Trust:
    """One statement of a trust policy."""

    index: int
    kind: str
    """`Service`, `AWS`, `Federated`, or `*`."""
    principal: Tree
    conditions: Conditions
    actions: tuple[Tree, ...] = ("sts:AssumeRole",)


@dataclass(frozen=True)
class Demand:
    """What a trust in a service must be held to, since the service acts for every account."""

    source: str
    """Regular expression for `aws:SourceArn`."""
    example: str
    account: bool = False
    """Whether `aws:SourceAccount` is asked for, too."""
    either: bool = False
    """Whether `aws:SourceAccount` alone does."""


# Each service's own documentation on the confused deputy. Scheduler cannot take on a role held to one schedule.
DEMANDS: Final[Mapping[str, Demand]] = {
    TASKS: Demand(r"arn:[\w-]+:ecs:[\w-]+:\d{12}:.+", "arn:aws:ecs:REGION:ACCOUNT:*", account=True),
    "scheduler.amazonaws.com": Demand(
        r"arn:[\w-]+:scheduler:[\w-]+:\d{12}:schedule-group/[\w.-]+",
        "arn:aws:scheduler:REGION:ACCOUNT:schedule-group/NAME",
    ),
    "events.amazonaws.com": Demand(
        r"arn:[\w-]+:events:[\w-]+:\d{12}:rule/[^*]+\*?", "arn:aws:events:REGION:ACCOUNT:rule/NAME"
    ),
    "states.amazonaws.com": Demand(
        r"arn:[\w-]+:states:[\w-]+:\d{12}:.+", "arn:aws:states:REGION:ACCOUNT:stateMachine:NAME", either=True
    ),
    "vpc-flow-logs.amazonaws.com": Demand(
        r"arn:[\w-]+:ec2:[\w-]+:\d{12}:vpc-flow-log/.+", "arn:aws:ec2:REGION:ACCOUNT:vpc-flow-log/*", either=True
    ),
}

# They act for resources of the role's own account, and set no source to hold them to. API Gateway takes on the
# account's logging role: AWS documents no condition for it, and it was found not to send aws:SourceAccount.
UNCONDITIONED: Final = frozenset(
    {
        "apigateway.amazonaws.com",
        "application-autoscaling.amazonaws.com",
        "autoscaling.amazonaws.com",
        "ec2.amazonaws.com",
        "ecs.amazonaws.com",
        "edgelambda.amazonaws.com",
        "lambda.amazonaws.com",
        "monitoring.rds.amazonaws.com",
    }
)

_ACTIONS = {
    "sts:AssumeRole",
    "sts:AssumeRoleWithWebIdentity",
    "sts:AssumeRoleWithSAML",
    "sts:SetSourceIdentity",
    "sts:TagSession",
}
_ACCOUNT = re.compile(r"\d{12}")
_EQUAL = ("stringequals", "stringlike")
_ALIKE = ("arnlike", "arnequals", *_EQUAL)
# How subjects of the usual identity providers begin. Before a wildcard, a repository's owner must stand whole.
_SUBJECTS = ("repo:", "project_path:", "organization:", "system:serviceaccount:")
_OWNERLESS = re.compile(r"(repo|project_path):[^/]*")


def parse(raw: Tree) -> list[Trust] | None:
    """Read a trust policy, given as JSON text or as a mapping; nothing where it is neither."""
    if isinstance(raw, str):
        try:
            raw = cast("Tree", json.loads(raw))
        except ValueError:
            return None
    if not isinstance(raw, dict):
        return None
    return [
        trust
        for index, it in enumerate(listed(raw.get("Statement")))
        if isinstance(it, dict) and it.get("Effect") != "Deny"
        for trust in _parse_statement(index, it)
    ]


def _parse_statement(index: int, raw: Mapping[str, Tree]) -> Iterator[Trust]:
    conditions, allowed = conditions_of(raw.get("Condition")), tuple(listed(raw.get("Action")))
    principal = raw.get("Principal", "*")  # NotPrincipal trusts everybody else: no better than everybody
    if not isinstance(principal, dict):
        yield Trust(index, "*", principal, conditions, allowed)
        return
    for kind, named in principal.items():
        for one in listed(named):
            yield Trust(index, kind, one, conditions, allowed)


def declared(raw: Tree) -> Trust | None:
    """Read what a component declares under `trusts`: one service and its conditions."""
    if not isinstance(raw, dict):
        return None
    return Trust(0, "Service", raw.get("service"), conditions_of(raw.get("conditions")))


def plain(service: str) -> str:
    """The service's name outside China, where it may have a suffix of its own."""
    return service.removesuffix(".cn") if service.endswith(".amazonaws.com.cn") else service


def is_service(principal: str) -> bool:
    """Whether *principal* is one of AWS's services."""
    return plain(principal).endswith(".amazonaws.com")


def judge(trust: Trust, trusted: Sequence[str], own: AbstractSet[str] = frozenset()) -> Fault | None:
    """What is wrong with *trust*, if anything: no value is quoted, since any may be secret.

    Args:
        trust: one principal and its conditions.
        trusted: further services a stack's configuration lets in.
        own: the stack's accounts, where known: a service held to another's is refused.

    """
    who = trust.principal
    strange = [it for it in trust.actions if it not in _ACTIONS]
    if strange:
        return _fault(trust, "it allows another action", "a trust allows sts:AssumeRole")
    if isinstance(who, Unknown):
        return _fault(trust, "the principal is not known yet", "give it as plain text", unproved=True)
    if trust.kind == "Service" and isinstance(who, str):
        return _service(trust, who, trusted, own)
    loose = _identity(trust, who)
    return _fault(trust, *loose) if loose else None


def _identity(trust: Trust, who: Tree) -> tuple[str, str] | None:
    """Reason and fix where people or other accounts are trusted too widely."""
    keys = {key.lower() for by_key in trust.conditions.values() for key in by_key}
    if trust.kind == "Federated":
        subjects = [it for key in keys if key.endswith(":sub") for it in _values(trust.conditions, key, _EQUAL)]
        if subjects and not any(isinstance(it, str) and _anybody(it) for it in subjects):
            return None
        reason = "any identity of the provider is trusted"
        return reason, "add the condition StringEquals PROVIDER:sub, such as repo:OWNER/NAME:ref:refs/heads/main"
    if who == "*" or not isinstance(who, str):
        return "anybody is trusted", "name the service or role that takes it on"
    if (who.endswith(":root") or _ACCOUNT.fullmatch(who)) and "sts:externalid" not in keys:
        return "every identity of an account is trusted", "name its role, or add the condition sts:ExternalId"
    return ("the principal stands for several", "name one role") if "*" in who else None


def _anybody(subject: str) -> bool:
    """Whether *subject* leaves open whose it is."""
    head = re.split(r"[*?]", subject, maxsplit=1)[0]
    return head != subject and (any(it.startswith(head) for it in _SUBJECTS) or bool(_OWNERLESS.fullmatch(head)))


def _service(trust: Trust, given: str, trusted: Sequence[str], own: AbstractSet[str]) -> Fault | None:
    service = plain(given)
    held_to = _values(trust.conditions, "aws:sourceaccount", _EQUAL)
    arns = _values(trust.conditions, "aws:sourcearn", _ALIKE)
    if any(accounts.other(it, own) for it in [*held_to, *map(accounts.of_arn, arns)]):
        fix = "give aws:SourceAccount and aws:SourceArn the account of this stack's provider"
        return _fault(trust, "it is held to another account than the stack's", fix)
    demand = DEMANDS.get(service)
    if demand is None:
        if service in UNCONDITIONED or given in trusted:
            return None
        return _fault(trust, "the principal is no service that roles here are for", "name it in `trustedServices`")
    account_held = bool(held_to) and all(isinstance(it, Unknown) or _ACCOUNT.fullmatch(str(it)) for it in held_to)
    fix = f"add ArnLike aws:SourceArn {demand.example}"
    if demand.account:
        fix += " and StringEquals aws:SourceAccount ACCOUNT"
    if not all(isinstance(it, Unknown) or re.fullmatch(demand.source, str(it)) for it in arns):
        return _fault(trust, f"its aws:SourceArn does not hold {service}", fix)
    held = (arns or account_held) if demand.either else (arns and (account_held or not demand.account))
    return None if held else _fault(trust, f"{service} is trusted for every account", fix)


def _values(conditions: Conditions, key: str, operators: Sequence[str]) -> list[Tree]:
    return [
        value
        for operator, by_key in conditions.items()
        if operator.lower() in operators
        for name, values in by_key.items()
        if name.lower() == key
        for value in values
    ]


def services(trusts: Sequence[Trust]) -> set[str]:
    """The services that *trusts* let in."""
    return {plain(it.principal) for it in trusts if it.kind == "Service" and isinstance(it.principal, str)}


def _fault(trust: Trust, reason: str, fix: str, *, unproved: bool = False) -> Fault:
    return Fault(
        rule="trust", statement=trust.index, action="sts:AssumeRole", reason=reason, fix=fix, unproved=unproved
    )
