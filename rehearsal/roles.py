"""What the program's roles lack, and what they have been given and did not need."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from rehearsal.result import Lack
from rehearsal.services import SERVICE, TASK_DEFINITION

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from rehearsal.emulator import Denial
    from rehearsal.graph import Registered
    from rehearsal.tree import Tree

ROLE: Final = "aws:iam/role:Role"
_ROLE_POLICY: Final = "aws:iam/rolePolicy:RolePolicy"
_CLUSTER: Final = "aws:ecs/cluster:Cluster"


def lacks(tree: Tree, denials: Iterable[Denial], *, of: str | None = None) -> list[Lack]:
    """Return what the program's roles were refused, each thing once; or those *of* one workload alone."""
    among = [role for role in tree.of(ROLE) if of is None or tree.workload_of(role) == of]
    logical = {str(role.outputs.get("name", "")): role.name for role in among}
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

    *exercised* is what each workload's requests say they need. A workload that says nothing is not asked. What ECS Exec
    needs is left out where a service has it on: no request opens a session, and that Exec is unproved is said already.
    """
    task_roles = {definition.inputs.get("taskRoleArn") for definition in tree.of(TASK_DEFINITION)}
    with_exec = _with_exec(tree)
    lines: list[str] = []
    for role in tree.of(ROLE):
        needed = exercised.get(tree.workload_of(role))
        if needed and role.outputs.get("arn") in task_roles:
            granted = _granted(tree, role)
            if role.outputs.get("arn") in with_exec:
                granted -= _for_exec(tree, granted)
            spare = sorted({action for action, _ in granted} - set(needed))
            if spare:
                lines.append(f"role {role.name!r}: granted, not exercised: {', '.join(spare)}")
    return lines


def _granted(tree: Tree, role: Registered) -> set[tuple[str, str]]:
    """Return what *role*'s policies allow: actions, each with its resource."""
    return {
        (action, resource)
        for policy in tree.of(_ROLE_POLICY)
        if role.urn in policy.property_dependencies.get("role", [])
        for statement in json.loads(policy.inputs["policy"])["Statement"]
        for action in statement["Action"]
        for resource in statement["Resource"]
    }


def _with_exec(tree: Tree) -> set[Any]:
    """Return the ARNs of the task roles of those services that have ECS Exec on."""
    running = {
        each.inputs.get("taskDefinition") for each in tree.of(SERVICE) if each.inputs.get("enableExecuteCommand")
    }
    definitions = tree.of(TASK_DEFINITION)
    return {each.inputs.get("taskRoleArn") for each in definitions if each.outputs.get("arn") in running}


def _for_exec(tree: Tree, granted: set[tuple[str, str]]) -> set[tuple[str, str]]:
    """Return those of *granted* that ECS Exec needs: its channel, and the log and the key of the clusters' sessions.

    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-exec.html
    """
    sessions = [
        each.inputs.get("configuration", {}).get("executeCommandConfiguration", {}) for each in tree.of(_CLUSTER)
    ]
    keys = {each.get("kmsKeyId") for each in sessions}
    groups = {each.get("logConfiguration", {}).get("cloudWatchLogGroupName") for each in sessions}

    def needed(action: str, resource: str) -> bool:
        match action.partition(":")[0]:
            case "ssmmessages":
                return True
            case "logs":
                return (
                    action == "logs:DescribeLogGroups"
                    or resource.partition(":log-group:")[2].removesuffix(":*") in groups
                )
            case "kms":
                return resource in keys
            case _:
                return False

    return {(action, resource) for action, resource in granted if needed(action, resource)}
