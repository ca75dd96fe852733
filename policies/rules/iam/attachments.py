"""Every way in which AWS's provider gives an identity its rights, and whom each gives them to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from policies.reading import Absent, Known, Reading, Tree, Unknown, listed, read

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from policies.resources import Graph, Resource

ROLE: Final = "aws:iam/role:Role"
ROLE_POLICY: Final = "aws:iam/rolePolicy:RolePolicy"
POLICY: Final = "aws:iam/policy:Policy"
DOCUMENTS: Final = (ROLE_POLICY, POLICY, "aws:iam/userPolicy:UserPolicy", "aws:iam/groupPolicy:GroupPolicy")
"""Types whose `policy` says what an identity may do."""
ROLE_ATTACHMENT: Final = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
POLICY_ATTACHMENT: Final = "aws:iam/policyAttachment:PolicyAttachment"
EXCLUSIVE: Final = "aws:iam/rolePolicyAttachmentsExclusive:RolePolicyAttachmentsExclusive"
ATTACHMENTS: Final[Mapping[str, str]] = {
    ROLE_ATTACHMENT: "policyArn",
    POLICY_ATTACHMENT: "policyArn",
    "aws:iam/userPolicyAttachment:UserPolicyAttachment": "policyArn",
    "aws:iam/groupPolicyAttachment:GroupPolicyAttachment": "policyArn",
    EXCLUSIVE: "policyArns",
    "aws:iam/userPolicyAttachmentsExclusive:UserPolicyAttachmentsExclusive": "policyArns",
    "aws:iam/groupPolicyAttachmentsExclusive:GroupPolicyAttachmentsExclusive": "policyArns",
    ROLE: "managedPolicyArns",
}
"""Type → the property that attaches managed policies."""
HOLDERS: Final[Mapping[str, str]] = {
    ROLE_POLICY: "role",
    ROLE_ATTACHMENT: "role",
    POLICY_ATTACHMENT: "roles",
    EXCLUSIVE: "roleName",
}
"""Type → the property that names the roles it gives rights to. `RolePoliciesExclusive` gives none: it lists names."""


def attached(resource: Resource) -> list[Tree]:
    """The managed policies that *resource* attaches; one unknown stands for a list not known yet."""
    return _entries(resource.read(ATTACHMENTS[resource.type]))


def attached_here(graph: Graph, resource: Resource) -> list[Resource]:
    """The policies of this stack among them: by ARN where it is known, else by where the value came from."""
    given = attached(resource)
    arns = [Known(it) for it in given if isinstance(it, str)]
    came_from = graph.sources(resource, ATTACHMENTS[resource.type], POLICY) if len(arns) < len(given) else []
    return [it for it in graph.of_type(POLICY) if it in came_from or it.output("arn") in arns]


def inline(role: Resource) -> Iterator[tuple[str, Reading]]:
    """Where each inline policy of *role* stands, and its document; all of them may be one unknown."""
    match role.read("inlinePolicies"):
        case Unknown() as unknown:
            yield "inlinePolicies", unknown
        case reading:
            for index, entry in enumerate(_entries(reading)):
                yield f"inlinePolicies[{index}].policy", read(entry, "policy")


def holds(graph: Graph, role: Resource) -> Iterator[Resource]:
    """Everything, besides itself, that gives *role* rights."""
    return (it for it in graph.of_type(*HOLDERS) if _is_for(it, role))


def _is_for(resource: Resource, role: Resource) -> bool:
    key = HOLDERS[resource.type]
    given = _entries(resource.read(key))
    names = [role.output(it) for it in ("id", "name", "arn")]
    if any(Known(it) in names for it in given):
        return True
    clear = all(isinstance(it, str) for it in given) and all(isinstance(it, Known) for it in names)
    return not clear and role.urn in resource.sources.get(key, frozenset())


def _entries(reading: Reading) -> list[Tree]:
    match reading:
        case Known(value):
            return listed(value)
        case Unknown() as unknown:
            return [unknown]
        case Absent():
            return []
