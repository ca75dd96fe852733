"""How requests of a load balancer come to a service's tasks: target groups, rules, and the way to their port."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import pulumi_aws as aws

from components import rollback_alarms, security_group, shifting, standing
from components.deployment import read

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pulumi import Resource

    from components.base import Owner
    from components.routes import Route
    from components.service import ServiceArgs
    from components.standing import Standing


_UNUSED_PORT: Final = 80
"""AWS wants a port of a target group, and uses it for no target of ECS's, each of which comes with its own. Never a
task's: with another port the group would be another one, which no rule of a service that shifts would lead to."""


@dataclass(frozen=True, kw_only=True)
class Entered:
    """What the ECS service is given of its entrance; empty or None where it has none."""

    target_group: aws.lb.TargetGroup | None = None
    """Where its first tasks are."""
    load_balancers: Sequence[aws.ecs.ServiceLoadBalancerArgs] = ()
    """What it registers its tasks in."""
    alarms: aws.ecs.ServiceAlarmsArgsDict | None = None
    """What fails a deployment."""
    before: Sequence[Resource] = ()
    """What it waits for: ECS refuses a target group that no balancer uses."""


def enter(owner: Owner, name: str, args: ServiceArgs, stands: Standing, test: Route | None) -> Entered:
    """Make what *args* say of the entrance of service *name*, as children of *owner*.

    *test* is where the version under test answers: none where nothing is shifted.
    """
    if args.entrance is None:
        return Entered()
    balancer, deployment = args.entrance.load_balancer, read(args.deployment)
    if port := standing.closed_port(args):
        # A way is named by its port: the one to the port of the version before stays until that version is gone, where
        # a changed one would have cut it off.
        calls, called = balancer.security_group_id, stands.security_group_id
        security_group.let_in(owner, f"{name}-{port}-from-balancer", called, port, from_group=calls)
        security_group.let_out(owner, f"{name}-{port}-balancer-out", calls, port, to_group=called)
    names = [name, shifting.alternate(name)] if test else [name]
    target_groups = {each: _target_group(owner, each, args, stands.target_type) for each in names}
    primary = target_groups[name]
    production = shifting.rule(owner, name, args.entrance, primary, between=[*target_groups.values()] if test else ())
    shift = (
        shifting.shift(owner, name, test, production=production, target_groups=list(target_groups.values()))
        if test
        else None
    )
    alarms = None
    if deployment.watched:
        alarms = rollback_alarms.watch(
            owner,
            target_groups,
            balancer,
            most_errors=deployment.most_errors,
            grace=args.health_check_grace_period,
        )
    container, container_port = args.entrance_port()
    return Entered(
        target_group=primary,
        load_balancers=[
            aws.ecs.ServiceLoadBalancerArgs(
                target_group_arn=primary.arn,
                container_name=container,
                container_port=container_port,
                advanced_configuration=shift.advanced if shift else None,
            )
        ],
        alarms=alarms,
        before=[production, *(shift.before if shift else ())],
    )


def _target_group(owner: Owner, name: str, args: ServiceArgs, target_type: str) -> aws.lb.TargetGroup:
    health = args.target_health
    return aws.lb.TargetGroup(
        name,
        vpc_id=args.network.vpc_id,
        target_type=target_type,
        protocol="HTTP",
        port=_UNUSED_PORT,
        deregistration_delay=args.deregistration_delay,
        health_check={
            "path": health.path,
            "interval": health.interval,
            "timeout": health.timeout,
            "healthy_threshold": health.healthy,
            "unhealthy_threshold": health.unhealthy,
            "matcher": "200",
        },
        tags=owner.tags,
        opts=owner.child(),
    )
