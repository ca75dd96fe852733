"""What a rehearsal comes to for each system: what was shown of it, and what was only validated."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, cast

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from rehearsal.result import Resource, Result

PLATFORM: Final = "platform"
"""The component whose resources all workloads share, and the name of the system that they are."""
_JOB: Final = "drydock:index:Job"
_QUOTED: Final = re.compile(r"'([^']+)'")


@dataclass(frozen=True, kw_only=True)
class System:
    """One workload, or what all of them share."""

    ok: bool
    """False if anything that was asked of it went wrong, or an error speaks of one of its resources."""
    shown: tuple[str, ...]
    """How much of what was asked came as expected, in words, a kind each; empty if nothing was asked."""
    left_out: int
    """Parts of its script that are not for this stack."""
    validated: dict[str, int]
    """Types of its resources that were held against AWS's model and not created → how many."""

    def __str__(self) -> str:
        """Write it as one line."""
        said = [", ".join(self.shown) or "nothing asked"]
        if self.left_out:
            said.append(f"{self.left_out} not for this stack")
        if self.validated:
            counted = ", ".join(f"{short_type(token)} ({count})" for token, count in self.validated.items())
            said.append(f"validated only: {counted}")
        return "; ".join(said)


def of(result: Result) -> dict[str, System]:
    """Return the systems of *result* by their names, the workloads in order and what they share last.

    That is among them only if something of it was validated only, or failed. A preview has none: it asks nothing.
    """
    if not result.created or not (workloads := _workloads(result)):
        return {}
    by_urn = {each.urn: each for each in result.resources}
    shared: list[Resource] = []
    own: dict[str, list[Resource]] = {name: [] for name in sorted(workloads)}
    for each in result.resources:
        own.get(_top(each, by_urn).name, shared).append(each)
    systems = {name: _system(result, name, resources) for name, resources in own.items()}
    made = sum(each.proof == "enacted" for each in shared)
    platform = System(
        ok=not _failed(result, PLATFORM, shared),
        shown=(f"{made} resource{'s' if made > 1 else ''} made",),
        left_out=0,
        validated=_validated(shared),
    )
    return systems if platform.ok and not platform.validated else systems | {PLATFORM: platform}


def short_type(token: str) -> str:
    """Return ``ec2.Subnet`` for ``aws:ec2/subnet:Subnet``, and a component's class alone."""
    package, module, name = token.split(":")
    return name if package not in ("aws", "awsx") else f"{module.split('/')[0]}.{name}"


def _workloads(result: Result) -> Collection[str]:
    # A deployment that failed hands out nothing. All that is at the top is then a workload, or the platform.
    handed_out = result.outputs.get("workloads", {} if result.outputs else None)
    if isinstance(handed_out, Mapping):
        return cast("Mapping[str, Any]", handed_out).keys()
    known = {each.urn for each in result.resources}
    return {each.name for each in result.resources if not each.custom and each.parent not in known} - {PLATFORM}


def _top(resource: Resource, by_urn: Mapping[str, Resource]) -> Resource:
    while above := by_urn.get(resource.parent):
        resource = above
    return resource


def _system(result: Result, name: str, own: Sequence[Resource]) -> System:
    return System(
        ok=not _failed(result, name, own),
        shown=tuple(_shown(result, name, own)),
        left_out=sum(each.workload == name for each in result.left_out),
        validated=_validated(own),
    )


def _shown(result: Result, name: str, own: Sequence[Resource]) -> Iterator[str]:
    jobs = [each.name for each in own if each.type == _JOB]
    # Their runner says so of each that came to a good end; that it was started, it says in other words.
    told = [note for note in result.notes if note.endswith(" has run")]
    ran = sum(any(note.startswith(f"job {job!r} ") for note in told) for job in jobs)
    if ran:
        yield f"{ran} of {len(jobs)} jobs before deployments"
    under = sum(each.requests for each in result.replacements if each.workload == name)
    for kind, done in (
        ("requests", result.requests),
        ("streams", result.streams),
        ("calls refused", result.forbidden),
        ("jobs", result.jobs),
        (f"replacements under {under:,} requests", result.replacements),
    ):
        mine = [each.ok for each in done if each.workload == name]
        if mine:
            yield f"{sum(mine)} of {len(mine)} {kind}"


def _failed(result: Result, name: str, own: Sequence[Resource]) -> bool:
    """Whether an error speaks of the system *name*: begins with it, or quotes one of its *own* resources.

    Two systems may have a resource of one name, and such an error is then held against both.
    """
    names = {each.name for each in own} | {each.id.rpartition("/")[2] for each in own if each.custom}
    heads = [error.partition("\n")[0] for error in result.errors]
    urns = {each.urn for each in own}
    return any(head.startswith(f"{name}: ") or not names.isdisjoint(_QUOTED.findall(head)) for head in heads) or any(
        each.level != "advisory" and each.urn in urns for each in result.policies
    )


def _validated(own: Sequence[Resource]) -> dict[str, int]:
    return dict(sorted(Counter(each.type for each in own if each.proof == "validated").items()))
