"""The definition of least privilege, statement by statement. Every fault carries statement, action, reason and fix."""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Final

from policies.reading import Tree, Unknown
from policies.rules.iam import actions, escalation
from policies.rules.iam.documents import VERSION

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from collections.abc import Set as AbstractSet

    from policies.rules.iam.actions import Action
    from policies.rules.iam.documents import Document, Statement

_READING = ("Read", "List")
PASSING: Final = "iam:PassRole"
_WILDCARD: Final = "wildcard-action"
_NAMED: Final = 10
"""Actions that one message names."""
_ROLE_ARN = re.compile(r"arn:[\w-]+:iam::\d{12}:role/[^*?]+")


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One thing a statement allows beyond what is needed, or that cannot be shown to be needed."""

    rule: str
    statement: int | None
    """Its index, or none where the document as a whole is at fault."""
    action: str
    reason: str
    fix: str
    unproved: bool = False
    behind: Callable[[], Iterable[Fault]] = field(default=tuple, compare=False)
    """What the actions of a refused wildcard are at fault for besides: told where the wildcard is excepted."""

    def __str__(self) -> str:
        """Write it as a message does."""
        where = "the document" if self.statement is None else f"statement {self.statement}"
        return f"{where}{', ' + self.action if self.action else ''}: {self.reason}; {self.fix}"


def judge(document: Document, pass_role_services: Sequence[str], *, task_role: bool = False) -> list[Fault]:
    """Everything in *document* beyond least privilege.

    Args:
        document: what is allowed.
        pass_role_services: services that roles may be passed to.
        task_role: it is for tasks, which need nothing of `iam` and change nothing of `ecs`.

    """
    faults: list[Fault] = []
    if document.version != VERSION:
        reason = "its Version is another, under which variables are plain text"
        faults.append(
            Fault(rule="policy-version", statement=None, action="", reason=reason, fix=f"write Version {VERSION}")
        )
    for statement in document.statements:
        faults += _judge_statement(statement, pass_role_services, task_role=task_role)
    told = [*_escalations(document.expanded() - _refused(faults))]
    for place, fault in enumerate(faults):
        if fault.rule == _WILDCARD:
            more = partial(_with_escalations, fault.behind, document, told)
            faults[place] = dataclasses.replace(fault, behind=more)
    return faults + told


def _with_escalations(
    behind: Callable[[], Iterable[Fault]], document: Document, told: Sequence[Fault]
) -> Iterator[Fault]:
    yield from behind()
    yield from (it for it in _escalations(document.expanded()) if it not in told)


def _escalations(held: AbstractSet[str]) -> Iterator[Fault]:
    for found in escalation.complete(held):
        yield Fault(
            rule="escalation",
            statement=None,
            action=" + ".join(found),
            reason="together they let its holder take more rights than it was given",
            fix="leave out one of them, or give it to a role of its own",
        )


def _refused(faults: Sequence[Fault]) -> set[str]:
    """Actions already refused for what they are: their combinations need no second message."""
    whole = {_WILDCARD, "iam-action", "permissions-management", "task-role"}
    patterns = {name for it in faults if it.rule in whole for name in it.action.split(", ")}
    return {action.name.lower() for pattern in patterns for action in actions.expand(pattern)}


def _judge_statement(statement: Statement, services: Sequence[str], *, task_role: bool) -> Iterator[Fault]:
    if statement.allows and statement.inverted:
        names = " and ".join(statement.inverted)
        reason, fix = f"{names} with Allow grants whatever AWS adds", "name what is allowed instead"
        yield Fault(rule="not-action", statement=statement.index, action="", reason=reason, fix=fix)
        return
    granted: list[Action] = []
    for text in statement.actions:
        refused = _judge_action(statement, text)
        if not refused and isinstance(text, str):
            granted += actions.expand(text)
        elif refused and refused.rule == _WILDCARD and isinstance(text, str):
            found = actions.expand(text)
            granting = partial(_judge_granted, statement, found, services, task_role=task_role)
            behind = partial(_summed, granting) if found else partial(_judge_all, statement, text)
            yield dataclasses.replace(refused, behind=behind)
        elif refused:
            yield refused
    if statement.allows:
        yield from _judge_granted(statement, granted, services, task_role=task_role)


def _judge_granted(
    statement: Statement, granted: Sequence[Action], services: Sequence[str], *, task_role: bool
) -> Iterator[Fault]:
    """Judge the actions that *statement* allows, each by itself, for what it is on and what it does."""
    if granted and not statement.resources:
        reason, fix = "it names no resource", "name the resources it is for"
        yield Fault(rule="wildcard-resource", statement=statement.index, action="", reason=reason, fix=fix)
    yield from _judge_resources(statement, granted)
    for action in granted:
        refused = _judge_grant(action, statement, services, task_role=task_role)
        if refused:
            yield refused


def _judge_all(statement: Statement, text: str) -> Iterator[Fault]:
    """Judge a wildcard over all services, which no table expands."""
    reason, fix = "it changes who may do what", "leave it to the deployment"
    yield Fault(rule="iam-action", statement=statement.index, action=text, reason=reason, fix=fix)
    if "*" in statement.resources:
        reason, fix = "allowed on anything, though a resource can be named", "name the ARNs it is for"
        yield Fault(rule="wildcard-resource", statement=statement.index, action=text, reason=reason, fix=fix)


def _summed(judge: Callable[[], Iterable[Fault]]) -> Iterator[Fault]:
    """Sum up faults that differ in their action alone: a wildcard may stand for thousands."""
    alike: dict[Fault, list[str]] = {}
    for fault in judge():
        alike.setdefault(dataclasses.replace(fault, action=""), []).append(fault.action)
    return (dataclasses.replace(fault, action=_listed(names)) for fault, names in alike.items())


def _listed(names: Iterable[str]) -> str:
    named = list(names)
    return ", ".join(named[:_NAMED]) + (f" and {len(named) - _NAMED} more" if len(named) > _NAMED else "")


def _judge_action(statement: Statement, text: Tree) -> Fault | None:
    """Judge one entry of a statement's actions as it is written."""

    def fault(rule: str, reason: str, fix: str, *, unproved: bool = False) -> Fault:
        return Fault(
            rule=rule, statement=statement.index, action=actions.shown(text), reason=reason, fix=fix, unproved=unproved
        )

    naming = "name the actions that the code calls"
    if not isinstance(text, str):
        return fault("unproved", "an action is not known yet", "give actions as plain text", unproved=True)
    service, _, name = text.partition(":")
    if name == "*" or "*" in service or "?" in service:
        if not statement.allows:
            return None
        whole = (
            "every action there is"
            if "*" in service
            else f"every action of {service if actions.service_exists(service.lower()) else 'a service'}"
        )
        return fault(_WILDCARD, f"{whole} is allowed", naming)
    found = actions.expand(text)
    if not found and service.lower() not in actions.RETIRED:
        reason = f"its action {statement.actions.index(text)} is none of AWS's"
        return fault("unknown-action", reason, actions.likely(text))
    reason = _loose(name, found) if statement.allows and any(mark in name for mark in "*?") else None
    return fault(_WILDCARD, reason, naming) if reason else None


