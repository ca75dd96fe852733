"""Kills tasks of an ECS service, as the loss of a machine would, and waits until ECS has put others in their place."""

from __future__ import annotations

import signal
import time
from typing import TYPE_CHECKING, Any, Final

from rehearsal import services
from rehearsal.streams import KillError

if TYPE_CHECKING:
    from collections import Counter

    from rehearsal.containers import Container, Containers
    from rehearsal.emulator import Emulator
    from rehearsal.graph import Registered
    from rehearsal.script import Script
    from rehearsal.script_streams import Kill
    from rehearsal.tree import Tree

_REPLACED_WITHIN: Final = 30.0
"""Seconds for as many tasks as before to be well again; ECS takes one or two here."""


def check(tree: Tree, workload: str, script: Script) -> None:
    """Hold every service that *script* kills tasks of against those there are, before anything is made.

    Raises:
        KillError: the workload has no such service.

    """
    for streams in script.streams:
        if streams.kill:
            _service(tree, workload, streams.kill.service)


class Killing:
    """What a script's `kill` says, done to one service of a workload."""

    def __init__(self, tree: Tree, workload: str, kill: Kill, *, emulator: Emulator, containers: Containers) -> None:
        """Nothing is killed yet.

        Raises:
            KillError: the workload has no such service.

        """
        self._kill, self._emulator, self._containers = kill, emulator, containers
        self._service = _service(tree, workload, kill.service)
        self._killed_at = 0.0

    def kill(self, streams: Counter[str]) -> frozenset[str]:
        """SIGKILL to all processes of the tasks that most *streams* are on; the hosts that are gone.

        Raises:
            KillError: no host is a running task of the service, or not so many are.

        """
        tasks = self._tasks()
        of_host = {host: task for host in streams for task in tasks if _is(tasks[task], host)}
        chosen = [host for host, _ in streams.most_common() if host in of_host][: self._kill.tasks]
        if len(chosen) < self._kill.tasks:
            raise KillError(
                f"kill.tasks is {self._kill.tasks}, and of the hosts that streams are open on ({', '.join(streams)}) "
                f"{', '.join(of_host) or 'none'} is a running task of {self._kill.service!r}: a message names its host "
                "by the task's address or id, in the field that fields.host says"
            )
        doomed = [each for host in chosen for each in tasks[of_host[host]]]
        self._killed_at = time.monotonic()
        for container in doomed:
            self._containers.kill_one(container, signal.SIGKILL)
        for container in doomed:
            container.wait(5)
        return frozenset(chosen)

    def replaced(self) -> tuple[float, list[str]]:
        """Wait until the service is well again; the seconds since the kill, and what is wrong if it does not become."""
        # Those that were killed have failed too, as ECS sees it, and are no reason to give the service up.
        wrong = services.wait(
            self._emulator,
            self._containers,
            [self._service],
            within=_REPLACED_WITHIN,
            forgiven=self._kill.tasks,
        )
        return time.monotonic() - self._killed_at, [f"after the kill, {each}" for each in wrong]

    def _tasks(self) -> dict[str, list[Container]]:
        """Return the service's running tasks, each with its containers."""
        ecs: Any = self._emulator.client("ecs")
        named = {"cluster": self._service.inputs["cluster"], "serviceName": self._service.outputs["name"]}
        arns: list[str] = ecs.list_tasks(**named, desiredStatus="RUNNING")["taskArns"]
        present = self._containers.present()
        return {arn: [each for each in present if each.task_arn == arn and each.status == "running"] for arn in arns}


def _service(tree: Tree, workload: str, name: str) -> Registered:
    own = {each.name: each for each in tree.own(workload, services.SERVICE)}
    if name not in own:
        raise KillError(
            f"{workload}: its script kills tasks of the service {name!r}; it has {', '.join(own) or 'none'}"
        )
    return own[name]


def _is(task: list[Container], host: str) -> bool:
    name = host.partition(":")[0]
    return any(name in (each.address, each.task_arn.rpartition("/")[2]) for each in task)
