"""A role that one AWS service takes, with one inline policy made of grants."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pulumi_aws as aws

from components.grants import Conditions, Grant, document, trust

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pulumi import Output

    from components.account import Account
    from components.base import Owner


@dataclass(frozen=True, kw_only=True)
class Role:
    """A role that was made."""

    arn: Output[str]
    """What a service is given to take the role by."""
    name: Output[str]
    """Its name in the account, without the path."""
    policy: aws.iam.RolePolicy | None
    """What to wait for before anything acts under the role; it must also outlive whoever does."""


@dataclass(frozen=True, kw_only=True)
class ServiceRole:
    """The plan of a role: declared in its component's props first, made by the component after.

    Both come from this one value, so that what a policy pack reads at preview is what AWS gets.
    """

    name: str
    """Logical name of the role and of its policy, at most 56 characters (IAM's 64 less Pulumi's 8)."""
    service: str
    """Who takes it, such as ``ecs-tasks.amazonaws.com``."""
    conditions: Conditions
    """Under which conditions: `confused_deputy` gives the usual ones."""
    grants: Sequence[Grant] = field(default_factory=tuple[Grant, ...])
    """What it may do. Default: nothing; the role is then made without a policy."""

    def declared(self) -> dict[str, Any]:
        """Return the trust as a component declares it in its props."""
        return {"service": self.service, "conditions": {op: dict(keys) for op, keys in self.conditions.items()}}

    def create(self, within: Owner) -> Role:
        """Make the role and its policy as children of *within*."""
        role = aws.iam.Role(
            self.name,
            assume_role_policy=trust(self.service, self.conditions),
            tags=within.tags,
            opts=within.child(),
        )
        policy = None
        if self.grants:
            policy = aws.iam.RolePolicy(self.name, role=role.id, policy=document(self.grants), opts=within.child())
        return Role(arn=role.arn, name=role.name, policy=policy)


def confused_deputy(account: Account, source: str) -> Conditions:
    """Admit the service only on behalf of *account* and of *source*, an ARN that may end in a wildcard.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html
    """
    return {"StringEquals": {"aws:SourceAccount": account.id}, "ArnLike": {"aws:SourceArn": source}}
