"""What sleeps is scheduled to, in the right order; nothing that a deployment does wakes it or puts it to sleep."""

from __future__ import annotations

import re
from typing import Any

import pytest

from components.account import Account
from components.alarms import Alarms, AlarmsArgs
from components.cluster import Cluster, ClusterArgs
from components.container import Container
from components.ec2_instances import Ec2Instances
from components.errors import InvalidArgsError
from components.scaling import Scaling
from components.service import Service, ServiceArgs
from components.sleep import Sleep
from components.task import Task, TaskArgs
from tests.components.recorder import Recorded, of_type, one, record
from tests.components.samples import IMAGE, NETWORK

ACCOUNT = Account(id="111122223333", region="eu-west-1")
SLEEP = Sleep(time_zone="Asia/Taipei")
SIZES = ("minSize", "maxSize", "desiredCapacity")


def _service(name: str = "orders", **said: Any) -> list[Recorded]:
    def build() -> None:
        task = Task("orders", TaskArgs(account=ACCOUNT, containers=[Container(image=IMAGE, port=8080)]))
        cluster = Cluster("main", ClusterArgs(account=ACCOUNT))
        args: dict[str, Any] = {"task": task, "cluster": cluster, "network": NETWORK, "sleep": SLEEP} | said
        Service(name, ServiceArgs(**args))

    return record(build)


def _actions(resources: list[Recorded]) -> dict[str, Any]:
    return {
        name: (action.inputs["schedule"], action.inputs["timezone"], action.inputs["scalableTargetAction"])
        for name, action in of_type(resources, ":ScheduledAction").items()
    }


def _group(minimum: int, sleep: Sleep | None = SLEEP) -> list[Recorded]:
    general = Ec2Instances(network=NETWORK, minimum=minimum, maximum=4)
    return record(lambda: Cluster("main", ClusterArgs(account=ACCOUNT, instances={"general": general}, sleep=sleep)))


def test_a_service_that_is_scaled_has_no_task_at_night_and_its_bounds_by_day() -> None:
    """A minimum of 0 alone would leave what load keeps up; a maximum of 0 leaves none."""
    assert _actions(_service(scaling=Scaling(minimum=2, maximum=6, cpu_percent=60))) == {
        "orders-sleep": (
            "cron(0 20 ? * MON,TUE,WED,THU,FRI *)", "Asia/Taipei", {"minCapacity": 0, "maxCapacity": 0},
        ),
        "orders-wake": (
            "cron(0 8 ? * MON,TUE,WED,THU,FRI *)", "Asia/Taipei", {"minCapacity": 2, "maxCapacity": 6},
        ),
    }  # fmt: skip


def test_a_service_of_a_fixed_count_gets_a_target_that_holds_it() -> None:
    """Scheduled actions are a scalable target's: without load's policies it is the count, by day, and no other."""
    resources = _service(desired_count=3)
    target = one(resources, "appautoscaling/target:Target")
    assert (target.inputs["minCapacity"], target.inputs["maxCapacity"]) == (3, 3)
    assert _actions(resources)["orders-wake"][2] == {"minCapacity": 3, "maxCapacity": 3}
    assert not of_type(resources, "appautoscaling/policy:Policy")


@pytest.mark.parametrize("said", [{}, {"scaling": Scaling(minimum=1, maximum=2, cpu_percent=60)}])
def test_a_deployment_neither_wakes_a_service_nor_puts_it_to_sleep(said: dict[str, Any]) -> None:
    """At night AWS has 0 where the program says 2: an `up` after a refresh would set it right, and wake it."""
    resources = _service(**said)
    assert one(resources, "ecs/service:Service").ignore_changes == ("desiredCount",)
    assert one(resources, ":Target").ignore_changes == ("maxCapacity", "minCapacity")


def test_without_sleep_nothing_more_is_registered_and_nothing_is_ignored() -> None:
    resources = _service(sleep=None)
    assert not of_type(resources, ":Target")
    assert one(resources, "ecs/service:Service").ignore_changes == ()
    scaled = _service(sleep=None, scaling=Scaling(minimum=1, maximum=2, cpu_percent=60))
    assert one(scaled, ":Target").ignore_changes == ()
    assert not _actions(scaled)


def test_a_service_that_wants_no_task_by_day_needs_no_night() -> None:
    resources = _service(desired_count=0)
    assert not of_type(resources, ":Target")
    assert one(resources, "ecs/service:Service").ignore_changes == ()


