"""A private ECR repository, and the images in it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

import pulumi_aws as aws
from pulumi import Output

from components import documents, naming, resource_policy
from components.base import Component, declared
from components.errors import InvalidArgsError, of, within
from components.image import PULL, Image, checked_digest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pulumi import ResourceOptions

_PLATFORMS: Final = {"X86_64": "linux/amd64", "ARM64": "linux/arm64"}


@dataclass(frozen=True, kw_only=True)
class RepositoryArgs:
    """What a `Repository` takes.

    Raises:
        InvalidArgsError: a count out of bounds, an account that is not 12 digits, or ``force_delete`` where other
            accounts pull.

    """

    repository_name: str | None = None
    """What people type and images are found under. Default: the component's name."""
    keep_images: int = 10
    """Images kept, the newest, tagged or not. Default: 10, so that ten rollouts can be undone.

    With ``pull_accounts`` none ever goes: nobody here knows which image another account runs.
    """
    untagged_days: int = 14
    """Days after which an image without a tag goes, even if it is among the kept. 1 to 3650. Default: 14.

    An image whose tag has moved to another has none.
    """
    scan_on_push: bool = True
    """Whether ECR looks for known vulnerabilities in each image pushed."""
    immutable_tags: bool = True
    """Whether a tag, once given, stays where it is. Default: yes.

    A repository turns it off for a moving tag (``latest``), and for `Repository.build`.
    """
    pull_accounts: Sequence[str] = ()
    """Other accounts, 12 digits each, whose roles may pull, and so may run any image from now on.

    Default: none.
    """
    force_delete: bool = False
    """Whether the repository can be deleted with images in it. Default: no, AWS refuses.

    Refused with ``pull_accounts``, whose tasks would find no image any more.
    """

    def __post_init__(self) -> None:
        # A rule counts to at least 1; ECR keeps 20,000 images a repository at most (its quota, raised on request).
        # https://docs.aws.amazon.com/AmazonECR/latest/userguide/lifecycle_policy_parameters.html
        within(self, "keep_images", 1, 20_000, "images")
        within(self, "untagged_days", 1, 3650, "days")
        for account in self.pull_accounts:
            if len(account) != 12 or not account.isdecimal():  # noqa: PLR2004 - an account id
                raise InvalidArgsError(of(self, "pull_accounts"), got=account, want="12 digits, as text")
        if self.force_delete and self.pull_accounts:
            raise InvalidArgsError(
                of(self, "force_delete"), got=True, want="leave it out with pull_accounts: they may run what is in it"
            )


class Repository(Component):
    """A repository that scans what is pushed, and by default keeps the newest images and lets no tag be moved.

    Raises:
        InvalidArgsError: a repository name that ECR refuses.

    """

    arn: Output[str]
    repository_url: Output[str]
    """Where to push: ``<account>.dkr.ecr.<region>.amazonaws.com/<repository name>``."""

    def __init__(self, name: str, args: RepositoryArgs | None = None, opts: ResourceOptions | None = None) -> None:
        args = args or RepositoryArgs()
        repository_name = naming.fixed(args.repository_name or name, naming.REPOSITORY)
        super().__init__(name, declared(args), opts)

        repository = aws.ecr.Repository(
            name,
            name=repository_name,
            image_tag_mutability="IMMUTABLE" if args.immutable_tags else "MUTABLE",
            image_scanning_configuration={"scan_on_push": args.scan_on_push},
            force_delete=args.force_delete,
            tags=self.tags,
            opts=self.child(),
        )
        if not args.pull_accounts:
            aws.ecr.LifecyclePolicy(
                name, repository=repository.name, policy=documents.render(_lifecycle(args)), opts=self.child()
            )
        else:
            # Bare ids, which IAM takes for the account's ARN: in any partition.
            # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
            others = {"AWS": sorted(set(args.pull_accounts))}
            # No resource: a repository's policy speaks of itself, and ECR refuses one that names it.
            statement = {"Sid": "Pull", "Effect": "Allow", "Principal": others, "Action": list(PULL)}
            aws.ecr.RepositoryPolicy(
                name, repository=repository.name, policy=resource_policy.document([statement]), opts=self.child()
            )
        self.arn, self.repository_url = repository.arn, repository.repository_url
        self._name = name
        self.register_outputs({"arn": self.arn, "repository_url": self.repository_url})

    def image(self, digest: str) -> Image:
        """Return the image pushed here under *digest* (``sha256:…``).

        Raises:
            InvalidArgsError: a tag, or anything else that is no digest.

        """
        return Image(uri=Output.concat(self.repository_url, "@", checked_digest(digest)), repository_arn=self.arn)

    def build(
        self,
        context: str,
        *,
        dockerfile: str | None = None,
        architecture: Literal["X86_64", "ARM64"] = "X86_64",
        args: Mapping[str, str] | None = None,
        target: str | None = None,
    ) -> Image:
        """Build the image of folder *context* with Docker, push it here and return it, by digest.

        Once a repository: a second image has a second repository, or comes by digest. *dockerfile* defaults to the
        one in *context*; *args* and *target* are the Dockerfile's. The tag is made of what is built, and is no
        promise: the same source on another base image, or checked out under another umask, is another image under
        the same tag. So let tags move here (``immutable_tags=False``), or ECR refuses that push; whoever runs the
        image has it by digest.

        Raises:
            InvalidArgsError: a folder without a Dockerfile, or an architecture that ECS has not.

        """
        if architecture not in _PLATFORMS:
            raise InvalidArgsError("Repository.build", got=architecture, want=f"one of {', '.join(_PLATFORMS)}")
        recipe = Path(dockerfile) if dockerfile else Path(context) / "Dockerfile"
        if not recipe.is_file():
            raise InvalidArgsError("Repository.build", got=context, want=f"a folder to build from: {recipe} is no file")
        choices = (architecture, target, sorted((args or {}).items()))
        import pulumi_awsx as awsx  # noqa: PLC0415 - its plugin and half a second are for builds alone

        image = awsx.ecr.Image(
            self._name,
            repository_url=self.repository_url,
            image_tag=_tag_of(Path(context), recipe, choices),
            context=context,
            dockerfile=dockerfile,
            platform=_PLATFORMS[architecture],
            args=args,
            target=target,
            opts=self.child(),
        )
        return Image(uri=image.image_uri, repository_arn=self.arn)


def _tag_of(context: Path, recipe: Path, choices: object) -> str:
    """Return a tag that is another whenever a file or a choice is, and the same on every machine."""
    said = hashlib.sha256(repr(choices).encode())
    files = sorted(path for path in context.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    for name, path in [("", recipe), *((path.relative_to(context).as_posix(), path) for path in files)]:
        content = path.read_bytes()
        said.update(f"{name}\0{len(content)}\0".encode())
        said.update(content)
    return said.hexdigest()[:20]


def _lifecycle(args: RepositoryArgs) -> dict[str, object]:
    """Return the rules; the one for any tag must come last.

    An image that an index refers to never goes before the index does, so platforms of a kept image stay.
    """
    untagged = {
        "rulePriority": 1,
        "description": f"untagged: {args.untagged_days} days",
        "selection": {
            "tagStatus": "untagged",
            "countType": "sinceImagePushed",
            "countUnit": "days",
            "countNumber": args.untagged_days,
        },
        "action": {"type": "expire"},
    }
    newest = {
        "rulePriority": 2,
        "description": f"the newest {args.keep_images}",
        "selection": {
            "tagStatus": "any",
            "countType": "imageCountMoreThan",
            "countNumber": args.keep_images,
        },
        "action": {"type": "expire"},
    }
    return {"rules": [untagged, newest]}
