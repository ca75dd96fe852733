"""Containers on the developer's machine without a container engine: each is the image's own source, run as processes.

The emulator's ECS starts containers through Docker's API. `Containers` answers the part of it that it uses, on a Unix
socket, so task lifecycle, exit codes, secrets and target registration are the emulator's own::

    with keeper.keep() as run, Containers(run, apps=Path("apps")) as containers:
        containers.emulator = launch(run, account=..., region=..., docker_host=containers.docker_host)

A container's process is told four things that its task definition does not say: the address to bind (`BIND_ADDRESS`,
a loopback address of the task's own), the AWS endpoint, credentials of its task role, and the resolver of its VPC
(`DNS_SERVER`), which a real container has in a file. What its image would set besides is a ``PATH``, on which this
interpreter's folder comes first, and an empty ``HOME``; what ECS sets, the region.
Where its environment names the path of a mount, it is told the folder that stands for the file system (`mounts`), and
where it names an origin outside, the server that stands for that (`rehearsal.outside`), and where it names a load
balancer's, the port that leads there (`rehearsal.origins`).
"""

from __future__ import annotations

import os
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

from rehearsal.containers import endpoint, execution, mounts
from rehearsal.containers.addresses import Addresses
from rehearsal.containers.container import Container, ContainerError
from rehearsal.containers.execution import Refusal, prove_pull, prove_secrets
from rehearsal.containers.health import BIND_ADDRESS
from rehearsal.containers.images import command_of, folder_of
from rehearsal.containers.logs import LogStream
from rehearsal.dns import DNS_SERVER
from rehearsal.outside import Outside

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rehearsal.emulator import Emulator
    from rehearsal.keeper import Run
    from rehearsal.origins import Origins

__all__ = ["NOT_ENFORCED", "Container", "ContainerError", "Containers", "Refusal", "prove_pull", "prove_secrets"]

NOT_ENFORCED: Final = (
    "the image itself: its base, its user, its working directory and what its Dockerfile installs",
    "CPU and memory limits",
    "the read-only root file system, tmpfs, ephemeral storage and volumes on it",
    "of a mounted file system: that a mount is read-only, whose user writes, and NFS itself",
    "ulimits, Linux capabilities and other kernel parameters",
    "security groups, subnets and routes between a container and what it calls",
    "EC2 instances, which are records of no size: of placement only host ports count, and a daemon is one task",
    "an instance's address: that of each task on it stands for it",
    "the CPU architecture and the operating system",
    "log drivers other than awslogs, and awslogs' blocking mode",
    "ECS Exec",
    "the replacement of a task whose health check fails after it had passed",
)
"""What of a task definition is not in force while containers are plain processes. The report prints it."""

_TASK: Final = "com.amazonaws.ecs.task-arn"
_CONTAINER: Final = "com.amazonaws.ecs.container-name"
FAMILY: Final = "com.amazonaws.ecs.task-definition-family"
"""The label by which ECS gives a container the family of its task definition."""
REVISION: Final = "com.amazonaws.ecs.task-definition-version"
"""Likewise, and its revision."""


