"""The group of tasks is closed, and every rule names one port and one other end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from components import security_group
from components.base import Component
from components.container import Container
from components.file_system import AccessPoint, FileSystem, FileSystemArgs
from components.task import Task, TaskArgs
from tests.components.recorder import Recorded, of_type, one, record
from tests.components.samples import ACCOUNT, IMAGE, NETWORK

if TYPE_CHECKING:
    from collections.abc import Sequence

POINTS = {"in": AccessPoint(path="/in"), "out": AccessPoint(path="/out")}


class Owner(Component):
    """Whose the rules are."""

    def __init__(self, tasks: Sequence[Task] = ()) -> None:
        super().__init__("shop", {}, None, tags={"Service": "shop"})
        self.group = security_group.of_tasks(self, "shop", "vpc-1", (443, 5432, 443), tasks)
        self.register_outputs({})


def rules(**there: Any) -> tuple[Recorded, Recorded]:
    """Return one rule of each direction, both to and from *there*."""

    def build() -> None:
        owner = Owner()
        security_group.let_out(owner, "shop-way", "sg-1", 1, **{f"to_{key}": value for key, value in there.items()})
        there.pop("block", None)
        security_group.let_in(owner, "shop-way", "sg-1", 1, **{f"from_{key}": value for key, value in there.items()})

    resources = record(build)
    return (
        one(resources, ":SecurityGroupEgressRule", "shop-way"),
        one(resources, ":SecurityGroupIngressRule", "shop-way"),
    )


def test_tasks_are_let_out_by_the_ports_that_were_named_and_nobody_is_let_in() -> None:
    """Each port once, whatever was said."""
    resources = record(Owner)
    assert of_type(resources, ":SecurityGroupEgressRule").keys() == {"shop-to-443", "shop-to-5432"}
    assert not of_type(resources, ":SecurityGroupIngressRule")


def test_the_way_to_what_tasks_mount_is_opened_on_both_sides_once_for_each_file_system() -> None:
    """Without it a task waits for its mount until it is given up; AWS refuses the same rule twice."""

    def build() -> None:
        files = FileSystem("files", FileSystemArgs(account=ACCOUNT, network=NETWORK, access_points=POINTS))
        mounts = {"/in": files.volume("in", read_only=True), "/out": files.volume("out")}
        one_ = Task("one", TaskArgs(account=ACCOUNT, containers=[Container(image=IMAGE, mounts=mounts)]))
        two = Task("two", TaskArgs(account=ACCOUNT, containers=[Container(image=IMAGE, mounts=mounts)]))
        Owner([one_, two])

    resources = record(build)
    (out,) = (each for each in of_type(resources, ":SecurityGroupEgressRule").values() if "files" in each.name)
    into = one(resources, ":SecurityGroupIngressRule")
    assert out.name == into.name == "shop-to-files-in"
    assert (out.inputs["fromPort"], into.inputs["fromPort"]) == (2049, 2049)
    assert (out.inputs["securityGroupId"], into.inputs["securityGroupId"]) == ("shop-id", "files-id")


@pytest.mark.parametrize(
    ("there", "key", "value"),
    [
        ({"group": "sg-2"}, "referencedSecurityGroupId", "sg-2"),
        ({"prefix_list": "pl-1"}, "prefixListId", "pl-1"),
    ],
)
def test_a_rule_names_its_port_and_the_other_end(there: dict[str, str], key: str, value: str) -> None:
    for rule in rules(**there):
        said = rule.inputs
        assert (said["securityGroupId"], said[key], said["ipProtocol"]) == ("sg-1", value, "tcp")
        assert (said["fromPort"], said["toPort"]) == (1, 1)
        assert said["tags"] == {"Service": "shop"}


def test_a_block_is_called_and_never_let_in() -> None:
    """A block is everybody in it."""
    out, into = rules(block="10.0.0.0/16", group="sg-2")
    assert out.inputs["cidrIpv4"] == "10.0.0.0/16"
    assert "cidrIpv4" not in into.inputs
