"""A Pulumi program, run as the CLI's language host runs it, without the CLI and its engine."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import gc
import logging
import os
import runpy
import sys
import time
import traceback
import warnings
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pulumi
from pulumi.runtime import mocks, settings
from pulumi.runtime.stack import run_in_stack

from rehearsal import stack_file, wire
from rehearsal.monitor import BrokenStandInError, Maker, Monitor

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping
    from types import ModuleType

    from rehearsal.autoname import Names
    from rehearsal.graph import Registered

_WORKERS: Final = 16
"""Registrations at once. The emulator answers one call at a time; this many keep it and us busy."""

_GC_THRESHOLD: Final = 50_000
"""Allocations between collections: at Python's own 700, a fifth of an evaluation goes to them."""


@dataclass(frozen=True, kw_only=True)
class Failure:
    """Why a run failed."""

    message: str
    """What went wrong, for the user to read: one sentence or a few lines."""
    traceback: str = ""
    """The program's own frames, when it broke; empty when it was refused, since the message then says all."""


@dataclass(frozen=True, kw_only=True)
class Result:
    """What one run of a program gave."""

    project: str = ""
    stack: str
    preview: bool
    graph: list[Registered] = field(default_factory=list["Registered"])
    """In the order of registration, parents first; on failure, what was registered until then."""
    outputs: dict[str, Any] = field(default_factory=dict[str, Any])
    """The stack's exports; unknown leaves are `pulumi.runtime.rpc.UNKNOWN`, secrets are plain."""
    secret_outputs: frozenset[str] = frozenset()
    """The exports that are never to be printed."""
    log: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    """What the program said through `pulumi.log` and Python's warnings: (``info``, ``warning`` or ``error``, text)."""
    error: Failure | None = None
    seconds: float = 0.0


def _ignore(_: Registered) -> None:
    """Tell nobody."""


def run(
    project_dir: Path,
    stack: str | stack_file.StackFile,
    *,
    preview: bool,
    maker: Maker,
    names: Names | None = None,
    environment: Mapping[str, str] | None = None,
    on_start: Callable[[Registered], None] = _ignore,
    on_done: Callable[[Registered], None] = _ignore,
) -> Result:
    """Run the `__main__.py` of *project_dir*, unmodified, with the settings of *stack*.

    It may be called again and again in one process: each run begins with fresh modules and a fresh runtime. It never
    raises for what the user can mend: that is in the result's `error`. When it returns, no registration is under way.

    Args:
        project_dir: The folder of `Pulumi.yaml`; the working directory of the program.
        stack: Names `Pulumi.<stack>.yaml`; or what was read of it, with settings that have changed since.
        preview: Make nothing; ids and all that is computed are unknown.
        maker: Makes the resources; in a preview it is asked for the types that it knows alone.
        names: Where physical names' suffixes come from. Give the same one to a preview and the run after it, so
            that both name alike. Default: new ones.
        environment: What is in the program's environment besides: where AWS is, and as whom it may be asked. Default:
            nothing.
        on_start: Called when a resource's making begins, on the thread that makes it.
        on_done: Called when it is made.

    """
    started = time.monotonic()
    project_dir = project_dir.resolve()
    try:
        read = stack_file.read(project_dir, stack) if isinstance(stack, str) else stack
    except stack_file.StackFileError as error:
        return Result(stack=str(stack), preview=preview, error=Failure(message=str(error)))
    monitor = Monitor(
        project=read.project,
        stack=read.stack,
        maker=maker,
        preview=preview,
        names=names,
        on_start=on_start,
        on_done=on_done,
    )
    said = _Said()
    error = None
    with _surroundings(project_dir, environment or {}), warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("default")
        try:
            contextvars.copy_context().run(_run, project_dir, read, monitor, said.logger)
        except (Exception, SystemExit) as raised:  # noqa: BLE001 - whatever it raises is told, not raised
            error = _failure(monitor.failure or raised, project_dir)
    if error is None:
        error = _incomplete(monitor, preview=preview)
    # What packages deprecate within themselves is nothing to the program's author.
    own = [line for line in warned if _is_the_projects(line.filename, project_dir) or line.category is RuntimeWarning]
    lines = said.lines + [("warning", f"{line.filename}:{line.lineno}: {line.message}") for line in own]
    return Result(
        project=read.project,
        stack=read.stack,
        preview=preview,
        graph=list(monitor.graph.values()),
        outputs=monitor.exports,
        secret_outputs=monitor.secret_exports,
        log=lines,
        error=error,
        seconds=time.monotonic() - started,
    )