class Containers:
    """Every container of a run, and the endpoint that the emulator starts them through."""

    emulator: Emulator
    """Set once the emulator is up; it needs `docker_host` to start, and this needs it for the tasks' credentials."""
    docker_host: str
    """``unix://`` and the socket's path."""
    dns_server: str = ""
    """Where Cloud Map's names are resolved, as ``host:port``; empty where they are not."""

    images: dict[str, Path]
    """Repository or digest → its folder, where its name does not say which."""
    told: dict[str, str]
    """Variables that every process has, whatever its definition and image say."""
    outside: Outside
    """What stands for the internet."""
    origins: Origins | None = None
    """Where load balancers answer a container that calls them by an origin; None where nobody looks."""

    def __init__(self, run: Run, *, apps: Path) -> None:
        """Serve containers whose images' folders are in *apps*: ``query-service`` is ``query_service/service``."""
        self.apps = apps.resolve()
        self.images = {}
        self.told = {}
        self.outside = Outside(run)
        self._run = run
        self._containers: dict[str, Container] = {}
        self._removed: set[str] = set()
        self._addresses = Addresses()
        self._definitions: dict[str, dict[str, Any]] = {}
        self._lock = threading.Lock()
        self._closing = False
        self._home = run.folder / "home"
        self._home.mkdir(exist_ok=True)
        path = run.folder / "docker.sock"
        self.docker_host = f"unix://{path}"
        self._server = endpoint.serve(self, path)

    def __enter__(self) -> Self:
        """Serve until the block ends."""
        return self

    def __exit__(self, failure: type[BaseException] | None, *_: object) -> None:
        """Stop all containers; after a failure or an interrupt at once, since whoever interrupts does not wait."""
        self.stop(0 if failure else 5)

    def all(self) -> list[Container]:
        """Every container of the run, stopped and removed ones too, the oldest first."""
        with self._lock:
            return list(self._containers.values())

    def present(self) -> list[Container]:
        """Those that the emulator has not removed."""
        return [container for container in self.all() if container.id not in self._removed]

    def wait_until_well(self, seconds: float) -> list[Container]:
        """Wait until all present containers run, and are healthy where they have a health check.

        Returns those that do not or are not when *seconds* are over: none when all is well. A container that has exited
        does not come back, but a service may put another in its place.
        """
        deadline = time.monotonic() + seconds
        while (unwell := [each for each in self.present() if not each.well]) and time.monotonic() < deadline:
            time.sleep(0.05)
        return unwell

    def stop(self, seconds: float = 5) -> None:
        """Stop all containers at once, SIGKILL following SIGTERM after *seconds*, and serve no more."""
        self._closing = True
        stopping = [threading.Thread(target=each.stop, args=(self._run, seconds)) for each in self.all()]
        for thread in stopping:
            thread.start()
        for thread in stopping:
            thread.join()
        self._server.shutdown()
        self._server.server_close()

    def address_of(self, owner: str) -> str:
        """Return the loopback address that is *owner*'s alone: a task's, by its ARN, or of what else has one in a VPC.

        Raises:
            ContainerError: this machine does not have it.

        """
        return self._addresses.of(owner)

    # What follows is the endpoint's.

    def folder_of(self, image: str) -> Path:
        """Return the folder of *image*'s source.

        Raises:
            ImageNotFoundError: there is none.

        """
        return folder_of(image, self.apps, self.images)

    def create(self, image: str, command: list[str], environment: Mapping[str, str], labels: Mapping[str, str]) -> str:
        """Make a container of a task and return its id.

        Raises:
            ContainerError: it is no task's, it has no command, it cannot mount what it should, or the run is ending.
            ImageNotFoundError: no folder is the image's.

        """
        if self._closing:
            raise ContainerError("the rehearsal is ending")
        if _TASK not in labels:
            raise ContainerError(f"{image!r} belongs to no ECS task, and this endpoint runs nothing else")
        folder, task_arn = self.folder_of(image), labels[_TASK]
        task_definition = self._task_definition(labels)
        definition = next(
            each for each in task_definition["containerDefinitions"] if each["name"] == labels[_CONTAINER]
        )
        words = command_of(folder, definition.get("entryPoint", []), command)
        if not words:
            raise ContainerError(
                f"container {definition['name']!r} of {labels[FAMILY]!r} has no command: state one in its task "
                f"definition, or as CMD in {folder / 'Dockerfile'}"
            )
        mounted = mounts.of_container(
            self.emulator, task_definition, definition, task_arn=task_arn, root=self._run.folder / "file-systems"
        )
        container = Container(
            task_arn=task_arn,
            image=image,
            address=self.address_of(task_arn),
            definition=definition,
            labels=labels,
            command=words,
            environment=self._environment_of(
                task_definition, task_arn, self._translated(mounts.translated(environment, mounted))
            ),
            folder=folder,
        )
        container.mounts = mounted
        with self._lock:
            self._containers[container.id] = container
        return container.id

    def start(self, container: Container) -> None:
        """Do as the execution role what ECS does first, then start *container*, once what it depends on is there.

        Raises:
            ContainerError: the execution role lacks a right; in the words of ECS's stopped reasons.

        """
        task_definition = self._task_definition(container.labels)
        alone = {**task_definition, "containerDefinitions": [container.definition]}
        for refusal in prove_pull(self.emulator, alone, container.task_arn):
            raise ContainerError(f"CannotPullContainerError: {refusal}")
        for refusal in prove_secrets(self.emulator, alone, container.task_arn):
            raise ContainerError(f"ResourceInitializationError: unable to pull secrets: {refusal}")
        self._open_log(container, task_definition)
        depends = container.definition.get("dependsOn", [])
        if depends:
            # The emulator starts a task's containers in the order of their definition, whatever they depend on.
            threading.Thread(target=self._start_after, args=(container, depends), daemon=True).start()
        else:
            container.start(self._run)

    def stop_one(self, container: Container) -> None:
        """SIGTERM, then SIGKILL after the task definition's ``stopTimeout``."""
        container.stop(self._run)

    def kill_one(self, container: Container, number: int) -> None:
        """Send *container* a signal."""
        container.signal(self._run, number)

    def remove(self, container: Container) -> None:
        """Forget *container* as the emulator sees it; its record stays for the report."""
        container.stop(self._run, 0)
        self._removed.add(container.id)

    def find(self, reference: str) -> Container | None:
        """Return the present container with that id, or whose id begins so."""
        return next((each for each in self.present() if reference and each.id.startswith(reference)), None)

    def _start_after(self, container: Container, depends: list[Mapping[str, str]]) -> None:
        for each in depends:
            while not (other := self._sibling(container, each["containerName"])):
                time.sleep(0.05)
                if self._closing or container.status == "exited":
                    return
            if not other.wait_for(each["condition"]):
                container.lines.append(f"not started: {each['containerName']!r} never met {each['condition']}")
                container.stop(self._run, 0)
                return
        container.start(self._run)

    def _sibling(self, container: Container, name: str) -> Container | None:
        return next((each for each in self.all() if each.task_arn == container.task_arn and each.name == name), None)

    def _open_log(self, container: Container, task_definition: Mapping[str, Any]) -> None:
        log = container.definition.get("logConfiguration", {})
        if log.get("logDriver") != "awslogs":
            return
        try:
            container.log_stream = LogStream(
                self.emulator,
                options=log["options"],
                container=container.name,
                task_arn=container.task_arn,
                role=str(task_definition.get("executionRoleArn", "")),
            )
        except Exception as error:
            raise ContainerError(
                f"ResourceInitializationError: failed to validate logger args: container {container.name!r}: {error}"
            ) from error

    def _task_definition(self, labels: Mapping[str, str]) -> dict[str, Any]:
        reference = f"{labels[FAMILY]}:{labels[REVISION]}"
        if reference not in self._definitions:
            found = self.emulator.client("ecs").describe_task_definition(taskDefinition=reference)
            self._definitions[reference] = found["taskDefinition"]
        return self._definitions[reference]

    def _translated(self, environment: Mapping[str, str]) -> dict[str, str]:
        here = self.outside.translated(environment)
        return self.origins.translated(here) if self.origins else here

    def _environment_of(
        self, task_definition: Mapping[str, Any], task_arn: str, given: Mapping[str, str]
    ) -> dict[str, str]:
        # The emulator names the machine as containers see it, and an address for credentials that it then refuses.
        said = {
            name: value.replace("host.docker.internal", "127.0.0.1")
            for name, value in given.items()
            if name not in ("AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_AUTHORIZATION_TOKEN")
        }
        image = {
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), "/usr/local/bin", "/usr/bin", "/bin"]),
            "HOME": str(self._home),
            # As ECS does: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-environment-variables.html
            "AWS_REGION": self.emulator.region,
            "AWS_DEFAULT_REGION": self.emulator.region,
        }
        told = self.told | {BIND_ADDRESS: self.address_of(task_arn), "AWS_ENDPOINT_URL": self.emulator.endpoint}
        told |= {DNS_SERVER: self.dns_server} if self.dns_server else {}
        role = str(task_definition.get("taskRoleArn", ""))
        if role:
            own = execution.credentials(self.emulator, role, task_arn)
            told |= {
                "AWS_ACCESS_KEY_ID": own["AccessKeyId"],
                "AWS_SECRET_ACCESS_KEY": own["SecretAccessKey"],
                "AWS_SESSION_TOKEN": own["SessionToken"],
            }
        return image | said | told
