"""Whose a resource is."""

from __future__ import annotations

from rehearsal.graph import Registered
from rehearsal.tree import Tree


def registered(name: str, parent: str, kind: str = "drydock:index:Shop") -> Registered:
    return Registered(urn=f"urn:{name}", type=kind, name=name, parent=parent, custom=False, inputs={})


def test_a_resource_belongs_to_the_workload_above_it() -> None:
    """However deep: a role is a task's, and the task is the workload's."""
    shop, task = registered("shop", "urn:stack"), registered("task", "urn:shop")
    role = registered("role", "urn:task", "aws:iam/role:Role")
    platform, topic = registered("platform", "urn:stack"), registered("topic", "urn:platform")
    tree = Tree([shop, task, role, platform, topic], {"workloads": {"shop": {"url": "x"}}})
    assert tree.workload_of(role) == "shop"
    assert tree.workload_of(shop) == "shop"
    assert tree.workload_of(topic) == ""
    assert tree.of("aws:iam/role:Role") == [role]


def test_a_stack_without_workloads_has_none() -> None:
    assert Tree([], {}).workloads == {}
