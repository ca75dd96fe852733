"""Prints what a rehearsal found: resources, verdicts, requests, outputs, what was not proved, systems, times, end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from rehearsal import report_tree, systems
from rehearsal.result import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from rehearsal.result import Asked, Ran, Refused, Replaced, Result, Streamed


def show(result: Result, screen: Console) -> None:
    """Print *result*, what went wrong last, where it is read first."""
    if result.ok or result.created:
        # Of what was refused before anything was made there is only that to read.
        _resources(result, screen)
        _policies(result, screen)
        _requests(result, screen)
        _streams(result, screen)
        _forbidden(result, screen)
        _jobs(result, screen)
        _replacements(result, screen)
        _outputs(result, screen)
        _not_proved(result, screen)
    _lines(screen, "Notes", result.notes, "dim")
    _lines(screen, "Warnings", result.warnings, "yellow")
    if result.traceback:
        _lines(screen, "Where it broke", result.traceback.splitlines(), "dim")
    show_errors(result, screen)
    _systems(result, screen)
    _end(result, screen)


def show_errors(result: Result, screen: Console) -> None:
    """Print what went wrong so far."""
    _lines(screen, "Errors", result.errors, "red")


def _head(screen: Console, title: str, said: str = "") -> None:
    screen.print()
    screen.print(Text.assemble((title, "bold"), f"  {said}" if said else ""))


def _lines(screen: Console, title: str, lines: Sequence[str], style: str) -> None:
    """Print *lines* whole: they hold names and ARNs that people search for, and wrapping would break them."""
    if not lines:
        return
    _head(screen, title)
    for line in lines:
        screen.print(Text("  " + line.replace("\n", "\n  "), style=style), soft_wrap=True)


def _resources(result: Result, screen: Console) -> None:
    if not result.resources:
        return
    made = sum(each.custom for each in result.resources)
    enacted = sum(each.seconds for each in result.resources)
    _head(screen, "Resources", f"{made}, made in {enacted:.1f} s of work" if enacted else f"{made} planned")
    screen.print(report_tree.of(result.stack, result.resources, screen.width))


def _policies(result: Result, screen: Console) -> None:
    if not result.resources:
        return
    if not result.packs:
        _head(screen, "Policies", "were not asked")
        return
    refusals = [each for each in result.policies if each.level != "advisory"]
    said = f"{', '.join(result.packs)}: {len(refusals) or 'no'} violations"
    notes = len(result.policies) - len(refusals)
    _head(screen, "Policies", f"{said}, {notes} notes" if notes else said)
    for each in result.policies:
        if each.level == "advisory":
            name = each.urn.rpartition("::")[2]
            screen.print(Text(f"  {each.pack}  {name}  {each.message}", style="dim"), soft_wrap=True)


def _came(
    result: Result, screen: Console, kind: str, done: Sequence[Asked | Streamed | Ran | Replaced | Refused]
) -> bool:
    """Say how many of a *kind* came as expected, and how many were not for this stack; whether any was asked."""
    left_out = [each for each in result.left_out if each.kind == kind]
    said = [f"{sum(each.ok for each in done)} of {len(done)} as expected"] if done else []
    for why, count in Counter(f"{each.workload}'s {each.why}" for each in left_out).items():
        said.append(f"{count} not asked, since {why}")
    if said:
        _head(screen, kind.capitalize(), "; ".join(said))
    return bool(done)


def _requests(result: Result, screen: Console) -> None:
    if not _came(result, screen, "requests", result.requests):
        return
    grid = Table.grid(padding=(0, 2))
    for each in result.requests:
        grid.add_row(
            Text("ok", style="green") if each.ok else Text("FAILED", style="bold red"),
            str(each.status or "none"),
            Text(f"{each.seconds * 1000:.0f} ms", justify="right"),
            Text(each.entrance.removesuffix("_url").replace("_", " "), style="cyan"),
            f"{each.method} {each.path}",
            Text(each.name, style="dim"),
        )
    screen.print(Padding(grid, (0, 0, 0, 2)))


def _streams(result: Result, screen: Console) -> None:
    if not _came(result, screen, "streams", result.streams):
        return
    grid = Table.grid(padding=(0, 2))
    for each in result.streams:
        failed = [f"{count} {code}" for code, count in each.failed.items()]
        killed = f"{len(each.killed)} killed, replaced in {each.replaced_in:.1f} s" if each.killed else ""
        grid.add_row(
            Text("ok", style="green") if each.ok else Text("FAILED", style="bold red"),
            f"{each.complete} of {each.times}",
            Text(f"{each.seconds:.1f} s", justify="right"),
            ", ".join([*failed, *([f"{each.retried} retried"] if each.retried else [])]),
            f"{each.messages} messages of {len(each.hosts)} servers",
            killed,
            Text(each.name, style="dim"),
        )
    screen.print(Padding(grid, (0, 0, 0, 2)))


def _forbidden(result: Result, screen: Console) -> None:
    if not _came(result, screen, "forbidden", result.forbidden):
        return
    grid = Table.grid(padding=(0, 2))
    for each in result.forbidden:
        grid.add_row(
            Text("ok", style="green") if each.ok else Text("FAILED", style="bold red"),
            f"{each.call} by {each.service}",
            Text(each.name, style="dim"),
        )
    screen.print(Padding(grid, (0, 0, 0, 2)))


def _jobs(result: Result, screen: Console) -> None:
    if not _came(result, screen, "jobs", result.jobs):
        return
    grid = Table.grid(padding=(0, 2))
    for each in result.jobs:
        grid.add_row(
            Text("ok", style="green") if each.ok else Text("FAILED", style="bold red"),
            each.outcome if each.exit_code is None else f"{each.outcome} with {each.exit_code}",
            Text(f"{each.seconds:.1f} s", justify="right"),
            Text(each.started, style="cyan"),
            Text(each.name, style="dim"),
        )
    screen.print(Padding(grid, (0, 0, 0, 2)))


def _replacements(result: Result, screen: Console) -> None:
    if not _came(result, screen, "replacements", result.replacements):
        return
    grid = Table.grid(padding=(0, 2))
    for each in result.replacements:
        answers = ", ".join(f"{count} {answer}" for answer, count in each.answers.items())
        grid.add_row(
            Text("ok", style="green") if each.ok else Text("FAILED", style="bold red"),
            each.outcome,
            Text(f"{each.seconds:.1f} s", justify="right"),
            f"{each.before} to {each.after}" if each.before != each.after else f"{each.before} stays",
            f"answers: {answers}",
            Text(each.name, style="dim"),
        )
    screen.print(Padding(grid, (0, 0, 0, 2)))
    for each in result.replacements:
        if each.ok and each.reason:
            # What went wrong otherwise is among the errors, whole.
            screen.print(Text(f"  {each.service} {each.outcome}: {each.reason}", style="dim"), soft_wrap=True)


def _outputs(result: Result, screen: Console) -> None:
    if not result.outputs:
        return
    _head(screen, "Outputs")
    flat = [(name, value) for name, value in _flat(result.outputs, "") if UNKNOWN not in value]
    for name, value in flat:
        screen.print(Text.assemble("  ", (name, "cyan"), f"  {value}"), soft_wrap=True)


def _flat(value: Any, at: str) -> list[tuple[str, str]]:
    if isinstance(value, Mapping):
        inner = cast("Mapping[str, Any]", value).items()
        return [line for name, each in inner for line in _flat(each, f"{at}.{name}" if at else name)]
    if isinstance(value, list):
        return [(at, ", ".join(map(str, cast("list[Any]", value))))]
    return [(at, str(value))]


def _not_proved(result: Result, screen: Console) -> None:
    counted = Counter(each.type for each in result.resources)
    lines = [f"{token} ({counted[token]})" for token in result.validated_only]
    if lines or result.not_there or result.not_proved:
        _head(screen, "Validated, not proved", "an account may still refuse, or do otherwise")
    if lines:
        _paragraph(screen, "held against AWS's model alone", lines)
    if result.not_there:
        _paragraph(screen, "used by the program, and not done here", result.not_there)
    if result.not_proved:
        _paragraph(screen, "not in force here", result.not_proved)
        _paragraph(screen, "the emulator is corrected on", result.corrected)


def _paragraph(screen: Console, title: str, parts: Sequence[str]) -> None:
    text = Text.assemble((f"{title}: ", "yellow"), "; ".join(parts))
    screen.print(Padding(text, (0, 0, 0, 2)))


def _systems(result: Result, screen: Console) -> None:
    """Print a line for each system, whole: what to take home from all that is above."""
    found = systems.of(result)
    if not found:
        return
    _head(screen, "Systems")
    room = max(map(len, found))
    for name, each in found.items():
        failed = "" if each.ok else ("FAILED  ", "bold red")
        screen.print(Text.assemble("  ", (name.ljust(room), "cyan"), "  ", failed, str(each)), soft_wrap=True)


def _end(result: Result, screen: Console) -> None:
    phases = ", ".join(f"{name} {seconds:.1f}" for name, seconds in result.seconds.items() if name != "total")
    if phases:
        _head(screen, "Seconds", phases)
    total = result.seconds.get("total", 0.0)
    count = sum(map(_mistakes, result.errors))
    said = Text(f"passed in {total:.1f} s", "bold green")
    if count:
        said = Text(f"failed in {total:.1f} s: {'one error' if count == 1 else f'{count} errors'}, above", "bold red")
    screen.print(Text.assemble(f"\n{result.stack}: ", said))


def _mistakes(error: str) -> int:
    """Return how many mistakes *error* tells of: those in one file come together.

    They stand below a line that counts them (``3 settings of this stack cannot be used:``), or each begins with the
    file. All else below an error's first line is of the one mistake: what was expected and got, a container's lines.
    """
    first, *others = map(str.strip, error.splitlines() or [""])
    if others and first.partition(" ")[0] == str(len(others)):
        return len(others)
    file = first.partition(": ")[0]
    return 1 + sum(each.startswith(f"{file}: ") for each in others)
