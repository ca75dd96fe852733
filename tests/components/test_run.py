"""A run changes what it says and nothing else."""

from __future__ import annotations

from typing import Any, Final

import pytest

from components.account import Account
from components.capacity import Capacity
from components.cluster import Cluster, ClusterArgs
from components.container import Container
from components.ec2_instances import Ec2Instances
from components.errors import InvalidArgsError
from components.fargate import Size
from components.image import Image
from components.run import Run, capitalised, check
from components.task import Task, TaskArgs
from tests.components.recorder import record
from tests.components.samples import NETWORK

ACCOUNT: Final = Account(id="123456789012", region="eu-west-1")
IMAGE: Final = Image.at("111122223333.dkr.ecr.eu-west-1.amazonaws.com/etl@sha256:" + "a" * 64)


def _run(*containers: Container, **changes: Any) -> Run:
    made: list[Run] = []

    def build() -> None:
        task = Task("etl", TaskArgs(account=ACCOUNT, containers=containers or [Container(image=IMAGE)]))
        made.append(Run(task=task, **changes))

    record(build)
    return made[0]


def test_a_run_as_it_is_defined_overrides_nothing() -> None:
    assert _run().overrides() == {}


def test_command_environment_and_size_are_as_ecs_spells_them() -> None:
    run = _run(command=["sync", "--all"], environment={"B": "2", "A": "1"}, size=Size(512, 2048))
    assert run.overrides() == {
        "containerOverrides": [
            {
                "name": "app",
                "command": ["sync", "--all"],
                "environment": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}],
            }
        ],
        "cpu": "512",
        "memory": "2048",
    }


def test_step_functions_spells_them_with_capitals_and_leaves_values_alone() -> None:
    assert capitalised(_run(command=["sync"]).overrides()) == {
        "ContainerOverrides": [{"Name": "app", "Command": ["sync"]}]
    }


def test_of_several_containers_the_one_that_was_named_is_changed() -> None:
    pair = (Container(image=IMAGE), Container(image=IMAGE, name="proxy"))
    (container,) = _run(*pair, command=["sync"], container="proxy").overrides()["containerOverrides"]
    assert container["name"] == "proxy"


@pytest.mark.parametrize(
    ("containers", "changes", "says"),
    [
        (
            [Container(image=IMAGE), Container(image=IMAGE, name="proxy")],
            {"command": ["sync"]},
            "Run.container: got None; one of the task's containers: app, proxy",
        ),
        ([Container(image=IMAGE)], {"container": "ap"}, "Run.container: got 'ap'; one of the task's containers: app"),
        ([Container(image=IMAGE)], {"environment": {"LIST": "x" * 9000}}, "Run.command: got '9004 bytes"),
    ],
)
def test_what_ecs_would_refuse_when_the_time_comes_is_refused_now(
    containers: list[Container], changes: dict[str, Any], says: str
) -> None:
    """A schedule that was made and cannot run would first be known by its alarm."""
    with pytest.raises(InvalidArgsError) as refused:
        _run(*containers, **changes)
    assert str(refused.value).startswith(says)


def test_a_size_smaller_than_its_containers_is_refused() -> None:
    big = Container(image=IMAGE, memory=1500)

    def build() -> None:
        task = Task("etl", TaskArgs(account=ACCOUNT, containers=[big], size=Size(512, 2048)))
        Run(task=task, size=Size(256, 1024))

    with pytest.raises(InvalidArgsError, match=r"Run.size: got 1024; 1500 MiB at least"):
        record(build)


@pytest.mark.parametrize(
    ("said", "says"),
    [
        ({}, "Task.launch_type of 'etl': got 'FARGATE'; 'EC2', which general is"),
        ({"launch_type": "EC2", "network_mode": "bridge"}, "Task.network_mode of 'etl': got 'bridge'; 'awsvpc'"),
    ],
)
def test_a_task_that_could_not_be_run_there_is_refused(said: dict[str, Any], says: str) -> None:
    """ECS would refuse each run, at the time of the schedule."""

    def build() -> None:
        general = Ec2Instances(network=NETWORK, maximum=1)
        cluster = Cluster("main", ClusterArgs(account=ACCOUNT, instances={"general": general}))
        task = Task("etl", TaskArgs(account=ACCOUNT, containers=[Container(image=IMAGE)], **said))
        check(task, cluster, [Capacity("general")])

    with pytest.raises(InvalidArgsError) as refused:
        record(build)
    assert says in str(refused.value)
