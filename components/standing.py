"""Where a service's tasks stand: on which machines, in which network, and behind which security group."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from components.ec2_capacity import Ec2Capacity
from components.errors import InvalidArgsError, one_of
from components.placement import Placement
from components.rollout import Rollout

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pulumi_aws as aws
    from pulumi import Output, Resource

    from components.security_group import TaskGroup
    from components.service import ServiceArgs

_DAEMON: Final = Rollout(minimum_healthy_percent=50, maximum_percent=100, zone_rebalancing=False)
"""A daemon has one task an instance, so the old one goes first; on half of the instances at most at a time."""


@dataclass(frozen=True, kw_only=True)
class Standing:
    """Where they stand, as their service and its target group are told."""

    security_group_id: Output[str]
    """The tasks' own; in bridge and host mode that of all that is on the same instances."""
    network: aws.ecs.ServiceNetworkConfigurationArgsDict | None
    """Of the service: none in bridge and host mode."""
    target_type: Literal["ip", "instance"]
    """What a load balancer knows a task by: its own address, or its instance and a port of that."""
    before: Sequence[Resource]
    """What a running task needs, and what must outlive it."""


def check(args: ServiceArgs) -> None:
    """Refuse tasks that could stand nowhere, or two of which would be in each other's way."""
    one_of(args, "scheduling", ("REPLICA", "DAEMON"))
    if args.scheduling == "DAEMON":
        _check_daemon(args)
    else:
        args.cluster.check(args.task, args.capacity)
        rollout(args).check(args.scaling.minimum if args.scaling else args.desired_count)
    if args.placement and args.task.launch_type != "EC2":
        raise InvalidArgsError(
            "Service.placement",
            got=args.placement,
            want=f"none: on {args.task.launch_type} there is no instance to name",
        )
    if rollout(args).zone_rebalancing and not placement(args).can_rebalance_zones:
        raise InvalidArgsError(
            "Service.placement",
            got=args.placement,
            want="a spread over zones first and none of them excluded, or a Rollout with zone_rebalancing off",
        )
    if args.task.network_mode != "awsvpc":
        _check_shared_network(args)


def _check_daemon(args: ServiceArgs) -> None:
    """Refuse what ECS refuses of a daemon, which is on each instance, whatever capacity provider that came by."""
    wrong = {
        "Task.launch_type": (args.task.launch_type, args.task.launch_type != "EC2", "EC2: others have no daemons"),
        "Service.capacity": (args.capacity, bool(args.capacity), "none: a daemon is on every instance"),
        "Service.scaling": (args.scaling, args.scaling is not None, "none: it has one task an instance"),
        "Service.entrance": (args.entrance, args.entrance is not None, "none: whoever is called is a REPLICA"),
        "Service.placement": (
            args.placement,
            args.placement is not None and bool(args.placement.strategies),
            "strategies=(): it is placed by constraints alone",
        ),
        "Cluster.instances": (
            sorted(args.cluster.instances),
            not any(isinstance(each, Ec2Capacity) for each in args.cluster.instances.values()),
            "Ec2Instances, for a daemon to be on",
        ),
        "Service.rollout": (
            rollout(args),
            rollout(args).maximum_percent != 100 or rollout(args).minimum_healthy_percent == 100,  # noqa: PLR2004
            "maximum_percent=100 and less that must stay: a daemon's old task goes before its new one comes",
        ),
    }
    for field, (got, is_wrong, want) in wrong.items():
        if is_wrong:
            raise InvalidArgsError(field, got=got, want=want)


def _check_shared_network(args: ServiceArgs) -> None:
    mode = args.task.network_mode
    for field, given in (("discovery", args.discovery), ("calls", args.calls)):
        if given:
            raise InvalidArgsError(
                f"Service.{field}",
                got=f"a task in mode {mode!r}",
                want="a task in mode 'awsvpc', whose security group is its own; or an entrance",
            )
    machines = _machines(args)
    if len(machines) != 1:
        raise InvalidArgsError(
            "Service.capacity",
            got=f"{len(machines)} kinds of instances, for a task in mode {mode!r}",
            want="one, whose security group is the task's",
        )
    (machine,) = machines
    closed = sorted(set(args.open_ports) - set(machine.instances.open_ports))
    if closed:
        raise InvalidArgsError(
            "Service.open_ports",
            got=closed,
            want=f"ports of Ec2Instances.open_ports, {list(machine.instances.open_ports)}: mode {mode!r} shares them",
        )
    if args.entrance and _entrance_host_port(args) is None:
        balancers = [each.pulumi_resource_name for each in machine.instances.balancers]
        if args.entrance.load_balancer not in machine.instances.balancers:
            raise InvalidArgsError(
                "Service.entrance",
                got=args.entrance.load_balancer.pulumi_resource_name,
                want=f"one of Ec2Instances.balancers, {balancers}, which dynamic host ports are open to",
            )
    _check_room(args, machine)


