"""The images of all workloads: which there are, which are not built yet, and under which digest each is.

An image's tag is git's own hash of its folder, so that what was built is known without keeping a record: the same
source has the same tag in every commit, and a tag that ECR has is never built again.
"""

from __future__ import annotations

import argparse
import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

import yaml

from pipeline import pins, target

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_OWN: Final = "service"
"""The folder of a workload's image that has the workload's own name."""
_PLATFORM: Final = "linux/amd64"
"""What the tasks' definitions run on."""


class ImagesError(Exception):
    """An image that there is not, or not yet."""


@dataclass(frozen=True, kw_only=True)
class Image:
    """One folder with a Dockerfile, beside the infrastructure of its workload."""

    repository: str
    """The name of its repository, such as ``workflow/agent``."""
    workload: str
    """As the stack files name it."""
    folder: str
    """Its name in the workload's folder; any but ``service`` is a part of the workload's section, too."""

    @property
    def context(self) -> str:
        """All that its build sees, from the repository's root."""
        return f"apps/{self.workload.replace('-', '_')}/{self.folder}"


def discover(root: Path) -> tuple[Image, ...]:
    """Return every image there is, by its repository's name.

    It is named as `apps._workload.Workload.image` names it: ``<workload>``, or ``<workload>/<folder>``. Where a
    workload's code chooses another name, its rehearsal.yaml says so under `images`.
    """
    found: list[Image] = []
    for dockerfile in root.glob("apps/*/*/Dockerfile"):
        beside, folder = dockerfile.parents[1], dockerfile.parent.name
        workload = beside.name.replace("_", "-")
        usual = workload if folder == _OWN else f"{workload}/{folder}"
        found.append(Image(repository=_renamed(beside).get(folder, usual), workload=workload, folder=folder))
    return tuple(sorted(found, key=lambda image: image.repository))


def _renamed(beside: Path) -> dict[str, str]:
    script = beside / "rehearsal.yaml"
    said = cast("dict[str, Any]", yaml.safe_load(script.read_text(encoding="utf-8")) or {}) if script.is_file() else {}
    images = cast("dict[str, str]", said.get("images", {}))
    return {folder: repository for repository, folder in images.items()}


def named(root: Path, repository: str) -> Image:
    """Return the image of *repository*.

    Raises:
        ImagesError: no folder is built into it.

    """
    images = {image.repository: image for image in discover(root)}
    if repository not in images:
        raise ImagesError(f"no image is called {repository!r}; there are {', '.join(images)}")
    return images[repository]


def tag(root: Path, image: Image) -> str:
    """Return the tag of *image* as the last commit has it.

    Raises:
        ImagesError: its folder is in no commit.

    """
    command = ["git", "-C", str(root), "rev-parse", "--verify", "--quiet", f"HEAD:{image.context}"]
    asked = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - of a folder's name
    if asked.returncode:
        raise ImagesError(f"{image.context} is in no commit: commit it first")
    return f"tree-{asked.stdout.strip()}"


class Registry:
    """The repositories of one account, asked through its ECR client."""

    def __init__(self, ecr: Any) -> None:
        self._ecr = ecr

    def digest(self, repository: str, tag: str) -> str | None:
        """Return the digest under which the image *tag* is, or nothing where it is not."""
        return self._found(repository, {"imageTag": tag})

    def has(self, repository: str, digest: str) -> bool:
        """Say whether there is an image under *digest*."""
        return self._found(repository, {"imageDigest": digest}) is not None

    def _found(self, repository: str, wanted: Mapping[str, str]) -> str | None:
        try:
            said = self._ecr.describe_images(repositoryName=repository, imageIds=[wanted])
        except self._ecr.exceptions.ImageNotFoundException:
            return None
        return str(said["imageDetails"][0]["imageDigest"])


def missing(root: Path, registry: Registry) -> list[str]:
    """Return the repositories of the images whose source was never built."""
    return [it.repository for it in discover(root) if registry.digest(it.repository, tag(root, it)) is None]


def digests(root: Path, registry: Registry) -> dict[str, str]:
    """Return repository → digest of every image, as its source is now.

    Raises:
        ImagesError: naming those that were never built.

    """
    found = {it.repository: registry.digest(it.repository, tag(root, it)) for it in discover(root)}
    if unbuilt := [repository for repository, digest in found.items() if digest is None]:
        raise ImagesError(f"not built: {', '.join(unbuilt)}; run `python -m pipeline.images build <repository>` first")
    return {repository: digest for repository, digest in found.items() if digest}


def existing(root: Path, registry: Registry, repository: str, digest: str) -> dict[str, str]:
    """Return *repository* → *digest*, once it is certain that there is such an image.

    Raises:
        ImagesError: there is none.
        PinError: that is no digest.

    """
    if not registry.has(named(root, repository).repository, pins.checked(digest)):
        raise ImagesError(f"{repository} has no image under {digest}")
    return {repository: digest}


def build(root: Path, registry: Registry, repository: str) -> bool:
    """Build the image of *repository* and push it, unless it is there by now; return whether it was built.

    Raises:
        ImagesError: no folder is built into it, or the folder is in no commit.
        CalledProcessError: Docker could not; it has said why.

    """
    image = named(root, repository)
    if registry.digest(repository, tag(root, image)):
        return False
    subprocess.run(build_command(root, image, target.building(root).registry), check=True)  # noqa: S603 - our names
    return True


def build_command(root: Path, image: Image, registry: str) -> list[str]:
    """Return what builds *image* and pushes it to *registry*, under the tag of its source and no other."""
    where = f"{registry}/{image.repository}:{tag(root, image)}"
    # Without an attestation what is pushed is one image, and its digest the one that ECS resolves.
    options = ["--push", "--provenance=false", f"--platform={_PLATFORM}"]
    return ["docker", "buildx", "build", *options, f"--tag={where}", str(root / image.context)]


def main(arguments: Sequence[str] | None = None, root: Path = Path(), registry: Registry | None = None) -> None:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(prog="python -m pipeline.images", description="Lists and builds the images.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("missing", help="print, as a JSON list, the images that must be built")
    commands.add_parser("digests", help="print, as a JSON object, the digest of each image")
    one = commands.add_parser("build", help="build one image and push it, unless it is there")
    one.add_argument("repository", help="the name of its repository")
    check = commands.add_parser(
        "check", help="fail unless there is an image under a digest; print both, as a JSON object"
    )
    check.add_argument("repository", help="the name of its repository")
    check.add_argument("digest", help="sha256:<64 hexadecimal digits>")
    given = parser.parse_args(arguments)
    try:
        registry = registry or _registry(root)
        match given.command:
            case "missing":
                said: object = missing(root, registry)
            case "digests":
                said = digests(root, registry)
            case "build":
                said = "built" if build(root, registry, given.repository) else "there already"
            case _:
                said = existing(root, registry, given.repository, given.digest)
    except (ImagesError, pins.PinError, target.TargetError) as error:
        parser.error(str(error))
    print(json.dumps(said))  # noqa: T201 - it is what the command is for


def _registry(root: Path) -> Registry:
    import boto3  # noqa: PLC0415 - half a second, for those that ask AWS alone

    client = cast("Any", boto3).client("ecr", region_name=target.building(root).region)
    return Registry(client)


if __name__ == "__main__":
    main()
