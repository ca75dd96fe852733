"""What a workflow may do besides deploying: read or write a stack's state, and push images."""

from __future__ import annotations

from typing import TYPE_CHECKING

from components.grants import Grant
from components.image import PULL
from pipeline.target import PROJECT

if TYPE_CHECKING:
    from collections.abc import Iterable

    from components.account import Account
    from pipeline.target import Target


def state(account: Account, place: Target, key: str, *, write: bool = False) -> list[Grant]:
    """Allow reading the state of one stack, and no other stack's, and what is secret in it; *write* allows updates.

    A preview takes no lock and writes nothing. Where each thing lies is Pulumi's own: `pkg/backend/diy/store.go` and
    `lock.go` in pulumi/pulumi.
    """
    bucket = f"arn:{account.partition}:s3:::{place.state_bucket}"
    stack = f"{bucket}/.pulumi/stacks/{PROJECT}/{place.stack}.*"
    written = [
        stack,
        f"{bucket}/.pulumi/history/{PROJECT}/{place.stack}/*",
        f"{bucket}/.pulumi/backups/{PROJECT}/{place.stack}/*",
        f"{bucket}/.pulumi/locks/organization/{PROJECT}/{place.stack}/*",
    ]
    return [
        Grant(actions=("s3:ListBucket",), resources=(bucket,)),
        Grant(actions=("s3:GetObject",), resources=(f"{bucket}/.pulumi/meta.yaml", *(written if write else [stack]))),
        *([Grant(actions=("s3:DeleteObject", "s3:PutObject"), resources=written)] if write else []),
        Grant(actions=("kms:Decrypt", *(["kms:Encrypt"] if write else [])), resources=(key,)),
    ]


def closed(account: Account, place: Target, key: str) -> dict[str, list[str]]:
    """Return service → where all state of the account lies, and the key to it: nobody else's to change."""
    bucket = f"arn:{account.partition}:s3:::{place.state_bucket}"
    return {"s3": [bucket, f"{bucket}/*"], "kms": [key]}


def push(account: Account, repositories: Iterable[str]) -> list[Grant]:
    """Allow pushing to *repositories*, and asking what is there."""
    named = [account.arn("ecr", f"repository/{name}") for name in repositories]
    layers = ("ecr:CompleteLayerUpload", "ecr:InitiateLayerUpload", "ecr:PutImage", "ecr:UploadLayerPart")
    return [
        Grant(actions=("ecr:GetAuthorizationToken",), resources=("*",)),
        Grant(actions=(*PULL, *layers, "ecr:DescribeImages"), resources=named),
    ]
