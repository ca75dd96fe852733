"""Everything that a rehearsal found: what the report prints and `--json` writes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Final, cast

from rehearsal import systems

if TYPE_CHECKING:
    from pathlib import Path

    from rehearsal.graph import Proof, Registered
    from rehearsal.runs import Outcome

_WHOLE: Final = 3
"""Violations of one rule that are told whole."""
SECRET: Final = "[secret]"  # noqa: S105 - what stands in a secret's stead
UNKNOWN: Final = "[unknown]"
"""What stands for an output that a preview cannot know."""


@dataclass(frozen=True, kw_only=True)
class Resource:
    """One resource of the program."""

    urn: str
    type: str
    name: str
    """The logical name."""
    id: str
    """Empty for components, and at a preview."""
    parent: str
    """The parent's URN."""
    custom: bool
    """False for components."""
    seconds: float
    """How long its creation took, in seconds of wall clock."""
    proof: Proof

    @classmethod
    def of(cls, registered: Registered) -> Resource:
        """Return what is told of *registered*."""
        told = ("urn", "type", "name", "id", "parent", "custom", "seconds", "proof")
        return cls(**{name: getattr(registered, name) for name in told})


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What a policy said of one resource, or of the stack."""

    pack: str
    rule: str
    level: str
    """``mandatory`` refuses; ``advisory`` and the like are told."""
    urn: str
    """Empty when it is of the stack as a whole."""
    message: str


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One request and what came of it."""

    workload: str
    name: str
    """What holds if the answer was as expected."""
    entrance: str
    """The output that holds the address."""
    method: str
    path: str
    status: int
    """0 when there was no answer."""
    seconds: float
    ok: bool
    late: bool = False
    """Whether it failed for want of an answer in time: the client's limit, or a 504 of what is in between."""
    problems: tuple[str, ...] = ()
    """Expected and got, for each part that differs."""


@dataclass(frozen=True, kw_only=True)
class Streamed:
    """One request sent many times over, whose answers came message by message, and what came of them."""

    workload: str
    name: str
    """What holds if all was as expected."""
    entrance: str
    """The output that holds the address."""
    method: str
    path: str
    times: int
    """How many streams there were."""
    complete: int
    """How many were answered whole."""
    failed: dict[str, int]
    """What the others failed with → how many."""
    retried: int
    """How many were tried more than once, as far as the answers say."""
    messages: int
    """Heard in all."""
    hosts: dict[str, int]
    """Which servers answered → how many streams."""
    killed: tuple[str, ...]
    """Those of them that were killed meanwhile."""
    replaced_in: float
    """Seconds from the kill until as many servers as before were well again; 0 where none was killed."""
    seconds: float
    """From the first request to the end of the last stream."""
    ok: bool
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Ran:
    """One job and what came of it."""

    workload: str
    name: str
    """What holds if it came out as expected."""
    started: str
    """How: by which schedule, or by hand with which command."""
    outcome: Outcome
    exit_code: int | None
    """None where no container has one."""
    seconds: float
    """From its start to its end, with what it was started again for."""
    ok: bool
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Replaced:
    """One service that was given a new version while requests went on, and what became of it."""

    workload: str
    name: str
    """What holds if all was as expected."""
    service: str
    before: str
    """The task definition that ran, as ``family:revision``."""
    after: str
    """The one that runs now."""
    outcome: str
    """Of the deployment: ``completed``, ``rolled back``, ``failed``; ``refused`` or ``unchanged`` if none was begun."""
    told: str
    """What the program failed with; empty if it did not."""
    reason: str = ""
    """The line of it that the script knows it by, or the first."""
    requests: int
    """How many were sent."""
    answers: dict[str, int]
    """Status, or why there was no answer → how many."""
    exit_codes: tuple[int, ...]
    """Of the old version's containers that have ended."""
    seconds: float
    ok: bool
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Refused:
    """One call that IAM must refuse, and what came of it."""

    workload: str
    name: str
    """What holds if it was refused."""
    service: str
    """Whose role asked."""
    call: str
    """The action."""
    problems: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether it was."""
        return not self.problems


@dataclass(frozen=True, kw_only=True)
class LeftOut:
    """A part of a workload's script that is not for this stack."""

    workload: str
    kind: str
    """``requests``, ``streams``, ``jobs`` or ``replacements``."""
    name: str
    """What would have been shown."""
    why: str
    """Which output is other than it wants: ``mode is 'scheduled'``."""