def _loose(name: str, found: Sequence[Action]) -> str | None:
    """Why a wildcard in an action's name is too wide, if it is: only a prefix within Read or List is allowed."""
    levels = {action.level for action in found}
    if not name.endswith("*") or any(mark in name[:-1] for mark in "*?"):
        return "a wildcard may only end an action's name"
    if len(levels) > 1 or not levels <= set(_READING):
        listing = " and ".join(sorted(levels))
        return f"it matches {len(found)} actions of level {listing}; a prefix may match Read alone or List alone"
    return None


def _judge_resources(statement: Statement, granted: Sequence[Action]) -> Iterator[Fault]:
    for index, resource in enumerate(statement.resources):
        # Neither is quoted: whatever was put there may be secret.
        which = f"its resource {index}"
        if not isinstance(resource, str):
            continue  # not known yet: some resource's own ARN, judged as text once it is
        if resource != "*" and not resource.startswith("arn:"):
            yield Fault(
                rule="malformed-policy",
                statement=statement.index,
                action="",
                reason=f"{which} is no ARN",
                fix="give the resource's ARN",
            )
            continue
        wide = [it for it in granted if not it.wildcard_only and _everything(resource, it, statement)]
        if wide:
            kind = "anything" if resource == "*" else f"everything of a kind, for which {which} stands"
            yield Fault(
                rule="wildcard-resource",
                statement=statement.index,
                action=_listed(it.name for it in wide),
                reason=f"allowed on {kind}, though a resource can be named",
                fix="name the ARNs it is for",
            )


