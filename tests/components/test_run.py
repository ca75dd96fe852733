"""A run changes what it says and nothing else."""

from __future__ import annotations

from typing import Any, Final

import pytest

from components.account import Account
from components.container import Container
from components.errors import InvalidArgsError
from components.fargate import Size
from components.image import Image
from components.run import Run, capitalised
from components.task import Task, TaskArgs
from tests.components.recorder import record

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