@dataclass(frozen=True, kw_only=True)
class Lack:
    """An action that a role of the program needed and lacks."""

    role: str
    """The role's logical name."""
    action: str
    resource: str
    """The ARN that it was refused on, or ``*``."""
    reason: str
    """Which policy refused, in the emulator's words."""

    def __str__(self) -> str:
        """Write it as an error."""
        return f"role {self.role!r} lacks {self.action} on {self.resource} ({self.reason})"


@dataclass(kw_only=True)
class Result:
    """What a rehearsal has found so far; complete when it ends, however it ends."""

    stack: str
    created: bool = False
    """Whether it came to creating anything: not so for a preview, and for what a preview refused."""
    resources: list[Resource] = field(default_factory=list[Resource])
    packs: list[str] = field(default_factory=list[str])
    """The policy packs that judged it."""
    policies: list[Verdict] = field(default_factory=list[Verdict])
    requests: list[Asked] = field(default_factory=list[Asked])
    streams: list[Streamed] = field(default_factory=list[Streamed])
    jobs: list[Ran] = field(default_factory=list[Ran])
    replacements: list[Replaced] = field(default_factory=list[Replaced])
    forbidden: list[Refused] = field(default_factory=list[Refused])
    left_out: list[LeftOut] = field(default_factory=list[LeftOut])
    outputs: dict[str, Any] = field(default_factory=dict[str, Any])
    """The stack's exports; a secret's value is not among them."""
    denials: list[Lack] = field(default_factory=list[Lack])
    validated_only: list[str] = field(default_factory=list[str])
    """Types of resources that were held against AWS's model and not created."""
    not_there: list[str] = field(default_factory=list[str])
    """What the program uses and the emulator does not do."""
    not_proved: list[str] = field(default_factory=list[str])
    """What else an account could still show to be wrong."""
    corrected: list[str] = field(default_factory=list[str])
    """Where the emulator is held to our own reading of AWS's documentation, which may be wrong too."""
    notes: list[str] = field(default_factory=list[str])
    """What the program says of itself, at every preview and deployment."""
    warnings: list[str] = field(default_factory=list[str])
    """What the engineer should see and does not fail a rehearsal."""
    errors: list[str] = field(default_factory=list[str])
    """Why it failed; empty if it did not."""
    traceback: str = ""
    """The program's own frames, where it broke rather than refused."""
    seconds: dict[str, float] = field(default_factory=dict[str, float])
    """Phase → seconds of wall clock, and ``total``."""

    @property
    def ok(self) -> bool:
        """Whether everything was as it must be."""
        return not self.errors

    def fail(self, error: str) -> None:
        """Record *error*, once."""
        if error not in self.errors:
            self.errors.append(error)

    def write(self, path: Path) -> None:
        """Write it as JSON."""
        path.parent.mkdir(parents=True, exist_ok=True)
        of_each = {name: asdict(each) for name, each in systems.of(self).items()}
        whole = {"stack": self.stack, "ok": self.ok} | asdict(self) | {"systems": of_each}
        path.write_text(json.dumps(whole, indent=1) + "\n", encoding="utf-8")


def refusals(verdicts: Iterable[Verdict]) -> list[str]:
    """Return the violations among *verdicts* as errors, one a rule: a missing default tag is one mistake, not fifty."""
    rules: dict[str, list[Verdict]] = {}
    for each in verdicts:
        if each.level != "advisory":
            # The finer rule comes first in a message.
            rules.setdefault(f"{each.pack} ({each.level}) {each.message.partition(':')[0]}", []).append(each)
    errors: list[str] = []
    for rule, violations in rules.items():
        messages = list(dict.fromkeys(each.message.partition(": ")[2] or each.message for each in violations))
        lines = [f"policy {rule}:", *messages[:_WHOLE]]
        if len(messages) > _WHOLE:
            others = list(dict.fromkeys(each.urn.rpartition("::")[2] for each in violations))[_WHOLE:]
            lines.append(f"and {len(messages) - _WHOLE} more like it: {', '.join(others)}")
        errors.append((" " if len(lines) == 2 else "\n  ").join(lines))  # noqa: PLR2004 - a head and one message
    return errors


def shown(outputs: Mapping[str, Any], secret: frozenset[str], unknown: str) -> dict[str, Any]:
    """Return *outputs* as they may be printed: secrets hidden, and the engine's sentinel *unknown* as a word."""
    return {name: SECRET if name in secret else _shown(value, unknown) for name, value in outputs.items()}


def _shown(value: Any, unknown: str) -> Any:
    match value:
        case Mapping():
            inner = cast("Mapping[str, Any]", value)
            return {name: _shown(each, unknown) for name, each in inner.items()}
        case list():
            return [_shown(each, unknown) for each in cast("list[Any]", value)]
        case _:
            return UNKNOWN if value == unknown else value
