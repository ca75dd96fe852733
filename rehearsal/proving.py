"""What a deployed stack is put to, one thing after the other: its services, requests, streams, jobs, new versions."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Final

from rehearsal import forbidden, jobs, roles, services
from rehearsal.asking import Asking
from rehearsal.containers import prove_secrets
from rehearsal.replacing import Replacing

if TYPE_CHECKING:
    from collections.abc import Callable

    from rehearsal.deployment import Deployment
    from rehearsal.graph import Registered
    from rehearsal.script_replacements import Replacement
    from rehearsal.subject import Subject

_WELL_AGAIN_WITHIN: Final = 20.0
"""Seconds, at the end, for a service that was well once; a task that died a moment ago is replaced within two."""


class Proving:
    """The proof of one deployment; what comes of it is in its *result*."""

    def __init__(self, subject: Subject, deployment: Deployment) -> None:
        """Prove the workloads of *subject*, each by its script if it has one, and then by new versions."""
        self._on, self._deployment = subject, deployment
        self._well_since: dict[str, float] = {}
        self._given_up: set[str] = set()

    def wait(self, hopeless: Callable[[], bool]) -> bool:
        """Wait for the services, unless that is *hopeless*; whether all are well."""

        def on_well(service: Registered) -> None:
            self._well_since[service.outputs["name"]] = time.time()
            self._on.progress.note(f"service {service.name} is well")

        with self._on.progress.phase("services", "waiting for the services"):
            wrong = services.wait(
                self._on.emulator,
                self._on.containers,
                self._on.tree.of(services.SERVICE),
                on_well=on_well,
                hopeless=hopeless,
            )
        for each in wrong:
            self._on.result.fail(each)
        return not wrong

    def prove(self) -> None:
        """Follow the scripts, read the secrets, look at the logs, and look again whether the services are well."""
        self._ask()
        self._run_jobs()
        self._replace()
        self._tell_what_was_not_asked()
        self._prove_secrets()
        self._check_logs()
        self._look_again()

    def _ask(self) -> None:
        asking = Asking(self._on, self._deployment.stand_ins.make)
        with self._on.progress.phase("seed", "seeding tables"):
            asking.seed()
        with self._on.progress.phase("requests", "sending requests"):
            asking.ask()
        if any(each.streams for each in self._on.scripts.values()):
            with self._on.progress.phase("streams", "opening streams"):
                asking.stream()
        self._forbid()

    def _forbid(self) -> None:
        for workload, script in self._on.scripts.items():
            for said in script.forbidden:
                refused = forbidden.prove(self._on.tree, workload, said, self._on.emulator)
                self._on.result.forbidden.append(refused)
                if not refused.ok:
                    self._on.result.fail("\n  ".join([f"{workload}: {said.call} ({said.name}):", *refused.problems]))
                self._on.progress.note(f"{'ok' if refused.ok else 'FAILED'}  {said.call} refused to {said.service}")

    def _run_jobs(self) -> None:
        if not any(each.jobs for each in self._on.scripts.values()):
            return
        with self._on.progress.phase("jobs", "running jobs"):
            jobs.Jobs(self._on).run()

    def _replace(self) -> None:
        for workload, script in self._on.scripts.items():
            for said in script.replacements:
                with self._on.progress.phase("replacements", f"replacing {said.service}"):
                    self._replace_one(workload, said)

    def _replace_one(self, workload: str, said: Replacement) -> None:
        replacing = Replacing(
            workload,
            said,
            tree=self._on.tree,
            emulator=self._on.emulator,
            containers=self._on.containers,
        )
        self._deployment.replace(workload, said, replacing.repository(), self._on.containers)
        before = set(self._on.containers.all())
        replaced = replacing.run(self._deployment.run)
        if replaced.outcome != "completed":
            # What the new version did is in its outcome, whether that was expected or not.
            self._given_up |= {each.id for each in self._on.containers.all() if each not in before}
        self._on.result.replacements.append(replaced)
        if not replaced.ok:
            self._on.result.fail("\n  ".join([f"{workload}: {said.service} ({said.name}):", *replaced.problems]))
        done = f"{replaced.outcome}, {replaced.requests} requests"
        self._on.progress.note(f"{'ok' if replaced.ok else 'FAILED'}  {said.service}: {done}")

    def _tell_what_was_not_asked(self) -> None:
        self._on.result.warnings += [
            f"nothing was asked of {workload}: it has no {self._deployment.script_of(workload)}"
            for workload in self._on.tree.workloads
            if workload not in self._on.scripts
        ]
        self._on.result.warnings += roles.idle(
            self._on.tree,
            {workload: set(followed.exercised()) for workload, followed in self._on.scripts.items()},
        )

    def _prove_secrets(self) -> None:
        with self._on.progress.phase("secrets", "reading secrets as the execution roles"):
            ecs = self._on.emulator.client("ecs")
            for each in self._on.tree.of(services.TASK_DEFINITION):
                found = ecs.describe_task_definition(taskDefinition=each.outputs["arn"])["taskDefinition"]
                for refusal in prove_secrets(self._on.emulator, found):
                    self._on.result.fail(f"task {each.name!r}, {refusal}")

    def _check_logs(self) -> None:
        for each in self._on.containers.all():
            if each.log_stream and each.log_stream.error:
                self._on.result.fail(
                    f"container {each.name!r}: its lines did not reach its log group: {each.log_stream.error}"
                )

    def _look_again(self) -> None:
        """Fail for what has died since the services were well, replaced or not, and for services that no more are."""
        with self._on.progress.phase("services", "looking at the services again"):
            wrong = services.wait(
                self._on.emulator,
                self._on.containers,
                self._on.tree.of(services.SERVICE),
                within=_WELL_AGAIN_WITHIN,
                # What scripts ended is on the list too, and long forgiven.
                forgiven=math.inf,
            )
        died = services.died(self._on.emulator, self._on.containers, self._well_since)
        for told in [*(told for id_, told in died.items() if id_ not in self._given_up), *wrong]:
            self._on.result.fail(told)
