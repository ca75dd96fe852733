"""The rehearsal's command, which also writes what there was to read anywhere, and what nobody should have read there.

``python -m tests.rehearsal.witnessed FOLDER WORDS...``; the words are the command's. In FOLDER are then two files,
each a JSON object: ``secrets.json`` has what each secret is → its value, and ``places.json`` place → the text there.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from unittest import mock

from rehearsal import __main__ as command
from rehearsal import program, reach
from rehearsal.client import Client
from rehearsal.listening import Ear
from rehearsal.session import Session
from tests.rehearsal import emulated
from tests.rehearsal.known_secrets import Handed, standing

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from rehearsal.graph import Registered
    from rehearsal.keeper import Run

_LARGEST: Final = 20_000_000
"""Bytes of a file that is read."""
_EVERY: Final = 0.5
"""Seconds between two looks at the machine's processes: at those that the rehearsal's own start."""


class Witness:
    """What was to be read while one rehearsal ran."""

    def __init__(self) -> None:
        self.places: dict[str, str] = {}
        """Place → what is to be read there."""
        self.secrets = {"the engineer's own key": os.environ.get("AWS_SECRET_ACCESS_KEY", "there is none")}
        """What each is → its value."""
        self._handed = Handed()
        self._commands: set[str] = set()
        self._answers: list[str] = []
        self._ears: list[Ear] = []
        self._over = threading.Event()

    @contextlib.contextmanager
    def watching(self) -> Generator[None]:
        """Watch the rehearsal that runs in the block."""
        up, close, run, send, listen = Session.up, Session.close, program.run, Client.send, Ear.__init__
        start = subprocess.Popen[bytes].__init__

        def ended(session: Session, of: Run) -> None:
            up(session, of)
            try:
                self._look(session, of)
            except BaseException:
                session.close()  # what it started would be waited for
                raise

        def closed(session: Session) -> None:
            close(session)
            lines = {f"the lines of {each.name} {each.id}": "\n".join(each.lines) for each in self._handed.containers}
            self.places |= lines

        def evaluated(*args: Any, **said: Any) -> program.Result:
            result = run(*args, **said)
            kind = "preview" if result.preview else "deployment"
            self.places |= {f"{kind}: {place}": text for place, text in _registered(result).items()}
            return result

        def answered(client: Client, *args: Any, **said: Any) -> tuple[int, Mapping[str, str], bytes]:
            status, headers, content = send(client, *args, **said)
            # What logs in gets a token: that is what it asked for.
            if status >= 400 or "html" in str(headers.get("Content-Type")):
                self._answers.append(f"{dict(headers)}\n{content.decode(errors='replace')}")
            return status, headers, content

        def listened(ear: Ear, *args: Any) -> None:
            listen(ear, *args)
            self._ears.append(ear)

        def started(process: subprocess.Popen[bytes], command: Any, **said: Any) -> None:
            # Some have ended before anybody looks at the machine's processes.
            self._commands.add(" ".join(map(str, command)))
            start(process, command, **said)

        threading.Thread(target=self._look_at_processes, daemon=True).start()
        try:
            with (
                self._handed.watched(),
                mock.patch.object(Session, "up", ended),
                mock.patch.object(Session, "close", closed),
                mock.patch.object(program, "run", evaluated),
                mock.patch.object(Client, "send", answered),
                mock.patch.object(Ear, "__init__", listened),
                mock.patch.object(subprocess.Popen, "__init__", started),
            ):
                yield
        finally:
            self._over.set()

    def write(self, folder: Path) -> None:
        """Write both files."""
        self.places["command lines"] = "\n".join([*self._commands])
        (folder / "secrets.json").write_text(json.dumps(self.secrets | self._handed.values))
        (folder / "places.json").write_text(json.dumps(self.places))

    def _look(self, session: Session, run: Run) -> None:
        self.secrets |= standing(session)
        self.places["pages and refusals"] = "\n".join(self._answers)
        self.places["messages"] = "\n".join(text for each in self._ears for text in each.heard)
        for path in run.folder.rglob("*"):
            name = path.relative_to(run.folder)
            # A database has what it is asked to keep, and the key of its certificate.
            if path.is_file() and "data" not in name.parts[:2] and path.stat().st_size <= _LARGEST:
                self.places[f"the run's {name}"] = path.read_text(errors="replace")
        for server in self._handed.servers:
            self.places[f"the log of the database at {server.host}"] = server.log.read_text(errors="replace")
        if hasattr(session, "emulator"):
            self.places |= emulated.told(session.emulator)
            way = reach.told(session.emulator, session.scripts, session.result.outputs, session.origins)
            # Whoever keeps the emulator is its root: that is the one key that it is to print.
            kept = [line for line in way.splitlines() if "export AWS_SECRET_ACCESS_KEY=" not in line]
            self.places["what --keep prints"] = "\n".join(kept)

    def _look_at_processes(self) -> None:
        while not self._over.wait(_EVERY):
            for each in Path("/proc").glob("[0-9]*/cmdline"):
                with contextlib.suppress(OSError):
                    self._commands.add(each.read_bytes().replace(b"\0", b" ").decode(errors="replace"))


def _registered(result: program.Result) -> dict[str, str]:
    """Return what a state has in plain text, and a preview shows: what is marked as a secret is in neither."""
    outputs = {name: value for name, value in result.outputs.items() if name not in result.secret_outputs}
    return {
        **{f"state of {each.urn}": json.dumps(_plain(each), default=str) for each in result.graph},
        "outputs": json.dumps(outputs, default=str),
        "notes": "\n".join(text for _, text in result.log),
    }


def _plain(resource: Registered) -> list[Any]:
    parts = (resource.inputs, resource.outputs)
    return [{key: value for key, value in part.items() if key not in resource.secret_inputs} for part in parts]


def _main() -> int:
    folder, *words = sys.argv[1:]
    witness = Witness()
    with witness.watching():
        code = command.main(words)
    witness.write(Path(folder))
    return code


if __name__ == "__main__":
    sys.exit(_main())
