"""A container image, pinned by digest, and the right to pull it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from components.errors import InvalidArgsError
from components.grants import Grant

if TYPE_CHECKING:
    from pulumi import Input

_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}")
# https://docs.aws.amazon.com/AmazonECR/latest/userguide/Registries.html, the dual-stack form with it.
_PRIVATE_ECR: Final = re.compile(
    r"(?P<account>\d{12})\.dkr[.-]ecr(?:-fips)?\.(?P<region>[a-z0-9-]+)\."
    r"(?:amazonaws\.com(?:\.cn)?|on\.aws|on\.amazonwebservices\.com\.cn)/(?P<name>[^:@]+)"
)
# A registry's port has a slash after it.
_TAG: Final = re.compile(r":[^/:]+$")

PULL: Final = ("ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")
"""What pulling asks of the repository itself."""


@dataclass(frozen=True, kw_only=True)
class Image:
    """One build of an image, which no later push can change.

    A `Repository` hands out its own; `Image.at` takes one from anywhere else.
    """

    uri: Input[str]
    """``<registry>/<repository>@sha256:<digest>``."""
    repository_arn: Input[str] | None
    """The private ECR repository it is pulled from. None for a registry that asks nobody who they are."""

    @classmethod
    def at(cls, uri: str) -> Image:
        """Take the image at *uri*, of a private ECR repository in any account and region, or of a public registry.

        A repository of another account must admit this one too: ``RepositoryArgs.pull_accounts`` there.

        Raises:
            InvalidArgsError: a *uri* without a digest: what a tag points at changes under a running service.

        """
        where, _, digest = uri.partition("@")
        untagged = _TAG.sub("", where)
        if not where or not _DIGEST.fullmatch(digest):
            raise InvalidArgsError("Image.at", got=uri, want=f"pin by digest: {untagged or '<image>'}@sha256:…")
        private = _PRIVATE_ECR.fullmatch(untagged)
        return cls(uri=uri, repository_arn=_arn(private) if private else None)

    def grant_pull(self) -> tuple[Grant, ...]:
        """Return what an execution role needs to pull it: nothing for a public one.

        https://docs.aws.amazon.com/AmazonECR/latest/userguide/security_iam_id-based-policy-examples.html
        """
        if self.repository_arn is None:
            return ()
        return (
            Grant(actions=("ecr:GetAuthorizationToken",), resources=("*",)),
            Grant(actions=PULL, resources=(self.repository_arn,)),
        )


def checked_digest(digest: str) -> str:
    """Return *digest* if it is one; refuse it otherwise."""
    if not _DIGEST.fullmatch(digest):
        raise InvalidArgsError(
            "Repository.image", got=digest, want="the image's digest, 'sha256:' and 64 hexadecimal digits, never a tag"
        )
    return digest


def _arn(found: re.Match[str]) -> str:
    region = found["region"]
    partition = "aws-cn" if region.startswith("cn-") else "aws-us-gov" if region.startswith("us-gov-") else "aws"
    return f"arn:{partition}:ecr:{region}:{found['account']}:repository/{found['name']}"
