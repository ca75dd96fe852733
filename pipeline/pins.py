"""Which digest a stack file runs of an image, read and changed in place: comments, order and style stay as they are."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, cast

import yaml

from pipeline.target import PROJECT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.images import Image

_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}")
_OWN: Final = "service"


class PinError(Exception):
    """A digest that is none, or a stack file that is not as one is."""


def checked(digest: str) -> str:
    """Return *digest* if it is one.

    Raises:
        PinError: it is a tag, or anything else.

    """
    if not _DIGEST.fullmatch(digest):
        raise PinError(f"got {digest!r}; 'sha256:' and 64 hexadecimal digits, never a tag")
    return digest


def read(text: str, image: Image) -> frozenset[str]:
    """Return the digests of *image* in the stack file *text*: none where the stack builds it, or does not run it.

    Several only where sections that share an image were changed by hand, one without the other.
    """
    found = (_said(section) for section in _sections_of(text, image))
    return frozenset(str(said["digest"].value) for said in found if "digest" in said)


def write(text: str, image: Image, registry: str, digest: str) -> str:
    """Return *text* with *image* pinned to *digest* in *registry*; unchanged where the stack does not run it.

    By the digest alone, where the stack says that its images are in that registry.

    Raises:
        PinError: the digest is none, or the text is no stack file.

    """
    wanted = {"digest": checked(digest)}
    if registry != _registry_of(text):
        wanted = {"repository": f"{registry}/{image.repository}", **wanted}
    spans: list[tuple[int, int, str]] = []
    for section in _sections_of(text, image):
        said = _said(section)
        if said.keys() == wanted.keys():
            spans += [(said[key].start_mark.index, said[key].end_mark.index, value) for key, value in wanted.items()]
            continue
        # From the first key to the last value: a block's own end is where the next thing begins, comments included.
        start, end = section, section
        if not section.flow_style:
            start, end = section.value[0][0], section.value[-1][1]
        flow = f"{{{', '.join(f'{key}: {value}' for key, value in wanted.items())}}}"
        spans.append((start.start_mark.index, end.end_mark.index, flow))
    for start, end, value in sorted(spans, reverse=True):
        text = text[:start] + value + text[end:]
    return text


def _sections_of(text: str, image: Image) -> Iterator[Any]:
    """Yield the node of each section `image` that is *image*'s: several services may run one.

    A section that names a repository says by itself whose it is. Any other has the place of its folder: the workload's
    own for ``service``, and else the part of that name.
    """
    workload = _at(_at(_config(text), f"{PROJECT}:workloads"), image.workload)
    for path, section in _sections(workload, ()):
        said = _said(section)
        part = path[-1] if path else _OWN
        if "repository" in said:
            if str(said["repository"].value).partition("/")[2] == image.repository:
                yield section
        elif part.replace("_", "-") == image.folder.replace("_", "-"):
            yield section


def _registry_of(text: str) -> str | None:
    """Return where the stack says that its images are."""
    said = _at(_config(text), f"{PROJECT}:image_registry")
    return str(said.value) if said is not None else None


def _config(text: str) -> Any | None:
    try:
        root = cast("Any", yaml).compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        raise PinError(f"it is not YAML: {' '.join(str(error).split())}") from None
    return _at(root, "config")


def _sections(node: Any | None, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield where in *node* each section `image` stands, and the section."""
    if not isinstance(node, yaml.MappingNode):
        return
    pairs: list[tuple[Any, Any]] = node.value
    for key, value in pairs:
        if key.value == "image" and isinstance(value, yaml.MappingNode) and value.value:
            yield path, value
        else:
            yield from _sections(value, (*path, str(key.value)))


def _said(section: Any) -> dict[str, Any]:
    return {str(key.value): value for key, value in section.value}


def _at(node: Any | None, key: str) -> Any | None:
    return _said(node).get(key) if isinstance(node, yaml.MappingNode) else None
