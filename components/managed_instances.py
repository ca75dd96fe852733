"""ECS Managed Instances: EC2 instances that AWS chooses, patches and replaces, in the account they are billed to."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import pulumi_aws as aws
from pulumi import Output, Resource, ResourceOptions

from components import naming, security_group
from components.base import Component, declared
from components.capacity import LaunchType
from components.ec2_instances import check_open_ports, processors
from components.errors import InvalidArgsError, of, within
from components.grants import Grant
from components.instance_profile import ECS_TAG, InstanceProfile, InstanceProfileArgs, ec2_service
from components.roles import ServiceRole

if TYPE_CHECKING:
    from pulumi import Input

    from components.account import Account
    from components.adopted_network import AnyNetwork

_MADE_BY_ECS: Final = {"StringEquals": {f"aws:RequestTag/{ECS_TAG}": "true"}}
_ECS_OWN: Final = {"StringEquals": {f"ec2:ResourceTag/{ECS_TAG}": "true"}}

# `AllowedInstanceType` and `AllowedInstanceTypeSet` in botocore's `ecs` model, with the letters that types have.
_TYPE: Final = re.compile(r"[a-z0-9.*-]{1,30}")
_MOST_TYPES: Final = 400


@dataclass(frozen=True, kw_only=True)
class ManagedInstances:
    """Instances of one kind, as a cluster is given them; AWS replaces each within 14 days.

    Tasks on them have addresses of their own (``awsvpc``). The least-privilege pack has to be told of their
    infrastructure role, which passes a role to EC2 (``passRoleServices``, or an exception for ``pass-role``), launches
    whatever image AWS runs them from (``wildcard-resource``), and changes launch templates of ECS's (``escalation``).

    Raises:
        InvalidArgsError: a bound broken, or types that no task on them could run on.

    """

    network: AnyNetwork
    """Whose app subnets they stand in: private ones."""
    cpus: tuple[int, int] = (2, 8)
    """vCPUs of an instance, the fewest and the most, 1 to 1024."""
    memory: tuple[int, int] = (4096, 32_768)
    """MiB of an instance, the least and the most, 1024 or more."""
    instance_types: Sequence[str] = ()
    """Types and patterns that are allowed, such as ``m6i.*``, 400 at most: with x86 processors, which tasks on them are
    for. Default: whatever of the current ones fits."""
    spot: bool = False
    """Whether they are Spot ones. Default: On-Demand, since Spot is for who can lose a task."""
    disk: int = 80
    """GiB of each instance's data disk, 30 to 16384. Default: 80, as AWS's own."""
    open_ports: Sequence[int] = (443,)
    """TCP ports that the instances may call, anywhere, 1 to 65535, with 443 among them. Default: that alone, which ECS
    and ECR are reached by."""
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
        check_open_ports(self, self.open_ports)
        if len(self.instance_types) > _MOST_TYPES or len(set(self.instance_types)) < len(self.instance_types):
            raise InvalidArgsError(
                of(self, "instance_types"), got=list(self.instance_types), want=f"{_MOST_TYPES} or fewer, each once"
            )
        for kind in self.instance_types:
            if not _TYPE.fullmatch(kind):
                raise InvalidArgsError(
                    of(self, "instance_types"), got=kind, want="a type or a pattern, such as 'm6i.large' or 'm6i.*'"
                )
            if processors(kind.partition(".")[0]) == "ARM64":
                raise InvalidArgsError(
                    of(self, "instance_types"), got=kind, want="processors of the architecture X86_64, as the tasks'"
                )


@dataclass(frozen=True, kw_only=True)
class ManagedCapacityArgs:
    """What a `ManagedCapacity` takes; a `Cluster` makes it of its `ManagedInstances`."""

    account: Account
    """Where they are."""
    cluster_name: Input[str]
    """The cluster that they join; they can join no other."""
    instances: ManagedInstances
    """What they are."""


@dataclass(frozen=True, kw_only=True)
class InfrastructureRoleArgs:
    """What an `InfrastructureRole` takes."""

    account: Account
    """Where the instances are."""
    instance_role_arn: Input[str]
    """The only role that it may hand to them."""
    subnet_ids: Sequence[Input[str]]
    """Where it may launch them."""
    security_group_id: Input[str]
    """What it may launch them in."""


class InfrastructureRole(Component):
    """The role by which ECS launches and tags instances, all marked as its own.

    AWS's own AmazonECSInfrastructureRolePolicyForManagedInstances says the same for any subnet, security group, region
    and, of the roles it passes, for names that begin with ``ecsInstanceRole``. Not here: the service-linked role of
    EC2's Spot, which an account without any Spot instance so far needs (``aws iam create-service-linked-role
    --aws-service-name spot.amazonaws.com``).

    Raises:
        InvalidArgsError: a name that does not fit IAM's limits.

    """

    arn: Output[str]
    """What the capacity provider is given."""
    before: Sequence[Resource]
    """What the capacity provider waits for, and what must outlive it."""

    def __init__(self, name: str, args: InfrastructureRoleArgs, opts: ResourceOptions | None = None) -> None:
        role = ServiceRole(
            name=naming.autonamed(name, naming.ROLE),
            service="ecs.amazonaws.com",
            # AWS documents no condition for it: ECS sets no source to hold it to.
            # https://docs.aws.amazon.com/AmazonECS/latest/developerguide/infrastructure_IAM_role.html
            conditions={},
            grants=self._grants(args),
        )
        super().__init__(name, declared(args), opts, roles=[role])
        made = role.create(self)
        self.arn, self.before = made.arn, [made.policy] if made.policy else []
        self.register_outputs({"arn": self.arn})

    def _grants(self, args: InfrastructureRoleArgs) -> Sequence[Grant]:
        def arns(*kinds: str) -> tuple[str, ...]:
            return tuple(args.account.arn("ec2", f"{kind}/*") for kind in kinds)

        launching = ("ec2:CreateFleet", "ec2:RunInstances")
        stands = Output.concat(args.account.arn("ec2", "security-group/"), args.security_group_id)
        subnets = [Output.concat(args.account.arn("ec2", "subnet/"), subnet) for subnet in args.subnet_ids]
        made_by = {"StringEquals": {"ec2:CreateAction": ["CreateFleet", "CreateLaunchTemplate", "RunInstances"]}}
        operated = {"StringEquals": {"ec2:ManagedResourceOperator": "ecs.amazonaws.com"}}
        to_ec2 = {"StringEquals": {"iam:PassedToService": ec2_service(args.account)}}
        return (
            Grant(actions=("ec2:CreateLaunchTemplate",), resources=arns("launch-template"), conditions=_MADE_BY_ECS),
            Grant(
                actions=("ec2:CreateLaunchTemplateVersion", "ec2:ModifyLaunchTemplate"),
                resources=arns("launch-template"),
                conditions=operated,
            ),
            Grant(actions=("ec2:CreateFleet",), resources=arns("fleet"), conditions=_MADE_BY_ECS),
            Grant(
                actions=launching, resources=arns("instance", "network-interface", "volume"), conditions=_MADE_BY_ECS
            ),
            Grant(actions=launching, resources=arns("launch-template"), conditions=_ECS_OWN),
            # Images are no account's in an ARN, and whose AWS's own are it does not say.
            Grant(
                actions=launching,
                resources=(*subnets, stands, f"arn:{args.account.partition}:ec2:{args.account.region}::image/*"),
            ),
            Grant(
                actions=("ec2:CreateTags",),
                resources=arns("fleet", "instance", "launch-template", "network-interface", "volume"),
                conditions=made_by,
            ),
            Grant(actions=("iam:PassRole",), resources=(args.instance_role_arn,), conditions=to_ec2),
            # None of them knows a narrower resource.
            Grant(
                actions=(
                    "ec2:DescribeAvailabilityZones",
                    "ec2:DescribeInstanceTypeOfferings",
                    "ec2:DescribeInstanceTypes",
                    "ec2:DescribeInstances",
                    "ec2:DescribeLaunchTemplates",
                    "ec2:DescribeNetworkInterfaces",
                    "ec2:DescribeSecurityGroups",
                    "ec2:DescribeSubnets",
                    "ec2:DescribeVpcs",
                ),
                resources=("*",),
            ),
        )


class ManagedCapacity(Component):
    """A capacity provider whose instances ECS launches itself, and the two roles that this takes.

    Raises:
        InvalidArgsError: a name that does not fit the limits of ECS or IAM.

    """

    launch_type: LaunchType = "MANAGED_INSTANCES"
    provider_name: Output[str]
    """What a strategy names."""
    security_group_id: Output[str]
    """Of the instances; their tasks have groups of their own."""

    def __init__(self, name: str, args: ManagedCapacityArgs, opts: ResourceOptions | None = None) -> None:
        naming.autonamed(name, naming.CAPACITY_PROVIDER)
        super().__init__(name, declared(args), opts)
        said = args.instances
        group = security_group.of_tasks(self, name, said.network.vpc_id, said.open_ports, [])
        self.security_group_id = group.id
        profile = InstanceProfile(
            f"{name}-instance",
            InstanceProfileArgs(
                account=args.account,
                cluster_name=args.cluster_name,
                on_cluster=(
                    "ecs:RegisterContainerInstance",
                    "ecs:SubmitAttachmentStateChanges",
                    "ecs:SubmitTaskStateChange",
                ),
                on_instances=("ecs:Poll", "ecs:PutSystemLogEvents", "ecs:StartTelemetrySession"),
            ),
            self.child(),
        )
        infrastructure = InfrastructureRole(
            f"{name}-infrastructure",
            InfrastructureRoleArgs(
                account=args.account,
                instance_role_arn=profile.role_arn,
                subnet_ids=said.network.app_subnet_ids,
                security_group_id=group.id,
            ),
            self.child(),
        )
        provider = aws.ecs.CapacityProvider(
            name,
            cluster=args.cluster_name,
            managed_instances_provider={
                "infrastructure_role_arn": infrastructure.arn,
                "propagate_tags": "CAPACITY_PROVIDER",
                "instance_launch_template": {
                    "ec2_instance_profile_arn": profile.arn,
                    "capacity_option_type": "SPOT" if said.spot else "ON_DEMAND",
                    "network_configuration": {
                        "subnets": list(said.network.app_subnet_ids),
                        "security_groups": [group.id],
                    },
                    "storage_configuration": {"storage_size_gib": said.disk},
                    "instance_requirements": _requirements(said),
                },
            },
            tags={**said.tags, **self.tags},
            opts=self.child(ResourceOptions(depends_on=[*profile.before, *infrastructure.before, *group.ways_out])),
        )
        self.provider_name = provider.name
        self.register_outputs({"provider_name": self.provider_name, "security_group_id": self.security_group_id})


def _requirements(
    said: ManagedInstances,
) -> aws.ecs.CapacityProviderManagedInstancesProviderInstanceLaunchTemplateInstanceRequirementsArgsDict:
    """Return what instances AWS may choose, as the provider takes it."""
    wanted: aws.ecs.CapacityProviderManagedInstancesProviderInstanceLaunchTemplateInstanceRequirementsArgsDict = {
        "vcpu_count": {"min": said.cpus[0], "max": said.cpus[1]},
        "memory_mib": {"min": said.memory[0], "max": said.memory[1]},
        "instance_generations": ["current"],
    }
    if said.instance_types:
        wanted["allowed_instance_types"] = sorted(said.instance_types)
    return wanted
