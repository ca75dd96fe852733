"""An ECS cluster: what its tasks run on, what is measured of them, and who looked into one of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

import pulumi_aws as aws
from pulumi import Output

from components import key, naming, resource_policy
from components.base import Component, declared
from components.capacity import INSTANCES, PROVIDERS, Architecture, Capacity, LaunchType, check_strategy
from components.ec2_capacity import Ec2Capacity, Ec2CapacityArgs
from components.ec2_instances import Ec2Instances
from components.errors import InvalidArgsError, of, one_of
from components.grants import Grant
from components.managed_instances import ManagedCapacity, ManagedCapacityArgs, ManagedInstances

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pulumi import ResourceOptions

    from components.account import Account
    from components.logs import Logs
    from components.sleep import Sleep
    from components.task import Task


@dataclass(frozen=True, kw_only=True)
class ClusterArgs:
    """What a `Cluster` takes.

    Raises:
        InvalidArgsError: a strategy that ECS refuses or that places no task, instances that it names and that are not
            there, or an unknown setting of Container Insights.

    """

    account: Account
    """Where it is."""
    capacity: Sequence[Capacity] = (Capacity("FARGATE"),)
    """How tasks are spread that do not say otherwise. Default: all on Fargate; Spot is for who can lose a task."""
    instances: Mapping[str, Ec2Instances | ManagedInstances] = field(
        default_factory=dict[str, "Ec2Instances | ManagedInstances"]
    )
    """Machines of its own beside Fargate, each kind by the name that strategies call it. Default: none."""
    container_insights: Literal["disabled", "enabled", "enhanced"] = "enhanced"
    """Default: ``enhanced``, metrics of each task and container. An alarm on running tasks needs ``enabled`` or it."""
    exec_audit: Logs | None = None
    """How long sessions of ECS Exec are kept in ``/ecs/exec/<name>``. Default: no audit, and so no task with Exec."""
    sleep: Sleep | None = None
    """When its groups of EC2 instances have no minimum. Its services are told by their own. Default: never."""

    def __post_init__(self) -> None:
        check_strategy(self.capacity)
        for name in self.instances:
            if not INSTANCES.fullmatch(name):
                raise InvalidArgsError(
                    of(self, "instances"),
                    got=name,
                    want="lower-case letters, digits and hyphens, and neither 'aws', 'ecs' nor 'fargate' first",
                )
        check_known(self.capacity, self.instances)
        one_of(self, "container_insights", ("disabled", "enabled", "enhanced"))


def check_known(capacity: Sequence[Capacity], instances: Mapping[str, object]) -> None:
    """Refuse *capacity* where it names other providers than Fargate's and *instances* of the cluster."""
    for each in capacity:
        if each.provider not in (*PROVIDERS, *instances):
            raise InvalidArgsError(
                "Capacity.provider", got=each.provider, want=f"one of {', '.join((*PROVIDERS, *sorted(instances)))}"
            )


