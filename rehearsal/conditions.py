"""Which parts of a script are for a stack: those whose `where` the workload's outputs meet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, cast

from pulumi.runtime.rpc import UNKNOWN

from rehearsal.requests import EntranceError
from rehearsal.result import LeftOut

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rehearsal.script import Script
    from rehearsal.script_part import Conditional

Some = TypeVar("Some", bound="Conditional")


def of_stack(workload: str, outputs: Mapping[str, Any], script: Script) -> tuple[Script, list[LeftOut]]:
    """Return the *script* of *workload* without what is not for this stack, and that.

    Raises:
        EntranceError: a `where` names an output that is not there, or that only a deployment can know.

    """
    left_out: list[LeftOut] = []

    def kept(kind: str, parts: Sequence[Some]) -> tuple[Some, ...]:
        whys = [_why_not(workload, outputs, part) for part in parts]
        left_out.extend(
            LeftOut(workload=workload, kind=kind, name=part.name, why=why)
            for part, why in zip(parts, whys, strict=True)
            if why
        )
        return tuple(part for part, why in zip(parts, whys, strict=True) if not why)

    for_stack = script.model_copy(
        update={
            "requests": kept("requests", script.requests),
            "streams": kept("streams", script.streams),
            "jobs": kept("jobs", script.jobs),
            "replacements": kept("replacements", script.replacements),
            "forbidden": kept("forbidden", script.forbidden),
        }
    )
    return for_stack, left_out


def output_of(workload: str, outputs: Mapping[str, Any], part: Conditional, name: str) -> Any:
    """Return the workload's output *name*, which *part* of its script names; ``a.b`` is b in the mapping a.

    Raises:
        EntranceError: it has none of that name.

    """
    found: Any = outputs
    for step in name.split("."):
        if found == UNKNOWN:
            return UNKNOWN
        if not isinstance(found, dict) or step not in found:
            raise EntranceError(
                f"{workload}: the {part.kind} {part.name!r} names the output {name!r}; it has "
                f"{', '.join(sorted(outputs))}"
            )
        found = cast("dict[str, Any]", found)[step]
    return found


def _why_not(workload: str, outputs: Mapping[str, Any], part: Conditional) -> str:
    """Return why *part* is left out; empty if it is not."""
    differ: list[str] = []
    for name, wanted in part.where.items():
        value = output_of(workload, outputs, part, name)
        if value == UNKNOWN:
            raise EntranceError(
                f"{workload}: the {part.kind} {part.name!r} is asked by the output {name!r}, which a preview does not "
                "know: name one that the stack's settings say"
            )
        if value not in (wanted if isinstance(wanted, tuple) else (wanted,)):
            differ.append(f"{name} is {value!r}")
    return " and ".join(differ)
