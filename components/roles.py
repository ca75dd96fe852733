"""A role that one AWS service takes, with one inline policy made of grants."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import pulumi_aws as aws

from components.errors import InvalidArgsError, of
from components.grants import Conditions, Grant, document, trust

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pulumi import Input, Output

    from components.account import Account
    from components.base import Owner


# The shapes `pathType` and `policyPathType` of botocore's `iam` model, which policies ask for no more than.
_PATH: Final = re.compile(r"/([!-.0-~]+/)*")
_LONGEST_PATH: Final = 512


@dataclass(frozen=True, kw_only=True)
class RoleBounds:
    """Where in IAM a component's roles are, and the most that each may do. Its children's too, as its tags are.

    By both of them, whoever deploys can be held to roles that can do no more than is meant: see `Boundary`. Another
    path is another role: AWS moves none.

    Raises:
        InvalidArgsError: a path that IAM refuses.

    """

    path: str = "/"
    """IAM path of roles and instance profiles, such as ``/shop/prod/``, at most 512 characters. Default: IAM's own."""
    boundary: Input[str] | None = None
    """ARN of the policy that each role carries as its permissions boundary. Default: none."""

    def __post_init__(self) -> None:
        check_path(self, "path")


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
        bounds = within.role_bounds
        role = aws.iam.Role(
            self.name,
            path=bounds.path if bounds else None,
            permissions_boundary=bounds.boundary if bounds else None,
            assume_role_policy=trust(self.service, self.conditions),
            tags=within.tags,
            opts=within.child(),
        )
        policy = None
        if self.grants:
            policy = aws.iam.RolePolicy(self.name, role=role.id, policy=document(self.grants), opts=within.child())
        return Role(arn=role.arn, name=role.name, policy=policy)


def check_path(owner: object, field: str) -> None:
    """Refuse ``owner.field`` if IAM has no such path."""
    path = str(getattr(owner, field))
    if len(path) > _LONGEST_PATH or not _PATH.fullmatch(path):
        want = f"a path such as '/shop/prod/', at most {_LONGEST_PATH} characters: a slash first and last, no spaces"
        raise InvalidArgsError(of(owner, field), got=path, want=want)


def confused_deputy(account: Account, source: str) -> Conditions:
    """Admit the service only on behalf of *account* and of *source*, an ARN that may end in a wildcard.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html
    """
    return {"StringEquals": {"aws:SourceAccount": account.id}, "ArnLike": {"aws:SourceArn": source}}