def _check_room(args: ServiceArgs, machine: Ec2Capacity) -> None:
    """Refuse more tasks with a host port of their own than there are instances: the last would wait for ever."""
    ports = _static_ports(args)
    if not ports or args.scheduling == "DAEMON":
        return
    count = args.scaling.maximum if args.scaling else args.desired_count
    together = args.rollout.together(count)
    if together > machine.instances.maximum:
        raise InvalidArgsError(
            "Service.desired_count",
            got=count,
            want=f"host port {ports[0]} is once on an instance, {machine.instances.maximum} at the most, and a rollout "
            f"has {together} tasks: fewer, a lower Rollout.maximum_percent, or a dynamic port",
        )


def claim(name: str, args: ServiceArgs) -> None:
    """Keep the host ports of service *name* for it, on each instance that its tasks may be on.

    Raises:
        InvalidArgsError: another service has one of them.

    """
    for machine in _machines(args):
        machine.claim(name, _static_ports(args))


def stand(args: ServiceArgs, group: TaskGroup | None) -> Standing:
    """Return where tasks stand whose own security group is *group*; None in bridge and host mode."""
    if group is not None:
        return Standing(
            security_group_id=group.id,
            network={"subnets": list(args.network.app_subnet_ids), "assign_public_ip": False},
            target_type="ip",
            before=group.ways_out,
        )
    (machine,) = _machines(args)
    return Standing(
        security_group_id=machine.security_group_id, network=None, target_type="instance", before=machine.ways
    )


def closed_port(args: ServiceArgs) -> int | None:
    """Return the port that the entrance's load balancer calls, and must be let in on.

    None for a dynamic host port: these are open already, once for all that share the instances.
    """
    _, port = args.entrance_port()
    return port if args.task.network_mode == "awsvpc" else _entrance_host_port(args)


def rollout(args: ServiceArgs) -> Rollout:
    """Return how tasks are replaced: a daemon has a default of its own."""
    return _DAEMON if args.scheduling == "DAEMON" and args.rollout == Rollout() else args.rollout


def placement(args: ServiceArgs) -> Placement:
    """Return how tasks are placed: nothing is said where there is no choice of instances."""
    if args.placement is not None:
        return args.placement
    chosen = args.task.launch_type == "EC2" and args.scheduling == "REPLICA"
    return Placement() if chosen else Placement(strategies=())


def capacity(args: ServiceArgs) -> dict[str, Any]:
    """Return which machines the service is to use, and how many tasks it has on them, as the provider takes it."""
    if args.scheduling == "DAEMON":
        # ECS takes neither a strategy nor a count for it, and would fall back on the cluster's strategy.
        return {"scheduling_strategy": "DAEMON", "launch_type": "EC2"}
    strategy = args.cluster.strategy(args.capacity)
    return {
        "desired_count": args.desired_count,
        "capacity_provider_strategies": [
            {"capacity_provider": each.provider, "weight": each.weight, "base": each.base} for each in strategy
        ],
    }


def _machines(args: ServiceArgs) -> list[Ec2Capacity]:
    """Return the instances of EC2 that the tasks may be on."""
    own = args.cluster.instances
    if args.scheduling == "DAEMON":
        named = list(own.values())
    else:
        named = [own[str(each.provider)] for each in args.capacity or args.cluster.capacity if each.provider in own]
    return [each for each in named if isinstance(each, Ec2Capacity)]


def _static_ports(args: ServiceArgs) -> list[int]:
    found = (each.static_host_port(args.task.network_mode) for each in args.task.containers)
    return sorted(port for port in found if port is not None)


def _entrance_host_port(args: ServiceArgs) -> int | None:
    name, _ = args.entrance_port()
    (container,) = (each for each in args.task.containers if each.name == name)
    return container.static_host_port(args.task.network_mode)
