"""What any instance that runs tasks is launched with: the role of its ECS agent, and the profile that has it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import pulumi_aws as aws
from pulumi import Output, Resource

from components import naming
from components.base import Component, declared
from components.grants import Grant
from components.roles import ServiceRole

if TYPE_CHECKING:
    from pulumi import Input, ResourceOptions

    from components.account import Account

ECS_TAG: Final = "AmazonECSManaged"
"""What ECS marks by it as its own to scale."""


def ec2_service(account: Account) -> str:
    """Return what EC2 is called as the taker of a role; in China it has a suffix."""
    return "ec2.amazonaws.com" + (".cn" if account.partition == "aws-cn" else "")


@dataclass(frozen=True, kw_only=True)
class InstanceProfileArgs:
    """What an `InstanceProfile` takes."""

    account: Account
    """Where the instances are."""
    cluster_name: Input[str]
    """The only cluster that they can join."""
    on_cluster: Sequence[str]
    """What the agent does with the cluster, as actions of ECS."""
    on_instances: Sequence[str]
    """What it does with the cluster's instances, likewise."""


class InstanceProfile(Component):
    """A role with what the agent needs, for one cluster, and the profile that hands it to instances.

    AWS's own policies for it reach every cluster of the account, and the older one every repository and log group too:
    what a task pulls and logs is its execution role's business.

    Raises:
        InvalidArgsError: a name that does not fit IAM's limits.

    """

    arn: Output[str]
    """What instances are launched with."""
    role_arn: Output[str]
    """The role in it."""
    before: Sequence[Resource]
    """What an instance waits for, and what must outlive it: without, it could neither register nor take its leave."""

    def __init__(self, name: str, args: InstanceProfileArgs, opts: ResourceOptions | None = None) -> None:
        naming.autonamed(name, naming.INSTANCE_PROFILE)
        cluster = Output.concat(args.account.arn("ecs", "cluster/"), args.cluster_name)
        instances = Output.concat(args.account.arn("ecs", "container-instance/"), args.cluster_name, "/*")
        role = ServiceRole(
            name=naming.autonamed(name, naming.ROLE),
            service=ec2_service(args.account),
            # EC2 sets no source to hold it to.
            # https://docs.aws.amazon.com/AmazonECS/latest/developerguide/instance_IAM_role.html
            conditions={},
            grants=(
                # Where to call: it knows no narrower resource.
                Grant(actions=("ecs:DiscoverPollEndpoint",), resources=("*",)),
                Grant(actions=tuple(sorted(args.on_cluster)), resources=(cluster,)),
                Grant(actions=tuple(sorted(args.on_instances)), resources=(instances,)),
            ),
        )
        super().__init__(name, declared(args), opts, roles=[role])
        made = role.create(self)
        profile = aws.iam.InstanceProfile(
            name,
            path=self.role_bounds.path if self.role_bounds else None,
            role=made.name,
            tags=self.tags,
            opts=self.child(),
        )
        self.arn, self.role_arn = profile.arn, made.arn
        self.before = [profile, *([made.policy] if made.policy else [])]
        self.register_outputs({"arn": self.arn, "role_arn": self.role_arn})
