"""What a service needs of EC2 instances, and what of them no two services can have."""

from __future__ import annotations

import itertools
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
    if service.network_mode != "awsvpc" and service.own_address:
        yield f"network_mode: got {service.network_mode!r}; 'awsvpc': its tasks {service.own_address}"
        # What else another mode needs is no help.
        service = service.model_copy(update={"network_mode": "awsvpc"})
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
    else:
        yield from _too_many(service, next(iter(machines.items())))
    if kind == "EC2" and service.network_mode != "awsvpc" and service.deployment.value().shifts:
        yield (
            f"network_mode: got {service.network_mode!r} with deployment {service.deployment.strategy!r}; 'awsvpc', "
            "since requests are shifted between addresses, or 'rolling'"
        )


def _host_ports(service: ServiceSettings) -> dict[int, str]:
    """Return the ports of its instance that *service* has to itself, each with what of its section says so."""
    if service.network_mode == "host":
        return dict.fromkeys(service.listens_on, "network_mode: got 'host', by which it has port {}")
    return {service.host_port: "host_port: got {}"} if service.host_port else {}


def _too_many(service: ServiceSettings, machines: tuple[str, Ec2Settings]) -> Iterator[str]:
    """Yield that there are more tasks with a host port than instances: the last would wait for ever."""
    name, instances = machines
    ports = _host_ports(service)
    count = service.scaling.maximum if service.scaling else service.desired_count
    together = service.rollout.value().together(count)
    if together <= instances.maximum:
        return
    for port, said in ports.items():
        yield (
            f"{said.format(port)}, which is once on an instance; {name!r} has {instances.maximum} of "
            f"them at the most, and a rollout has {together} tasks: fewer of them, a lower "
            "`rollout.maximum_percent`, or mode 'bridge' without a host_port, and ECS gives one out"
        )


def clashes(services: Iterable[tuple[str, ServiceSettings]], cluster: ClusterSettings) -> Iterator[str]:
    """Yield each host port that two of *services*, by their paths, would have on the same instances."""
    holders: dict[tuple[str, int], str] = {}
    for path, service in services:
        for name, (port, said) in itertools.product(cluster.ec2(service.capacity), _host_ports(service).items()):
            holder = holders.setdefault((name, port), path)
            if holder != path:
                yield (
                    f"{path}.{said.format(port)}; another one: {holder} has it on {name!r} too; or mode 'bridge' "
                    "without a host_port, and ECS gives one out"
                )


def with_dynamic_ports(services: Iterable[ServiceSettings], cluster: ClusterSettings) -> set[str]:
    """Return the names of the instances on which some of *services* has a host port that ECS gives out."""
    return {
        name
        for service in services
        if service.network_mode == "bridge" and not service.host_port
        for name in cluster.ec2(service.capacity)
    }
