"""A component that is renamed or moved keeps its resources, when it says what it was.

The SDK sends a component's own aliases and no others: what becomes of the children is the engine's business. So its
rule stands here in a few lines, and decides over what was really sent.
"""

from __future__ import annotations

import dataclasses
import functools
from typing import TYPE_CHECKING, Any, Final

import pulumi
import pytest
from pulumi import Alias, ResourceOptions

from components.base import Component, Owner
from components.queue import Queue, QueueArgs
from components.repository import Repository
from tests.components.library import all_components
from tests.components.recorder import STACK, Recorded, one, record
from tests.components.samples import SAMPLES

if TYPE_CHECKING:
    from collections.abc import Callable

_PREFIX: Final = "urn:pulumi:test::drydock::"

each_owner = pytest.mark.parametrize("owner", all_components(), ids=lambda each: each.__name__)

CHANGED: Final = {
    "aws:cloudwatch/eventRule:EventRule": {"eventPattern"},
    "aws:cloudwatch/logGroup:LogGroup": {"name"},
    "aws:cloudwatch/metricAlarm:MetricAlarm": {"alarmDescription", "dimensions"},
    "aws:dynamodb/table:Table": {"name"},
    "aws:ecr/lifecyclePolicy:LifecyclePolicy": {"repository"},
    "aws:ecr/repository:Repository": {"name"},
    "aws:ecr/repositoryPolicy:RepositoryPolicy": {"repository"},
    "aws:ecs/cluster:Cluster": {"configuration"},
    "aws:ecs/taskDefinition:TaskDefinition": {"containerDefinitions", "family"},
    "aws:iam/role:Role": {"assumeRolePolicy"},
    "aws:iam/rolePolicy:RolePolicy": {"policy"},
    "aws:kms/key:Key": {"description", "policy"},
    "aws:lambda/function:Function": {"loggingConfig"},
    "aws:lb/listenerRule:ListenerRule": {"conditions"},
    "aws:lb/loadBalancer:LoadBalancer": {"accessLogs"},
    "aws:scheduler/schedule:Schedule": {"groupName", "target"},
    "aws:scheduler/scheduleGroup:ScheduleGroup": {"name"},
    "aws:sfn/stateMachine:StateMachine": {"definition", "name"},
    "aws:sqs/queue:Queue": {"name"},
    "aws:servicediscovery/service:Service": {"name"},
}
"""Inputs, tags apart, that a new name changes: what people type, and what points there; see `docs/operations.md`."""


class Shop(Component):
    """A component around others."""

    def __init__(self, name: str, opts: ResourceOptions | None = None) -> None:
        super().__init__(name, {}, opts)
        Repository(f"{name}-images", None, self.child())
        self.register_outputs({})


class Around(Component):
    """A component around what a sample is of."""

    def __init__(self, name: str, make: Callable[[str, ResourceOptions], None], opts: ResourceOptions) -> None:
        super().__init__(name, {}, opts, gathers=True)
        make(name, self.child())
        self.register_outputs({})


def _all_of(owner: Any, name: str, opts: Callable[[int], ResourceOptions]) -> None:
    for number, args in enumerate(SAMPLES[owner.__name__](ResourceOptions())):
        owner(f"{name}-{number}", args, opts(number))


@functools.cache
def renamed(owner: type[Owner]) -> tuple[list[Recorded], list[Recorded]]:
    """Return what *owner* registers under its old name, and under a new one with the old as its alias.

    A part is no node: it is renamed with the component that it is in. In a preview, what AWS makes of a name is
    unknown in both, as it stays with the resource.
    """

    def build(name: str, *aliases: Alias) -> None:
        if issubclass(owner, Component):
            old = [ResourceOptions(aliases=[Alias(name=f"old-{number}")] if aliases else []) for number in range(10)]
            _all_of(owner, name, lambda number: old[number])
        else:
            Around(name, lambda name, opts: _all_of(owner, name, lambda _: opts), ResourceOptions(aliases=[*aliases]))

    return record(lambda: build("old"), preview=True), record(lambda: build("new", Alias(name="old")), preview=True)


@each_owner
def test_what_is_renamed_finds_all_that_it_had(owner: type[Owner]) -> None:
    """Nothing is made anew under the new name, and nothing of the old is left over to be deleted."""
    old, new = renamed(owner)
    assert set(_kept(old, new).values()) == {each.urn for each in old}
    assert len(new) == len(old)


@each_owner
def test_without_an_alias_all_would_be_replaced(owner: type[Owner]) -> None:
    """Else the test above would pass whatever the rule said."""
    old, new = renamed(owner)
    lost = {each.urn for each in new} - _kept(old, [dataclasses.replace(each, aliases=()) for each in new]).keys()
    assert lost == {each.urn for each in new if each.name.startswith("new")}


