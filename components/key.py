"""A KMS key that the account administers and that named AWS services may use."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pulumi_aws as aws
from pulumi import ResourceOptions

from components import resource_policy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from components.account import Account
    from components.base import Owner


def create(
    within: Owner,
    name: str,
    description: str,
    account: Account,
    users: Sequence[resource_policy.Statement],
    *,
    outlives: bool = False,
) -> aws.kms.Key:
    """Make a key, rotated yearly, as a child of *within*; *users* are the statements that admit services to it.

    With *outlives* it stays when all else is destroyed, since what is kept beyond that is encrypted with it.

    The first statement is AWS's own default: without it no IAM policy of the account could grant the key, and
    nobody could mend it. In a key's policy ``*`` stands for the key itself.
    https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html
    """
    root = {"AWS": f"arn:{account.partition}:iam::{account.id}:root"}
    return aws.kms.Key(
        name,
        description=description,
        enable_key_rotation=True,
        policy=resource_policy.document([resource_policy.admit(root, ["kms:*"], "*", {}), *users]),
        tags=within.tags,
        opts=within.child(ResourceOptions(retain_on_delete=True) if outlives else None),
    )
