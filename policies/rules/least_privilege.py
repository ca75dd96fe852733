"""Identities may do what they need and nothing more; nobody takes on a role but who it is for."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from policies.findings import Finding, about
from policies.reading import Absent, Known, Reading, Tree, Unknown
from policies.rules.iam import accounts, attachments, declarations, documents, invocations, managed, statements, trusts
from policies.rules.iam.attachments import ATTACHMENTS, DOCUMENTS, ROLE, attached
from policies.rules.iam.documents import Document

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from policies.configuration import Given
    from policies.resources import Resource
    from policies.rules.iam.statements import Fault

PERMISSION: Final = "aws:lambda/permission:Permission"

RULES: Final = frozenset(
    {
        "escalation",
        "iam-action",
        "invoke-permission",
        "malformed-policy",
        "managed-policy",
        "not-action",
        "pass-role",
        "permissions-management",
        "policy-version",
        "task-role",
        "trust",
        "undeclared",
        "unknown-action",
        "unproved",
        "wildcard-action",
        "wildcard-resource",
    }
)


@dataclass(frozen=True, kw_only=True)
class PrivilegeOptions:
    """What a stack's configuration of this pack may say."""

    pass_role_services: tuple[str, ...] = (trusts.TASKS,)
    """Services that roles may be passed to."""
    trusted_services: tuple[str, ...] = ()
    """Services that may take on roles without conditions, besides those known to set none."""

    @classmethod
    def read(cls, given: Given) -> PrivilegeOptions:
        """Read `passRoleServices` and `trustedServices`."""
        return cls(
            pass_role_services=given.strings("passRoleServices", cls.pass_role_services),
            trusted_services=given.strings("trustedServices"),
        )


SCHEMA: Final = {
    "passRoleServices": {
        "type": "array",
        "items": {"type": "string"},
        "description": "Services that roles may be passed to.",
    },
    "trustedServices": {
        "type": "array",
        "items": {"type": "string"},
        "description": "Services trusted without conditions.",
    },
}


def judge(resource: Resource, seen: Mapping[str, Resource], options: PrivilegeOptions) -> Iterator[Finding]:
    """Everything wrong with what one resource allows or, a component, declares that its own resources will."""
    if not resource.type.startswith("aws:"):
        yield from _component(resource, seen, options)
    if resource.type in DOCUMENTS:
        yield from _document(resource, seen, options)
    if resource.type == ROLE:
        yield from _trust(resource, seen, options)
        yield from _inline(resource, options)
    if resource.type in ATTACHMENTS:
        path = ATTACHMENTS[resource.type]
        for arn in attached(resource):
            if isinstance(arn, str) and managed.AWS_MANAGED.fullmatch(arn):
                fault = managed.judge_attachment(arn, options.pass_role_services)
                yield from _findings(resource, f"`{path}`", [fault] if fault else [])
    if resource.type == PERMISSION:
        yield from _permission(resource, seen)


def _component(resource: Resource, seen: Mapping[str, Resource], options: PrivilegeOptions) -> Iterator[Finding]:
    """Judge declarations as if they were the documents: refusing the component keeps all below it from being made."""
    for name, raw in _entries(declarations.said(resource, declarations.POLICIES)):
        where = f"`{declarations.POLICIES}.{name}`"
        document = documents.declared(raw)
        if document is None:
            text = "it is no list of {actions, resources, conditions}"
            yield _unproved(resource, where, text, unknown=isinstance(raw, Unknown))
        else:
            yield from _findings(resource, where, _judged(document, resource, options))
    for name, raw in _entries(declarations.said(resource, declarations.TRUSTS)):
        where = f"`{declarations.TRUSTS}.{name}`"
        trust = trusts.declared(raw)
        if trust is None:
            yield _unproved(resource, where, "it is no {service, conditions}", unknown=isinstance(raw, Unknown))
        else:
            fault = trusts.judge(trust, options.trusted_services, accounts.own(resource, seen))
            yield from _findings(resource, where, [fault] if fault else [])


def _entries(reading: Reading) -> Iterator[tuple[str, Tree]]:
    if isinstance(reading, Known) and isinstance(reading.value, dict):
        yield from reading.value.items()


