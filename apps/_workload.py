"""What every workload is: a component made from its section of the stack file, on a platform it shares."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Generic, TypeVar, get_args

from pulumi import Input

from components.alarms import Alarms, AlarmsArgs
from components.approval import command
from components.base import Component
from components.errors import InvalidArgsError
from components.image import Image
from components.logs import Logs
from components.repository import Repository, RepositoryArgs
from components.rotation import Redeployment, RedeploymentArgs
from components.service import Service, ServiceArgs, TargetHealth
from components.task import TaskArgs
from settings import ImagedSettings, ServiceSettings, TaskSettings, WorkloadSettings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pulumi import ResourceOptions

    from apps._platform import Platform
    from components.capacity import Capacity
    from components.container import Container
    from components.discovery import Discovery
    from components.grants import Grant
    from components.job import Job
    from components.routes import Route
    from components.task import Task

S = TypeVar("S", bound=WorkloadSettings)

Outputs = Mapping[str, Input[str]]
"""What a workload hands to others: a name such as ``url`` → its value. Never a secret."""


class Workload(Component, Generic[S]):
    """One system, with all that is its own: a node first, which `deploy` then fills, and `attend` sees to.

    A subclass says `deploy`, and the class of its settings by its own base: ``Workload[ServiceSettings]``.
    """

    def __init__(self, name: str, on: Platform, settings: S, opts: ResourceOptions | None = None) -> None:
        """Register the workload *name*, on platform *on*, as *settings* say."""
        super().__init__(
            name,
            settings.model_dump(mode="json", exclude_unset=True, exclude_none=True),
            opts,
            tags={"Service": name},
            role_bounds=on.role_bounds,
            gathers=True,
        )
        self.name, self.on, self.settings = name, on, settings
        # What it hands out is the stack's to export.
        self.register_outputs({})

    def deploy(self) -> Outputs:
        """Make the workload's resources; return what others may read of it. The program calls it once."""
        raise NotImplementedError

    @classmethod
    def settings_class(cls) -> type[WorkloadSettings]:
        """Return the class of its section in a stack file."""
        for ancestor in cls.__mro__:
            for base in getattr(ancestor, "__orig_bases__", ()):
                for said in get_args(base):
                    settings = said.__bound__ if isinstance(said, TypeVar) else said
                    if isinstance(settings, type) and issubclass(settings, WorkloadSettings):
                        return settings
        return WorkloadSettings

    def image(
        self,
        of: ImagedSettings | None = None,
        *,
        folder: str = "service",
        repository: str | None = None,
        run_by: TaskSettings | None = None,
    ) -> Image:
        """Return the image that the stack file names: by its digest from where it says, or else built here.

        From the repository that the section names, or that of the image's name in the stack's ``image_registry``. A
        stack without a registry, or one that builds, makes a repository of its own. That one is never deleted with its
        images where other accounts may run them, whatever ``protect`` says; its tags move where the stack builds: see
        `Repository.build`.

        Args:
            of: the part of the section that names the image. Default: the section itself.
            folder: where its Dockerfile and source are, beside the workload's infrastructure.
            repository: the repository's name. Default: the workload's, and with any other folder that one behind it:
                ``shop/cart``.
            run_by: the tasks for whose processors it is built. Default: those of the section that names it.

        """
        section = self.settings if of is None else of
        if not isinstance(section, ImagedSettings):
            raise TypeError(f"the settings of {self.name} name no image: say which part of them does")
        said, registry = section.image, self.on.image_registry
        own = folder == "service"
        usual = self.name if own else f"{self.name}/{folder}"
        if said.digest and (said.repository or registry):
            return Image.at(f"{said.repository or f'{registry}/{repository or usual}'}@{said.digest}")
        pull_accounts = self.on.image_pull_accounts
        # Beside a registry's, which may be of the same account, it must not have the same name.
        apart = f"{self.on.stage}/{self.name}/{folder}" if registry else None
        made = Repository(
            self.name if own else f"{self.name}-{folder}",
            RepositoryArgs(
                repository_name=apart or repository or usual,
                immutable_tags=not said.build,
                pull_accounts=pull_accounts,
                force_delete=not self.on.protect and not pull_accounts,
            ),
            self.child(),
        )
        _, architecture = self.on.cluster.machine(_capacity(run_by or section))
        if said.digest:
            return made.image(digest=said.digest)
        return made.build(self.source(folder), architecture=architecture)

    def task_args(
        self,
        said: TaskSettings,
        containers: Sequence[Container],
        *,
        grants: Sequence[Grant] = (),
        family: str | None = None,
        log_group: str | None = None,
    ) -> TaskArgs:
        """Return a `Task`'s arguments: of *containers*, which may do what *grants* say, as large and logged as *said*.

        It is for the machines that *said* has it on, in the network mode and on the host port that it says.
        """
        launch_type, architecture = self.on.cluster.machine(_capacity(said))
        served = said if isinstance(said, ServiceSettings) else None
        return TaskArgs(
            account=self.on.account,
            containers=_on_host_port(containers, served.host_port) if served else containers,
            size=said.size.value(launch_type),
            launch_type=launch_type,
            architecture=architecture,
            network_mode=served.network_mode if served else "awsvpc",
            grants=grants,
            family=family,
            logs=Logs(retention_days=said.log_retention_days),
            log_group=log_group,
            exec_on=self.on.cluster if said.execute_command else None,
        )

    def service_args(
        self,
        said: ServiceSettings,
        task: Task,
        *,
        entrance: Route | None = None,
        target_health: TargetHealth | None = None,
        discovery: Discovery | None = None,
        calls: Sequence[Discovery] = (),
        before: Sequence[Job] = (),
        open_ports: Sequence[int] = (443,),
    ) -> ServiceArgs:
        """Return a `Service`'s arguments: *task* kept running, as many of it and replaced as *said*."""
        on, placement = self.on, said.placement.value() if said.placement else None
        rollout = said.rollout.value()
        if placement and not placement.can_rebalance_zones:
            rollout = replace(rollout, zone_rebalancing=False)
        return ServiceArgs(
            task=task,
            cluster=on.cluster,
            network=on.network,
            entrance=entrance,
            target_health=target_health or TargetHealth(),
            discovery=discovery,
            calls=calls,
            before=before,
            open_ports=open_ports,
            desired_count=said.desired_count,
            scaling=said.scaling.value() if said.scaling else None,
            sleep=on.sleep if said.sleeps else None,
            rollout=rollout,
            deployment=said.deployment.value(),
            placement=placement,
            capacity=_capacity(said),
        )

    def attend(self) -> None:
        """See to the services that components of this library made below its node; the program calls it after `deploy`.

        To each, that ECS runs what was declared; and where its task reads secrets, that it is deployed anew when one
        of them is rotated.
        """
        on = self.on
        for service in list(_services(self)):  # to which redeployments come meanwhile
            on.confirm(service)
            if secrets := _secrets(service.task):
                redeployment = RedeploymentArgs(
                    account=on.account, service=service, cluster=on.cluster, secrets=secrets, alerts=on.alerts.arn
                )
                Redeployment(f"{service.pulumi_resource_name}-rotation", redeployment, self.child())

    def watch(self, name: str, service: Service) -> None:
        """Tell the stack's topic when *service* is short of CPU, memory or tasks, but for the hours that it sleeps."""
        Alarms(
            name,
            AlarmsArgs(
                cluster_name=self.on.cluster.cluster_name,
                service_name=service.service_name,
                actions=[self.on.alerts.arn],
                sleep=service.sleep,
            ),
            self.child(),
        )

    def approval(self, service: Service) -> Outputs:
        """Return the command that lets a deployment of *service* go on, to be handed out; nothing where none waits."""
        if service.deployment.approval_minutes is None:
            return {}
        on = self.on
        return {
            "approve": command(region=on.account.region, cluster=on.cluster.cluster_name, service=service.service_name)
        }

    def source(self, folder: str) -> str:
        """Return where *folder* beside the workload's infrastructure is, seen from the program's own folder.

        Relative: an absolute path would make every engineer's machine a change.
        """
        return f"apps/{self.name.replace('-', '_')}/{folder}"


def _services(of: Component) -> Iterator[Service]:
    """Yield each service below *of*."""
    for each in of.within:
        if isinstance(each, Service):
            yield each
        yield from _services(each)


def _capacity(said: WorkloadSettings) -> Sequence[Capacity]:
    """Return the strategy that *said* has of its own; none where it says none."""
    return [part.value() for part in said.capacity] if isinstance(said, TaskSettings) else ()


def _secrets(task: Task) -> dict[str, Input[str]]:
    """Return the ARN of each secret that *task* reads, by the first variable that has it; parameters never rotate."""
    found: dict[str, Input[str]] = {}
    for container in task.containers:
        for variable, reference in sorted(container.secrets.items()):
            arn = reference.secret_arn
            if arn is not None and arn not in found.values():
                found[variable] = arn
    return found


def _on_host_port(containers: Sequence[Container], port: int | None) -> Sequence[Container]:
    """Return *containers* with the one that listens behind *port* of its instance."""
    if not port:
        return containers
    listening = [each.name for each in containers if each.port]
    if len(listening) != 1:
        raise InvalidArgsError("host_port", got=port, want=f"none, since {listening} listen, and one port leads to one")
    return [replace(each, host_port=port) if each.port else each for each in containers]
