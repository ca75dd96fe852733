"""From an image's name to the folder that holds its Dockerfile and source."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


class ImageNotFoundError(Exception):
    """No folder is the image's."""


def folder_of(image: str, apps: Path) -> Path:
    """Return the folder of *image*: ``apps/query_service/service`` for the repository ``query-service``.

    *image* may carry a registry, a tag and a digest: ``123456789012.dkr.ecr.eu-west-1.amazonaws.com/query-service:1``.

    Raises:
        ImageNotFoundError: there is no such folder; it says where it was looked for.

    """
    folder = apps / repository_of(image).rpartition("/")[2].replace("-", "_") / "service"
    if not folder.is_dir():
        raise ImageNotFoundError(
            f"image {image!r} is not to be had here: without a container engine the rehearsal runs an image's own "
            f"source, and there is no folder {folder}"
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
