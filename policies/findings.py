"""What a rule says is wrong, and the exceptions that a stack has declared: reported, never silent, never for ever."""

from __future__ import annotations

from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import date

    from policies.resources import Resource

OnUnknown = Literal["deny", "report"]
"""What becomes of a rule that could not be proved: refused (the default), or listed among the notes."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing wrong with one resource."""

    rule: str
    """The rule's name: what an exception names."""
    urn: str
    message: str
    """Resource, property, value (never a secret's) and what would do."""
    unproved: bool = False
    """Nothing is known to be wrong, but nothing shows that it is right."""
    behind: Callable[[], Iterable[Finding]] = field(default=tuple, compare=False)
    """What goes without saying while this is refused, and is told in its place where it is excepted."""


def about(
    rule: str,
    resource: Resource,
    text: str,
    *,
    unproved: bool = False,
    behind: Callable[[], Iterable[Finding]] = tuple,
) -> Finding:
    """Return what *rule* says of *resource*, which the message begins with."""
    message = f"{resource.title}: {text}"
    return Finding(rule=rule, urn=resource.urn, message=message, unproved=unproved, behind=behind)


@dataclass(frozen=True, kw_only=True)
class Exemption:
    """One rule not held against some resources until a day, for a reason."""

    rule: str
    resource: str
    """A logical name or a URN; `*` stands for any text."""
    reason: str
    until: date
    """The last day it holds, in UTC."""

    def covers(self, finding: Finding) -> bool:
        """Whether it names *finding*'s rule and resource."""
        name = finding.urn.rsplit("::", 1)[-1]
        return self.rule == finding.rule and any(fnmatchcase(it, self.resource) for it in (name, finding.urn))

    def __str__(self) -> str:
        """Write it as a note does."""
        return f"{self.rule} on {self.resource!r} until {self.until.isoformat()}: {self.reason}"


@dataclass(kw_only=True)
class Ledger:
    """Sorts findings into violations and notes, and remembers which exceptions were used."""

    exceptions: Sequence[Exemption] = ()
    on_unknown: OnUnknown = "deny"
    today: date
    used: set[Exemption] = field(default_factory=set[Exemption])
    notes: dict[tuple[str, str], None] = field(default_factory=dict[tuple[str, str], None])
    """Message and URN, in the order found, once each: a finding may be met at a resource and again in the graph."""

    def violations(self, finding: Finding) -> Iterator[str]:
        """Yield the messages to refuse with: the finding's own or, where it is excepted, those of what is behind it."""
        text = self.violation(finding)
        if text:
            yield text
            return
        for each in finding.behind():
            yield from self.violations(each)

    def violation(self, finding: Finding) -> str | None:
        """Return the message to refuse with, or nothing where the finding became a note."""
        text = f"{finding.rule}: {finding.message}"
        for exception in self.exceptions:
            if not exception.covers(finding):
                continue
            self.used.add(exception)
            if self.today > exception.until:
                return (
                    f"{text} (its exception ended on {exception.until.isoformat()}: {exception.reason}; "
                    "mend it, or give the exception a later `until`)"
                )
            self.notes[f"excepted until {exception.until.isoformat()} ({exception.reason}): {text}", finding.urn] = None
            return None
        if finding.unproved and self.on_unknown == "report":
            self.notes[f"not proved: {text}", finding.urn] = None
            return None
        return text

    def close(self) -> list[tuple[str, str]]:
        """Hand out the notes of one run, exceptions that nothing needed among them, and begin anew."""
        idle = [exception for exception in self.exceptions if exception not in self.used]
        notes = [*self.notes, *((f"exception not needed, remove it: {exception}", "") for exception in idle)]
        self.notes.clear()
        self.used.clear()
        return notes
