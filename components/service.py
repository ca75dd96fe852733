"""A service: tasks kept running in private subnets, behind an entrance, replaced without being missed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

import pulumi_aws as aws
from pulumi import CustomTimeouts, Output, ResourceOptions

from components import job, naming, scaling, security_group, shifting, standing
from components.base import Component, declared
from components.capacity import Capacity, check_strategy
from components.deployment import Deployment, read
from components.discovery import joining
from components.entrance import enter
from components.errors import InvalidArgsError, of, within
from components.rollout import Rollout
from components.sleep import Sleep
from components.task import Task

if TYPE_CHECKING:
    from collections.abc import Sequence

    from components.adopted_network import AnyNetwork
    from components.cluster import Cluster
    from components.deployment import Strategy
    from components.discovery import Discovery
    from components.job import Job
    from components.placement import Placement
    from components.routes import Route
    from components.scaling import Scaling

_MOST_TASKS: Final = 5000
_GONE: Final = "20m"
"""How long its deletion may take before `pulumi up` gives up on it."""


@dataclass(frozen=True, kw_only=True)
class TargetHealth:
    """When a load balancer counts a task as healthy.

    Bounds: the texts of `CreateTargetGroup` in botocore's `elbv2` model.

    Raises:
        InvalidArgsError: a bound broken, or a timeout that is not under the interval.

    """

    path: str = "/health"
    """Absolute path asked with GET; 200 is healthy. At most 1024 characters."""
    interval: int = 10
    """Seconds between two checks, 5 to 300. Default: 10, so that a rollout does not wait for minutes."""
    timeout: int = 5
    """Seconds until a check counts as failed, 2 to 120, and under the interval."""
    healthy: int = 2
    """Passes in a row that make a target healthy, 2 to 10."""
    unhealthy: int = 2
    """Failures in a row that make it unhealthy, 2 to 10."""

    def __post_init__(self) -> None:
        if not self.path.startswith("/") or len(self.path) > 1024:  # noqa: PLR2004 - stated above
            raise InvalidArgsError(of(self, "path"), got=self.path, want="begin with '/', at most 1024 characters")
        within(self, "interval", 5, 300, "seconds")
        within(self, "timeout", 2, 120, "seconds")
        within(self, "healthy", 2, 10)
        within(self, "unhealthy", 2, 10)
        if self.timeout >= self.interval:
            raise InvalidArgsError(of(self, "timeout"), got=self.timeout, want=f"under the interval, {self.interval} s")


@dataclass(frozen=True, kw_only=True)
class ServiceArgs:
    """What a `Service` takes.

    Raises:
        InvalidArgsError: a bound of ECS's broken, counts and percents under which no rollout could move, tasks that
            the cluster's machines cannot run, or requests that ECS cannot shift.

    """

    task: Task
    """What runs."""
    cluster: Cluster
    """Where."""
    network: AnyNetwork
    """Whose app subnets its tasks stand in: private ones, never with a public address. In bridge and host mode they
    are where their instances are."""
    entrance: Route | None = None
    """Which requests of a load balancer are for it. Default: none; nobody can call it."""
    port: int | None = None
    """The container port that the entrance leads to. Default: the only one there is."""
    discovery: Discovery | None = None
    """How other services find it, beside the entrance. Default: they do not."""
    calls: Sequence[Discovery] = ()
    """Whom its tasks call: their ways are opened. What its containers are told of them, and its task may do, is said
    where those are: `Discovery.environment`, `Discovery.grants`."""
    target_health: TargetHealth = field(default_factory=TargetHealth)
    """When the load balancer sends requests to a task."""
    desired_count: int = 2
    """Tasks kept running, 0 to 5000. Default: 2, so that one zone may be lost. A daemon has none."""
    scaling: Scaling | None = None
    """Between how many tasks, and after which load. Default: none; *desired_count* stands. With it, *desired_count*
    is where a new service begins, and is autoscaling's from then on."""
    sleep: Sleep | None = None
    """When it has no task at all; *desired_count* is the schedule's then. A daemon goes and comes with its instances.
    Default: never."""
    rollout: Rollout = field(default_factory=Rollout)
    """How its tasks are replaced. Default: one by one more, nobody missed; of a daemon, half of them at a time."""
    deployment: Deployment | Strategy = field(default_factory=Deployment)
    """How a new version takes over: a `Deployment`, or a strategy's name for its defaults. Default: task by task."""
    capacity: Sequence[Capacity] = ()
    """Default: the cluster's own strategy."""
    scheduling: Literal["REPLICA", "DAEMON"] = "REPLICA"
    """Whether there are as many tasks as are wanted, or one on each of the cluster's EC2 instances."""
    placement: Placement | None = None
    """Which EC2 instances its tasks go to. Default: evenly over the zones, then on as few as will do."""
    health_check_grace_period: int = 60
    """Seconds after a task's start in which the load balancer's verdict does not stop it, 0 to 2147483647."""
    deregistration_delay: int = 30
    """Seconds that a task taken out of the load balancer may finish its requests, 0 to 3600. Default: 30, since a
    Spot task has 120 in all, and a deletion waits for it."""
    before: Sequence[Job] = ()
    """What is run to its good end, one after the other, before it has its first task and each time before it moves to
    another task definition; where one fails, it stays as it is. Default: nothing."""
    open_ports: Sequence[int] = (443,)
    """TCP ports its tasks may call, anywhere. Default: HTTPS alone. Whoever else is called opens its own way. In bridge
    and host mode, ports that the instances have open."""

    def __post_init__(self) -> None:
        within(self, "desired_count", 0, _MOST_TASKS, "tasks")
        within(self, "health_check_grace_period", 0, 2_147_483_647, "seconds")
        within(self, "deregistration_delay", 0, 3600, "seconds")
        if self.capacity:
            check_strategy(self.capacity)
        if self.entrance:
            self.entrance_port()
        standing.check(self)
        shifting.check(self)
        joining.check(self.task, self.discovery, self.calls)

    def entrance_port(self) -> tuple[str, int]:
        """Return the container and the port that the entrance leads to."""
        ports = [(each.name, each.port) for each in self.task.containers if each.port]
        found = [(name, port) for name, port in ports if self.port in (None, port)]
        if len(found) != 1:
            have = ", ".join(str(port) for _, port in ports) or "none"
            raise InvalidArgsError(
                of(self, "port"), got=self.port, want=f"one port of the task's containers, which have {have}"
            )
        return found[0]


