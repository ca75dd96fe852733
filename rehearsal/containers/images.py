"""From an image's name to the folder that holds its Dockerfile and source."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path


class ImageNotFoundError(Exception):
    """No folder is the image's."""


def folder_of(image: str, apps: Path, named: Mapping[str, Path]) -> Path:
    """Return the folder of *image*: that of its digest or its repository in *named*, or the one that its name says.

    ``apps/query_service/service`` for the repository ``query-service``, and ``apps/workflow/agent`` for
    ``workflow/agent``. *image* may carry a registry, a tag and a digest:
    ``123456789012.dkr.ecr.eu-west-1.amazonaws.com/query-service:1``.

    Raises:
        ImageNotFoundError: there is no such folder; it says where it was looked for.

    """
    repository = repository_of(image)
    *above, name = repository.replace("-", "_").split("/")
    folder = (
        named.get(image.partition("@")[2])
        or named.get(repository)
        or (apps / above[-1] / name if above else apps / name / "service")
    )
    if not folder.is_dir():
        raise ImageNotFoundError(
            f"image {image!r} is not to be had here: without a container engine the rehearsal runs an image's own "
            f"source, and there is no folder {folder}; name another under `images` in the workload's rehearsal.yaml"
        )
    return folder


def repository_of(image: str) -> str:
    """Return *image*'s repository without registry, tag and digest."""
    path = image.partition("@")[0]
    registry, slash, rest = path.partition("/")
    if slash and ("." in registry or ":" in registry or registry == "localhost"):
        path = rest
    return path.partition(":")[0]


def registry_of(image: str) -> str:
    """Return *image*'s registry; empty when it names none."""
    registry, slash, _ = image.partition("/")
    return registry if slash and "." in registry else ""


def digest_of(image: str) -> str:
    """Return *image*'s digest, or where it has none one made of its name: nothing is built, so nothing is hashed."""
    named = image.partition("@")[2]
    return named or "sha256:" + hashlib.sha256(image.encode()).hexdigest()


def command_of(folder: Path, entry_point: Sequence[str], command: Sequence[str]) -> list[str]:
    """Return what a container runs: what its task definition says, and for the rest what the Dockerfile does.

    As Docker has it: an entry point that is said puts the image's own command out of use.
    """
    dockerfile = folder / "Dockerfile"
    said = _last_stage(dockerfile.read_text()) if dockerfile.is_file() else {}
    if entry_point:
        return [*entry_point, *command]
    return [*said.get("ENTRYPOINT", []), *(command or said.get("CMD", []))]


def _last_stage(dockerfile: str) -> dict[str, list[str]]:
    """Return the words of ENTRYPOINT and CMD in the last stage of a Dockerfile."""
    said: dict[str, list[str]] = {}
    for line in dockerfile.replace("\\\n", " ").splitlines():
        instruction, _, rest = line.strip().partition(" ")
        match instruction.upper():
            case "FROM":
                said = {}
            case "ENTRYPOINT" | "CMD":
                said[instruction.upper()] = _words(rest.strip())
            case _:
                pass
    return said


def _words(rest: str) -> list[str]:
    """Return the exec form's words; the shell form is what a shell is told."""
    try:
        return [str(word) for word in json.loads(rest)]
    except ValueError:
        return ["/bin/sh", "-c", rest]
