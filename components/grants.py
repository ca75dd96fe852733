"""What a role may do, as values: handed out by the resource that knows its own actions, rendered once by the role."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from components import documents
from components.errors import InvalidArgsError, of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pulumi import Input

Conditions = Mapping[str, Mapping[str, "Input[str] | Sequence[Input[str]]"]]
"""Condition operator → key → value or values, as IAM has them."""

POLICY_VERSION = "2012-10-17"


@dataclass(frozen=True, kw_only=True)
class Grant:
    """Actions on resources, under conditions: one Allow statement of a policy.

    Grants only allow. What a resource must refuse to everybody belongs in that resource's own policy.

    Raises:
        InvalidArgsError: no action, no resource, or an action that is a wildcard of a whole service.

    """

    actions: Sequence[str]
    """Such as ``dynamodb:GetItem``; never ``*`` or ``service:*``."""
    resources: Sequence[Input[str]]
    """ARNs. ``*`` is for the few actions that know no narrower resource (`ecr:GetAuthorizationToken`)."""
    conditions: Conditions = field(default_factory=dict[str, Mapping[str, "Input[str] | Sequence[Input[str]]"]])
    """Default: none."""

    def __post_init__(self) -> None:
        if not self.actions:
            raise InvalidArgsError(of(self, "actions"), got=self.actions, want="name at least one action")
        if not self.resources:
            raise InvalidArgsError(of(self, "resources"), got=self.resources, want="name at least one ARN")
        for action in self.actions:
            if action.partition(":")[2] in ("", "*"):
                raise InvalidArgsError(
                    of(self, "actions"), got=action, want="name each action, such as 'dynamodb:GetItem'"
                )

    def declared(self) -> dict[str, Any]:
        """Return the statement as a component declares it in its props, for a policy to read at preview."""
        said: dict[str, Any] = {"actions": list(self.actions), "resources": list(self.resources)}
        if self.conditions:
            said["conditions"] = {operator: dict(keys) for operator, keys in self.conditions.items()}
        return said


def document(grants: Iterable[Grant]) -> Input[str]:
    """Render *grants* as one policy document: plain text when all is known, one output when something is not."""
    return documents.render({"Version": POLICY_VERSION, "Statement": [_statement(grant) for grant in grants]})


def trust(service: str, conditions: Conditions) -> Input[str]:
    """Render the document that lets *service* (``ecs-tasks.amazonaws.com``) take a role under *conditions*."""
    statement: dict[str, Any] = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    if conditions:
        statement["Condition"] = conditions
    return documents.render({"Version": POLICY_VERSION, "Statement": [statement]})


def _statement(grant: Grant) -> dict[str, Any]:
    statement: dict[str, Any] = {"Effect": "Allow", "Action": list(grant.actions), "Resource": list(grant.resources)}
    if grant.conditions:
        statement["Condition"] = grant.conditions
    return statement
