"""EC2 instances that a cluster's tasks run on, as many as the tasks need."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import pulumi_aws as aws
from pulumi import Output, Resource, ResourceOptions

from components import naming, security_group, sleeping
from components.base import Component, declared
from components.capacity import LaunchType
from components.ec2_instances import Ec2Instances
from components.errors import InvalidArgsError
from components.instance_profile import ECS_TAG, InstanceProfile, InstanceProfileArgs

if TYPE_CHECKING:
    from pulumi import Input

    from components.account import Account
    from components.sleep import Sleep

DYNAMIC_PORTS: Final = (32768, 60999)
"""First and last of the host ports that are given out. Linux's own range for it, and said to the agent, since a rule
of the security group is made from it."""

# https://docs.aws.amazon.com/AmazonECS/latest/developerguide/retrieve-ecs-optimized_AMI.html
_IMAGE: Final = "resolve:ssm:/aws/service/ecs/optimized-ami/amazon-linux-2023/{}recommended/image_id"
# The root of Amazon Linux: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/al2023.html
_ROOT: Final = "/dev/xvda"

_AGENT: Final = {
    # A task must not have the instance's role. One in bridge mode is a hop away, further than metadata travels; one
    # with an address of its own is not, and is kept off by this. One in host mode can be kept off by nothing.
    # https://docs.aws.amazon.com/AmazonECS/latest/developerguide/security-iam-roles.html
    "ECS_AWSVPC_BLOCK_IMDS": "true",
    "ECS_ENABLE_TASK_IAM_ROLE": "true",
    "ECS_ENABLE_TASK_IAM_ROLE_NETWORK_HOST": "true",
    # Logs are written as the task's execution role, not the instance's.
    "ECS_ENABLE_AWSLOGS_EXECUTIONROLE_OVERRIDE": "true",
    "ECS_ENABLE_SPOT_INSTANCE_DRAINING": "true",
    "ECS_DYNAMIC_HOST_PORT_RANGE": "{}-{}".format(*DYNAMIC_PORTS),
}
"""https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-agent-config.html"""


@dataclass(frozen=True, kw_only=True)
class Ec2CapacityArgs:
    """What an `Ec2Capacity` takes; a `Cluster` makes it of its `Ec2Instances`."""

    account: Account
    """Where they are."""
    cluster_name: Input[str]
    """The cluster that they join."""
    instances: Ec2Instances
    """What they are."""
    sleep: Sleep | None = None
    """When there is no minimum of them. Default: never."""


class Ec2Capacity(Component):
    """A launch template, an Auto Scaling group, and the capacity provider by which ECS scales it.

    An instance that is taken away is drained first, and one that still runs tasks is not taken away to save money. A
    changed template replaces them, new ones first. The image is looked up by AWS whenever an instance is launched: so
    those that run keep theirs, and a new one has the current one.

    It can be destroyed: the capacity provider goes first, then the group with its instances, protected or not, then
    what these needed to take leave of the cluster.

    Raises:
        InvalidArgsError: a name that does not fit the limits of ECS, EC2 or IAM.

    """

    launch_type: LaunchType = "EC2"
    provider_name: Output[str]
    """What a strategy names."""
    security_group_id: Output[str]
    """Of the instances: what tasks in bridge or host mode are behind."""
    group_name: Output[str]
    """Of the Auto Scaling group."""
    ways: Sequence[Resource]
    """What a task in bridge or host mode needs, and what must outlive it."""
    instances: Ec2Instances
    """What they are."""

    def __init__(self, name: str, args: Ec2CapacityArgs, opts: ResourceOptions | None = None) -> None:
        naming.autonamed(name, naming.CAPACITY_PROVIDER)
        naming.autonamed(name, naming.LAUNCH_TEMPLATE)
        super().__init__(name, declared(args), opts)
        self.instances = args.instances
        self._host_ports: dict[int, str] = {}
        group = security_group.of_tasks(self, name, args.instances.network.vpc_id, args.instances.open_ports, [])
        self.security_group_id = group.id
        self.ways = [*group.ways_out, *self._let_balancers_in(name)]
        scaled = self._group(name, args, self._profile(name, args), group.ways_out)
        if args.sleep:
            sleeping.instances(self, name, args.sleep, scaled, args.instances.minimum)
        provider = aws.ecs.CapacityProvider(
            name,
            auto_scaling_group_provider={
                "auto_scaling_group_arn": scaled.arn,
                "managed_scaling": {
                    "status": "ENABLED",
                    "target_capacity": args.instances.target_capacity,
                    "instance_warmup_period": args.instances.warmup,
                },
                "managed_draining": "ENABLED",
                "managed_termination_protection": "ENABLED",
            },
            tags=self.tags,
            opts=self.child(),
        )
        self.provider_name, self.group_name = provider.name, scaled.name
        self.register_outputs(
            {
                "provider_name": self.provider_name,
                "security_group_id": self.security_group_id,
                "group_name": self.group_name,
            }
        )

    def claim(self, service: str, ports: Sequence[int]) -> None:
        """Keep host *ports* of every instance for *service*.

        Raises:
            InvalidArgsError: another one has a port of them: one instance could not run both.

        """
        for port in ports:
            if (holder := self._host_ports.setdefault(port, service)) != service:
                raise InvalidArgsError(
                    "Container.host_port",
                    got=port,
                    want=f"another one: {holder!r} has it on the same instances; or none, and ECS gives one out",
                )

    def _profile(self, name: str, args: Ec2CapacityArgs) -> InstanceProfile:
        return InstanceProfile(
            f"{name}-instance",
            InstanceProfileArgs(
                account=args.account,
                cluster_name=args.cluster_name,
                on_cluster=(
                    "ecs:DeregisterContainerInstance",
                    "ecs:RegisterContainerInstance",
                    "ecs:SubmitAttachmentStateChanges",
                    "ecs:SubmitContainerStateChange",
                    "ecs:SubmitTaskStateChange",
                ),
                on_instances=("ecs:Poll", "ecs:StartTelemetrySession", "ecs:UpdateContainerInstancesState"),
            ),
            self.child(),
        )

    def _let_balancers_in(self, name: str) -> list[Resource]:
        """Open the dynamic ports on both sides; here, since two services behind one balancer share the rule."""
        rules: list[Resource] = []
        for balancer in sorted(self.instances.balancers, key=lambda each: each.pulumi_resource_name):
            way, theirs = f"{name}-from-{balancer.pulumi_resource_name}", balancer.security_group_id
            rules += security_group.open_way(
                self, way, DYNAMIC_PORTS, from_group=theirs, to_group=self.security_group_id
            )
        return rules

    def _template(
        self, name: str, args: Ec2CapacityArgs, profile: InstanceProfile, tags: dict[str, str]
    ) -> aws.ec2.LaunchTemplate:
        said = args.instances
        return aws.ec2.LaunchTemplate(
            name,
            image_id=_IMAGE.format("arm64/" if said.architecture == "ARM64" else ""),
            instance_type=said.instance_types[0],
            iam_instance_profile={"arn": profile.arn},
            vpc_security_group_ids=[self.security_group_id],
            # A token, which no request forged by a task's URL can have; and one hop, so that no bridged task has it.
            metadata_options={"http_endpoint": "enabled", "http_tokens": "required", "http_put_response_hop_limit": 1},
            block_device_mappings=[
                {
                    "device_name": _ROOT,
                    "ebs": {
                        "volume_type": "gp3",
                        "volume_size": said.disk,
                        "encrypted": "true",
                        "delete_on_termination": "true",
                    },
                }
            ],
            user_data=Output.from_input(args.cluster_name).apply(user_data),
            update_default_version=True,
            tag_specifications=[{"resource_type": kind, "tags": tags} for kind in ("instance", "volume")],
            tags=self.tags,
            opts=self.child(),
        )

    def _group(
        self, name: str, args: Ec2CapacityArgs, profile: InstanceProfile, ways: Sequence[Resource]
    ) -> aws.autoscaling.Group:
        said = args.instances
        tags = {**said.tags, **self.tags}
        template = self._template(name, args, profile, tags)
        return aws.autoscaling.Group(
            name,
            # No desired capacity: it is ECS's to say.
            min_size=said.minimum,
            max_size=said.maximum,
            vpc_zone_identifiers=list(said.network.app_subnet_ids),
            mixed_instances_policy={
                "launch_template": {
                    "launch_template_specification": {
                        "launch_template_id": template.id,
                        "version": template.latest_version.apply(str),
                    },
                    "overrides": [{"instance_type": kind} for kind in said.instance_types],
                },
                "instances_distribution": {
                    "on_demand_base_capacity": said.on_demand_base,
                    "on_demand_percentage_above_base_capacity": said.on_demand_percent,
                    "spot_allocation_strategy": "price-capacity-optimized",
                },
            },
            capacity_rebalance=said.on_demand_percent < 100,  # noqa: PLR2004 - percent
            # Managed termination protection demands it. What ECS then takes away, it has drained.
            protect_from_scale_in=True,
            instance_refresh={
                "strategy": "Rolling",
                "preferences": {
                    "min_healthy_percentage": 100,
                    "max_healthy_percentage": 110,
                    "scale_in_protected_instances": "Refresh",
                    "skip_matching": True,
                },
            },
            # Without it a deletion waits for ever for instances that are protected from scaling in.
            force_delete=True,
            tags=[
                {"key": key, "value": value, "propagate_at_launch": True}
                # ECS adds its own mark to the group; unsaid here, each `up` would take it away. The name is not in the
                # template, whose every change replaces the instances.
                for key, value in sorted({**tags, "Name": name, ECS_TAG: "true"}.items())
            ],
            opts=self.child(
                ResourceOptions(
                    depends_on=[*profile.before, *ways],
                    # With a sleep it is the schedule's.
                    ignore_changes=["minSize"] if args.sleep and said.minimum else None,
                )
            ),
        )


def user_data(cluster_name: str) -> str:
    """Return what an instance runs at its first start, in base64: it tells the agent which cluster to join, and how."""
    settings = "\n".join(f"{key}={value}" for key, value in {"ECS_CLUSTER": cluster_name, **_AGENT}.items())
    script = f"#!/bin/bash\ncat <<'EOF' >> /etc/ecs/ecs.config\n{settings}\nEOF\n"
    return base64.b64encode(script.encode()).decode()
