"""One stack's deployment in the emulator: the program run once, and again with other settings."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from rehearsal import program, replacing, script, versions
from rehearsal.monitor import Refused
from rehearsal.state import State

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from rehearsal.autoname import Names
    from rehearsal.containers import Containers
    from rehearsal.graph import Registered
    from rehearsal.script_replacements import Replacement
    from rehearsal.stack_file import StackFile
    from rehearsal.stand_ins import StandIns


class Deployment:
    """What `pulumi up` would do, once and again: a later run changes what differs, and leaves the rest alone."""

    stand_ins: StandIns

    def __init__(
        self,
        project_dir: Path,
        read: StackFile,
        stand_ins: StandIns,
        names: Names,
        environment: Mapping[str, str],
        *,
        room: Path,
    ) -> None:
        """Deploy *project_dir* as what was *read* of a stack's file says, with what *stand_ins* make.

        *environment* is the program's besides, and *room* a folder for the sources of new versions.
        """
        self.stand_ins = stand_ins
        self._read, self._room = read, room
        self._project_dir, self._names, self._environment = project_dir, names, environment
        self._state = State(stand_ins)

    def run(
        self,
        *,
        on_start: Callable[[Registered], None] = lambda _: None,
        on_done: Callable[[Registered], None] = lambda _: None,
    ) -> program.Result:
        """Run the program with the settings as they are now."""
        self._state.begin()
        result = program.run(
            self._project_dir,
            self._read,
            preview=False,
            maker=self._state,
            names=self._names,
            environment=self._environment,
            on_start=on_start,
            on_done=on_done,
        )
        try:
            if result.error is None:
                self._state.end()
        except Refused as refused:
            return dataclasses.replace(result, error=program.Failure(message=str(refused)))
        return result

    def script_of(self, workload: str) -> Path:
        """Return where the script of *workload* would be."""
        return script.path_of(self._project_dir, workload)

    def replace(self, workload: str, said: Replacement, repository: str, containers: Containers) -> None:
        """Have the next run deploy the new version that a script of *workload* has *said*, of *repository*'s image.

        What it is made of, *containers* are told.

        Raises:
            ReplacementError: the stack file says no image where it should be.

        """
        changed = replacing.settings(self._read.config, workload, said)
        self._read = dataclasses.replace(self._read, config=self._read.config | changed)
        digest = replacing.digest(workload, said)
        self.stand_ins.rebuild(repository, digest)
        containers.images[digest] = versions.folder_of(
            said,
            beside=self.script_of(workload).parent,
            old=containers.folder_of(repository),
            room=self._room / digest.rpartition(":")[2],
        )
