"""The order of things: preview, policies, emulator, deployment, policies again, services, requests, secrets."""

from __future__ import annotations

import os
import traceback
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import TYPE_CHECKING, Final

from botocore.exceptions import BotoCoreError, ClientError
from pulumi.runtime import rpc

from rehearsal import (
    account,
    boundaries,
    client,
    conditions,
    databases,
    dns,
    forbidden,
    jobs,
    killing,
    packs,
    program,
    replacing,
    requests,
    roles,
    script,
    stack_file,
    streams,
    unproved,
)
from rehearsal.autoname import Names
from rehearsal.containers import NOT_ENFORCED, ContainerError, Containers
from rehearsal.databases import Databases, RowsError
from rehearsal.deployment import Deployment
from rehearsal.ecs_agents import EcsAgents
from rehearsal.emulator import Emulator, EmulatorError, launch
from rehearsal.network_balancers import NetworkBalancerError, NetworkBalancers
from rehearsal.origins import Origins
from rehearsal.outside import OutsideError
from rehearsal.postgres import PostgresError
from rehearsal.proving import Proving
from rehearsal.result import Resource, Result, Verdict, refusals, shown
from rehearsal.stand_ins import Preview, StandIns
from rehearsal.subject import Subject
from rehearsal.tree import Tree

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from rehearsal.graph import Registered
    from rehearsal.keeper import Run
    from rehearsal.progress import Progress
    from rehearsal.script import Script

_NOWHERE: Final = {
    # A pack may look a subnet up in AWS. At a preview there is none to ask, and no real account may be asked.
    "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
    "AWS_ACCESS_KEY_ID": "none",
    "AWS_SECRET_ACCESS_KEY": "none",
    "AWS_DEFAULT_REGION": "us-east-1",
}
_NO_FILES: Final = {
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
}
_TOLD: Final = (
    ContainerError,
    EmulatorError,
    forbidden.ForbiddenError,
    NetworkBalancerError,
    OutsideError,
    packs.PackError,
    PostgresError,
    replacing.ReplacementError,
    requests.EntranceError,
    RowsError,
    script.ScriptError,
    stack_file.StackFileError,
    streams.KillError,
)
"""Errors whose message is the user's to read, and whole."""


class _EndedError(Exception):
    """What follows makes no sense any more; why is among the result's errors."""


