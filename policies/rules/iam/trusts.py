"""Who may take on a role: a named service, held to this account and to the kind of resource that calls for it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, cast

from policies.reading import Tree, Unknown, listed
from policies.rules.iam.documents import conditions_of
from policies.rules.iam.statements import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

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
    "apigateway.amazonaws.com": Demand(
        r"arn:[\w-]+:(execute-api|apigateway):.+", "arn:aws:execute-api:REGION:ACCOUNT:API/*", either=True
    ),
    "vpc-flow-logs.amazonaws.com": Demand(
        r"arn:[\w-]+:ec2:[\w-]+:\d{12}:vpc-flow-log/.+", "arn:aws:ec2:REGION:ACCOUNT:vpc-flow-log/*", either=True
    ),
}

# They act for resources of the role's own account, and set no source to hold them to.
UNCONDITIONED: Final = frozenset(
    {
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


def judge(trust: Trust, trusted: Sequence[str]) -> Fault | None:
    """What is wrong with *trust*, if anything. *trusted* are further services a stack's configuration lets in."""
    who = trust.principal
    strange = [it for it in trust.actions if it not in _ACTIONS]
    if strange:
        return _fault(trust, f"it allows {strange[0]!r}", "a trust allows sts:AssumeRole")
    if isinstance(who, Unknown):
        return _fault(trust, "the principal is not known yet", "give it as plain text", unproved=True)
    if trust.kind == "Service" and isinstance(who, str):
        return _service(trust, who, trusted)
    loose = _identity(trust, who)
    return _fault(trust, *loose) if loose else None


def _identity(trust: Trust, who: Tree) -> tuple[str, str] | None:
    """Reason and fix where people or other accounts are trusted too widely."""
    keys = {key.lower() for by_key in trust.conditions.values() for key in by_key}
    if trust.kind == "Federated":
        held = any(key.endswith((":sub", ":aud")) for key in keys)
        return None if held else (f"any identity of {who} is trusted", "hold it to a subject by a condition")
    if who == "*" or not isinstance(who, str):
        return "anybody is trusted", "name the service or role that takes it on"
    if (who.endswith(":root") or _ACCOUNT.fullmatch(who)) and "sts:externalid" not in keys:
        return f"every identity of account {who} is trusted", "name its role, or add the condition sts:ExternalId"
    return (f"{who!r} stands for several", "name one role") if "*" in who else None


def _service(trust: Trust, service: str, trusted: Sequence[str]) -> Fault | None:
    demand = DEMANDS.get(service)
    if demand is None:
        if service in UNCONDITIONED or service in trusted:
            return None
        return _fault(trust, f"{service!r} is no service that roles here are for", "name it in `trustedServices`")
    accounts = _values(trust.conditions, "aws:sourceaccount", ("stringequals", "stringlike"))
    arns = _values(trust.conditions, "aws:sourcearn", ("arnlike", "arnequals", "stringequals", "stringlike"))
    account_held = bool(accounts) and all(isinstance(it, Unknown) or _ACCOUNT.fullmatch(str(it)) for it in accounts)
    wrong = [it for it in arns if not isinstance(it, Unknown) and not re.fullmatch(demand.source, str(it))]
    fix = f"add ArnLike aws:SourceArn {demand.example}"
    if demand.account:
        fix += " and StringEquals aws:SourceAccount ACCOUNT"
    if wrong:
        return _fault(trust, f"aws:SourceArn {wrong[0]!r} does not hold {service}", fix)
    if demand.either:
        return None if arns or account_held else _fault(trust, f"{service} is trusted for every account", fix)
    if not arns or (demand.account and not account_held):
        return _fault(trust, f"{service} is trusted for every account", fix)
    return None


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
    return {it.principal for it in trusts if it.kind == "Service" and isinstance(it.principal, str)}


def _fault(trust: Trust, reason: str, fix: str, *, unproved: bool = False) -> Fault:
    return Fault(
        rule="trust", statement=trust.index, action="sts:AssumeRole", reason=reason, fix=fix, unproved=unproved
    )
