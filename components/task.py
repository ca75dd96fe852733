"""A task: its definition, the role it works under, the role that starts it, and its log group."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

import pulumi_aws as aws
from pulumi import Output, ResourceOptions

from components import documents, naming, volume
from components.base import Component, declared
from components.capacity import LaunchType
from components.container import Container, NetworkMode
from components.errors import InvalidArgsError, of, one_of, within
from components.fargate import InstanceSize, Size
from components.grants import Grant
from components.logs import Logs
from components.roles import ServiceRole, confused_deputy

if TYPE_CHECKING:
    from components.account import Account
    from components.cluster import Cluster

_ECS_TASKS: Final = "ecs-tasks.amazonaws.com"


@dataclass(frozen=True, kw_only=True)
class TaskArgs:
    """What a `Task` takes.

    Raises:
        InvalidArgsError: a bound of Fargate's broken, no essential container, containers that contradict each other
            (one name or port twice, a dependency on nobody or on oneself, one volume's name for two), or a network
            that the task cannot have.

    """

    account: Account
    """Where it runs: its roles admit ECS on behalf of this account alone."""
    containers: Sequence[Container]
    """One or more; ten at most (the quota of containers in a task definition)."""
    size: Size = field(default_factory=Size)
    """CPU units and MiB of the whole task; an `InstanceSize` is for instances. Default: 256 and 512, Fargate's
    smallest."""
    launch_type: LaunchType = "FARGATE"
    """What kind of machine it is for; the capacity it is run on must be of that kind."""
    network_mode: NetworkMode = "awsvpc"
    """``awsvpc``: an address and a security group of its own. On EC2 also ``bridge``: behind ports of its instance, as
    many tasks as fit; and ``host``: its ports are the instance's, and so is the instance's role to it. Both share the
    instance's security group with all other tasks there."""
    grants: Sequence[Grant] = ()
    """What the containers may do in AWS. Default: nothing."""
    family: str | None = None
    """Name of the definition's revisions, typed by people. Default: the component's name."""
    logs: Logs = field(default_factory=Logs)
    """How its containers' lines reach CloudWatch and how long they stay."""
    log_group: str | None = None
    """Name of the log group, which no two tasks share. Default: ``/ecs/<family>``."""
    log_prefix: str = "ecs"
    """What its log streams begin with."""
    exec_on: Cluster | None = None
    """The cluster whose audit log records ECS Exec sessions. Default: none; Exec is off and the root read-only."""
    ephemeral_storage: int | None = None
    """GiB of disk, 21 to 200, on Fargate. Default: Fargate's 20."""
    architecture: Literal["X86_64", "ARM64"] = "X86_64"
    """The image's. ARM64 costs about a fifth less."""

    def __post_init__(self) -> None:
        if not 1 <= len(self.containers) <= 10:  # noqa: PLR2004 - a quota, named above
            raise InvalidArgsError(of(self, "containers"), got=len(self.containers), want="from 1 to 10 containers")
        within(self, "ephemeral_storage", 21, 200, "GiB")
        one_of(self, "architecture", ("X86_64", "ARM64"))
        self._refuse_what_the_machine_has_not()
        if not any(container.essential for container in self.containers):
            raise InvalidArgsError(
                "Container.essential", got=False, want="at least one container of a task must be essential"
            )
        self._refuse_twins()
        self._refuse_broken_dependencies()
        self._refuse_more_than_the_task_has()
        volume.of_containers(self.containers)
        for container in self.containers:
            if self.exec_on is not None and container.read_only_root:
                raise InvalidArgsError(
                    f"Container.read_only_root of {container.name!r}",
                    got=True,
                    want="ECS Exec's agent must write to the root: turn one of the two off",
                )

    def _refuse_what_the_machine_has_not(self) -> None:
        one_of(self, "launch_type", ("FARGATE", "EC2", "MANAGED_INSTANCES"))
        one_of(self, "network_mode", ("awsvpc", "bridge", "host"))
        if self.network_mode != "awsvpc" and self.launch_type != "EC2":
            raise InvalidArgsError(
                of(self, "network_mode"), got=self.network_mode, want=f"'awsvpc' on {self.launch_type}, or EC2"
            )
        if self.launch_type == "FARGATE" and isinstance(self.size, InstanceSize):
            raise InvalidArgsError(of(self, "size"), got=self.size, want="a Size, which is a pair that Fargate has")
        if self.launch_type != "FARGATE" and self.ephemeral_storage is not None:
            raise InvalidArgsError(
                of(self, "ephemeral_storage"), got=self.ephemeral_storage, want="none: the disk is the instances' own"
            )
        for container in self.containers:
            container.static_host_port(self.network_mode)
            if self.network_mode != "bridge" and container.host_port is not None:
                raise InvalidArgsError(
                    f"Container.host_port of {container.name!r}",
                    got=container.host_port,
                    want=f"none, or network_mode 'bridge': in {self.network_mode!r} it is the port itself",
                )
            if self.network_mode != "awsvpc" and container.mounts:
                raise InvalidArgsError(
                    f"Container.mounts of {container.name!r}",
                    got=min(container.mounts),
                    want="none, or network_mode 'awsvpc': a file system is opened to a task's own security group",
                )

    def _refuse_twins(self) -> None:
        names: list[object] = [container.name for container in self.containers]
        own = [
            container.host_port if self.network_mode == "bridge" else container.port for container in self.containers
        ]
        ports: list[object] = [port for port in own if port]
        for what, values in (("name", names), ("host_port" if self.network_mode == "bridge" else "port", ports)):
            for value in values:
                if values.count(value) > 1:
                    raise InvalidArgsError(
                        f"Container.{what}",
                        got=value,
                        want="containers of a task share one address: each needs its own",
                    )

    def _refuse_broken_dependencies(self) -> None:
        needs = {container.name: set(container.depends_on) for container in self.containers}
        for name, others in needs.items():
            unknown = others - needs.keys()
            if unknown:
                raise InvalidArgsError(
                    f"Container.depends_on of {name!r}",
                    got=min(unknown),
                    want=f"a container of this task: {', '.join(needs)}",
                )
        for container in self.containers:
            for other, condition in container.depends_on.items():
                if condition == "HEALTHY" and not next(c for c in self.containers if c.name == other).health_check:
                    raise InvalidArgsError(
                        f"Container.depends_on of {container.name!r}",
                        got=f"{other}: HEALTHY",
                        want=f"give {other!r} a health_check, or wait for START",
                    )
        ready: set[str] = set()
        while waiting := {name: others - ready for name, others in needs.items() if name not in ready}:
            free = {name for name, others in waiting.items() if not others}
            if not free:
                raise InvalidArgsError(
                    "Container.depends_on", got=sorted(waiting), want="these wait for each other: break the circle"
                )
            ready |= free

    def _refuse_more_than_the_task_has(self) -> None:
        for what, have in (("memory", self.size.memory), ("cpu", self.size.cpu)):
            asked = sum(getattr(container, what) or 0 for container in self.containers)
            if asked > have:
                raise InvalidArgsError(
                    f"Container.{what}", got=asked, want=f"at most {have} in sum, which is what the task has"
                )


class Task(Component):
    """A task definition, with a role for the containers, another for ECS itself, and one log group.

    The execution role may pull these images, write to this log group and read these secrets, and nothing else:
    AWS's own AmazonECSTaskExecutionRolePolicy reaches every repository and log group of the account.

    Raises:
        InvalidArgsError: a name that does not fit IAM's or ECS's limits.

    """

    definition: aws.ecs.TaskDefinition
    """The task definition, for what must not begin before it is there."""
    arn: Output[str]
    """Its ARN, with its revision."""
    family: str
    task_role_arn: Output[str]
    execution_role_arn: Output[str]
    log_group_name: str
    containers: Sequence[Container]
    launch_type: LaunchType
    """What kind of machine it is for."""
    architecture: str
    """The processor's that its images are for."""
    network_mode: NetworkMode
    """What network its containers are in."""
    exec_on: bool
    """Whether ECS Exec may be turned on for it."""

    def __init__(self, name: str, args: TaskArgs, opts: ResourceOptions | None = None) -> None:
        self.family = naming.fixed(args.family or name, naming.FAMILY)
        self.log_group_name = naming.fixed(args.log_group or f"/ecs/{self.family}", naming.LOG_GROUP)
        self.containers, self.exec_on = args.containers, args.exec_on is not None
        self.launch_type, self.architecture = args.launch_type, args.architecture
        self.network_mode = args.network_mode
        task_role, execution_role = _roles(name, args, self.log_group_name)
        super().__init__(name, declared(args), opts, roles=(task_role, execution_role))

        log_group = aws.cloudwatch.LogGroup(
            name,
            name=self.log_group_name,
            retention_in_days=args.logs.retention_days,
            tags=self.tags,
            opts=self.child(),
        )
        volumes = volume.of_containers(args.containers)
        works_as, started_by = task_role.create(self), execution_role.create(self)
        log_options = args.logs.options(self.log_group_name, args.account.region, args.log_prefix)
        definition = aws.ecs.TaskDefinition(
            name,
            family=self.family,
            cpu=str(args.size.cpu),
            memory=str(args.size.memory),
            network_mode=args.network_mode,
            requires_compatibilities=[args.launch_type],
            runtime_platform={"operating_system_family": "LINUX", "cpu_architecture": args.architecture},
            ephemeral_storage={"size_in_gib": args.ephemeral_storage} if args.ephemeral_storage else None,
            task_role_arn=works_as.arn,
            execution_role_arn=started_by.arn,
            container_definitions=documents.render(
                [
                    each.definition(log_options=log_options, exec_on=self.exec_on, network_mode=args.network_mode)
                    for each in args.containers
                ]
            ),
            # By name: a container that only reads has the volume of the one that writes.
            volumes=list({each.name: each.definition() for each in volumes}.values()) or None,
            tags=self.tags,
            # A task that starts before its policies are attached or its volumes can be mounted fails; one that stops
            # after they are gone may hang.
            opts=self.child(
                ResourceOptions(
                    depends_on=[
                        log_group,
                        *(role.policy for role in (works_as, started_by) if role.policy),
                        *(resource for each in volumes for resource in each.after),
                    ]
                )
            ),
        )
        self.definition, self.arn = definition, definition.arn
        self.task_role_arn, self.execution_role_arn = works_as.arn, started_by.arn
        self.register_outputs(
            {
                "arn": self.arn,
                "family": self.family,
                "task_role_arn": self.task_role_arn,
                "execution_role_arn": self.execution_role_arn,
                "log_group_name": self.log_group_name,
            }
        )


def _roles(name: str, args: TaskArgs, log_group: str) -> tuple[ServiceRole, ServiceRole]:
    """Plan the role that the containers work under, and the one that ECS starts them with."""
    conditions = confused_deputy(args.account, args.account.arn("ecs", "*"))
    pulls: list[Grant] = []
    for container in args.containers:
        # Several containers often run images of one repository: one statement says it.
        pulls.extend(grant for grant in container.image.grant_pull() if grant not in pulls)
    reads: list[Grant] = []
    for secret in (secret for each in args.containers for secret in each.secrets.values()):
        # As often, two keys of one secret are read.
        reads.extend(grant for grant in secret.grants if grant not in reads)
    mounts = [grant for each in volume.of_containers(args.containers) for grant in each.grants]
    write_logs = Grant(
        actions=("logs:CreateLogStream", "logs:PutLogEvents"),
        resources=(args.account.arn("logs", f"log-group:{log_group}:*"),),
    )
    return (
        ServiceRole(
            name=naming.autonamed(f"{name}-task", naming.ROLE),
            service=_ECS_TASKS,
            conditions=conditions,
            grants=(*args.grants, *mounts, *(args.exec_on.exec_grants() if args.exec_on else ())),
        ),
        ServiceRole(
            name=naming.autonamed(f"{name}-execution", naming.ROLE),
            service=_ECS_TASKS,
            conditions=conditions,
            grants=(*pulls, write_logs, *reads),
        ),
    )