@each_owner
def test_a_new_name_changes_what_people_type_and_nothing_else(owner: type[Owner]) -> None:
    """A security group's description, say, cannot be changed: the group of a running service would be replaced."""
    old, new = renamed(owner)
    before = {each.urn: each.inputs for each in old}
    kept = _kept(old, new)
    for each in new:
        was = before[kept[each.urn]]
        changed = {key for key in {**was, **each.inputs} if was.get(key) != each.inputs.get(key)} - {"tags"}
        if each.custom:
            assert changed <= CHANGED.get(each.type, set()), f"{each.type} {each.name!r}"


@each_owner
def test_what_is_moved_out_of_a_component_finds_all_that_it_had(owner: type[Owner]) -> None:
    """The old parent may be gone by then, so that it is named by its URN."""
    was = Alias(parent=f"{_PREFIX}drydock:index:Around::mall")

    def inside() -> None:
        Around("mall", lambda name, opts: _all_of(owner, name, lambda _: opts), ResourceOptions())

    old = record(inside, preview=True)
    new = record(lambda: _all_of(owner, "mall", lambda _: ResourceOptions(aliases=[was])), preview=True)
    moved = {each.urn for each in old if each.type != "drydock:index:Around"}
    assert set(_kept(old, new).values()) == moved
    assert all("Around" in each for each in moved if "::mall-" in each)


@each_owner
def test_what_is_moved_into_a_component_finds_all_that_it_had(owner: type[Owner]) -> None:
    """It says that it had no parent."""

    def inside() -> None:
        was = ResourceOptions(aliases=[Alias(parent=pulumi.ROOT_STACK_RESOURCE)])
        Around(
            "mall",
            lambda name, opts: _all_of(owner, name, lambda _: ResourceOptions.merge(was, opts)),
            ResourceOptions(),
        )

    old = record(lambda: _all_of(owner, "mall", lambda _: ResourceOptions()), preview=True)
    assert set(_kept(old, record(inside, preview=True)).values()) == {each.urn for each in old}


def test_a_component_within_a_renamed_one_is_found_with_its_children() -> None:
    """The alias stands on the outer one alone, and reaches two steps down."""
    old = record(lambda: Shop("old"))
    new = record(lambda: Shop("new", ResourceOptions(aliases=[Alias(name="old")])))
    images = one(new, "ecr/repository:Repository")
    assert not images.aliases, "the SDK sends a resource's own aliases; inheriting them is the engine's business"
    below = "drydock:index:Shop$drydock:index:Repository$aws:ecr/repository:Repository"
    assert _kept(old, new)[images.urn] == f"{_PREFIX}{below}::old-images"


def test_a_component_whose_class_is_renamed_keeps_its_resources() -> None:
    """The class's name is in its children's URNs too."""

    class Store(Shop):
        """The shop under a new name."""

    old = record(lambda: Shop("shop"))
    new = record(lambda: Store("shop", ResourceOptions(aliases=[Alias(type_="drydock:index:Shop")])))
    assert set(_kept(old, new).values()) == {each.urn for each in old}


def _kept(old: list[Recorded], new: list[Recorded]) -> dict[str, str]:
    """Return new URN → the old one under which the engine finds the resource.

    As `generateAliases` of the engine does (`pkg/resource/deploy/step_generator.go` in pulumi/pulumi): a resource's
    own aliases, then what it was called under the URN by which its parent was found.
    """
    there = {each.urn for each in old}
    found: dict[str, str] = {}
    for each in sorted(new, key=lambda one: one.urn.count("$")):  # parents first
        names = [each.urn, *(_alias(each, alias, found) for alias in each.aliases)]
        if each.parent in found:
            names += [_inherited(name, each.parent, found[each.parent]) for name in names]
        for name in names:
            if name in there - set(found.values()):
                found[each.urn] = name
                break
    return found


def _alias(resource: Recorded, alias: Any, found: dict[str, str]) -> str:
    """Spell out an alias: what it does not say is as it is now."""
    said = alias.get("spec", {})
    parent = "" if said.get("noParent") else said.get("parentUrn", resource.parent)
    return _urn(found.get(parent, parent), said.get("type", resource.type), said.get("name", resource.name))


def _inherited(urn: str, parent: str, parent_was: str) -> str:
    """Return what a child was called under its parent's old name: a name that begins with the parent's follows it."""
    types, name = urn.split("::")[2:]
    above, above_was = parent.split("::")[3], parent_was.split("::")[3]
    if name.startswith(above):
        name = above_was + name.removeprefix(above)
    return _urn(parent_was, types.rpartition("$")[2], name)


def _urn(parent: str, token: str, name: str) -> str:
    above = "" if parent in ("", STACK) else parent.split("::")[2] + "$"
    return f"{_PREFIX}{above}{token}::{name}"


def test_an_alias_of_a_part_is_followed_by_what_follows_its_name() -> None:
    """Else the renamed queue and its dead-letter queue would both claim the old queue, and one would lose."""
    was = ResourceOptions(aliases=[Alias(name="old")])
    resources = record(lambda: Queue("new", QueueArgs(), was))
    former = {
        each.name: [alias["spec"]["name"] for alias in each.aliases]
        for each in resources
        if each.type.endswith(":Queue")
    }
    assert former == {"new": ["old"], "new-dead-letter": ["old-dead-letter"]}
