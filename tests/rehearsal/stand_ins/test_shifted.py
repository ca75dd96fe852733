"""What a strategy says arrives at ECS, in the types that it takes, and each rule is where it should be."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from rehearsal import program
    from rehearsal.emulator import Emulator

PROGRAM = Path(__file__).parent / "shifted"


@pytest.fixture(scope="module")
def services(emulator: Emulator, deploy: Callable[..., program.Result]) -> dict[str, dict[str, Any]]:
    """Make the program's services in the emulator; return what ECS knows of each, by its task's family."""
    result = deploy(PROGRAM)
    made = [each for each in result.graph if each.type == "aws:ecs/service:Service"]
    ecs = emulator.client("ecs")
    return {
        each.name: ecs.describe_services(cluster=each.inputs["cluster"], services=[each.id])["services"][0]
        for each in made
    }


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("blue", {"strategy": "BLUE_GREEN", "bakeTimeInMinutes": 5}),
        (
            "line",
            {
                "strategy": "LINEAR",
                "bakeTimeInMinutes": 0,
                "linearConfiguration": {"stepPercent": 12.5, "stepBakeTimeInMinutes": 6},
            },
        ),
        (
            "bird",
            {
                "strategy": "CANARY",
                "bakeTimeInMinutes": 5,
                "canaryConfiguration": {"canaryPercent": 0.5, "canaryBakeTimeInMinutes": 10},
            },
        ),
    ],
)
def test_a_strategy_arrives_whole(services: dict[str, dict[str, Any]], name: str, said: dict[str, Any]) -> None:
    """The provider has texts where ECS has numbers: botocore would refuse them, or ECS take another time."""
    found = services[name]["deploymentConfiguration"]
    assert {key: found.get(key) for key in said} == said
    assert (found["alarms"]["enable"], found["alarms"]["rollback"], len(found["alarms"]["alarmNames"])) == (
        True,
        True,
        4,
    )


def test_a_pause_arrives(services: dict[str, dict[str, Any]]) -> None:
    """Without it a version nobody approved of would serve."""
    assert services["blue"]["deploymentConfiguration"]["lifecycleHooks"] == [
        {
            "targetType": "PAUSE",
            "lifecycleStages": ["POST_TEST_TRAFFIC_SHIFT"],
            "timeoutConfiguration": {"timeoutInMinutes": 90, "action": "ROLLBACK"},
        }
    ]
    assert "lifecycleHooks" not in services["bird"]["deploymentConfiguration"]


@pytest.mark.parametrize("name", ["blue", "line", "bird"])
def test_both_groups_are_behind_the_balancer_and_tests_come_first(
    emulator: Emulator, services: dict[str, dict[str, Any]], name: str
) -> None:
    """AWS's own check of a target group, which the emulator does not make."""
    (balancer,) = services[name]["loadBalancers"]
    said = balancer["advancedConfiguration"]
    elb = emulator.client("elbv2")
    (production,), (test,) = (
        elb.describe_rules(RuleArns=[said[which]])["Rules"] for which in ("productionListenerRule", "testListenerRule")
    )
    assert [each["TargetGroupArn"] for each in production["Actions"]] == [balancer["targetGroupArn"]]
    assert [each["TargetGroupArn"] for each in test["Actions"]] == [said["alternateTargetGroupArn"]]
    assert int(test["Priority"]) == int(production["Priority"]) - 1
    assert balancer["targetGroupArn"] != said["alternateTargetGroupArn"]
