"""What a service needs of EC2 instances, and what of them no two services can have."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from components.container import NetworkMode, check_host_port

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from settings.cluster import ClusterSettings
    from settings.instances import Ec2Settings
    from settings.service import ServiceSettings


def check_said(network_mode: NetworkMode, host_port: int | None) -> None:
    """Refuse a *host_port* that no task in *network_mode* has."""
    if host_port is None:
        return
    if network_mode != "bridge":
        mode = "its ports are the instance's" if network_mode == "host" else "it has an address of its own"
        raise ValueError(
            f"host_port: got {host_port}; none in mode {network_mode!r}, in which {mode}, or `network_mode: bridge`"
        )
    if host_port:
        check_host_port("host_port", host_port)


def problems(service: ServiceSettings, cluster: ClusterSettings) -> Iterator[str]:
    """Yield what *service* says that the machines it is on have not, or have not enough of."""
    kind, machines = cluster.launch_type(service.capacity), cluster.ec2(service.capacity)
    if kind is None:
        return  # what it names is not there, which is told by itself
    if kind != "EC2":
        said = {"network_mode": service.network_mode, "placement": service.placement and "a placement"}
        default = {"network_mode": "awsvpc", "placement": None}
        for field, got in said.items():
            if got != default[field]:
                have = ", ".join(cluster.ec2_names()) or "none yet: add some to `cluster: {instances: {...}}`"
                yield (
                    f"{field}: got {got!r} on {kind}; leave it out, or say `capacity: [{{provider: ...}}]` with EC2 "
                    f"instances of the cluster, of which there are {have}"
                )
    elif service.network_mode != "awsvpc" and len(machines) > 1:
        yield (
            f"capacity: got {', '.join(machines)} in mode {service.network_mode!r}; one of them, whose security group "
            "is then the tasks' too"
        )
    elif service.host_port:
        yield from _too_many(service, next(iter(machines.items())))


def _too_many(service: ServiceSettings, machines: tuple[str, Ec2Settings]) -> Iterator[str]:
    """Yield that there are more tasks with a host port than instances: the last would wait for ever."""
    name, instances = machines
    count = service.scaling.maximum if service.scaling else service.desired_count
    together = max(count, math.floor(count * service.rollout.maximum_percent / 100))
    if together > instances.maximum:
        yield (
            f"host_port: got {service.host_port}, which is once on an instance; {name!r} has {instances.maximum} of "
            f"them at the most, and a rollout has {together} tasks: fewer of them, a lower "
            "`rollout.maximum_percent`, or no host_port, and ECS gives one out"
        )


def clashes(services: Iterable[tuple[str, ServiceSettings]], cluster: ClusterSettings) -> Iterator[str]:
    """Yield each host port that two of *services*, by their paths, would have on the same instances."""
    holders: dict[tuple[str, int], str] = {}
    for path, service in services:
        for name in cluster.ec2(service.capacity) if service.host_port else ():
            holder = holders.setdefault((name, service.host_port or 0), path)
            if holder != path:
                yield (
                    f"{path}.host_port: got {service.host_port}; another one: {holder} has it on {name!r} too; or "
                    "none, and ECS gives one out"
                )


def with_dynamic_ports(services: Iterable[ServiceSettings], cluster: ClusterSettings) -> set[str]:
    """Return the names of the instances on which some of *services* has a host port that ECS gives out."""
    return {
        name
        for service in services
        if service.network_mode == "bridge" and not service.host_port
        for name in cluster.ec2(service.capacity)
    }
