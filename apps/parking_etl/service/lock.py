"""One writer at a time: a lock file beside the database, held for a whole run.

SQLite's own locks keep one transaction from another; this one keeps a run from another, so that two never interleave
their pages. It is a POSIX record lock (`lockf`), which NFS carries to the server, EFS included, so that it holds
between tasks on different hosts. The kernel frees it when the writer dies, however it dies; for a host that dies with
it, the server does when the host's lease runs out. The file stays: to remove it would let two writers lock two files
of one name.
"""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from exits import BusyError, StorageError

if TYPE_CHECKING:
    from collections.abc import Generator


@contextmanager
def held(path: str, by: str) -> Generator[None]:
    """Hold the lock file *path* for a block, saying in it *by* whom: a line of text, for whoever finds it taken.

    Raises:
        BusyError: somebody else holds it.
        StorageError: there is no such folder, or the file system refuses.

    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise StorageError(f"the lock file cannot be opened: {error}") from error
    try:
        _lock(descriptor, path)
        try:
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{by}\n".encode(), 0)
        except OSError as error:
            raise StorageError(f"the lock file {path} cannot be written: {error}") from error
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int, path: str) -> None:
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError) as error:  # POSIX leaves the choice between EAGAIN and EACCES
        holder = os.pread(descriptor, 256, 0).decode(errors="replace").strip()
        raise BusyError(f"{path} is held by {holder or 'another run'}") from error
    except OSError as error:
        raise StorageError(f"the file system has no locks to give for {path}: {error}") from error
