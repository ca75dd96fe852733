"""The security group of tasks: nobody is let in, and out they get by the ports that were named."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi_aws as aws

from components import volume

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pulumi import Input, Output, Resource

    from components.base import Owner
    from components.task import Task


@dataclass(frozen=True, kw_only=True)
class TaskGroup:
    """A security group that was made."""

    id: Output[str]
    """What another component opens its port to."""
    ways_out: Sequence[Resource]
    """What a running task needs, and what must outlive it."""


def of_tasks(
    owner: Owner, name: str, vpc_id: Input[str], open_ports: Sequence[int], tasks: Sequence[Task]
) -> TaskGroup:
    """Make the group *name* of *tasks* as a child of *owner*, with a way out to each of *open_ports* (TCP, anywhere).

    And to the file systems that the tasks mount. Whoever else lets them in, or is called by them on another port, adds
    the rule for it.
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
        let_out(owner, f"{name}-to-{port}", group.id, port, to_block="0.0.0.0/0") for port in sorted(set(open_ports))
    ]
    return TaskGroup(id=group.id, ways_out=[*ways_out, *_to_file_systems(owner, name, group.id, tasks)])


def _to_file_systems(owner: Owner, name: str, group: Input[str], tasks: Sequence[Task]) -> list[Resource]:
    """Open the ways between *group* and the mount targets of what *tasks* mount; each file system's once."""
    opened: set[int] = set()
    rules: list[Resource] = []
    mounted = (each for task in tasks for each in volume.of_containers(task.containers))
    for each in sorted(mounted, key=lambda each: each.name):
        targets = each.security_group_id
        if targets is not None and id(targets) not in opened:  # an id that is not known yet is its output
            opened.add(id(targets))
            way = f"{name}-to-{each.name}"
            rules += open_way(owner, way, volume.NFS, from_group=group, to_group=targets)
    return rules


def open_way(
    owner: Owner, name: str, port: int | tuple[int, int], *, from_group: Input[str], to_group: Input[str]
) -> list[Resource]:
    """Make the two rules *name* by which *from_group* calls TCP *port* of *to_group*: out there, in here."""
    return [
        let_out(owner, name, from_group, port, to_group=to_group),
        let_in(owner, name, to_group, port, from_group=from_group),
    ]


def let_out(
    owner: Owner,
    name: str,
    group: Input[str],
    port: int | tuple[int, int],
    *,
    to_group: Input[str] | None = None,
    to_prefix_list: Input[str] | None = None,
    to_block: str | None = None,
) -> Resource:
    """Make the rule *name*: *group* may call TCP *port* of one of a group, a prefix list and an IPv4 block.

    Two ports are the first and the last of a range.
    """
    first, last = (port, port) if isinstance(port, int) else port
    return aws.vpc.SecurityGroupEgressRule(
        name,
        security_group_id=group,
        referenced_security_group_id=to_group,
        prefix_list_id=to_prefix_list,
        cidr_ipv4=to_block,
        ip_protocol="tcp",
        from_port=first,
        to_port=last,
        tags=owner.tags,
        opts=owner.child(),
    )


def let_in(
    owner: Owner,
    name: str,
    group: Input[str],
    port: int | tuple[int, int],
    *,
    from_group: Input[str] | None = None,
    from_prefix_list: Input[str] | None = None,
    from_block: Input[str] | None = None,
) -> Resource:
    """Make the rule *name*: *group* is called on TCP *port* by one of a group, a prefix list and an IPv4 block.

    Two ports are the first and the last of a range.
    """
    first, last = (port, port) if isinstance(port, int) else port
    return aws.vpc.SecurityGroupIngressRule(
        name,
        security_group_id=group,
        referenced_security_group_id=from_group,
        prefix_list_id=from_prefix_list,
        cidr_ipv4=from_block,
        ip_protocol="tcp",
        from_port=first,
        to_port=last,
        tags=owner.tags,
        opts=owner.child(),
    )