class Service(Component):
    """An ECS service and its tasks' security group; with an entrance, its target group and listener rule too.

    A deployment that fails is rolled back, and `pulumi up` waits until it is over. Where requests are shifted to a new
    version, there are two target groups, and a second rule by which it is tested: see `components.shifting`.

    Raises:
        InvalidArgsError: a name that leaves no room for Pulumi's suffix in AWS's limits.

    """

    service_name: Output[str]
    arn: Output[str]
    task: Task
    """What runs."""
    security_group_id: Output[str]
    """Of its tasks: what another component opens its port to. In bridge and host mode, the instances'."""
    target_group_arn: Output[str] | None
    """None without an entrance. Where requests are shifted, the one that the first tasks are in."""
    deployment: Deployment
    """How a new version takes over."""
    sleep: Sleep | None
    """When it has no task, and its alarms are to be quiet."""

    def __init__(self, name: str, args: ServiceArgs, opts: ResourceOptions | None = None) -> None:
        naming.autonamed(name, naming.TARGET_GROUP if args.entrance else naming.SERVICE)
        if args.scaling:
            naming.autonamed(f"{name}-requests", naming.SCALING_POLICY)
        if args.sleep:
            naming.autonamed(f"{name}-sleep", naming.SCHEDULED_ACTION)
        standing.claim(name, args)
        test = shifting.claim(name, args)
        infrastructure = joining.roles(name, args.discovery)
        super().__init__(name, declared(args), opts, roles=infrastructure)

        group = None
        if args.task.network_mode == "awsvpc":
            group = security_group.of_tasks(self, name, args.network.vpc_id, args.open_ports, [args.task])
        stands = standing.stand(args, group)
        self.security_group_id = stands.security_group_id
        entered = enter(self, name, args, stands, test)
        self.target_group_arn = entered.target_group.arn if entered.target_group else None
        joined = joining.join(
            self,
            name,
            stands.security_group_id,
            args.task,
            discovery=args.discovery,
            calls=args.calls,
            infrastructure=infrastructure,
        )

        rollout, placement = standing.rollout(args), standing.placement(args)
        self.deployment = read(args.deployment)
        patience = f"{self.deployment.minutes}m"
        service = aws.ecs.Service(
            name,
            cluster=args.cluster.arn,
            task_definition=args.task.arn,
            **standing.capacity(args),
            ordered_placement_strategies=placement.ordered_strategies(),
            placement_constraints=placement.placement_constraints(),
            network_configuration=stands.network
            and {**stands.network, "security_groups": [stands.security_group_id, *joined.security_group_ids]},
            load_balancers=[*entered.load_balancers, *joined.load_balancers] or None,
            service_registries=joined.registries,
            service_connect_configuration=joined.connect,
            vpc_lattice_configurations=joined.lattice,
            health_check_grace_period_seconds=args.health_check_grace_period
            if entered.target_group or joined.checked
            else None,
            deployment_minimum_healthy_percent=rollout.minimum_healthy_percent,
            deployment_maximum_percent=rollout.maximum_percent,
            deployment_circuit_breaker={"enable": True, "rollback": True},
            deployment_configuration=self.deployment.configuration(),
            alarms=entered.alarms,
            availability_zone_rebalancing="ENABLED" if rollout.zone_rebalancing else "DISABLED",
            # Without it the provider replaces a service whose capacity strategy changes, and so stops all its tasks.
            force_new_deployment=True,
            enable_execute_command=args.task.exec_on,
            enable_ecs_managed_tags=True,
            propagate_tags="SERVICE",
            wait_for_steady_state=True,
            tags=self.tags,
            opts=self.child(
                ResourceOptions(
                    # What a running task needs outlives it.
                    depends_on=[
                        *entered.before,
                        *stands.before,
                        *joined.before,
                        *(resource for each in args.before for resource in each.needs),
                    ],
                    hooks=job.binding(args.before),
                    ignore_changes=["desiredCount"] if scaling.decides(args) else None,
                    custom_timeouts=CustomTimeouts(create=patience, update=patience, delete=_GONE),
                )
            ),
        )
        self.service_name, self.arn = service.name, service.id
        self.task, self.sleep = args.task, args.sleep
        if args.discovery:
            args.discovery.served_by(service)
        if scaling.decides(args):
            scaling.attach(
                self,
                name,
                args.scaling or args.desired_count,
                cluster_name=args.cluster.cluster_name,
                service_name=service.name,
                load_balancer_arn_suffix=args.entrance.load_balancer.arn_suffix if args.entrance else None,
                target_group_arn_suffix=entered.target_group.arn_suffix if entered.target_group else None,
                sleep=args.sleep,
            )
        self.register_outputs(
            {
                "service_name": self.service_name,
                "arn": self.arn,
                "security_group_id": self.security_group_id,
                "target_group_arn": self.target_group_arn,
            }
        )
