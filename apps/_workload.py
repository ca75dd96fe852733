"""What every workload is: a component made from its section of the stack file, on a platform it shares."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Generic, TypeVar, get_args

from pulumi import Input

from components.base import Component
from components.image import Image
from components.logs import Logs
from components.repository import Repository, RepositoryArgs
from components.service import Service, ServiceArgs, TargetHealth
from components.task import Task, TaskArgs
from settings import ServiceSettings, TaskSettings, WorkloadSettings

if TYPE_CHECKING:
    from pulumi import ResourceOptions

    from apps._platform import Platform
    from components.container import Container
    from components.discovery import Discovery
    from components.grants import Grant
    from components.routes import Route

S = TypeVar("S", bound=WorkloadSettings)

Outputs = Mapping[str, Input[str]]
"""What a workload hands to others: a name such as ``url`` → its value. Never a secret."""


class Workload(Component, Generic[S]):
    """One system, with all that is its own: a node first, which `deploy` then fills.

    A subclass says `deploy`, and the class of its settings by its own base: ``Workload[ServiceSettings]``.
    """

    def __init__(self, name: str, on: Platform, settings: S, opts: ResourceOptions | None = None) -> None:
        """Register the workload *name*, on platform *on*, as *settings* say."""
        super().__init__(
            name, settings.model_dump(mode="json", exclude_unset=True, exclude_none=True), opts, tags={"Service": name}
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

    def image(self, of: TaskSettings | None = None, *, folder: str = "service", repository: str | None = None) -> Image:
        """Return the image that the stack file names, in a repository of the workload's own unless it names another.

        That one is never deleted with its images where other accounts may run them, whatever ``protect`` says. Its
        tags move where the stack builds: see `Repository.build`.

        Args:
            of: the part of the section that names the image. Default: the section itself.
            folder: where its Dockerfile and source are, beside the workload's infrastructure.
            repository: the repository's name. Default: the workload's, and with any other folder that one behind it:
                ``shop/cart``.

        """
        section = self.settings if of is None else of
        if not isinstance(section, TaskSettings):
            raise TypeError(f"the settings of {self.name} name no image: say which part of them does")
        said = section.image
        if said.repository and said.digest:
            return Image.at(f"{said.repository}@{said.digest}")
        own = folder == "service"
        pull_accounts = self.on.image_pull_accounts
        made = Repository(
            self.name if own else f"{self.name}-{folder}",
            RepositoryArgs(
                repository_name=repository or (None if own else f"{self.name}/{folder}"),
                immutable_tags=not said.build,
                pull_accounts=pull_accounts,
                force_delete=not self.on.protect and not pull_accounts,
            ),
            self.child(),
        )
        return made.image(digest=said.digest) if said.digest else made.build(self.source(folder))

    def task(
        self,
        name: str,
        said: TaskSettings,
        containers: Sequence[Container],
        *,
        grants: Sequence[Grant] = (),
        family: str | None = None,
        log_group: str | None = None,
    ) -> Task:
        """Make the task *name* of *containers*, which may do what *grants* say, as large and logged as *said*."""
        return Task(
            name,
            TaskArgs(
                account=self.on.account,
                containers=containers,
                size=said.size.value(),
                grants=grants,
                family=family,
                logs=Logs(retention_days=said.log_retention_days),
                log_group=log_group,
                exec_on=self.on.cluster if said.execute_command else None,
            ),
            self.child(),
        )

    def service(
        self,
        name: str,
        said: ServiceSettings,
        task: Task,
        *,
        entrance: Route | None = None,
        target_health: TargetHealth | None = None,
        discovery: Discovery | None = None,
        calls: Sequence[Discovery] = (),
    ) -> Service:
        """Keep *task* running as the service *name*, as many and replaced as *said*; and see that it is what runs."""
        on = self.on
        service = Service(
            name,
            ServiceArgs(
                task=task,
                cluster=on.cluster,
                network=on.network,
                entrance=entrance,
                target_health=target_health or TargetHealth(),
                discovery=discovery,
                calls=calls,
                desired_count=said.desired_count,
                scaling=said.scaling.value() if said.scaling else None,
                rollout=said.rollout.value(),
                capacity=[part.value() for part in said.capacity],
            ),
            self.child(),
        )
        on.confirm(service, task)
        return service

    def source(self, folder: str) -> str:
        """Return where *folder* beside the workload's infrastructure is, seen from the program's own folder.

        Relative: an absolute path would make every engineer's machine a change.
        """
        return f"apps/{self.name.replace('-', '_')}/{folder}"