def _run(project_dir: Path, read: stack_file.StackFile, monitor: Monitor, logger: logging.Logger) -> None:
    """Drive the SDK's event loop to its end. Called in a context of its own, where the SDK keeps its state."""
    loop = asyncio.new_event_loop()
    executor = ThreadPoolExecutor(_WORKERS, thread_name_prefix="registration")
    loop.set_default_executor(executor)
    # After a failure many tasks are left without anyone to ask for their outcome: the first one told all.
    loop.set_exception_handler(lambda _loop, _context: None)
    asyncio.set_event_loop(loop)
    try:
        loop.run_until_complete(_program(project_dir, read, monitor, logger))
    except BaseException as failure:
        # Ctrl-C too: nothing new may begin while what is under way ends.
        monitor.stop(failure)
        raise
    finally:
        executor.shutdown(wait=True, cancel_futures=True)
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()
        asyncio.set_event_loop(None)


async def _program(project_dir: Path, read: stack_file.StackFile, monitor: Monitor, logger: logging.Logger) -> None:
    pulumi.runtime.set_all_config(read.config, [])
    state: Any = settings.SETTINGS
    state.outputs = set()
    state.root_directory = str(project_dir)
    mocks.set_mocks(
        monitor.mocks, project=read.project, stack=read.stack, preview=monitor.preview, logger=logger, monitor=monitor
    )
    # The mocks make a root stack that is finished before the program begins: exports that come later, and a program
    # that uses `pulumi.run`, would be lost on it. The language host's own way makes one that lasts as long as the run.
    settings.ROOT.set(None)
    await run_in_stack(lambda: _main(project_dir, monitor))


def _main(project_dir: Path, monitor: Monitor) -> None:
    try:
        runpy.run_path(str(project_dir / "__main__.py"), run_name="__main__")
    except BaseException as failure:
        # Registrations made so far are still to be taken up: without the rest of the program they are of no use, and
        # what becomes of them would hide this.
        monitor.stop(failure)
        raise


def _incomplete(monitor: Monitor, *, preview: bool) -> Failure | None:
    unfinished = monitor.unfinished()
    if unfinished:
        names = ", ".join(f"{resource.type} {resource.name!r}" for resource in unfinished)
        return Failure(
            message=f"these components never called register_outputs, so that their outputs are not kept: {names}"
        )
    unknown = [] if preview else wire.unknown_paths(monitor.exports)
    if unknown:
        return Failure(
            message=f"the stack's outputs {', '.join(unknown)} are still unknown: each comes from an output that no "
            "stand-in answers"
        )
    return None


def _failure(raised: BaseException, project_dir: Path) -> Failure:
    # A RunError is the SDK's own word for a mistake of the user's: its message is all there is to tell.
    if isinstance(raised, pulumi.RunError):
        return Failure(message=str(raised))
    if isinstance(raised, BrokenStandInError):
        return Failure(message=str(raised), traceback=raised.detail)
    frames = traceback.extract_tb(raised.__traceback__)
    own = [frame for frame in frames if _is_the_projects(frame.filename, project_dir)]
    told = "".join(traceback.format_exception_only(raised)).strip()
    where = f"{Path(own[-1].filename).relative_to(project_dir)}:{own[-1].lineno}: " if own else ""
    return Failure(
        message=f"the program broke: {where}{told}", traceback="".join(traceback.format_list(own or frames)) + told
    )


class _Said:
    """Collects what a program says through `pulumi.log`."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str]] = []
        # Of our own, unknown to the rest of the process, so that nothing else listens or sets its level.
        self.logger = logging.Logger("program", logging.INFO)  # noqa: LOG001
        handler = logging.Handler()
        handler.emit = lambda record: self.lines.append((record.levelname.lower(), record.getMessage()))
        self.logger.addHandler(handler)


@contextlib.contextmanager
def _surroundings(project_dir: Path, environment: Mapping[str, str]) -> Generator[None]:
    """Give a program what a process of its own would: directory, path, variables, fresh modules; and take it back."""
    threshold = gc.get_threshold()
    path, argv = list(sys.path), list(sys.argv)
    said = {"PULUMI_ERROR_OUTPUT_STRING": "1", **environment}
    variables = {name: os.environ.get(name) for name in said}
    before = {name: module for name, module in sys.modules.items() if _is_fresh_each_run(name, module, project_dir)}
    for name in before:
        del sys.modules[name]
    gc.set_threshold(_GC_THRESHOLD, *threshold[1:])
    os.environ.update(said)
    sys.path.insert(0, str(project_dir))
    try:
        with contextlib.chdir(project_dir):
            yield
    finally:
        sys.path[:], sys.argv[:] = path, argv
        for name, value in variables.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
        gc.set_threshold(*threshold)
        for name, module in list(sys.modules.items()):
            if _is_fresh_each_run(name, module, project_dir):
                del sys.modules[name]
        sys.modules.update(before)


def _is_fresh_each_run(name: str, module: ModuleType, project_dir: Path) -> bool:
    """Say whether the engine's new process would import *module* anew: the project's own are, but for this package."""
    file = getattr(module, "__file__", None)
    if file is None or name == "__main__" or name.partition(".")[0] == __name__.partition(".")[0]:
        return False
    return _is_the_projects(file, project_dir)


def _is_the_projects(file: str, project_dir: Path) -> bool:
    path = Path(file)
    return path.is_relative_to(project_dir) and "site-packages" not in path.parts
