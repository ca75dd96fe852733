"""ECS Managed Instances: EC2 instances that AWS chooses, patches and replaces, in the account they are billed to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import pulumi_aws as aws
from pulumi import Output, ResourceOptions

from components import container_instance, naming
from components.base import Component, declared
from components.errors import InvalidArgsError, of, within
from components.grants import Grant
from components.roles import ServiceRole
from components.security_group import of_tasks

if TYPE_CHECKING:
    from pulumi import Input

    from components.account import Account
    from components.adopted_network import AnyNetwork
    from components.capacity import LaunchType

_MADE_BY_ECS: Final = {"StringEquals": {f"aws:RequestTag/{container_instance.TAG}": "true"}}
_ECS_OWN: Final = {"StringEquals": {f"ec2:ResourceTag/{container_instance.TAG}": "true"}}


@dataclass(frozen=True, kw_only=True)
class ManagedInstances:
    """Instances of one kind, as a cluster is given them; AWS replaces each within 14 days.

    Tasks on them have addresses of their own (``awsvpc``). Two rules of the least-privilege pack have to be told of
    their infrastructure role, which passes a role to EC2 (``passRoleServices``) and launches whatever image AWS runs
    them from.

    Raises:
        InvalidArgsError: a bound broken.

    """

    network: AnyNetwork
    """Whose app subnets they stand in: private ones."""
    cpus: tuple[int, int] = (2, 8)
    """vCPUs of an instance, the fewest and the most, 1 to 1024."""
    memory: tuple[int, int] = (4096, 32_768)
    """MiB of an instance, the least and the most, 1024 or more."""
    instance_types: Sequence[str] = ()
    """Types and patterns that are allowed, such as ``m6i.*``. Default: whatever of the current ones fits."""
    spot: bool = False
    """Whether they are Spot ones. Default: On-Demand, since Spot is for who can lose a task."""
    disk: int = 80
    """GiB of each instance's data disk, 30 to 16384. Default: 80, as AWS's own."""
    open_ports: Sequence[int] = (443,)
    """TCP ports that the instances may call, anywhere. Default: HTTPS alone, which ECS and ECR are reached by."""
    tags: Mapping[str, str] = field(default_factory=dict[str, str])
    """Tags of the capacity provider, which hands all of its own on to instances and disks."""

    def __post_init__(self) -> None:
        for what, low, high in (("cpus", 1, 1024), ("memory", 1024, 24 * 1024 * 1024)):
            fewest, most = getattr(self, what)
            if not low <= fewest <= most <= high:
                raise InvalidArgsError(
                    of(self, what), got=(fewest, most), want=f"the least and the most, from {low} to {high}"
                )
        within(self, "disk", 30, 16_384, "GiB")


@dataclass(frozen=True, kw_only=True)
class ManagedCapacityArgs:
    """What a `ManagedCapacity` takes; a `Cluster` makes it of its `ManagedInstances`."""

    account: Account
    """Where they are."""
    cluster_name: Input[str]
    """The cluster that they join; they can join no other."""
    instances: ManagedInstances
    """What they are."""


class ManagedCapacity(Component):
    """A capacity provider whose instances ECS launches itself, and the two roles that this takes.

    Raises:
        InvalidArgsError: a name that does not fit the limits of ECS or IAM.

    """

    launch_type: LaunchType = "MANAGED_INSTANCES"
    provider_name: Output[str]
    """What a strategy names."""
    security_group_id: Output[str]
    """Of the instances."""

    def __init__(self, name: str, args: ManagedCapacityArgs, opts: ResourceOptions | None = None) -> None:
        naming.autonamed(name, naming.CAPACITY_PROVIDER)
        naming.autonamed(name, naming.INSTANCE_PROFILE)
        agent = container_instance.role(
            name,
            args.account,
            args.cluster_name,
            on_cluster=("ecs:RegisterContainerInstance", "ecs:SubmitAttachmentStateChanges", "ecs:SubmitTaskStateChange"),
            on_instance=("ecs:Poll", "ecs:PutSystemLogEvents", "ecs:StartTelemetrySession"),
        )
        ...
