"""What the program's roles lack, and what they have been given and did not need."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

from rehearsal.result import Lack

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from rehearsal.emulator import Denial
    from rehearsal.graph import Registered
    from rehearsal.tree import Tree

ROLE: Final = "aws:iam/role:Role"
_ROLE_POLICY: Final = "aws:iam/rolePolicy:RolePolicy"
_TASK_DEFINITION: Final = "aws:ecs/taskDefinition:TaskDefinition"


def lacks(tree: Tree, denials: Iterable[Denial]) -> list[Lack]:
    """Return what the program's roles were refused, each thing once."""
    logical = {str(role.outputs.get("name", "")): role.name for role in tree.of(ROLE)}
    found = [
        Lack(role=logical[denial.role], action=denial.action, resource=denial.resource, reason=denial.reason)
        for denial in denials
        if denial.role in logical
    ]
    return list(dict.fromkeys(found))


def strangers(tree: Tree, denials: Iterable[Denial]) -> list[str]:
    """Return who else was refused what: a service, or an anonymous caller. Each thing once, as a line."""
    logical = {str(role.outputs.get("name", "")) for role in tree.of(ROLE)}
    others = (denial for denial in denials if denial.role not in logical)
    return list(dict.fromkeys(f"{it.principal} lacks {it.action} on {it.resource} ({it.reason})" for it in others))


def idle(tree: Tree, exercised: Mapping[str, Collection[str]]) -> list[str]:
    """Return, as a line a task role, the actions that it was granted and that no request exercises.

    *exercised* is what each workload's requests say they need. A workload that says nothing is not asked.
    """
    task_roles = {definition.inputs.get("taskRoleArn") for definition in tree.of(_TASK_DEFINITION)}
    lines: list[str] = []
    for role in tree.of(ROLE):
        needed = exercised.get(tree.workload_of(role))
        if needed and role.outputs.get("arn") in task_roles:
            spare = sorted(_granted(tree, role) - set(needed))
            if spare:
                lines.append(f"role {role.name!r}: granted, not exercised: {', '.join(spare)}")
    return lines


def _granted(tree: Tree, role: Registered) -> set[str]:
    """Return the actions that the components above *role*'s policies declare for it."""
    granted: set[str] = set()
    for policy in tree.of(_ROLE_POLICY):
        above = tree.get(policy.parent)
        if role.urn in policy.property_dependencies.get("role", []) and above is not None:
            declared = cast("Mapping[str, list[Mapping[str, Any]]]", above.inputs.get("policies") or {})
            granted |= {str(action) for statement in declared.get(policy.name, []) for action in statement["actions"]}
    return granted
