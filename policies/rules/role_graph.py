"""What only the graph shows of least privilege: everything one role holds together, and whom a role is for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from policies.findings import Finding
from policies.pack import Pack
from policies.reading import Known, Unknown
from policies.rules.iam import attachments, declarations, documents, escalation, managed, statements, trusts
from policies.rules.iam.attachments import ATTACHMENTS, POLICY, ROLE, ROLE_POLICY, attached, attached_here
from policies.rules.least_privilege import RULES, SCHEMA, PrivilegeOptions, judge

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
    arns = [it.value for policy in graph.of_type(POLICY) if isinstance(it := policy.output("arn"), Known)]
    given = attached(resource)
    if any(isinstance(it, str) and not managed.AWS_MANAGED.fullmatch(it) and it not in arns for it in given):
        yield _unseen(resource, "a policy from elsewhere")
    hidden = sum(isinstance(it, Unknown) for it in given)
    origins = resource.sources.get(ATTACHMENTS[resource.type], frozenset())
    pending = {it.urn for it in graph.of_type(POLICY) if not isinstance(it.output("arn"), Known)}
    # What came from anything but policies of this stack whose ARNs are to come may be any ARN at all.
    if hidden > len(origins & pending) or (hidden and not origins <= {it.urn for it in graph.of_type(POLICY)}):
        yield _unseen(resource, "a policy not known yet")


def _unseen(resource: Resource, what: str) -> Finding:
    return Finding(
        rule="managed-policy",
        urn=resource.urn,
        unproved=True,
        message=f"{resource.title}: `{ATTACHMENTS[resource.type]}` attaches {what}, whose content this stack "
        "does not show; write the policy in this stack",
    )


def _role(graph: Graph, role: Resource, options: PrivilegeOptions) -> Iterator[Finding]:
    held = list(_documents(graph, role))
    is_task_role = trusts.TASKS in _services(graph, role)
    together: set[str] = set()
    for holder, document in held:
        together |= document.expanded()
        component = declarations.find(holder, graph.by_urn, declarations.POLICIES).by
        judged = holder.type in (ROLE_POLICY, POLICY) and declarations.for_tasks(component)
        if is_task_role and not judged:
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
    for _, reading in attachments.inline(role):
        if isinstance(reading, Known) and (document := documents.parse(reading.value)):
            yield role, document
    for holder in [role, *attachments.holds(graph, role)]:
        if holder.type == ROLE_POLICY:
            if document := _read(graph, holder):
                yield holder, document
            continue
        for arn in attached(holder):
            if isinstance(arn, str) and (content := managed.document(arn)):
                yield holder, content
        for policy in attached_here(graph, holder):
            if document := _read(graph, policy):
                yield policy, document


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
