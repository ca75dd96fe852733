"""What is put to the proof, and where what comes of it goes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rehearsal.containers import FAMILY
from rehearsal.services import TASK_DEFINITION

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rehearsal.containers import Container, Containers
    from rehearsal.databases import Databases
    from rehearsal.emulator import Emulator
    from rehearsal.progress import Progress
    from rehearsal.result import Result
    from rehearsal.script import Script
    from rehearsal.tree import Tree


@dataclass(frozen=True, kw_only=True)
class Subject:
    """One deployed stack, as every step of its proof is given it."""

    tree: Tree
    """What was deployed."""
    scripts: Mapping[str, Script]
    """Workload → its script; a workload without one is not among them."""
    emulator: Emulator
    """Where it was."""
    containers: Containers
    """What its tasks run in."""
    databases: Databases
    """What stands behind its databases."""
    result: Result
    """What each step adds to."""
    progress: Progress
    """What each step tells of as it goes."""

    def containers_of(self, workload: str) -> list[Container]:
        """Return the containers that there are and were of the tasks of *workload*, the oldest first."""
        families = {each.inputs["family"] for each in self.tree.own(workload, TASK_DEFINITION)}
        return [each for each in self.containers.all() if each.labels[FAMILY] in families]