def _everything(resource: str, action: Action, statement: Statement) -> bool:
    """Whether *resource* names every resource of a kind that *action* takes."""
    if resource == "*":
        return True
    parts = resource.split(":", 5)
    if len(parts) < 6 or "*" in parts[2]:  # noqa: PLR2004 - arn:partition:service:region:account:resource
        return "*" in resource
    service, region, named = parts[2], parts[3], parts[5]
    wildcard = re.search(r"[*?]", named)
    if not wildcard:
        return False
    head = named[: wildcard.start()]
    for pattern in action.resource_arns:
        _, _, its_service, its_region, _, its_name = pattern.split(":", 5)
        fixed = its_name.split("${")[0]
        if its_service != service or (region == "") != (its_region == ""):
            continue
        if (fixed.startswith(head) or head.rstrip("/") == fixed.rstrip("/")) and not _narrowed(action, statement):
            return True
    return False


def _narrowed(action: Action, statement: Statement) -> bool:
    """Whether a condition on the resource itself leaves only some of its kind (where an id cannot be known before)."""
    for operator, by_key in statement.conditions.items():
        plain = operator.lower().removeprefix("foranyvalue:")
        if plain.endswith("ifexists") or "not" in plain or plain.startswith(("null", "forallvalues")):
            continue
        for key, values in by_key.items():
            known_key = any(
                key.lower() == it or (it.endswith("/") and key.lower().startswith(it)) for it in action.condition_keys
            )
            if known_key and values and not any(isinstance(it, str) and not it.strip("*?:") for it in values):
                return True
    return False


def _judge_grant(action: Action, statement: Statement, services: Sequence[str], *, task_role: bool) -> Fault | None:
    """Judge one action for what it does, whatever it is on."""

    def fault(rule: str, reason: str, fix: str) -> Fault:
        return Fault(rule=rule, statement=statement.index, action=action.name, reason=reason, fix=fix)

    service = action.name.split(":", 1)[0]
    if task_role and service == "iam":
        return fault("task-role", "a task role needs nothing of iam", "leave it out")
    if task_role and service == "ecs" and action.level not in _READING:
        return fault("task-role", "a task role changes nothing of ecs", "leave it out")
    if action.name == PASSING:
        loose = _passed_loosely(statement, services)
        return fault("pass-role", *loose) if loose else None
    if (service == "iam" and action.level not in _READING) or action.level == "Permissions management":
        rule = "iam-action" if service == "iam" else "permissions-management"
        return fault(rule, "it changes who may do what", "leave it to the deployment")
    return None


def _passed_loosely(statement: Statement, services: Sequence[str]) -> tuple[str, str] | None:
    """Reason and fix where roles may be passed beyond named roles and *services*."""
    loose = [it for it in statement.resources if isinstance(it, str) and not _ROLE_ARN.fullmatch(it)]
    if loose:
        return "a resource is not one role's ARN", "name each role that is passed"
    named: list[Tree] = [
        value
        for operator, by_key in statement.conditions.items()
        if operator.lower() in ("stringequals", "stringlike", "foranyvalue:stringequals")
        for key, values in by_key.items()
        if key.lower() == "iam:passedtoservice"
        for value in values
    ]
    fix = f"add the condition StringEquals iam:PassedToService {' or '.join(services)}"
    strangers = [it for it in named if it not in services]
    if not named:
        return "the roles may be passed to any service", fix
    if strangers:
        stranger = "a service not known yet" if isinstance(strangers[0], Unknown) else "another service"
        return f"the roles may be passed to {stranger}", fix
    return None
