"""Which image a task runs, as a stack file says it."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import AfterValidator, model_validator

from components import naming
from settings.section import ACCOUNT_ID, REGION, Section, Text


def _named(url: str) -> str:
    naming.fixed(url.partition("/")[2], naming.REPOSITORY)  # which is only so long
    return url


Digest = Annotated[str, Text(r"sha256:[0-9a-f]{64}", "'sha256:' and 64 hexadecimal digits")]
_REGISTRY = rf"{ACCOUNT_ID}\.dkr\.ecr\.{REGION}\.amazonaws\.com(\.cn)?"
Registry = Annotated[
    str, Text(_REGISTRY, "<account>.dkr.ecr.<region>.amazonaws.com, without a repository's name behind it")
]
RepositoryUrl = Annotated[
    str,
    Text(
        rf"{_REGISTRY}/{naming.REPOSITORY.pattern}",
        f"<account>.dkr.ecr.<region>.amazonaws.com/<name> without tag or digest, the name {naming.REPOSITORY.reads}",
    ),
    AfterValidator(_named),
]


class ImageSettings(Section):
    """Which image runs: built from the sources at each `pulumi up`, or one that exists, by its digest."""

    build: bool = False
    """Build `apps/<workload>/service` and push it to the stack's repository. For development."""
    digest: Digest | None = None
    """The digest of an image that exists, such as `sha256:` and 64 hexadecimal digits."""
    repository: RepositoryUrl | None = None
    """ECR repository to take `digest` from. Default: that of the image's name in the stack's `image_registry`; without
    one, the stack's own repository."""

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if self.build == (self.digest is not None):
            raise ValueError("say one of `build: true` and `digest: sha256:<64 hexadecimal digits>`")
        if self.repository and not self.digest:
            raise ValueError("`repository` says where `digest` is: add the digest, or take `repository` out")
        return self
