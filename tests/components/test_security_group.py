"""The group of tasks is closed, and every rule names one port and one other end."""

from __future__ import annotations

from typing import Any

import pytest

from components import security_group
from components.base import Component
from tests.components.recorder import Recorded, of_type, one, record


class Owner(Component):
    """Whose the rules are."""

    def __init__(self) -> None:
        super().__init__("shop", {}, None, tags={"Service": "shop"})
        self.group = security_group.of_tasks(self, "shop", "vpc-1", (443, 5432, 443))
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
