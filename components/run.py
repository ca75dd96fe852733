"""One run of a task: what it changes against the task's definition, and what whoever starts it must be allowed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, cast

from pulumi import Output

from components.errors import InvalidArgsError, of
from components.grants import Grant

if TYPE_CHECKING:
    from pulumi import Input

    from components.account import Account
    from components.capacity import Capacity
    from components.cluster import Cluster
    from components.fargate import Size
    from components.task import Task

_MOST_BYTES: Final = 8192
"""Bytes of all overrides, formatting included: the text of `RunTask` in botocore's `ecs` model."""


@dataclass(frozen=True, kw_only=True)
class Run:
    """A task as it is to run once.

    Raises:
        InvalidArgsError: a container that the task has not, a size too small for its containers, or more to say than
            ECS takes.

    """

    task: Task
    """What runs."""
    command: Sequence[str] = ()
    """What the container runs. Default: what its definition says."""
    environment: Mapping[str, Input[str]] = field(default_factory=dict[str, "Input[str]"])
    """Variables beside or instead of the definition's."""
    size: Size | None = None
    """CPU units and MiB of the whole task. Default: the definition's."""
    container: str | None = None
    """Which container the command and the environment are for. Default: the only one there is."""

    def __post_init__(self) -> None:
        if self.command or self.environment or self.container:
            self._container()
        if self.size:
            needs = sum(each.memory or 0 for each in self.task.containers)
            if needs > self.size.memory:
                raise InvalidArgsError(
                    of(self, "size"), got=self.size.memory, want=f"{needs} MiB at least, which its containers have"
                )
        plain = sum(map(len, self.command)) + sum(
            len(name) + (len(value) if isinstance(value, str) else 0) for name, value in self.environment.items()
        )
        if plain > _MOST_BYTES:
            raise InvalidArgsError(
                of(self, "command"), got=f"{plain} bytes with the environment", want=f"at most {_MOST_BYTES}"
            )

    def overrides(self) -> dict[str, Any]:
        """Return what differs from the definition, as ECS spells it."""
        said: dict[str, Any] = {}
        if self.command or self.environment:
            container: dict[str, Any] = {"name": self._container()}
            if self.command:
                container["command"] = list(self.command)
            if self.environment:
                container["environment"] = [
                    {"name": name, "value": self.environment[name]} for name in sorted(self.environment)
                ]
            said["containerOverrides"] = [container]
        if self.size:
            said |= {"cpu": str(self.size.cpu), "memory": str(self.size.memory)}
        return said

    def request(
        self,
        *,
        cluster: Cluster,
        capacity: Sequence[Capacity],
        subnets: Sequence[Input[str]],
        security_group_id: Input[str],
        group: str,
    ) -> dict[str, Any]:
        """Return what `RunTask` takes to run it on *cluster*, in the ECS task group *group*.

        Its events can be told from others' by the group.
        """
        return {
            "cluster": cluster.arn,
            "taskDefinition": self.task.arn,
            "capacityProviderStrategy": [
                {"capacityProvider": each.provider, "weight": each.weight, "base": each.base}
                for each in cluster.strategy(capacity)
            ],
            "networkConfiguration": {
                "awsvpcConfiguration": {
                    "subnets": list(subnets),
                    "securityGroups": [security_group_id],
                    "assignPublicIp": "DISABLED",
                }
            },
            "overrides": self.overrides(),
            "group": group,
            "propagateTags": "TASK_DEFINITION",
            "enableECSManagedTags": True,
        }

    def _container(self) -> str:
        names = [each.name for each in self.task.containers]
        found = [name for name in names if self.container in (None, name)]
        if len(found) != 1:
            raise InvalidArgsError(
                of(self, "container"), got=self.container, want=f"one of the task's containers: {', '.join(names)}"
            )
        return found[0]


def capitalised(value: Any) -> Any:
    """Return *value* with a capital at the start of each key: what ECS calls `name`, Step Functions calls `Name`."""
    if isinstance(value, Mapping):
        pairs = cast("Mapping[str, Any]", value)
        return {key[0].upper() + key[1:]: capitalised(item) for key, item in pairs.items()}
    return [capitalised(item) for item in cast("list[Any]", value)] if isinstance(value, list) else value


def check(task: Task, cluster: Cluster, capacity: Sequence[Capacity]) -> None:
    """Refuse *task* where no run of it could be placed on *capacity*, by default the cluster's own.

    Raises:
        InvalidArgsError: machines of another kind than the task's, or a task without an address of its own.

    """
    cluster.check(task, capacity)
    if task.network_mode != "awsvpc":
        raise InvalidArgsError(
            f"Task.network_mode of {task.family!r}",
            got=task.network_mode,
            want="'awsvpc': a run has a security group of its own",
        )


def grants(account: Account, cluster: Cluster, tasks: Sequence[Task]) -> list[Grant]:
    """Allow running *tasks* on *cluster*, in any revision, with their own roles; and tagging them as they start.

    ECS asks for the tagging apart wherever tags are propagated.
    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/supported-iam-actions-tagging.html
    """
    by_family = {task.family: task for task in tasks}
    return [
        Grant(
            actions=("ecs:RunTask",),
            resources=tuple(account.arn("ecs", f"task-definition/{family}:*") for family in sorted(by_family)),
            conditions={"ArnEquals": {"ecs:cluster": cluster.arn}},
        ),
        Grant(
            actions=("ecs:TagResource",),
            resources=(tasks_of(account, cluster),),
            conditions={"StringEquals": {"ecs:CreateAction": "RunTask"}},
        ),
        Grant(
            actions=("iam:PassRole",),
            resources=tuple(
                arn
                for family in sorted(by_family)
                for arn in (by_family[family].task_role_arn, by_family[family].execution_role_arn)
            ),
            conditions={"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}},
        ),
    ]


def tasks_of(account: Account, cluster: Cluster) -> Output[str]:
    """Return the ARN of every task on *cluster*: a task's id is not known before it runs."""
    return Output.concat(account.arn("ecs", "task/"), cluster.cluster_name, "/*")