def _judged(document: Document, component: Resource | None, options: PrivilegeOptions) -> list[Fault]:
    task_role = declarations.for_tasks(component)
    return statements.judge(document, options.pass_role_services, task_role=task_role)


def _document(resource: Resource, seen: Mapping[str, Resource], options: PrivilegeOptions) -> Iterator[Finding]:
    declaration = declarations.find(resource, seen, declarations.POLICIES)
    meant = documents.declared(declaration.entry)
    match resource.read("policy"):
        case Unknown():
            if meant is None:
                text = "it is not known yet, and no component above declares it"
                yield _unproved(resource, "`policy`", text, unknown=True)
            # Declared: the component itself was judged, before this resource.
        case Absent():
            yield _unproved(resource, "`policy`", "it is not given", unknown=False)
        case Known(raw):
            document = documents.parse(raw)
            if document is None:
                yield _unproved(resource, "`policy`", "it is no policy document", unknown=False)
                return
            faults = _judged(document, declaration.by, options)
            if meant is not None:
                told = {(it.rule, it.action) for it in _judged(meant, declaration.by, options)}
                faults = [it for it in faults if (it.rule, it.action) not in told]
            if declaration.spoken:
                faults += declarations.beyond(document, meant or Document(statements=()))
            yield from _findings(resource, "`policy`", faults)


def _trust(resource: Resource, seen: Mapping[str, Resource], options: PrivilegeOptions) -> Iterator[Finding]:
    declaration = declarations.find(resource, seen, declarations.TRUSTS)
    meant = trusts.declared(declaration.entry)
    own = accounts.own(resource, seen)
    match resource.read("assumeRolePolicy"):
        case Unknown() if meant is not None:
            return  # the component was judged by it
        case Known(raw) if (trusted := trusts.parse(raw)) is not None:
            faults = [fault for it in trusted if (fault := trusts.judge(it, options.trusted_services, own))]
            if meant is not None:
                told = trusts.judge(meant, options.trusted_services, own)
                faults = [it for it in faults if told is None or it.reason != told.reason]
                faults += declarations.beyond_trust(trusted, meant)
            yield from _findings(resource, "`assumeRolePolicy`", faults)
        case Unknown():
            text = "it is not known yet, and no component above declares it"
            yield _unproved(resource, "`assumeRolePolicy`", text, unknown=True)
        case _:
            yield _unproved(resource, "`assumeRolePolicy`", "it is no policy document", unknown=False)


def _inline(role: Resource, options: PrivilegeOptions) -> Iterator[Finding]:
    for path, reading in attachments.inline(role):
        document = documents.parse(reading.value) if isinstance(reading, Known) else None
        if document:
            yield from _findings(role, f"`{path}`", _judged(document, None, options))
        elif not isinstance(reading, Absent):
            yield _unproved(role, f"`{path}`", "it cannot be read", unknown=isinstance(reading, Unknown))


def _permission(resource: Resource, seen: Mapping[str, Resource]) -> Iterator[Finding]:
    if isinstance(resource.read("principal"), Unknown):
        text = "`principal` is not known yet; give it as plain text"
        yield about("invoke-permission", resource, text, unproved=True)
    elif fault := invocations.judge(resource, accounts.own(resource, seen)):
        yield about("invoke-permission", resource, fault)


def _findings(resource: Resource, where: str, faults: Iterable[Fault]) -> Iterator[Finding]:
    for fault in faults:
        behind = partial(_behind, resource, where, fault)
        yield about(fault.rule, resource, f"{where} {fault}", unproved=fault.unproved, behind=behind)


def _behind(resource: Resource, where: str, fault: Fault) -> Iterator[Finding]:
    return _findings(resource, where, fault.behind())


def _unproved(resource: Resource, where: str, reason: str, *, unknown: bool) -> Finding:
    if not unknown:
        return about("malformed-policy", resource, f"{where} cannot be judged: {reason}")
    text = f"{where} cannot be proved: {reason}; declare its actions in the component's props"
    return about("unproved", resource, text, unproved=True)
