"""What any instance that runs tasks needs, whoever manages it: a security group, and a role for the agent on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import pulumi_aws as aws
from pulumi import Output

from components import naming
from components.grants import Grant
from components.roles import ServiceRole

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pulumi import Input, Resource

    from components.account import Account
    from components.base import Owner

TAG: Final = "AmazonECSManaged"
"""What ECS marks the instances by that it scales."""


@dataclass(frozen=True, kw_only=True)
class Profile:
    """An instance profile that was made."""

    arn: Output[str]
    """What instances are launched with."""
    role_arn: Output[str]
    """The role in it."""
    before: Sequence[Resource]
    """What an instance waits for, and what must outlive it: without them it could neither register nor take leave."""


def role(
    name: str,
    account: Account,
    cluster_name: Input[str],
    *,
    on_cluster: Sequence[str],
    on_instance: Sequence[str],
) -> ServiceRole:
    """Plan the role of the ECS agent on the instances of *name*: *on_cluster* and *on_instance* of one cluster.

    AWS's own policies for it reach every cluster of the account, and the older one every repository and log group too:
    what a task pulls and logs, its execution role allows. Where it is sent to, the agent asks with an action that
    knows no narrower resource than ``*``.
    """
    cluster = Output.concat(account.arn("ecs", "cluster/"), cluster_name)
    instances = Output.concat(account.arn("ecs", "container-instance/"), cluster_name, "/*")
    return ServiceRole(
        name=naming.autonamed(f"{name}-instance", naming.ROLE),
        service="ec2.amazonaws.com" + (".cn" if account.partition == "aws-cn" else ""),
        # EC2 sets no source to hold it to: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/instance_IAM_role.html
        conditions={},
        grants=(
            Grant(actions=("ecs:DiscoverPollEndpoint",), resources=("*",)),
            Grant(actions=tuple(on_cluster), resources=(cluster,)),
            Grant(actions=tuple(on_instance), resources=(instances,)),
        ),
    )


def profile(owner: Owner, name: str, of: ServiceRole) -> Profile:
    """Make the role planned as *of*, and the profile *name* that hands it to instances, as children of *owner*."""
    naming.autonamed(name, naming.INSTANCE_PROFILE)
    made = of.create(owner)
    handed = aws.iam.InstanceProfile(name, role=made.name, tags=owner.tags, opts=owner.child())
    return Profile(arn=handed.arn, role_arn=made.arn, before=[handed, *([made.policy] if made.policy else [])])


def tags(owner: Owner, name: str, given: dict[str, str]) -> dict[str, str]:
    """Return the tags of each instance of *name*, and of its volumes: *given*, the owner's, and a name for people."""
    return {**given, **owner.tags, "Name": name}
