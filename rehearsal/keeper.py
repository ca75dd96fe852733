"""No process outlives a rehearsal, however it ends: normally, by Ctrl-C, by SIGTERM or by SIGKILL.

Three parts, since no single one covers every ending:

- ``Run.start`` puts a *holder* above each process. It adopts whatever that process leaves behind, and kills all of it
  when the process ends, or when the rehearsal lets go of it or dies, as a container's end kills all that is in it.
- A *watchdog*, started first and in a session of its own, sees the rehearsal die. It then kills everything that carries
  the run's marker in its environment, with all descendants, until nothing is left, and removes the run's folder.
- ``keep`` turns SIGTERM into an orderly end.

Without ``/proc`` (macOS) the holder kills by process group alone and the watchdog only removes the folder: what makes a
session of its own, there, outlives a killed rehearsal.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final, NoReturn

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping, Sequence
    from types import FrameType

MARKER: Final = "DRYDOCK_RUN"
"""The environment variable that every process of a run carries; its value is the run's own."""

_PROC: Final = Path("/proc")
_PR_SET_CHILD_SUBREAPER: Final = 36
_LONGEST_FOLDER: Final = 70
"""Bytes of the path of the folder for temporary files. A Unix socket's path has 107 at most, 103 on macOS, and a run's
folder and the containers' socket in it take 29."""
_GRACE: Final = 3.0
"""Seconds that each process gets between SIGTERM and SIGKILL at a normal end."""


class Run:
    """One rehearsal's processes and its temporary folder. Made by `keep`."""

    environment: Mapping[str, str]
    """What each child's environment must hold besides its own; `start` adds it itself."""
    folder: Path
    """Removed with all that is in it, after the last process has ended."""

    def __init__(self, marker: str, folder: Path) -> None:
        self.environment = {MARKER: marker}
        self.folder = folder
        self._processes: list[subprocess.Popen[bytes]] = []
        self._lock = threading.Lock()

    def start(
        self,
        command: Sequence[str],
        *,
        environment: Mapping[str, str],
        folder: Path | None = None,
        output: int | IO[bytes] = subprocess.DEVNULL,
        errors: int | IO[bytes] = subprocess.STDOUT,
    ) -> subprocess.Popen[bytes]:
        """Start *command* under a holder, with nothing of the rehearsal's own environment.

        The holder passes signals on and ends with the command's exit code, 128 + n after signal n, and 127 when there
        is no such command: the same numbers as a container's.
        """
        process = subprocess.Popen(  # noqa: S603 - the rehearsal starts what the program declares
            [sys.executable, "-I", "-S", __file__, "hold", *command],
            env={**environment, **self.environment},
            cwd=folder or self.folder,
            stdin=subprocess.PIPE,  # its closing is what the holder ends at
            stdout=output,
            stderr=errors,
            start_new_session=True,  # a terminal's Ctrl-C is for the rehearsal, which then ends the others in order
        )
        with self._lock:
            self._processes.append(process)
        return process

    def stop(self, process: subprocess.Popen[bytes], seconds: float = _GRACE) -> int:
        """End *process* by SIGTERM, by SIGKILL after *seconds*; its exit code."""
        process.terminate()
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            return self.kill(process)
        return exit_code(process)

    def kill(self, process: subprocess.Popen[bytes]) -> int:
        """End *process* and all its descendants at once; its exit code."""
        if process.stdin:
            process.stdin.close()
        return exit_code(process)

    def stop_all(self) -> None:
        """End whatever still runs, the newest first."""
        for process in reversed(self._processes):
            if process.poll() is None:
                self.stop(process)

    def kill_all(self) -> None:
        """End whatever still runs, at once."""
        for process in self._processes:
            if process.stdin:
                process.stdin.close()
        for process in self._processes:
            process.wait()


def exit_code(process: subprocess.Popen[bytes]) -> int:
    """Wait for *process*; its exit code as a container's, 128 + n after signal n."""
    code = process.wait()
    return code if code >= 0 else 128 - code


