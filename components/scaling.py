"""How many tasks a service runs, when its load or the hour decides."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import pulumi_aws as aws
from pulumi import Output, ResourceOptions

from components import sleeping
from components.errors import InvalidArgsError, of, within

if TYPE_CHECKING:
    from pulumi import Input

    from components.base import Owner
    from components.service import ServiceArgs
    from components.sleep import Sleep

# Tasks a service may run, a quota that AWS raises on request.
# https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-quotas.html
_MOST_TASKS: Final = 5000
_DIMENSION: Final = "ecs:service:DesiredCount"


@dataclass(frozen=True, kw_only=True)
class Scaling:
    """Tasks are added while any target is exceeded, and taken away when all are met with fewer.

    Raises:
        InvalidArgsError: a bound broken, a maximum below the minimum, or no target at all.

    """

    minimum: int
    """Tasks kept at the least, 1 to 5000. Not 0: a service without tasks emits no metric to grow by again."""
    maximum: int
    """Tasks run at the most, `minimum` to 5000."""
    cpu_percent: int | None = None
    """Average CPU to hold, percent of what the task has, 1 to 100. Default: not looked at."""
    memory_percent: int | None = None
    """Average memory to hold, likewise."""
    requests_per_target: int | None = None
    """Requests a minute that each task answers behind an application load balancer. Default: not looked at."""
    scale_in_cooldown: int = 300
    """Seconds between two removals, 0 to 3600. Default: 300, Application Auto Scaling's own for ECS."""
    scale_out_cooldown: int = 60
    """Seconds between two additions, 0 to 3600. Default: 60, as long as a task takes to start and be counted."""

    def __post_init__(self) -> None:
        within(self, "minimum", 1, _MOST_TASKS, "tasks")
        within(self, "maximum", self.minimum, _MOST_TASKS, "tasks")
        within(self, "cpu_percent", 1, 100, "percent")
        within(self, "memory_percent", 1, 100, "percent")
        within(self, "requests_per_target", 1, 10_000_000, "requests a minute")
        within(self, "scale_in_cooldown", 0, 3600, "seconds")
        within(self, "scale_out_cooldown", 0, 3600, "seconds")
        if (self.cpu_percent, self.memory_percent, self.requests_per_target) == (None, None, None):
            raise InvalidArgsError(
                of(self, "cpu_percent"), got=None, want="one of cpu_percent, memory_percent and requests_per_target"
            )


def decides(args: ServiceArgs) -> bool:
    """Say whether Application Auto Scaling counts the tasks of the service, and its deployments do not."""
    sleeps = args.sleep is not None and args.scheduling == "REPLICA" and args.desired_count > 0
    return args.scaling is not None or sleeps


def attach(
    within: Owner,
    name: str,
    scaling: Scaling | int,
    *,
    cluster_name: Input[str],
    service_name: Input[str],
    load_balancer_arn_suffix: Input[str] | None = None,
    target_group_arn_suffix: Input[str] | None = None,
    sleep: Sleep | None = None,
) -> aws.appautoscaling.Target:
    """Let *scaling* decide over the desired count of a service, by resources that are children of *within*.

    A number is a count that is held whatever the load. The suffixes name the application load balancer and target
    group whose requests are counted. While *sleep* lasts there is no task.

    Raises:
        InvalidArgsError: requests are to be counted, and there is no load balancer.

    """
    if isinstance(scaling, int):
        return _target(within, name, (scaling, scaling), cluster_name, service_name, sleep)
    label: Input[str] | None = None
    if scaling.requests_per_target is not None:
        if load_balancer_arn_suffix is None or target_group_arn_suffix is None:
            raise InvalidArgsError(
                of(scaling, "requests_per_target"),
                got=scaling.requests_per_target,
                want="a service behind an application load balancer: nothing else counts requests",
            )
        label = Output.concat(load_balancer_arn_suffix, "/", target_group_arn_suffix)

    target = _target(within, name, (scaling.minimum, scaling.maximum), cluster_name, service_name, sleep)
    for kind, metric, value, of_what in (
        ("cpu", "ECSServiceAverageCPUUtilization", scaling.cpu_percent, None),
        ("memory", "ECSServiceAverageMemoryUtilization", scaling.memory_percent, None),
        ("requests", "ALBRequestCountPerTarget", scaling.requests_per_target, label),
    ):
        if value is None:
            continue
        aws.appautoscaling.Policy(
            f"{name}-{kind}",
            policy_type="TargetTrackingScaling",
            resource_id=target.resource_id,
            scalable_dimension=_DIMENSION,
            service_namespace="ecs",
            target_tracking_scaling_policy_configuration={
                "predefined_metric_specification": {"predefined_metric_type": metric, "resource_label": of_what},
                "target_value": value,
                "scale_in_cooldown": scaling.scale_in_cooldown,
                "scale_out_cooldown": scaling.scale_out_cooldown,
            },
            opts=within.child(),
        )
    return target


def _target(
    within: Owner,
    name: str,
    bounds: tuple[int, int],
    cluster_name: Input[str],
    service_name: Input[str],
    sleep: Sleep | None,
) -> aws.appautoscaling.Target:
    minimum, maximum = bounds
    # With a sleep both are the schedule's: by day what is said here, at night 0. A deployment changes neither.
    scheduled = ResourceOptions(ignore_changes=["maxCapacity", "minCapacity"]) if sleep else None
    target = aws.appautoscaling.Target(
        name,
        min_capacity=minimum,
        max_capacity=maximum,
        resource_id=Output.concat("service/", cluster_name, "/", service_name),
        scalable_dimension=_DIMENSION,
        service_namespace="ecs",
        tags=within.tags,
        opts=within.child(scheduled),
    )
    if sleep:
        sleeping.tasks(within, name, sleep, target, bounds)
    return target
