"""The command: ``python -m rehearsal up|preview|down``.

Exit codes: 0 all passed; 1 something was refused or failed; 2 wrong use of the command; 130 interrupted by Ctrl-C and
143 by SIGTERM.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, cast

from rehearsal import ending, keeper, kept

if TYPE_CHECKING:
    import io
    from collections.abc import Callable, Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says; return the exit code."""
    parser = _parser()
    options = parser.parse_args(arguments)
    project: Path = options.project.resolve()
    if not (project / "Pulumi.yaml").is_file():
        parser.error(f"--project {options.project}: there is no Pulumi.yaml; give the folder that has it")
    if options.command == "down":
        print(kept.end(project))  # noqa: T201
        return 0
    stacks = sorted(path.name.removeprefix("Pulumi.").removesuffix(".yaml") for path in project.glob("Pulumi.*.yaml"))
    if options.stack not in stacks:
        parser.error(f"--stack {options.stack}: there is no such stack; there are {', '.join(stacks) or 'none'}")
    if options.json and (why := _unwritable(options.json)):
        parser.error(f"--json {options.json}: {why}")
    _isolate()
    try:
        return _rehearse(options, project)
    except kept.KeptError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m rehearsal",
        description="Deploys a stack to an AWS emulator on this machine, runs its workloads, and asks them.",
    )
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument(
        "--project", type=Path, default=Path(), metavar="FOLDER", help="where Pulumi.yaml is (default: here)"
    )
    one = argparse.ArgumentParser(add_help=False, parents=[common])
    one.add_argument("--stack", required=True, help="which Pulumi.<stack>.yaml")
    one.add_argument(
        "--only",
        action="append",
        default=[],
        metavar="WORKLOAD",
        help="only this one of the stack's workloads; again for more (default: all)",
    )
    one.add_argument("--json", type=Path, metavar="FILE", help="write the whole result there, also when it fails")
    commands = parser.add_subparsers(dest="command", required=True)
    up = commands.add_parser("up", parents=[one], help="rehearse a stack")
    up.add_argument("--keep", action="store_true", help="leave emulator and tasks up, and say how to reach them")
    commands.add_parser(
        "preview", parents=[one], help="evaluate a stack with unknown ids, and judge it by its policies"
    )
    commands.add_parser("down", parents=[common], help="end a rehearsal that was kept up")
    return parser


def _unwritable(file: Path) -> str:
    """Return why *file* cannot be written, empty if it can: better now than when the work is done."""
    if not file.absolute().parent.is_dir():
        return f"there is no folder {file.parent}"
    if file.is_dir():
        return "that is a folder; name a file in it"
    there = file.exists()
    if there and not file.is_file():
        return ""  # a pipe or a device, which may be opened once
    try:
        file.open("ab").close()
        if not there:
            file.unlink()
    except OSError as error:
        return f"it cannot be written ({error.strerror}); name another file"
    return ""


def _isolate() -> None:
    """Forget the engineer's accounts: nothing that a rehearsal starts may reach one, by variable, profile or proxy."""
    for name in list(os.environ):
        if name.startswith(("AWS_", "PULUMI_")) or name.lower().endswith("_proxy"):
            del os.environ[name]
    os.environ["AWS_CONFIG_FILE"] = os.environ["AWS_SHARED_CREDENTIALS_FILE"] = os.devnull
    os.environ["AWS_EC2_METADATA_DISABLED"] = "true"


def _rehearse(options: argparse.Namespace, project: Path) -> int:
    if options.command == "preview":
        return _run(options, project)
    kept.refuse_a_second(project)
    if not options.keep:
        return _run(options, project)

    def work(detach: Callable[[int], None]) -> int:
        with kept.claim(project, options.stack):
            return _run(options, project, detach)

    return kept.in_background(work)


def _run(options: argparse.Namespace, project: Path, detach: Callable[[int], None] | None = None) -> int:
    started = time.monotonic()
    # Here, not above: they take a third of a second, and a wrong word on the command line is answered at once.
    from rehearsal import progress, reach, report  # noqa: PLC0415
    from rehearsal.session import Session  # noqa: PLC0415

    screen = progress.console()
    shown = progress.Progress(screen)
    session = Session(project, options.stack, shown, only=options.only)
    result = session.result

    def write() -> None:
        result.seconds["total"] = time.monotonic() - started
        if options.json:
            try:
                result.write(options.json)
            except OSError as error:
                result.fail(f"--json {options.json}: it could not be written ({error.strerror})")

    def last_words() -> None:
        if not session.ended:
            with contextlib.suppress(OSError, ValueError):  # the last line may be half written
                session.tell_denials()
            screen.show_cursor()
            report.show_errors(result, screen)
            result.fail("interrupted")
            write()
            screen.print("interrupted: all that was started is ended")

    # Inside of `keep`, whose own answer to SIGTERM is for callers that have none.
    with keeper.keep() as run, ending.at_signals(last_words):
        with shown.shown():
            session.up(run) if options.command == "up" else session.preview(run)
        write()
        report.show(result, screen)
        if detach and result.created:
            way = reach.told(session.emulator, session.scripts, result.outputs, session.origins)
            screen.print(way, markup=False, soft_wrap=True)
            detach(0 if result.ok else 1)
            while True:
                signal.pause()
        session.close()
        run.stop_all()  # here, where a signal still ends it at once
    return 0 if result.ok else 1


def _command() -> int:
    """Run `main` on the terminal, file or pipe that there is."""
    with contextlib.suppress(AttributeError):  # there may be none at all
        # An "…" in an encoding without one is no reason to fail.
        cast("io.TextIOWrapper", sys.stdout).reconfigure(errors="replace")
    try:
        try:
            return main()
        finally:
            print(end="", flush=True)  # noqa: T201
    except OSError as error:
        print(f"rehearsal: {error}", file=sys.stderr)  # noqa: T201
        # What could not be printed is tried again as Python ends, and would be told with a traceback.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 1


if __name__ == "__main__":
    sys.exit(_command())