@contextlib.contextmanager
def keep() -> Generator[Run]:
    """Open a run; at the block's end nothing that was started in it is left.

    Normally each process is stopped in turn, the newest first. After an exception, a Ctrl-C or a SIGTERM (which raises
    SystemExit here) all are killed at once, since whoever interrupts does not wait.
    """
    marker = secrets.token_hex(16)
    folder = Path(tempfile.mkdtemp(prefix="drydock-", dir=_short_folder()))
    watchdog = subprocess.Popen(  # noqa: S603
        [sys.executable, "-I", "-S", __file__, "watch", marker, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,  # else whoever reads a kept rehearsal's output waits for this one's end
        cwd="/",
        start_new_session=True,
    )
    run = Run(marker, folder)
    try:
        with _ending_on_sigterm():
            yield run
            run.stop_all()
    finally:
        run.kill_all()
        if watchdog.stdin:
            watchdog.stdin.close()
        watchdog.wait()


def _short_folder() -> str:
    """Return the folder for temporary files, or ``/tmp`` where its path is too long for a socket in it."""
    folder = tempfile.gettempdir()
    return folder if len(os.fsencode(folder)) <= _LONGEST_FOLDER else "/tmp"  # noqa: S108 - mkdtemp's below is private


@contextlib.contextmanager
def _ending_on_sigterm() -> Generator[None]:
    if threading.current_thread() is not threading.main_thread():  # only the main thread may set handlers
        yield
        return

    def end(number: int, _frame: FrameType | None) -> NoReturn:
        raise SystemExit(128 + number)

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _hold(command: list[str]) -> NoReturn:
    """Run *command*, adopt what it orphans, and leave nothing of it."""
    if _PROC.is_dir():
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    if os.environ.get("LC_CTYPE") == "C.UTF-8" and not {"LC_ALL", "LANG"} & set(os.environ):
        del os.environ["LC_CTYPE"]  # Python sets it for itself where no locale is given; the command did not ask
    passed_on = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2}
    signal.pthread_sigmask(signal.SIG_BLOCK, passed_on)  # none may come between the start and the handler
    try:
        child = os.posix_spawnp(
            command[0],
            command,
            os.environ,
            file_actions=[(os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0)],
            setsigmask=[],
        )
    except OSError as error:
        sys.stderr.write(f"{command[0]}: {error.strerror}\n")
        sys.stderr.flush()
        os._exit(127)
    for number in passed_on:
        signal.signal(number, lambda number, _: _send(child, number))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, passed_on)
    threading.Thread(target=_kill_once_let_go, daemon=True).start()
    ended, status = 0, 0
    while ended != child:
        ended, status = os.wait()
    _kill(lambda: _below({os.getpid()}))
    with contextlib.suppress(ChildProcessError):
        while True:
            os.wait()
    code = os.waitstatus_to_exitcode(status)
    os._exit(code if code >= 0 else 128 - code)


def _kill_once_let_go() -> None:
    os.read(0, 1)
    if _PROC.is_dir():
        _kill(lambda: _below({os.getpid()}))
    else:
        os.killpg(0, signal.SIGKILL)


def _watch(marker: str, folder: str) -> None:
    """Wait for the rehearsal's end, then kill what carries *marker*, with all below it, and remove *folder*."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    os.read(0, 1)

    def left() -> set[int]:
        marked = _marked(f"{MARKER}={marker}".encode())
        return marked | _below(marked)

    _kill(left)
    # A process that was being forked as the rehearsal died has no environment of its own yet: look again.
    time.sleep(0.1)
    _kill(left)
    shutil.rmtree(folder, ignore_errors=True)


def _kill(find: Callable[[], set[int]]) -> None:
    """Kill what *find* finds until it finds nothing. All are stopped first, so that none makes another unseen."""
    while found := find():
        stopped: set[int] = set()
        while new := found - stopped:
            for pid in new:
                _send(pid, signal.SIGSTOP)
            stopped |= new
            found = find()
        for pid in stopped:
            _send(pid, signal.SIGKILL)
        time.sleep(0.01)


def _send(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)


def _marked(variable: bytes) -> set[int]:
    """Return the processes that were started with *variable* in their environment, zombies apart."""
    found: set[int] = set()
    for pid in _parents():
        with contextlib.suppress(OSError):
            if variable in (_PROC / str(pid) / "environ").read_bytes().split(b"\0"):
                found.add(pid)
    return found


def _below(ancestors: set[int]) -> set[int]:
    """Return all descendants of *ancestors*, themselves and zombies apart."""
    parents = _parents()
    found: set[int] = set()
    while new := {pid for pid, parent in parents.items() if parent in ancestors | found} - found - ancestors:
        found |= new
    return found


def _parents() -> dict[int, int]:
    """Return each living process's parent; nothing where there is no /proc."""
    parents: dict[int, int] = {}
    for path in _PROC.glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            # After the name, which may hold spaces and brackets: state, parent.
            state, parent = path.read_text(errors="replace").rpartition(")")[2].split()[:2]
            if state not in "ZX":
                parents[int(path.parent.name)] = int(parent)
    return parents


if __name__ == "__main__":
    _role, *_arguments = sys.argv[1:]
    if _role == "hold":
        _hold(_arguments)
    _watch(*_arguments)