class Cluster(Component):
    """A cluster with Fargate and Fargate Spot, and with instances, and the log and key of ECS Exec, where it has them.

    Raises:
        InvalidArgsError: a name that leaves no room for Pulumi's suffix in ECS's 255 characters.

    """

    arn: Output[str]
    """Known once its capacity providers are associated: a service made earlier would be refused."""
    cluster_name: Output[str]
    """Likewise."""
    capacity: tuple[Capacity, ...]
    """The strategy of a service that has none of its own."""
    instances: Mapping[str, Ec2Capacity | ManagedCapacity]
    """Its own machines, by the name that strategies call them."""

    def __init__(self, name: str, args: ClusterArgs, opts: ResourceOptions | None = None) -> None:
        naming.autonamed(name, naming.CLUSTER)
        self._audit_group = naming.fixed(f"/ecs/exec/{name}", naming.LOG_GROUP)
        super().__init__(name, declared(args), opts)

        self.capacity = tuple(args.capacity)
        self._account = args.account
        self._audit_key = self._create_audit(name, args.exec_audit) if args.exec_audit else None
        cluster = aws.ecs.Cluster(
            name,
            settings=[{"name": "containerInsights", "value": args.container_insights}],
            configuration=self._exec_configuration(),
            tags=self.tags,
            opts=self.child(),
        )
        self.instances = self._own_instances(name, args, cluster.name)
        # Fargate's are associated whatever the default is: a service may choose, and an association costs nothing.
        associated = aws.ecs.ClusterCapacityProviders(
            name,
            cluster_name=cluster.name,
            capacity_providers=[*PROVIDERS, *(each.provider_name for _, each in sorted(self.instances.items()))],
            default_capacity_provider_strategies=[
                {"capacity_provider": each.provider, "weight": each.weight, "base": each.base}
                for each in self.strategy(args.capacity)
            ],
            opts=self.child(),
        )
        self.cluster_name = associated.cluster_name
        self.arn = Output.all(cluster.arn, associated.id).apply(lambda known: str(known[0]))
        self.register_outputs({"arn": self.arn, "cluster_name": self.cluster_name})

    def strategy(self, capacity: Sequence[Capacity] = ()) -> Sequence[Capacity]:
        """Return *capacity*, or without any the cluster's own, with each provider by the name that ECS knows."""
        return [
            replace(each, provider=self.instances[each.provider].provider_name)
            if isinstance(each.provider, str) and each.provider in self.instances
            else each
            for each in capacity or self.capacity
        ]

    def check(self, task: Task, capacity: Sequence[Capacity] = ()) -> None:
        """Refuse *task* on *capacity*, or without any on the cluster's own, where it could never be placed.

        Raises:
            InvalidArgsError: a provider that the cluster has not, or machines of another kind than the task is for.

        """
        check_known(capacity, self.instances)
        for each in capacity or self.capacity:
            kind, architecture = self._machine(str(each.provider))
            if kind != task.launch_type:
                raise InvalidArgsError(
                    f"Task.launch_type of {task.family!r}",
                    got=task.launch_type,
                    want=f"{kind!r}, which {each.provider} is, or capacity of the task's kind",
                )
            if architecture is not None and architecture != task.architecture:
                raise InvalidArgsError(
                    f"Task.architecture of {task.family!r}",
                    got=task.architecture,
                    want=f"{architecture!r}, which {each.provider} is",
                )

    def machine(self, capacity: Sequence[Capacity] = ()) -> tuple[LaunchType, Architecture]:
        """Return what kind of machine the tasks on *capacity*, or without any on the cluster's own, must be for.

        Where there is a choice of processors, ``X86_64``. `check` refuses machines of several kinds.

        Raises:
            InvalidArgsError: a provider that the cluster has not.

        """
        check_known(capacity, self.instances)
        kind, architecture = self._machine(str((capacity or self.capacity)[0].provider))
        return kind, architecture or "X86_64"

    def _machine(self, provider: str) -> tuple[LaunchType, Architecture | None]:
        """Return what *provider* has, and None of processors where it has each kind."""
        own = self.instances.get(provider)
        if own is None:
            return "FARGATE", None
        return own.launch_type, own.instances.architecture if isinstance(own, Ec2Capacity) else None

    def _own_instances(
        self, name: str, args: ClusterArgs, cluster_name: Output[str]
    ) -> Mapping[str, Ec2Capacity | ManagedCapacity]:
        def made(kind: str, said: Ec2Instances | ManagedInstances) -> Ec2Capacity | ManagedCapacity:
            own = f"{name}-{kind}"
            if isinstance(said, Ec2Instances):
                ec2 = Ec2CapacityArgs(account=args.account, cluster_name=cluster_name, instances=said, sleep=args.sleep)
                return Ec2Capacity(own, ec2, self.child())
            managed = ManagedCapacityArgs(account=args.account, cluster_name=cluster_name, instances=said)
            return ManagedCapacity(own, managed, self.child())

        return {kind: made(kind, said) for kind, said in args.instances.items()}

    def exec_grants(self) -> tuple[Grant, ...]:
        """Return what the role of a task needs so that ECS Exec reaches it and the session is recorded.

        The first two know no narrower resource than ``*``. The session's log is written and its channel decrypted
        by the agent inside the container, so by the task's own role.
        https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-exec.html

        Raises:
            InvalidArgsError: the cluster has no audit, so that nobody would know what was done in the session.

        """
        if self._audit_key is None:
            raise InvalidArgsError(
                "Cluster.exec_audit",
                got=None,
                want="a task with ECS Exec needs a cluster that records sessions: give it exec_audit=Logs()",
            )
        return (
            Grant(
                actions=(
                    "ssmmessages:CreateControlChannel",
                    "ssmmessages:CreateDataChannel",
                    "ssmmessages:OpenControlChannel",
                    "ssmmessages:OpenDataChannel",
                ),
                resources=("*",),
            ),
            Grant(actions=("logs:DescribeLogGroups",), resources=("*",)),
            Grant(
                actions=("logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"),
                resources=(f"{self._audit_group_arn}:*",),
            ),
            Grant(actions=("kms:Decrypt",), resources=(self._audit_key.arn,)),
        )

    @property
    def _audit_group_arn(self) -> str:
        return self._account.arn("logs", f"log-group:{self._audit_group}")

    def _create_audit(self, name: str, logs: Logs) -> aws.kms.Key:
        """Make the log group of sessions and the key that it and the channel are encrypted with."""
        logs_service = f"logs.{self._account.region}.amazonaws.com"
        audit_key = key.create(
            self,
            f"{name}-exec",
            f"ECS Exec into {name}: the channel and the log of each session",
            self._account,
            [
                resource_policy.admit(
                    {"Service": logs_service + (".cn" if self._account.partition == "aws-cn" else "")},
                    ["kms:Encrypt*", "kms:Decrypt*", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:Describe*"],
                    "*",
                    {"ArnEquals": {"kms:EncryptionContext:aws:logs:arn": self._audit_group_arn}},
                )
            ],
        )
        aws.cloudwatch.LogGroup(
            f"{name}-exec",
            name=self._audit_group,
            retention_in_days=logs.retention_days,
            kms_key_id=audit_key.arn,
            tags=self.tags,
            opts=self.child(),
        )
        return audit_key

    def _exec_configuration(self) -> aws.ecs.ClusterConfigurationArgsDict | None:
        if self._audit_key is None:
            return None
        return {
            "execute_command_configuration": {
                "kms_key_id": self._audit_key.arn,
                "logging": "OVERRIDE",
                "log_configuration": {
                    "cloud_watch_encryption_enabled": True,
                    "cloud_watch_log_group_name": self._audit_group,
                },
            }
        }
