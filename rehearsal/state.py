"""What a session has made so far: in a second run what is as it was is left alone, and what changed is updated.

It stands between the monitor and the stand-ins, as the engine's state file does between a program and its providers.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Protocol

from rehearsal.graph import Answer
from rehearsal.monitor import Maker, Refused

if TYPE_CHECKING:
    from rehearsal.graph import Registered


class Updater(Maker, Protocol):
    """What makes resources, changes them and takes them away: the stand-ins."""

    def update(self, resource: Registered, before: Registered, changed: frozenset[str]) -> Answer:
        """Change what was made for *before* into *resource*, which differs in the inputs *changed*."""
        ...

    def retire(self, before: Registered) -> None:
        """Take away what was made for *before*, in whose place there is another now."""
        ...


class State:
    """A maker for one run of a program after another."""

    def __init__(self, stand_ins: Updater) -> None:
        """Nothing is made yet."""
        self._stand_ins = stand_ins
        self._known: dict[str, Registered] = {}
        self._seen: set[str] = set()
        self._retired: list[Registered] = []
        self._lock = threading.Lock()

    def begin(self) -> None:
        """Begin another run of the program."""
        self._seen.clear()

    def knows(self, token: str) -> bool:
        """Say whether there is a stand-in for the type *token*."""
        return self._stand_ins.knows(token)

    def make(self, resource: Registered) -> Answer:
        """Make *resource*, leave it as it is, or change it; on several threads at once.

        Raises:
            Refused: AWS would not, or the rehearsal cannot make that change.

        """
        with self._lock:
            self._seen.add(resource.urn)
            before = self._known.get(resource.urn)
        answer = self._answer(resource, before)
        with self._lock:
            self._known[resource.urn] = resource
            if before and _arn(answer) != _arn(before):
                self._retired.append(before)
        return answer

    def end(self) -> None:
        """End a run that went well, as the engine does: what has another in its place is taken away.

        Raises:
            Refused: the program registers something no longer, and a rehearsal takes nothing else away.

        """
        gone = [each for urn, each in self._known.items() if urn not in self._seen]
        if gone:
            told = ", ".join(f"{each.type} {each.name!r}" for each in gone)
            raise Refused(f"the second run no longer has {told}: a rehearsal takes nothing away but old revisions")
        while self._retired:
            self._stand_ins.retire(self._retired.pop())

    def _answer(self, resource: Registered, before: Registered | None) -> Answer:
        if before is None or not resource.custom:  # a plugin's component is made anew each time, such as an image
            return self._stand_ins.make(resource)
        for name in resource.ignore_changes:
            if name in before.inputs:
                resource.inputs[name] = before.inputs[name]
        changed = frozenset(
            name for name in resource.inputs.keys() | before.inputs.keys()
            if resource.inputs.get(name) != before.inputs.get(name)
        )  # fmt: skip
        if not changed:
            return Answer(id=before.id, outputs=before.outputs, proof=before.proof)
        return self._stand_ins.update(resource, before, changed)


def _arn(made: Answer | Registered) -> str:
    """Return what tells one revision from the next: their id is the same."""
    return str(made.outputs.get("arn", ""))
