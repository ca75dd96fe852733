"""The lock file: who holds it is written in it, and what a file system may say to a lock."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from tests.apps.parking_etl.conftest import load

_DESCRIPTORS = Path("/proc/self/fd")


def test_the_file_says_who_holds_it_and_nothing_of_whoever_did_before(tmp_path: Path) -> None:
    path = tmp_path / "parking.db.lock"
    path.write_text("somebody with a much longer name\n")
    with load("lock").held(str(path), "sync-parking"):
        assert path.read_text() == "sync-parking\n"
    assert path.exists(), "to remove it would let two writers lock two files"


@pytest.mark.parametrize(
    ("number", "error"),
    [
        (errno.EAGAIN, "BusyError"),
        (errno.EACCES, "BusyError"),
        (errno.ENOLCK, "StorageError"),
        (errno.EIO, "StorageError"),
    ],
)
def test_only_a_lock_that_somebody_holds_is_busy(
    number: int, error: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file system that has no locks must not be taken for one whose lock is taken: runs would be skipped for ever."""
    lock, before = load("lock"), len(list(_DESCRIPTORS.iterdir()))

    def refuse(_descriptor: int, _operation: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(lock.fcntl, "lockf", refuse)
    with pytest.raises(getattr(load("exits"), error)), lock.held(str(tmp_path / "parking.db.lock"), "sync-parking"):
        raise AssertionError("the block was entered")
    assert len(list(_DESCRIPTORS.iterdir())) == before, "the file is closed again"
