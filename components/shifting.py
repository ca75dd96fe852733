"""What ECS shifts a service's requests with: a second target group, a rule for test requests, and a role."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import pulumi_aws as aws
from pulumi import Output, Resource, ResourceOptions

from components import naming
from components.base import Component, declared
from components.deployment import read
from components.errors import InvalidArgsError
from components.grants import Grant
from components.roles import ServiceRole

if TYPE_CHECKING:
    from pulumi import Input

    from components.base import Owner
    from components.routes import Route
    from components.service import ServiceArgs

TEST_HEADER: Final = "X-Drydock-Test"
"""A request that has it, with the service's name as its value, is for the version under test."""


@dataclass(frozen=True, kw_only=True)
class Shifting:
    """What was made for it."""

    advanced: aws.ecs.ServiceLoadBalancerAdvancedConfigurationArgs
    """Of the service's load balancer."""
    before: Sequence[Resource]
    """What the service waits for, and what must outlive it."""


@dataclass(frozen=True, kw_only=True)
class ShiftingRoleArgs:
    """What a `ShiftingRole` takes."""

    target_group_arns: Sequence[Input[str]]
    """Between which requests are shifted."""
    rule_arns: Sequence[Input[str]]
    """The listener's rules that say to which."""


class ShiftingRole(Component):
    """The role by which ECS moves tasks and requests between two target groups.

    AWS's own AmazonECSInfrastructureRolePolicyForLoadBalancers says the same of every target group and rule, and of
    every listener too, which only services without a rule of their own need.
    https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AmazonECSInfrastructureRolePolicyForLoadBalancers.html

    Raises:
        InvalidArgsError: a name that does not fit IAM's limits.

    """

    arn: Output[str]
    """What the service is given."""
    before: Sequence[Resource]
    """What the service waits for, and what must outlive it."""

    def __init__(self, name: str, args: ShiftingRoleArgs, opts: ResourceOptions | None = None) -> None:
        role = ServiceRole(
            name=naming.autonamed(name, naming.ROLE),
            service="ecs.amazonaws.com",
            # AWS documents no condition for it: ECS sets no source to hold it to.
            # https://docs.aws.amazon.com/AmazonECS/latest/developerguide/AmazonECSInfrastructureRolePolicyForLoadBalancers.html
            conditions={},
            grants=(
                Grant(
                    actions=("elasticloadbalancing:DeregisterTargets", "elasticloadbalancing:RegisterTargets"),
                    resources=tuple(args.target_group_arns),
                ),
                Grant(actions=("elasticloadbalancing:ModifyRule",), resources=tuple(args.rule_arns)),
                # None of them knows a narrower resource.
                Grant(
                    actions=(
                        "elasticloadbalancing:DescribeListeners",
                        "elasticloadbalancing:DescribeRules",
                        "elasticloadbalancing:DescribeTargetGroups",
                        "elasticloadbalancing:DescribeTargetHealth",
                    ),
                    resources=("*",),
                ),
            ),
        )
        super().__init__(name, declared(args), opts, roles=[role])
        made = role.create(self)
        self.arn, self.before = made.arn, [made.policy] if made.policy else []
        self.register_outputs({"arn": self.arn})


def check(args: ServiceArgs) -> None:
    """Refuse a service whose requests ECS cannot shift, or not all of them.

    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/alb-resources-for-blue-green.html
    """
    deployment = read(args.deployment)
    if deployment.watched and args.entrance is None:
        raise InvalidArgsError(
            "Service.deployment",
            got=deployment.strategy,
            want="an entrance, whose requests are shifted and watched; or 'rolling' without alarms",
        )
    if not deployment.shifts:
        return
    unshifted = [
        found
        for found in (args.discovery.found if args.discovery else ())
        if found.registry_arn is not None or found.target_group_arn is not None or found.lattice_target_group_arn
    ]
    wrong = {
        "entrance": (args.entrance, args.entrance is None, "one: requests are shifted by its load balancer"),
        "task": (args.task.network_mode, args.task.network_mode != "awsvpc", "mode 'awsvpc': targets are addresses"),
        # Whoever finds its tasks by them would get both versions' at once, from the first minute on.
        "discovery": (args.discovery, bool(unshifted), "none or Service Connect, whose requests ECS shifts too"),
        # https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-autoscaling-targettracking.html
        "scaling": (
            args.scaling,
            args.scaling is not None and args.scaling.requests_per_target is not None,
            "no requests_per_target: they are counted in one target group, and there are two",
        ),
    }
    for field, (got, is_wrong, want) in wrong.items():
        if is_wrong:
            raise InvalidArgsError(f"Service.{field}", got=got, want=f"{want} ({deployment.strategy})")


def claim(name: str, args: ServiceArgs) -> Route | None:
    """Keep the place of the rule by which service *name* is tested; None where nothing is.

    Raises:
        InvalidArgsError: another rule has it, or a name leaves no room for Pulumi's suffix in AWS's limits.

    """
    if args.entrance is None or not read(args.deployment).shifts:
        return None
    naming.autonamed(alternate(name), naming.TARGET_GROUP)
    return args.entrance.load_balancer.route_for_tests(args.entrance, header=(TEST_HEADER, name))


def alternate(name: str) -> str:
    """Return the logical name of the second target group of service *name*."""
    return f"{name}-alt"


def shift(
    owner: Owner,
    name: str,
    test: Route,
    *,
    production: aws.lb.ListenerRule,
    target_groups: Sequence[aws.lb.TargetGroup],
) -> Shifting:
    """Let ECS shift between *target_groups*, the first of which has the requests now, by the *production* rule.

    The rule of *test* has the second one from the start: ECS takes no target group that no rule leads to.
    """
    primary, other = target_groups
    tests = rule(owner, f"{name}-test", test, other, between=target_groups)
    role = ShiftingRole(
        f"{name}-shifting",
        ShiftingRoleArgs(target_group_arns=[primary.arn, other.arn], rule_arns=[production.arn, tests.arn]),
        owner.child(),
    )
    return Shifting(
        advanced=aws.ecs.ServiceLoadBalancerAdvancedConfigurationArgs(
            alternate_target_group_arn=other.arn,
            production_listener_rule=production.arn,
            test_listener_rule=tests.arn,
            role_arn=role.arn,
        ),
        before=[tests, *role.before],
    )


def rule(
    owner: Owner,
    name: str,
    route: Route,
    leads_to: aws.lb.TargetGroup,
    *,
    between: Sequence[aws.lb.TargetGroup] = (),
) -> aws.lb.ListenerRule:
    """Make the rule that sends *route*'s requests to a target group: at first only, if they are shifted *between* two.

    ECS then makes two weighted target groups of the one, and turns their weights with each deployment. Nothing else of
    the rule is its, and nothing of the service: that stays as it was declared.
    https://github.com/terraform-aws-modules/terraform-aws-alb/issues/409
    """
    # A target group that a rule names is not deleted, and it is ECS that makes this one name both.
    its_own = ResourceOptions(ignore_changes=["actions"], depends_on=[*between]) if between else None
    return aws.lb.ListenerRule(
        name,
        listener_arn=route.load_balancer.listener_arn,
        priority=route.priority,
        conditions=route.conditions(),
        actions=[{"type": "forward", "target_group_arn": leads_to.arn}],
        tags=owner.tags,
        opts=owner.child(its_own),
    )
