"""The folder that a new version's image is made of: one of its own, or the old one's with files laid over it."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from rehearsal.script_replacements import Replacement

_INSTALLED: Final = "node_modules"
"""What packages are installed in. It is linked to: nobody changes it, and it has more files than all the rest."""
_NOT_COPIED: Final = shutil.ignore_patterns("__pycache__", _INSTALLED)


def missing(said: Replacement, beside: Path) -> Iterator[Path]:
    """Yield the folders that *said* names and that are not *beside* its script."""
    for name in (said.source, said.adds):
        if name is not None and not (beside / name).is_dir():
            yield beside / name


def folder_of(said: Replacement, *, beside: Path, old: Path, room: Path) -> Path:
    """Return the folder of the version that *said* describes, whose own are *beside* its script.

    Args:
        said: What the script says of it.
        beside: The script's folder.
        old: The folder of the old version's source.
        room: A folder that does not exist yet, for the new one's if it has to be made.

    """
    source = beside / said.source if said.source else old
    if said.adds is None:
        return source
    # Copies, not links: Node finds what a file imports, and what lies beside it, from where a link leads.
    shutil.copytree(source, room, ignore=_NOT_COPIED)
    if (source / _INSTALLED).is_dir():
        (room / _INSTALLED).symlink_to((source / _INSTALLED).resolve())
    shutil.copytree(beside / said.adds, room, dirs_exist_ok=True)
    return room
