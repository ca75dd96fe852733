"""What only the graph shows of least privilege: everything one role holds together, and whom a role is for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from policies.findings import Finding
from policies.pack import Pack
from policies.reading import Known, Unknown
from policies.rules.iam import declarations, documents, escalation, managed, statements, trusts
from policies.rules.least_privilege import (
    ATTACHMENTS,
    POLICY,
    ROLE,
    ROLE_ATTACHMENT,
    ROLE_POLICY,
    RULES,
    SCHEMA,
    PrivilegeOptions,
    attached,
    judge,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from policies.resources import Graph, Resource
    from policies.rules.iam.documents import Document


def judge_graph(graph: Graph, options: PrivilegeOptions) -> Iterator[Finding]:
    """Attachments of policies that stand elsewhere, and each role as a whole."""
    for resource in graph.of_type(*ATTACHMENTS):
        yield from _attachment(graph, resource)
    for role in graph.of_type(ROLE):
        yield from _role(graph, role, options)


def _attachment(graph: Graph, resource: Resource) -> Iterator[Finding]:
    """A policy of this stack was judged where it stands; another account's or stack's cannot be seen."""
    here = graph.sources(resource, ATTACHMENTS[resource.type], POLICY)
    arns = [it.value for policy in graph.of_type(POLICY) if isinstance(it := policy.output("arn"), Known)]
    hidden = 0
    for arn in attached(resource):
        if isinstance(arn, Unknown):
            hidden += 1
        elif isinstance(arn, str) and not managed.AWS_MANAGED.fullmatch(arn) and arn not in arns and not here:
            yield _unseen(resource, arn)
    if hidden > len(here):
        yield _unseen(resource, "a policy not known yet")


def _unseen(resource: Resource, what: str) -> Finding:
    return Finding(
        rule="managed-policy",
        urn=resource.urn,
        unproved=True,
        message=f"{resource.title}: `{ATTACHMENTS[resource.type]}` has {what}, whose content this stack does not show; "
        "write the policy in this stack",
    )


def _role(graph: Graph, role: Resource, options: PrivilegeOptions) -> Iterator[Finding]:
    held = list(_documents(graph, role))
    is_task_role = trusts.TASKS in _services(graph, role)
    together: set[str] = set()
    for holder, document in held:
        together |= document.expanded()
        component = declarations.find(holder, graph.by_urn, declarations.POLICIES).by
        if is_task_role and not declarations.for_tasks(component):
            for fault in statements.judge(document, options.pass_role_services, task_role=True):
                if fault.rule == "task-role":
                    yield Finding(rule=fault.rule, urn=holder.urn, message=f"{holder.title}: of {role.title}, {fault}")
    for names in escalation.complete(together):
        whole = {name.lower() for name in names}
        if any(whole <= document.expanded() for _, document in held):
            continue  # told of the one document
        parts = ", ".join(sorted(holder.title for holder, it in held if whole & it.expanded()))
        yield Finding(
            rule="escalation",
            urn=role.urn,
            message=f"{role.title}: {' + '.join(names)}, from {parts}, let it take more rights than it was given; "
            "leave out one of them, or give it to a role of its own",
        )


def _services(graph: Graph, role: Resource) -> set[str]:
    reading = role.read("assumeRolePolicy")
    trusted = trusts.parse(reading.value) if isinstance(reading, Known) else None
    if trusted is None:
        meant = trusts.declared(declarations.find(role, graph.by_urn, declarations.TRUSTS).entry)
        trusted = [meant] if meant else []
    return trusts.services(trusted)


def _documents(graph: Graph, role: Resource) -> Iterator[tuple[Resource, Document]]:
    """Every document that *role* holds, with the resource that gives it."""
    for policy in graph.of_type(ROLE_POLICY):
        if _of_role(graph, policy, role) and (document := _read(graph, policy)):
            yield policy, document
    for attachment in [role, *(it for it in graph.of_type(ROLE_ATTACHMENT) if _of_role(graph, it, role))]:
        for arn in attached(attachment):
            if isinstance(arn, str) and (content := managed.document(arn)):
                yield attachment, content
        for policy in graph.sources(attachment, ATTACHMENTS[attachment.type], POLICY):
            if document := _read(graph, policy):
                yield policy, document


def _of_role(graph: Graph, resource: Resource, role: Resource) -> bool:
    return any(graph.refers(resource, "role", role, attribute) for attribute in ("id", "name", "arn"))


def _read(graph: Graph, policy: Resource) -> Document | None:
    reading = policy.read("policy")
    if isinstance(reading, Known):
        return documents.parse(reading.value)
    return documents.declared(declarations.find(policy, graph.by_urn, declarations.POLICIES).entry)


PACK: Final = Pack(
    name="least-privilege",
    description="Identities may do what they need and nothing more, and only who a role is for takes it on.",
    rules=RULES,
    read=PrivilegeOptions.read,
    schema=SCHEMA,
    on_resource=judge,
    on_graph=judge_graph,
)
