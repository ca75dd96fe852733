"""Replaces a service's image while requests go on, and tells what became of the deployment and of the requests."""

from __future__ import annotations

import hashlib
import json
import time
from typing import TYPE_CHECKING, Any, Final, cast

from rehearsal import requests, services, versions
from rehearsal.client import Client, domains
from rehearsal.containers import FAMILY, REVISION
from rehearsal.containers.images import repository_of
from rehearsal.result import Replaced
from rehearsal.script import Expectation, Request
from rehearsal.traffic import Traffic

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from rehearsal import program
    from rehearsal.containers import Container, Containers
    from rehearsal.emulator import Emulator
    from rehearsal.graph import Registered
    from rehearsal.script import Script
    from rehearsal.script_replacements import Outcome, Replacement
    from rehearsal.tree import Tree

_BEFORE: Final = 0.2
"""The part of the requests that is sent before the new version comes."""
_SETTLED_WITHIN: Final = 60.0
"""Seconds, from the program's end, until the processes of one version alone are left."""
_LOOKED_EVERY: Final = 0.05
_KILLED: Final = 137
"""The exit code after SIGKILL."""
_OUTCOMES: Final[Mapping[str, Outcome]] = {"SUCCESSFUL": "completed", "ROLLBACK_SUCCESSFUL": "rolled back"}


class ReplacementError(Exception):
    """A script replaces what the workload or its stack file does not have, or by what is not there."""


def check(tree: Tree, workload: str, script: Script, beside: Path) -> None:
    """Hold all that *script* names against what there is, *beside* it and in the workload, before anything is made.

    Raises:
        ReplacementError: the workload has no such service, or its folder no such source.
        EntranceError: it has no such output.

    """
    for each in script.replacements:
        _service(tree, workload, each)
        for name in filter(None, (each.entrance, each.api_key)):
            requests.output_of(workload, tree.workloads[workload], name)
        for folder in versions.missing(each, beside):
            raise ReplacementError(
                f"{workload}: the replacement {each.name!r} is made of {folder}, and there is no such folder"
            )


def digest(workload: str, said: Replacement) -> str:
    """Return the digest of the new version: another for each replacement."""
    return "sha256:" + hashlib.sha256(f"{workload} {said.name}".encode()).hexdigest()


def settings(config: Mapping[str, str], workload: str, said: Replacement) -> dict[str, str]:
    """Return what *config* says otherwise once the new version is pinned there; nothing where the stack builds it.

    Raises:
        ReplacementError: the stack file says no image there.

    """
    key = next((each for each in config if each.endswith(":workloads")), "")
    workloads: dict[str, Any] = json.loads(config.get(key, "{}"))
    at: Any = workloads.get(workload)
    for step in said.setting.split("."):
        at = cast("dict[str, Any]", at).get(step) if isinstance(at, dict) else None
    if not isinstance(at, dict):
        raise ReplacementError(
            f"{workload}: the replacement {said.name!r} has the setting {said.setting!r}, and the stack file says no "
            "image there: name the place of one in the workload's section"
        )
    image = cast("dict[str, Any]", at)
    if "digest" not in image:
        return {}
    image["digest"] = digest(workload, said)
    return {key: json.dumps(workloads)}