def test_a_daemon_has_no_target_since_it_goes_with_its_instances() -> None:
    """Application Auto Scaling knows no count of it."""

    def build() -> None:
        general = Ec2Instances(network=NETWORK, maximum=4)
        cluster = Cluster("main", ClusterArgs(account=ACCOUNT, instances={"general": general}))
        task = Task("agent", TaskArgs(account=ACCOUNT, containers=[Container(image=IMAGE)], launch_type="EC2"))
        Service("agent", ServiceArgs(task=task, cluster=cluster, network=NETWORK, scheduling="DAEMON", sleep=SLEEP))

    assert not of_type(record(build), ":Target")


def test_two_changes_of_one_target_are_never_made_at_once() -> None:
    """Application Auto Scaling answers ConcurrentUpdateException, and EC2 Auto Scaling that there is one already."""
    for resources, kind in ((_service(), ":ScheduledAction"), (_group(1), "autoscaling/schedule:Schedule")):
        first, second = (made for _, made in sorted(of_type(resources, kind).items()))
        assert first.urn in second.dependencies


def test_a_group_may_be_empty_at_night_and_has_its_minimum_before_the_tasks_wake() -> None:
    schedules = of_type(_group(2), "autoscaling/schedule:Schedule")
    assert {
        name: (made.inputs["recurrence"], made.inputs["timeZone"], *(made.inputs[size] for size in SIZES))
        for name, made in schedules.items()
    } == {
        "main-general-sleep": ("15 20 * * 1,2,3,4,5", "Asia/Taipei", 0, -1, -1),
        "main-general-wake": ("50 7 * * 1,2,3,4,5", "Asia/Taipei", 2, -1, -1),
    }


def test_how_many_instances_there_are_stays_with_ecs() -> None:
    """The provider's default of a size is 0: left out, the maximum would be gone with the first night."""
    for made in of_type(_group(2), "autoscaling/schedule:Schedule").values():
        assert (made.inputs["maxSize"], made.inputs["desiredCapacity"]) == (-1, -1)


def test_a_deployment_does_not_bring_a_groups_minimum_back() -> None:
    assert one(_group(2), "autoscaling/group:Group").ignore_changes == ("minSize",)
    for resources in (_group(0), _group(2, sleep=None)):
        assert one(resources, "autoscaling/group:Group").ignore_changes == ()
        assert not of_type(resources, "autoscaling/schedule:Schedule"), "who has no minimum is as empty as can be"


def test_alarms_are_quiet_while_their_service_sleeps() -> None:
    """They go on treating silence as bad: by day it is."""
    said: dict[str, Any] = {"cluster_name": "main", "service_name": "orders", "actions": ["arn:topic"]}
    resources = record(lambda: Alarms("orders", AlarmsArgs(**said, sleep=SLEEP)))
    rules = of_type(resources, ":AlarmMuteRule")
    assert {name: made.inputs["rule"]["schedule"] for name, made in rules.items()} == {
        "orders-asleep-mon-tue-wed-thu": {
            "expression": "cron(0 20 * * MON,TUE,WED,THU)", "duration": "PT12H30M", "timezone": "Asia/Taipei",
        },
        "orders-asleep-fri": {
            "expression": "cron(0 20 * * FRI)", "duration": "P2DT12H30M", "timezone": "Asia/Taipei",
        },
    }  # fmt: skip
    for made in rules.values():
        assert made.inputs["muteTargets"] == {"alarmNames": ["orders-cpu.name", "orders-memory.name"]}
    assert {made.inputs["treatMissingData"] for made in of_type(resources, ":MetricAlarm").values()} == {"breaching"}


def test_alarms_of_what_never_sleeps_are_never_quiet() -> None:
    said: dict[str, Any] = {"cluster_name": "main", "service_name": "orders", "actions": ["arn:topic"]}
    assert not of_type(record(lambda: Alarms("orders", AlarmsArgs(**said))), ":AlarmMuteRule")
    none = AlarmsArgs(**said, cpu_percent=None, memory_percent=None, sleep=SLEEP)
    assert record(lambda: Alarms("orders", none)) == [], "a rule without an alarm is refused"


def test_a_mute_lasts_a_time_that_cloudwatch_takes() -> None:
    """One minute to fifteen days, as ISO 8601 writes it."""
    said: dict[str, Any] = {"cluster_name": "main", "service_name": "orders", "actions": ["arn:topic"]}
    for hours in (SLEEP, Sleep(time_zone="UTC", days="MON", awake_from="09:30", awake_to="10:00")):
        args = AlarmsArgs(**said, sleep=hours)
        for made in of_type(record(lambda args=args: Alarms("orders", args)), ":AlarmMuteRule").values():
            assert re.fullmatch(r"P(\d{1,2}D)?(T(\d{1,2}H)?(\d{1,2}M)?)?", made.inputs["rule"]["schedule"]["duration"])


def test_a_name_that_leaves_no_room_for_its_actions_is_refused() -> None:
    with pytest.raises(InvalidArgsError, match="scheduled action name"):
        _service(name="o" * 245)
