"""What ECS shifts by is refused where it cannot shift, and is ECS's own where it does."""

from __future__ import annotations

from typing import Any, cast, get_args

import pytest
from pulumi.runtime import mocks

from components.deployment import Deployment, Strategy
from components.discovery import CloudMap, Discovery, DiscoveryArgs, Nlb, ServiceConnect, Way
from components.errors import InvalidArgsError
from components.scaling import Scaling
from tests.components.recorder import of_type, one
from tests.components.shifted import ACCOUNT, NETWORK, behind_a_balancer, made

SHIFTED: tuple[Strategy, ...] = ("blue_green", "linear", "canary")
each_shifted = pytest.mark.parametrize("strategy", SHIFTED)


@each_shifted
def test_requests_that_come_by_no_balancer_cannot_be_shifted(strategy: Strategy) -> None:
    with pytest.raises(InvalidArgsError, match=r"^Service\.deployment: .*an entrance"):
        behind_a_balancer(strategy, entrance=None)
    with pytest.raises(InvalidArgsError, match=r"^Service\.entrance: "):
        behind_a_balancer(Deployment(strategy=strategy, alarms=False), entrance=None)


def test_alarms_of_a_rolling_deployment_need_an_entrance_too() -> None:
    """There are no answers to count."""
    with pytest.raises(InvalidArgsError, match=r"^Service\.deployment: .*an entrance"):
        behind_a_balancer(Deployment(alarms=True), entrance=None)


@each_shifted
def test_scaling_by_the_requests_of_one_target_group_is_refused(strategy: Strategy) -> None:
    """Once they go to the other, none are counted, and the service shrinks under its load."""
    with pytest.raises(InvalidArgsError, match=r"^Service\.scaling: "):
        behind_a_balancer(strategy, scaling=Scaling(minimum=1, maximum=2, requests_per_target=10))
    assert behind_a_balancer(strategy, scaling=Scaling(minimum=1, maximum=2, cpu_percent=10))


@each_shifted
@pytest.mark.parametrize("way", [CloudMap(), Nlb()], ids=lambda way: way.kind)
def test_a_way_past_the_balancer_to_both_versions_is_refused(strategy: Strategy, way: Way) -> None:
    """Whoever takes it would get the new version before anybody has approved of it."""
    with pytest.raises(InvalidArgsError, match=r"^Service\.discovery: "):
        _found_by(strategy, way)


@each_shifted
def test_service_connect_is_shifted_by_ecs(strategy: Strategy) -> None:
    """https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-connect-blue-green.html."""
    assert _found_by(strategy, ServiceConnect())


@each_shifted
def test_the_rules_of_a_balancer_are_ecss_once_they_are_made(
    strategy: Strategy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next `pulumi up` would turn requests back to where the tasks of the old version were."""
    assert _ignored(strategy, monkeypatch) == {"orders": ["actions"], "orders-test": ["actions"]}


def test_the_rule_of_a_rolling_service_stays_the_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _ignored("rolling", monkeypatch) == {"orders": []}


@each_shifted
def test_it_waits_for_both_rules_and_the_roles_rights(strategy: Strategy) -> None:
    """ECS refuses a target group that no rule leads to, and a role that may nothing yet."""
    service = one(made(strategy), "aws:ecs/service:Service")
    waited = {urn.rpartition("$")[2] for urn in service.dependencies}
    assert waited >= {
        "aws:lb/listenerRule:ListenerRule::orders",
        "aws:lb/listenerRule:ListenerRule::orders-test",
        "aws:iam/rolePolicy:RolePolicy::orders-shifting",
    }


@each_shifted
@pytest.mark.parametrize("rule", ["orders", "orders-test"])
def test_neither_group_goes_before_both_rules(strategy: Strategy, rule: str) -> None:
    """ECS makes each rule name both, and AWS deletes no target group that a rule names."""
    waited = {urn.rpartition("$")[2] for urn in one(made(strategy), ":ListenerRule", rule).dependencies}
    assert waited >= {f"aws:lb/targetGroup:TargetGroup::{name}" for name in ("orders", "orders-alt")}


@pytest.mark.parametrize("strategy", get_args(Strategy))
def test_the_first_tasks_are_in_the_group_that_a_rolling_service_has(strategy: Strategy) -> None:
    """A service can so be shifted from one day on, without its tasks leaving the group that has the requests."""
    group = one(made(strategy), ":TargetGroup", "orders").inputs
    assert group == one(made("rolling"), ":TargetGroup", "orders").inputs
    assert (
        one(made(strategy), ":ListenerRule", "orders").inputs == one(made("rolling"), ":ListenerRule", "orders").inputs
    )


@pytest.mark.parametrize("strategy", get_args(Strategy))
def test_a_version_on_another_port_is_in_the_same_groups_behind_the_same_rules(strategy: Strategy) -> None:
    """A group made anew is one that no rule of a shifted service leads to, and an empty one until tasks are in it."""
    other = behind_a_balancer(strategy, listens=9090)
    for kind in (":TargetGroup", ":ListenerRule"):
        assert {name: each.inputs for name, each in of_type(other, kind).items()} == {
            name: each.inputs for name, each in of_type(made(strategy), kind).items()
        }
    (said,) = one(other, "aws:ecs/service:Service").inputs["loadBalancers"]
    assert said["containerPort"] == 9090, "ECS registers each task with its own port"


@pytest.mark.parametrize("kind", [":SecurityGroupIngressRule", ":SecurityGroupEgressRule"])
def test_the_way_to_the_port_of_the_version_before_is_not_taken_for_the_new_one(kind: str) -> None:
    """It is another way: one that changed would cut off the tasks that still answer."""
    before, after = (
        {name for name in of_type(behind_a_balancer("rolling", listens=port), kind) if "balancer" in name}
        for port in (8080, 9090)
    )
    assert (len(before), len(after)) == (1, 1)
    assert before.isdisjoint(after)


def test_the_second_target_groups_name_must_fit_too() -> None:
    """Autonaming cuts nothing: AWS would refuse it."""
    with pytest.raises(InvalidArgsError, match="target group name"):
        behind_a_balancer("canary", name="a-name-of-twenty-four-ch")
    assert behind_a_balancer("rolling", name="a-name-of-twenty-four-ch")


def _found_by(strategy: Strategy, way: Way) -> Any:
    args = DiscoveryArgs(
        account=ACCOUNT, network=NETWORK, namespace="shop.local", port=8080, ways=[way], protocol="http"
    )
    return behind_a_balancer(strategy, discovery=lambda: Discovery("found", args))


def _ignored(strategy: Strategy, monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """Return what the engine is told to ignore of each rule."""
    said: dict[str, list[str]] = {}
    register: Any = cast("Any", mocks.MockMonitor).RegisterResource

    def spy(self: mocks.MockMonitor, request: Any, *more: Any) -> Any:
        if request.type == "aws:lb/listenerRule:ListenerRule":
            said[request.name] = list(request.ignoreChanges)
        return register(self, request, *more)

    monkeypatch.setattr(mocks.MockMonitor, "RegisterResource", spy)
    behind_a_balancer(strategy)
    return said
