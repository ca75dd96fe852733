"""What AWS documents that each strategy needs, row by row, against what a service of it registers."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, get_args

import pytest

from components.deployment import Deployment, Strategy
from tests.components.recorder import Recorded, of_type, one
from tests.components.shifted import behind_a_balancer, made

if TYPE_CHECKING:
    from collections.abc import Callable

_GUIDE: Final = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/"
ALB: Final = f"{_GUIDE}alb-resources-for-blue-green.html"
ROLE: Final = f"{_GUIDE}AmazonECSInfrastructureRolePolicyForLoadBalancers.html"
POLICY: Final = "https://docs.aws.amazon.com/aws-managed-policy/latest/reference/" + ROLE.rpartition("/")[2]
BLUE_GREEN: Final = f"{_GUIDE}blue-green-deployment-implementation.html"
LINEAR: Final = f"{_GUIDE}linear-deployment-implementation.html"
CANARY: Final = f"{_GUIDE}canary-deployment-implementation.html"
PAUSE: Final = f"{_GUIDE}pause-lifecycle-hooks.html"
SHIFTED: Final[tuple[Strategy, ...]] = ("blue_green", "linear", "canary")

# Version 6 of AmazonECSInfrastructureRolePolicyForLoadBalancers, of which ModifyListener is for network load balancers
# and for listeners whose default action is the production rule.
MANAGED: Final = {
    "DescribeListeners",
    "DescribeRules",
    "DescribeTargetGroups",
    "DescribeTargetHealth",
    "RegisterTargets",
    "DeregisterTargets",
    "ModifyListener",
    "ModifyRule",
}


def service(resources: list[Recorded]) -> dict[str, Any]:
    return dict(one(resources, "aws:ecs/service:Service").inputs)


def rule(resources: list[Recorded], name: str) -> dict[str, Any]:
    return dict(one(resources, ":ListenerRule", name).inputs)


def configuration(resources: list[Recorded]) -> dict[str, Any]:
    return service(resources)["deploymentConfiguration"]


def statements(resources: list[Recorded]) -> dict[str, list[str]]:
    """Return the role's actions, without their service, and what each is on."""
    (policy,) = of_type(resources, ":RolePolicy").keys() & {"orders-shifting"}
    said = json.loads(one(resources, ":RolePolicy", policy).inputs["policy"])["Statement"]
    return {action.partition(":")[2]: each["Resource"] for each in said for action in each["Action"]}


def two_alike(resources: list[Recorded]) -> bool:
    first, second = of_type(resources, ":TargetGroup").values()
    return first.inputs == second.inputs and first.inputs["targetType"] == "ip" and first.inputs["protocol"] == "HTTP"


def a_way_to_the_tasks(resources: list[Recorded]) -> bool:
    out = one(resources, ":SecurityGroupEgressRule", "orders-8080-balancer-out").inputs
    return (out["securityGroupId"], out["referencedSecurityGroupId"]) == ("main-id", "orders-id")


def ahead_by_a_header(resources: list[Recorded]) -> bool:
    tests, production = rule(resources, "orders-test"), rule(resources, "orders")
    (header,) = [each for each in tests["conditions"] if each not in production["conditions"]]
    return (
        header == {"httpHeader": {"httpHeaderName": "X-Drydock-Test", "values": ["orders"]}}
        and tests["listenerArn"] == production["listenerArn"]
        and tests["priority"] == production["priority"] - 1
    )


def all_four_named(resources: list[Recorded]) -> bool:
    (balancer,) = service(resources)["loadBalancers"]
    return balancer == {
        "targetGroupArn": "orders.arn",
        "containerName": "app",
        "containerPort": 8080,
        "advancedConfiguration": {
            "alternateTargetGroupArn": "orders-alt.arn",
            "productionListenerRule": "orders.arn",
            "testListenerRule": "orders-test.arn",
            "roleArn": "orders-shifting.arn",
        },
    }


def rolled_back_by_alarms(resources: list[Recorded]) -> bool:
    alarms = service(resources)["alarms"]
    return (alarms["enable"], alarms["rollback"]) == (True, True) and len(alarms["alarmNames"]) == 4


def trusted_by_ecs(resources: list[Recorded]) -> bool:
    (said,) = json.loads(one(resources, ":Role", "orders-shifting").inputs["assumeRolePolicy"])["Statement"]
    return said == {"Effect": "Allow", "Principal": {"Service": "ecs.amazonaws.com"}, "Action": "sts:AssumeRole"}


def on_its_own_alone(resources: list[Recorded]) -> bool:
    said = statements(resources)
    groups, rules = ["orders.arn", "orders-alt.arn"], ["orders.arn", "orders-test.arn"]
    named = {action: on for action, on in said.items() if not action.startswith("Describe")}
    return named == {"RegisterTargets": groups, "DeregisterTargets": groups, "ModifyRule": rules}


@dataclass(frozen=True)
class Row:
    """One requirement."""

    page: str
    says: str
    holds: Callable[[list[Recorded]], bool]
    strategies: tuple[Strategy, ...] = SHIFTED


