"""A rehearsal that stays up after its command has ended, and the command that ends it.

What is kept is one process, which holds emulator and tasks as it always does. It is known by a locked file under
`.rehearsal/` of the project: the lock goes with the process, however that ends, so a file left behind misleads nobody.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import sys
import threading
import time
from typing import IO, TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path

_ENDS_WITHIN: Final = 10.0
"""Seconds that `down` waits before it kills."""
_DIES_WITHIN: Final = 2.0
"""Seconds after that."""


class KeptError(Exception):
    """Another rehearsal of this project is up, or this one cannot be noted."""


def find(project_dir: Path) -> dict[str, Any] | None:
    """Return what the kept rehearsal of *project_dir* says of itself; None if there is none."""
    path = _path(project_dir)
    if not path.is_file():
        return None
    with path.open("r+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return json.loads(file.read() or "{}")
        return None


def refuse_a_second(project_dir: Path) -> None:
    """Raise if a rehearsal of *project_dir* is kept.

    Raises:
        KeptError: it says which, and how to end it.

    """
    if (other := find(project_dir)) is not None:
        raise KeptError(
            f"a rehearsal of {other.get('stack', 'this project')} is up (process {other.get('pid', 'unknown')}): "
            f"end it with `{sys.executable} -m rehearsal down`"
        )


@contextlib.contextmanager
def claim(project_dir: Path, stack: str) -> Generator[None]:
    """Be the kept rehearsal of *project_dir* until the block ends.

    Raises:
        KeptError: there is one already, or its file cannot be written.

    """
    path = _path(project_dir)
    try:
        path.parent.mkdir(exist_ok=True)
        held = path.open("a+", encoding="utf-8")
    except OSError as error:
        raise KeptError(
            f"{path.parent}: what is kept is noted in a folder of that name, and it cannot be ({error.strerror}): "
            "move away what is there, or make the project's folder writable"
        ) from None
    with held as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            refuse_a_second(project_dir)
        file.truncate(0)
        json.dump({"pid": os.getpid(), "stack": stack}, file)
        file.flush()
        try:
            yield
        finally:
            path.unlink(missing_ok=True)


def end(project_dir: Path) -> str:
    """End the kept rehearsal of *project_dir*; return a sentence that says what was done."""
    there = find(project_dir)
    if there is None:
        return "no rehearsal is up"
    pid = int(there["pid"])
    for number, within in ((signal.SIGTERM, _ENDS_WITHIN), (signal.SIGKILL, _DIES_WITHIN)):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
        deadline = time.monotonic() + within
        while find(project_dir) is not None and time.monotonic() < deadline:
            time.sleep(0.05)
        if find(project_dir) is None:
            break
    _path(project_dir).unlink(missing_ok=True)
    return f"the rehearsal of {there['stack']} is ended"


def in_background(work: Callable[[Callable[[int], None]], int]) -> int:
    """Do *work* in a process that may outlive this one; return its exit code.

    *work* is given a function to call with an exit code once it is to be left alone. Until then a Ctrl-C or SIGTERM
    here is passed on to it, and it ends when this process is killed.
    """
    (told, tell), (alive, live) = os.pipe(), os.pipe()
    child = os.fork()
    if child == 0:
        os.close(told)
        os.close(live)
        os.setsid()  # a terminal's Ctrl-C, or its closing, is not for what is kept
        os._exit(_Background(tell, alive).run(work))
    os.close(tell)
    os.close(alive)
    return _attend(child, told)


def _attend(child: int, told: int) -> int:
    """Wait until *child* detaches, which it says on *told*, or ends."""

    def pass_on(number: int, _frame: object) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, number)

    before = {number: signal.signal(number, pass_on) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        said = os.read(told, 1)
        return said[0] if said else os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _Background:
    """The process that does the work."""

    def __init__(self, tell: int, alive: int) -> None:
        self._tell, self._alive = tell, alive
        self._detached = False

    def run(self, work: Callable[[Callable[[int], None]], int]) -> int:
        threading.Thread(target=self._end_with_the_command, daemon=True).start()
        try:
            return work(self._detach)
        finally:
            with contextlib.suppress(OSError, ValueError):
                sys.stdout.flush()

    def _end_with_the_command(self) -> None:
        os.read(self._alive, 1)
        if not self._detached:
            os.kill(os.getpid(), signal.SIGTERM)

    def _detach(self, code: int) -> None:
        self._detached = True
        sys.stdout.flush()
        sys.stderr.flush()
        nothing: IO[bytes]
        with open(os.devnull, "r+b") as nothing:  # noqa: PTH123
            for descriptor in (0, 1, 2):
                os.dup2(nothing.fileno(), descriptor)
        os.write(self._tell, bytes([code]))
        os.close(self._tell)


def _path(project_dir: Path) -> Path:
    return project_dir / ".rehearsal" / "kept.json"
