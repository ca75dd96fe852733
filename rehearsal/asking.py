"""Follows the workloads' scripts: seeds their tables, sends one request after the other, records what came of it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from rehearsal import requests, streams
from rehearsal.client import Client, domains
from rehearsal.databases import RowsError
from rehearsal.keeping import Kept
from rehearsal.killing import Killing
from rehearsal.services import quoted

if TYPE_CHECKING:
    from collections.abc import Callable

    from rehearsal.graph import Answer, Registered
    from rehearsal.result import Asked, Streamed
    from rehearsal.script import Request
    from rehearsal.subject import Subject

_LOGS_FOLLOW: Final = 0.2
"""Seconds after an answer within which a workload has written what it has to say of it."""


class Asking:
    """What is asked of one deployed stack."""

    def __init__(self, subject: Subject, make: Callable[[Registered], Answer]) -> None:
        """Ask the workloads of *subject* that have scripts; *make* puts back what an outage takes away."""
        self._on, self._make = subject, make
        self._silent: dict[tuple[str, str], Asked] = {}
        """Workload and entrance → the request that got no answer there in time."""

    def seed(self) -> None:
        """Put every script's items into the workloads' tables, and its rows into their databases.

        Raises:
            RowsError: rows that a database does not take.

        """
        for workload, script in self._on.scripts.items():
            outputs = self._on.tree.workloads[workload]
            requests.seed(self._on.emulator, workload, outputs, script)
            for rows in script.rows:
                try:
                    self._on.databases.put(requests.output_of(workload, outputs, rows.database), rows)
                except RowsError as error:
                    raise RowsError(f"{workload}: {error}") from None

    def ask(self) -> None:
        """Send every script's requests, in their order.

        Raises:
            EntranceError: a script names an output that is not there or no URL; nothing is sent then.

        """
        for workload, script in self._on.scripts.items():
            requests.check_names(workload, self._on.tree.workloads[workload], script)
        with Client(self._on.emulator.endpoint, domains(self._on.tree)) as client:
            for workload, script in self._on.scripts.items():
                kept = Kept()
                for request in script.requests:
                    self._record(*self._answer(client, workload, request, kept))

    def stream(self) -> None:
        """Open every script's streams, in their order, and have killed who is to be killed meanwhile."""
        client = Client(self._on.emulator.endpoint, domains(self._on.tree))
        for workload, script in self._on.scripts.items():
            for said in script.streams:
                url = requests.output_of(workload, self._on.tree.workloads[workload], said.entrance)
                own = self._on.containers_of(workload)
                before = {each.id: len(each.lines) for each in own}
                killing = said.kill and Killing(
                    self._on.tree,
                    workload,
                    said.kill,
                    emulator=self._on.emulator,
                    containers=self._on.containers,
                )
                for each in streams.run(client, workload, url, said, killing):
                    self._record_streams(each, [line for one in own for line in quoted([*one.lines][before[one.id] :])])

    def _record_streams(self, streamed: Streamed, said: list[str]) -> None:
        self._on.result.streams.append(streamed)
        if not streamed.ok:
            head = f"{streamed.workload}: {streamed.method} {streamed.path} ({streamed.name}):"
            self._on.result.fail("\n  ".join([head, *streamed.problems, *said]))
        done = f"{streamed.complete} of {streamed.times} streams"
        self._on.progress.note(f"{'ok' if streamed.ok else 'FAILED'}  {done}  {streamed.method} {streamed.path}")

    def _answer(self, client: Client, workload: str, request: Request, kept: Kept) -> tuple[Asked, list[str]]:
        """Return what came of *request*, and what the workload's containers wrote meanwhile if it failed."""
        if silent := self._silent.get((workload, request.entrance)):
            # Else each of them waits as long, and a hanging handler holds the rehearsal for minutes.
            why = f"not sent: {silent.method} {silent.path} ({silent.name}) had no answer in time through this entrance"
            return requests.asked(workload, request, [why]), []
        if missing := kept.missing(request):
            return requests.asked(workload, request, [f"not sent: no earlier answer gave {', '.join(missing)}"]), []
        own = self._on.containers_of(workload)
        before = {each.id: len(each.lines) for each in own}
        outputs = self._on.tree.workloads[workload]
        sent = requests.with_key(self._on.emulator, workload, outputs, request)
        with requests.outage(request.outage, self._on.tree, workload, self._on.emulator, self._make):
            asked = requests.ask(client, workload, outputs, sent, kept)
        if asked.ok:
            return asked, []
        if asked.late:
            self._silent[workload, request.entrance] = asked
        time.sleep(_LOGS_FOLLOW)
        return asked, [line for each in own for line in quoted(list(each.lines)[before[each.id] :])]

    def _record(self, asked: Asked, said: list[str]) -> None:
        self._on.result.requests.append(asked)
        if not asked.ok:
            told = [f"{asked.workload}: {asked.method} {asked.path} ({asked.name}):", *asked.problems, *said]
            self._on.result.fail("\n  ".join(told))
        self._on.progress.note(f"{'ok' if asked.ok else 'FAILED'}  {asked.status}  {asked.method} {asked.path}")