ROWS: Final = (
    Row(ALB, "two target groups of one kind, by address, in HTTP", two_alike),
    Row(ALB, "the balancer's group has a way out to the tasks'", a_way_to_the_tasks),
    Row(
        ALB,
        "the production rule forwards to the primary group at first, and does nothing else",
        lambda made: rule(made, "orders")["actions"] == [{"type": "forward", "targetGroupArn": "orders.arn"}],
    ),
    Row(
        ALB,
        "the test rule forwards to the alternate group, and does nothing else",
        lambda made: rule(made, "orders-test")["actions"] == [{"type": "forward", "targetGroupArn": "orders-alt.arn"}],
    ),
    Row(ALB, "the test rule may be told by a header, and is then tried first", ahead_by_a_header),
    Row(ALB, "the service names the alternate group, both rules and the role", all_four_named),
    Row(ALB, "both versions run beside each other", lambda made: service(made)["deploymentMaximumPercent"] == 200),
    Row(ROLE, "ECS takes the role", trusted_by_ecs),
    Row(POLICY, "the role may all that AWS's may, but for listeners",
        lambda made: statements(made).keys() == MANAGED - {"ModifyListener"}),
    Row(POLICY, "but only on what is this service's", on_its_own_alone),
    Row(BLUE_GREEN, "the controller is ECS, which is the default",
        lambda made: "deploymentController" not in service(made)),
    Row(BLUE_GREEN, "the strategy is said, and a bake time",
        lambda made: configuration(made) == {"strategy": "BLUE_GREEN", "bakeTimeInMinutes": "5"}, ("blue_green",)),
    Row(LINEAR, "the strategy is said, percent a step, minutes between two, and a bake time",
        lambda made: configuration(made) == {
            "strategy": "LINEAR", "bakeTimeInMinutes": "5",
            "linearConfiguration": {"stepPercent": 10, "stepBakeTimeInMinutes": "6"}}, ("linear",)),
    Row(CANARY, "the strategy is said, percent and minutes of the canary, and a bake time",
        lambda made: configuration(made) == {
            "strategy": "CANARY", "bakeTimeInMinutes": "5",
            "canaryConfiguration": {"canaryPercent": 5, "canaryBakeTimeInMinutes": "10"}}, ("canary",)),
    Row(BLUE_GREEN, "alarms roll it back", rolled_back_by_alarms),
    Row(BLUE_GREEN, "nobody is asked by default", lambda made: "lifecycleHooks" not in configuration(made)),
)  # fmt: skip


@pytest.mark.parametrize(
    ("row", "strategy"),
    [(row, strategy) for row in ROWS for strategy in row.strategies],
    ids=lambda each: each.says if isinstance(each, Row) else each,
)
def test_what_aws_documents_is_there(row: Row, strategy: Strategy) -> None:
    """ECS refuses the service otherwise, or shifts nothing; the row's page says so."""
    assert row.holds(made(strategy)), row.page


@pytest.mark.parametrize("strategy", SHIFTED)
def test_an_approval_is_a_pause_once_test_requests_reach_the_new_version(strategy: Strategy) -> None:
    """At TEST_TRAFFIC_SHIFT and PRODUCTION_TRAFFIC_SHIFT there may be no pause; a Lambda function and role it has not.

    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/pause-lifecycle-hooks.html
    """
    resources = behind_a_balancer(Deployment(strategy=strategy, approval_minutes=90))
    assert configuration(resources)["lifecycleHooks"] == [
        {
            "targetType": "PAUSE",
            "lifecycleStages": ["POST_TEST_TRAFFIC_SHIFT"],
            "timeoutConfiguration": {"timeoutInMinutes": "90", "action": "ROLLBACK"},
        }
    ]


_ENTERED: Final = {
    "aws:ec2/securityGroup:SecurityGroup orders",
    "aws:ecs/service:Service orders",
    "aws:lb/listenerRule:ListenerRule orders",
    "aws:lb/targetGroup:TargetGroup orders",
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule orders-to-443",
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule orders-8080-balancer-out",
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule orders-8080-from-balancer",
}
_SHIFTED: Final = {
    "aws:cloudwatch/metricAlarm:MetricAlarm orders-alt-errors",
    "aws:cloudwatch/metricAlarm:MetricAlarm orders-alt-unhealthy",
    "aws:cloudwatch/metricAlarm:MetricAlarm orders-errors",
    "aws:cloudwatch/metricAlarm:MetricAlarm orders-unhealthy",
    "aws:iam/role:Role orders-shifting",
    "aws:iam/rolePolicy:RolePolicy orders-shifting",
    "aws:lb/listenerRule:ListenerRule orders-test",
    "aws:lb/targetGroup:TargetGroup orders-alt",
    "drydock:index:ShiftingRole orders-shifting",
}


@pytest.mark.parametrize("strategy", get_args(Strategy))
def test_what_a_strategy_makes_is_this_and_no_more(strategy: Strategy) -> None:
    """What is missing fails at the first shift, weeks after; what is too much is paid for."""
    below = {f"{each.type} {each.name}" for each in made(strategy) if "drydock:index:Service$" in each.urn}
    assert below == (_ENTERED if strategy == "rolling" else _ENTERED | _SHIFTED)


@pytest.mark.parametrize("strategy", SHIFTED)
def test_a_policy_reads_the_role_at_the_first_preview(strategy: Strategy) -> None:
    """Its rendered policy is unknown then."""
    role = one(made(strategy), "drydock:index:ShiftingRole").inputs
    said = json.loads(role["declared"])["policies"]["orders-shifting"]
    assert {action for grant in said for action in grant["actions"]} == {
        f"elasticloadbalancing:{action}" for action in MANAGED - {"ModifyListener"}
    }
    assert json.loads(role["declared"])["trusts"]["orders-shifting"] == {
        "service": "ecs.amazonaws.com",
        "conditions": {},
    }
