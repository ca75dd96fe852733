"""The security group of tasks: nobody is let in, and out they get by the ports that were named."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi_aws as aws

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pulumi import Input, Output

    from components.base import Owner


@dataclass(frozen=True, kw_only=True)
class TaskGroup:
    """A security group that was made."""

    id: Output[str]
    """What another component opens its port to."""
    ways_out: Sequence[aws.vpc.SecurityGroupEgressRule]
    """What a running task needs, and what must outlive it."""


def of_tasks(owner: Owner, name: str, vpc_id: Input[str], open_ports: Sequence[int]) -> TaskGroup:
    """Make the group *name* as a child of *owner*, with a way out to each of *open_ports* (TCP, anywhere).

    Whoever lets these tasks in, or is called by them on another port, adds the rule for it.
    """
    group = aws.ec2.SecurityGroup(
        name,
        # Without the name: another description is another group, and renaming must replace nothing.
        description="Tasks, and whom they may call",
        vpc_id=vpc_id,
        tags=owner.tags,
        opts=owner.child(),
    )
    ways_out = [
        aws.vpc.SecurityGroupEgressRule(
            f"{name}-to-{port}",
            security_group_id=group.id,
            cidr_ipv4="0.0.0.0/0",
            ip_protocol="tcp",
            from_port=port,
            to_port=port,
            tags=owner.tags,
            opts=owner.child(),
        )
        for port in sorted(set(open_ports))
    ]
    return TaskGroup(id=group.id, ways_out=ways_out)