class Session:
    """One rehearsal of one stack: what was found is in `result`, complete or not."""

    result: Result
    ended = False
    """Whether `result` is complete."""
    emulator: Emulator
    origins: Origins
    """Where load balancers answer on this machine."""
    databases: Databases
    """The servers behind its databases."""
    scripts: dict[str, Script]
    """Workload → its script; a workload without one is not among them."""
    _tree: Tree | None

    def __init__(self, project_dir: Path, stack: str, progress: Progress, *, only: Sequence[str] = ()) -> None:
        """Rehearse the *stack* of *project_dir*, with *only* these of its workloads where any is named."""
        self.result, self._tree = Result(stack=stack, seconds=progress.seconds), None
        self.scripts = {}
        self._project_dir, self._stack, self._progress, self._only = project_dir, stack, progress, only
        self._packs = sorted(path.parent for path in (project_dir / "policies").glob("*/PulumiPolicy.yaml"))
        self._names, self._closing = Names(), ExitStack()

    def preview(self, run: Run) -> None:
        """Evaluate the program with unknown ids, and have the policies judge it. What starts, starts in *run*."""
        self._guarded(self._preview, run)

    def up(self, run: Run) -> None:
        """Do all of it. What starts, starts in *run*, and goes on until `close`."""
        self._guarded(self._up, run)

    def close(self) -> None:
        """Stop the containers, then the emulator: the other way round it would put new ones in their place."""
        self._closing.close()

    def tell_denials(self) -> None:
        """Put what IAM has refused so far into the result; nothing before the roles are made."""
        if self._tree is not None:
            self.result.denials = roles.lacks(self._tree, denials := self.emulator.denials())
            # First, since what else went wrong most often follows from it.
            self.result.errors[:0] = map(str, self.result.denials)
            self.result.warnings += roles.strangers(self._tree, denials) if self.result.errors else []

    def _guarded(self, work: Callable[[Run], object], run: Run) -> None:
        try:
            work(run)
        except _EndedError:
            pass
        except _TOLD as error:
            self.result.fail(str(error))
        except (ClientError, BotoCoreError) as error:
            self.result.fail(f"the emulator refused the rehearsal itself: {error}")
        except Exception as error:  # noqa: BLE001 - a fault of the rehearsal's own ends with a report all the same
            self.result.fail(f"the rehearsal itself broke, which is no fault of the program: {error!r}")
            self.result.traceback = traceback.format_exc()
        self.ended = True

    def _preview(self, run: Run) -> list[Registered]:
        self._read = stack_file.read(self._project_dir, self._stack).only(self._only)
        if self._only:
            self.result.warnings.append(f"rehearsed alone, as asked: {', '.join(self._only)}")
        with self._start_packs(run, {**_NOWHERE, **_NO_FILES}, preview=True) as judges:
            with self._progress.phase("preview", f"previewing {self._stack}"):
                evaluated = program.run(self._project_dir, self._read, preview=True, maker=Preview(), names=self._names)
            self._take(evaluated)
            self.scripts = self._read_scripts(Tree(evaluated.graph, evaluated.outputs))
            self._judge(judges, evaluated, "policies at preview")
        return evaluated.graph

    def _up(self, run: Run) -> None:
        planned = self._preview(run)
        with self._progress.phase("emulator", "starting the emulator"):
            containers = self._start_emulator(run, planned)
        emulator = self.emulator
        stand_ins = StandIns(
            emulator.client,
            account=emulator.account,
            region=emulator.region,
            project_dir=self._project_dir,
            gateway=emulator.endpoint,
            databases=self.databases,
        )
        deployment = Deployment(
            self._project_dir,
            self._read,
            stand_ins,
            self._names,
            {**emulator.environment, **_NO_FILES},
            room=run.folder / "versions",
        )
        with self._start_packs(run, {**emulator.environment, **_NO_FILES}, preview=False) as judges:
            self.result.created = True
            with self._progress.phase("deployment", f"deploying {self._stack}"):
                deployed = deployment.run(on_start=self._progress.begin, on_done=self._progress.made)
            tree = self._tree = Tree(deployed.graph, deployed.outputs)
            try:
                self._take(deployed)
                self._balancers.open(tree)
                agents = self._closing.enter_context(EcsAgents(tree, emulator))
                self.origins.domains = client.domains(tree)
                subject = Subject(
                    tree=tree,
                    scripts=self.scripts,
                    emulator=emulator,
                    containers=containers,
                    databases=self.databases,
                    result=self.result,
                    progress=self._progress,
                )
                proving = Proving(subject, deployment)
                with ThreadPoolExecutor(1) as beside:
                    judging = beside.submit(self._judge, judges, deployed, "policies")
                    well = proving.wait(lambda: bool(agents.faults))
                    judging.result()
                if well:
                    proving.prove()
                for fault in agents.faults:
                    self.result.fail(fault)
            finally:
                self.tell_denials()
                self.result.not_there = unproved.used(tree)
                self.result.not_proved = [*NOT_ENFORCED, *unproved.NOT_ASKED]
                self.result.corrected = [*unproved.CORRECTED.values()]

    def _start_emulator(self, run: Run, planned: Sequence[Registered]) -> Containers:
        account_id, region = account.and_region(planned)
        containers = Containers(run, apps=self._project_dir / "apps")
        # Which outlive those who are connected.
        self.databases = self._closing.enter_context(Databases(run, containers.address_of))
        self._closing.enter_context(containers)
        self._equip(containers)
        self.emulator = launch(run, account=account_id, region=region, docker_host=containers.docker_host)
        boundaries.make(self.emulator, planned, self._project_dir)
        containers.emulator = self.emulator
        self._balancers = self._closing.enter_context(NetworkBalancers(self.emulator, containers.address_of))
        containers.dns_server = self._closing.enter_context(dns.serve(self.emulator, self._balancers.addresses))
        names = client.names(planned)
        containers.origins = self.origins = self._closing.enter_context(Origins(self.emulator.endpoint, names))
        return containers

    def _equip(self, containers: Containers) -> None:
        """Tell *containers* what the scripts say of images, and start what stands for the internet."""
        for workload, followed in self.scripts.items():
            beside = script.path_of(self._project_dir, workload).parent
            for repository, folder in followed.images.items():
                containers.images[repository] = beside / folder
            if followed.authorities:
                containers.told[followed.authorities] = str(self.databases.authorities)
            for each in followed.outside.values():
                containers.outside.start(each.origin, beside / each.server)

    def _start_packs(self, run: Run, environment: Mapping[str, str], *, preview: bool) -> packs.Running:
        return packs.start(
            self._packs,
            stack=self._read.stack,
            project=self._read.project,
            preview=preview,
            environment={"PATH": os.environ.get("PATH", os.defpath), **environment, **run.environment},
        )

    def _take(self, evaluated: program.Result) -> None:
        """Take over what a run of the program gave, and end here if it failed."""
        result = self.result
        result.resources = [Resource.of(each) for each in evaluated.graph]
        result.outputs = shown(evaluated.outputs, evaluated.secret_outputs, rpc.UNKNOWN)
        result.validated_only = sorted({each.type for each in evaluated.graph if each.proof == "validated"})
        for level, text in evaluated.log:
            told = result.notes if level == "info" else result.warnings
            if text not in told:
                told.append(text)
        if evaluated.error:
            result.fail(evaluated.error.message)
            result.traceback = evaluated.error.traceback
            raise _EndedError

    def _judge(self, judges: packs.Running, evaluated: program.Result, phase: str) -> None:
        with self._progress.phase(phase, "asking the policies"):
            judgement = judges.judge(evaluated.graph)
        self.result.packs = [folder.name for folder in self._packs]
        told = ("pack", "rule", "level", "urn", "message")
        self.result.policies = [Verdict(**{name: getattr(each, name) for name in told}) for each in judgement.verdicts]
        for error in refusals(self.result.policies):
            self.result.fail(error)
        if not judgement.ok:
            raise _EndedError

    def _read_scripts(self, tree: Tree) -> dict[str, Script]:
        """Read them at the preview already: a mistake in one is told before anything is made."""
        read: dict[str, Script] = {}
        for workload, handed_out in tree.workloads.items():
            path = script.path_of(self._project_dir, workload)
            if path.is_file():
                read[workload], left_out = conditions.of_stack(workload, handed_out, script.read(path))
                self.result.left_out += left_out
                requests.check_names(workload, handed_out, read[workload])
                killing.check(tree, workload, read[workload])
                replacing.check(tree, workload, read[workload], path.parent)
                jobs.check_names(workload, tree, read[workload])
                forbidden.check(tree, workload, read[workload])
                self.result.warnings += databases.unvouched(tree, workload, read[workload])
        return read
