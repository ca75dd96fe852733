"""Pins images in a stack file: what was just built, what another stack runs, or one earlier digest by hand."""

from __future__ import annotations

import argparse
import json
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from pipeline import images, pins, target

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


def pin(root: Path, stack: str, digests: Mapping[str, str]) -> list[str]:
    """Write *digests* (repository → digest) into the file of *stack*; return a line for each that differs.

    What the stack does not run is left out.

    Raises:
        ImagesError: a repository that no image is built into.
        PinError: a digest that is none, or a file that cannot be read.
        TargetError: nothing says where the images are.

    """
    path = root / f"Pulumi.{stack}.yaml"
    registry = target.building(root).registry
    text = path.read_text(encoding="utf-8")
    lines: list[str] = []
    for repository, digest in sorted(digests.items()):
        image = images.named(root, repository)
        pinned = pins.write(text, image, registry, digest)
        if pinned != text:
            lines.append(f"{repository}: {' and '.join(sorted(pins.read(text, image))) or 'no digest'} -> {digest}")
        text = pinned
    path.write_text(text, encoding="utf-8")
    return lines


def run_by(root: Path, stack: str) -> dict[str, str]:
    """Return repository → digest of what *stack* runs, as its file says; what it builds by itself is left out.

    Raises:
        PinError: it runs two builds of one image, and which one is meant nobody can tell.

    """
    name = f"Pulumi.{stack}.yaml"
    return _run_by(name, (root / name).read_text(encoding="utf-8"), images.discover(root))


def recorded(root: Path, stack: str, revision: str, digests: Mapping[str, str]) -> dict[str, str]:
    """Return *digests*, and those that *stack* runs of all other images, as its file in *revision* records.

    What is checked out was made before the record was: its own file tells what ran then.

    Raises:
        PinError: there is no such revision or file, or it runs two builds of an image that *digests* does not name.

    """
    name = f"{revision}:Pulumi.{stack}.yaml"
    command = ["git", "-C", str(root), "show", name]
    asked = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - a stack's name
    if asked.returncode:
        raise pins.PinError(f"{name} cannot be read: {asked.stderr.strip()}")
    others = [image for image in images.discover(root) if image.repository not in digests]
    return {**_run_by(name, asked.stdout, others), **digests}


def _run_by(name: str, text: str, of: Iterable[images.Image]) -> dict[str, str]:
    found = {image.repository: sorted(pins.read(text, image)) for image in of}
    if torn := [repository for repository, digests in found.items() if len(digests) > 1]:
        raise pins.PinError(f"{name} runs several builds of {', '.join(torn)}: make them one first")
    return {repository: digests[0] for repository, digests in found.items() if digests}


def given(text: str) -> dict[str, str]:
    """Read repository → digest, given as JSON.

    Raises:
        PinError: it is something else, or one is no digest.

    """
    try:
        said: Any = json.loads(text)
    except ValueError:
        said = None
    if not isinstance(said, dict):
        raise pins.PinError(f"got {text!r}; a JSON object of repository and digest")
    return {key: pins.checked(str(value)) for key, value in cast("dict[str, object]", said).items()}


def main(arguments: Sequence[str] | None = None, root: Path = Path()) -> None:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(prog="python -m pipeline.promote", description="Pins images in a stack file.")
    parser.add_argument("stack", help="whose file is changed")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--digests", metavar="JSON", help="repository and digest of each image")
    what.add_argument("--from", dest="other", metavar="STACK", help="the stack that runs them already")
    what.add_argument("--image", nargs=2, metavar=("REPOSITORY", "DIGEST"), help="one image")
    parser.add_argument("--recorded", metavar="REVISION", help="whose file says what runs of all other images")
    said = parser.parse_args(arguments)
    try:
        if said.image:
            digests = {said.image[0]: said.image[1]}
        else:
            digests = given(said.digests) if said.digests else run_by(root, said.other)
        if said.recorded:
            digests = recorded(root, said.stack, said.recorded, digests)
        lines = pin(root, said.stack, digests)
    except (images.ImagesError, pins.PinError, target.TargetError, OSError) as error:
        parser.error(str(error))
    print("\n".join(lines) or "nothing differs")  # noqa: T201 - it is what the command is for


if __name__ == "__main__":
    main()
