"""What an ECS service takes on by being found, and by finding others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, cast

import pulumi_aws as aws

from components import naming
from components.discovery.component import open_ways
from components.errors import InvalidArgsError
from components.grants import Grant
from components.logs import Logs
from components.roles import ServiceRole

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pulumi import Input, Output, Resource

    from components.base import Owner
    from components.container import Container
    from components.discovery.component import Discovery
    from components.namespace import Namespace
    from components.task import Task

_CONNECT_LOG: Final = "service-connect"
"""What the streams of Service Connect's proxies begin with, in their tasks' own log groups."""


@dataclass(frozen=True, kw_only=True)
class Joined:
    """What the ECS service is given; empty or None where it neither is found nor finds."""

    security_group_ids: Sequence[Input[str]] = ()
    """Groups that its tasks wear beside their own."""
    load_balancers: Sequence[aws.ecs.ServiceLoadBalancerArgs] = ()
    """Target groups it registers its tasks in."""
    registries: aws.ecs.ServiceServiceRegistriesArgsDict | None = None
    """The Cloud Map service it registers them in."""
    connect: aws.ecs.ServiceServiceConnectConfigurationArgsDict | None = None
    """Its place in Service Connect, or its clients'."""
    lattice: Sequence[aws.ecs.ServiceVpcLatticeConfigurationArgsDict] | None = None
    """The target group of VPC Lattice it registers them in."""
    before: Sequence[Resource] = ()
    """What it waits for."""

    @property
    def checked(self) -> bool:
        """Whether anything but ECS itself says if a task is well."""
        return bool(self.load_balancers or self.lattice)


def check(task: Task, discovery: Discovery | None, calls: Sequence[Discovery]) -> None:
    """Refuse a task that *discovery* cannot lead to, and *calls* that no one task can make."""
    if discovery is not None:
        container = _container(task, discovery)
        by_name = any(found.connect or found.lattice_target_group_arn for found in discovery.found)
        if by_name and container.port_name is None:
            raise InvalidArgsError(
                f"Container.port_name of {container.name!r}",
                got=None,
                want="a name such as 'grpc': Service Connect and VPC Lattice know the port by it",
            )
        spoken = container.app_protocol or "tcp"
        if any(found.connect for found in discovery.found) and spoken != discovery.protocol:
            raise InvalidArgsError(
                f"Container.app_protocol of {container.name!r}",
                got=container.app_protocol,
                want=f"{discovery.protocol!r}, as its Discovery says (none at all is tcp)",
            )
    namespaces = {space.domain: space for space in _namespaces(discovery, calls)}
    if len(namespaces) > 1:
        raise InvalidArgsError(
            "Service.calls",
            got=sorted(namespaces),
            want="one namespace: a task in Service Connect knows the names of one, so share a Namespace",
        )


def roles(name: str, discovery: Discovery | None) -> Sequence[ServiceRole]:
    """Plan the role by which ECS registers the tasks of service *name* in VPC Lattice; none for other ways.

    AWS's own AmazonECSInfrastructureRolePolicyForVpcLattice says the same of every target group there is.
    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/infrastructure_IAM_role.html
    """
    arns = [] if discovery is None else _lattice_arns(discovery)
    return [
        ServiceRole(
            name=naming.autonamed(f"{name}-infrastructure", naming.ROLE),
            service="ecs.amazonaws.com",
            # AWS documents no condition for it: ECS sets no source to hold it to.
            conditions={},
            grants=(
                Grant(
                    actions=(
                        "vpc-lattice:DeregisterTargets",
                        "vpc-lattice:GetTargetGroup",
                        "vpc-lattice:ListTargets",
                        "vpc-lattice:RegisterTargets",
                    ),
                    resources=(arn,),
                ),
                # None of them knows a narrower resource.
                Grant(actions=("ec2:DescribeInstances", "ec2:DescribeSubnets", "ec2:DescribeVpcs"), resources=("*",)),
            ),
        )
        for arn in arns
    ]


def join(
    owner: Owner,
    name: str,
    group: Output[str],
    task: Task,
    *,
    discovery: Discovery | None,
    calls: Sequence[Discovery],
    infrastructure: Sequence[ServiceRole],
) -> Joined:
    """Make what service *name*, whose tasks are in *group*, takes on, as children of *owner*."""
    before = [*open_ways(owner, name, group, calls)]
    # A proxy knows who was there when its task was deployed.
    before += [server for called in calls for server in called.servers]
    connect = _connect(task, discovery, calls)
    if discovery is None:
        return Joined(connect=connect, before=before)
    before += [each for found in discovery.found for each in found.before]
    container = _container(task, discovery)
    lattice: list[aws.ecs.ServiceVpcLatticeConfigurationArgsDict] = []
    for role, arn in zip(infrastructure, _lattice_arns(discovery), strict=True):
        made = role.create(owner)
        before += [made.policy] if made.policy else []
        lattice.append({"port_name": container.port_name or "", "role_arn": made.arn, "target_group_arn": arn})
    registries = [found.registry_arn for found in discovery.found if found.registry_arn is not None]
    return Joined(
        security_group_ids=(discovery.security_group_id,),
        load_balancers=[
            aws.ecs.ServiceLoadBalancerArgs(
                target_group_arn=found.target_group_arn, container_name=container.name, container_port=discovery.port
            )
            for found in discovery.found
            if found.target_group_arn is not None
        ],
        registries={"registry_arn": registries[0]} if registries else None,
        connect=connect,
        lattice=lattice or None,
        before=before,
    )


def _connect(
    task: Task, discovery: Discovery | None, calls: Sequence[Discovery]
) -> aws.ecs.ServiceServiceConnectConfigurationArgsDict | None:
    spaces = _namespaces(discovery, calls)
    if not spaces:
        return None
    account = (discovery or calls[0]).account
    said: dict[str, Any] = {
        "enabled": True,
        "namespace": spaces[0].arn,
        "log_configuration": {
            "log_driver": "awslogs",
            "options": Logs().options(task.log_group_name, account.region, _CONNECT_LOG),
        },
    }
    for found in discovery.found if discovery else ():
        if discovery and (place := found.connect):
            timeout = {"idle_timeout_seconds": place.idle_timeout}
            if discovery.protocol != "tcp":
                timeout["per_request_timeout_seconds"] = place.request_timeout
            said["services"] = [
                {
                    "port_name": _container(task, discovery).port_name,
                    "discovery_name": place.discovery_name,
                    "client_alias": [{"dns_name": place.dns_name, "port": discovery.port}],
                    "timeout": timeout,
                }
            ]
    return cast("aws.ecs.ServiceServiceConnectConfigurationArgsDict", said)


def _namespaces(discovery: Discovery | None, calls: Sequence[Discovery]) -> list[Namespace]:
    """Return the namespaces whose Service Connect a service has a place in, by domain."""
    known = [*([discovery] if discovery else []), *calls]
    spaces = [found.connect.namespace for each in known for found in each.found if found.connect]
    return sorted(spaces, key=lambda space: space.domain)


def _lattice_arns(discovery: Discovery) -> list[Output[str]]:
    arns = [found.lattice_target_group_arn for found in discovery.found]
    return [arn for arn in arns if arn is not None]


def _container(task: Task, discovery: Discovery) -> Container:
    """Return the container that listens where *discovery* leads to."""
    for container in task.containers:
        if container.port == discovery.port:
            return container
    have = ", ".join(str(each.port) for each in task.containers if each.port) or "none"
    raise InvalidArgsError(
        "Discovery.port", got=discovery.port, want=f"one port of the task's containers, which have {have}"
    )