class Replacing:
    """One replacement of a script."""

    def __init__(
        self, workload: str, said: Replacement, *, tree: Tree, emulator: Emulator, containers: Containers
    ) -> None:
        """Nothing is replaced yet.

        Raises:
            ReplacementError: the workload has no such service.
            EntranceError: it has no such output.

        """
        self._workload, self._said = workload, said
        self._containers, self._ecs = containers, emulator.client("ecs")
        self._service = _service(tree, workload, said)
        outputs = tree.workloads[workload]
        self._traffic = Traffic(
            lambda: Client(emulator.endpoint, domains(tree)),
            requests.output_of(workload, outputs, said.entrance),
            requests.with_key(emulator, workload, outputs, _request(said)),
            times=said.times,
            at_once=said.at_once,
            per_second=said.per_second,
        )

    def repository(self) -> str:
        """Return the repository of the image that is replaced.

        Raises:
            ReplacementError: the service has no such container.

        """
        named = self._ecs.describe_task_definition(taskDefinition=self._described()["taskDefinition"])
        images = {each["name"]: each["image"] for each in named["taskDefinition"]["containerDefinitions"]}
        balanced = [each["containerName"] for each in self._service.inputs.get("loadBalancers", [])]
        wanted = self._said.container or next(iter([*balanced, *images]))
        if wanted not in images:
            raise ReplacementError(
                f"{self._workload}: the replacement {self._said.name!r} is of the container {wanted!r}; the service "
                f"has {', '.join(images)}"
            )
        return repository_of(images[wanted])

    def run(self, redeploy: Callable[[], program.Result]) -> Replaced:
        """Send requests, *redeploy* the program meanwhile, and go on until one version alone is left."""
        started = time.monotonic()
        old = {each.id for each in self._running()}
        before, deployed = self._revision(), self._newest()
        with self._traffic:
            self._wait(lambda: self._traffic.answers.total() >= self._said.times * _BEFORE)
            result = redeploy()
            self._wait(self._one_is_left)
        outcome = self._outcome(deployed, result)
        ended = [each for each in self._containers.all() if each.id in old and each.status == "exited"]
        problems = [*self._problems(outcome, result, ended), *self._lost()]
        return Replaced(
            workload=self._workload,
            name=self._said.name,
            service=self._said.service,
            before=before,
            after=self._revision(),
            outcome=outcome,
            told=result.error.message if result.error else "",
            reason=self._reason(result),
            requests=self._traffic.answers.total(),
            answers=dict(self._traffic.answers),
            exit_codes=tuple(each.exit_code for each in ended),
            seconds=time.monotonic() - started,
            ok=not problems,
            problems=tuple(problems),
        )

    def _outcome(self, deployed: Mapping[str, Any], result: program.Result) -> str:
        """Return what became of the deployment that is newer than *deployed*, or why there is none."""
        newest = self._newest()
        if newest["serviceDeploymentArn"] != deployed["serviceDeploymentArn"]:
            return _OUTCOMES.get(newest["status"], "failed")
        return "refused" if result.error else "unchanged"

    def _problems(self, outcome: str, result: program.Result, ended: list[Container]) -> Iterator[str]:
        told = result.error.message if result.error else ""
        if outcome == "unchanged":
            yield "nothing was deployed: its task definition does not follow the image"
            return
        if outcome != self._said.outcome:
            yield f"expected that the deployment is {self._said.outcome}, and it is {outcome}{told and f': {told}'}"
        elif outcome == "completed" and told:
            yield f"the deployment is completed, and the program failed: {told}"
        elif outcome != "completed" and not told:
            yield f"the deployment is {outcome}, and the program said nothing of it"
        if outcome == "refused" and ended:
            yield f"no deployment was begun, and {len(ended)} of the containers that were to go on have ended"
        said = told or "\n".join(text for _, text in result.log)
        yield from (
            f"expected {text!r} in what the program says, got {said!r}" for text in self._said.told if text not in said
        )
        if killed := sum(each.exit_code == _KILLED for each in ended):
            yield f"{killed} of {len(ended)} old containers did not end at SIGTERM, and were killed"
        if not self._one_is_left():
            yield f"both versions still run {_SETTLED_WITHIN:.0f} s after the deployment"

    def _lost(self) -> Iterator[str]:
        """Yield each other answer than the expected one, and how many there were."""
        answers = self._traffic.answers
        for answer, count in sorted(answers.items()):
            if answer != str(self._said.status):
                yield f"{count} of {answers.total()} requests: expected status {self._said.status}, got {answer}"

    def _reason(self, result: program.Result) -> str:
        """Return the one line by which a reader knows why the program failed: the one that the script knows it by."""
        lines = result.error.message.splitlines() if result.error else [""]
        return next((line for line in lines if any(text in line for text in self._said.told)), lines[0]).strip()

    def _wait(self, holds: Callable[[], bool]) -> None:
        deadline = time.monotonic() + _SETTLED_WITHIN
        while not holds() and time.monotonic() < deadline:
            time.sleep(_LOOKED_EVERY)

    def _one_is_left(self) -> bool:
        """Whether what runs is what ECS says that the service runs."""
        return {_revision_of(each) for each in self._running()} == {self._revision()}

    def _running(self) -> list[Container]:
        family = self._revision().partition(":")[0]
        return [each for each in self._containers.all() if each.status == "running" and each.labels[FAMILY] == family]

    def _revision(self) -> str:
        """Return the task definition that the service runs, as ``family:revision``."""
        return str(self._described()["taskDefinition"]).rpartition("/")[2]

    def _described(self) -> dict[str, Any]:
        named = {"cluster": self._service.inputs["cluster"], "services": [self._service.id]}
        return self._ecs.describe_services(**named)["services"][0]

    def _newest(self) -> dict[str, Any]:
        """Return the newest of the service's deployments."""
        named = {"cluster": self._service.inputs["cluster"], "service": self._service.id}
        return self._ecs.list_service_deployments(**named)["serviceDeployments"][0]


def _revision_of(container: Container) -> str:
    return f"{container.labels[FAMILY]}:{container.labels[REVISION]}"


def _request(said: Replacement) -> Request:
    return Request(
        name=said.name,
        entrance=said.entrance,
        method=said.method,
        path=said.path,
        api_key=said.api_key,
        expect=Expectation(status=said.status),
    )


def _service(tree: Tree, workload: str, said: Replacement) -> Registered:
    own = {each.name: each for each in tree.own(workload, services.SERVICE)}
    if said.service not in own:
        raise ReplacementError(
            f"{workload}: the replacement {said.name!r} is of the service {said.service!r}; it has "
            f"{', '.join(own) or 'none'}"
        )
    return own[said.service]
