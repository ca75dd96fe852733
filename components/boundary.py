"""The most that a role may ever do which a deployment makes: whoever deploys can give it no more than that."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import pulumi_aws as aws

from components import documents, naming
from components.base import Component, declared
from components.errors import InvalidArgsError, of
from components.grants import POLICY_VERSION
from components.image import PULL
from components.roles import check_path

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pulumi import ResourceOptions

    from components.account import Account

_BEYOND: Final = (
    *("account:*", "iam:*", "organizations:*", "sso:*", "sts:*"),
    *("ecr:BatchDeleteImage", "ecr:DeleteRepository", "ecr:PutImage", "ecr:SetRepositoryPolicy"),
)
_ANYWHERE: Final = ("ecr:GetAuthorizationToken", *PULL, "iam:*", "route53:*", "sts:*")
"""Services that have no region, and images, which one account holds in one region for every stack."""


@dataclass(frozen=True, kw_only=True)
class BoundaryArgs:
    """What a `Boundary` takes.

    Raises:
        InvalidArgsError: a name or a path that IAM refuses, or nothing that is closed.

    """

    account: Account
    """Where the roles are, and the one region in which they may do anything."""
    policy_name: str
    """What whoever makes roles knows it by, so that no suffix is added: one of that name in the account."""
    role_path: str
    """IAM path of the roles that it bounds, such as ``/shop/prod/``: they may pass each other on, and no other role."""
    closed: Sequence[str]
    """ARNs that none of them may touch: where the deployments' own state is."""
    path: str = "/pipeline/"
    """Its own IAM path: one that the roles it bounds, and whoever makes them, may not write to."""

    def __post_init__(self) -> None:
        naming.fixed(self.policy_name, naming.POLICY)
        check_path(self, "role_path")
        check_path(self, "path")
        if not self.closed:
            raise InvalidArgsError(of(self, "closed"), got=self.closed, want="at least the ARN of the state's bucket")


class Boundary(Component):
    """A permissions boundary: it gives nothing, and takes away whatever is beyond it.

    Within it is all that services do for workloads, in one region: data too, which whoever makes roles need not be able
    to read themselves. Beyond it is who may do what (IAM, the account, the organization), which images there are, other
    roles, other regions, and what is closed. So whoever makes a role with every right there is has made one that can
    neither make another nor mend its own.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html
    """

    arn: str
    """What roles are made with. Plain, since it is known before it is made."""

    def __init__(self, name: str, args: BoundaryArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__(name, declared(args), opts)
        aws.iam.Policy(
            name,
            name=args.policy_name,
            path=args.path,
            policy=str(documents.render(_document(args))),
            tags=self.tags,
            opts=self.child(),
        )
        self.arn = f"arn:{args.account.partition}:iam::{args.account.id}:policy{args.path}{args.policy_name}"
        self.register_outputs({})


def _document(args: BoundaryArgs) -> dict[str, Any]:
    roles = f"arn:{args.account.partition}:iam::{args.account.id}:role{args.role_path}*"
    return {
        "Version": POLICY_VERSION,
        "Statement": [
            {
                "Sid": "AllButIdentities",
                "Effect": "Allow",
                "NotAction": list(_BEYOND),
                "Resource": "*",
            },
            {"Sid": "EachOther", "Effect": "Allow", "Action": "iam:PassRole", "Resource": roles},
            {
                "Sid": "Elsewhere",
                "Effect": "Deny",
                "NotAction": list(_ANYWHERE),
                "Resource": "*",
                # Where it is told: a mount, or a call of an API of ours, is none of AWS's own calls.
                "Condition": {
                    "StringNotEquals": {"aws:RequestedRegion": args.account.region},
                    "Null": {"aws:RequestedRegion": "false"},
                },
            },
            {"Sid": "Closed", "Effect": "Deny", "Action": "*", "Resource": sorted(set(args.closed))},
        ],
    }
