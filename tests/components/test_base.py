"""What every component stands on."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pulumi
import pulumi_aws as aws
import pytest
from pulumi import Output, ResourceOptions

from components.account import Account
from components.base import Component, Part, declared
from components.grants import Grant
from components.roles import RoleBounds, ServiceRole, confused_deputy
from tests.components.recorder import STACK, one, record

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ACCOUNT = Account(id="111122223333", region="eu-west-1")
BOUNDS = RoleBounds(path="/shop/test/", boundary="arn:aws:iam::111122223333:policy/walls/shop")


@dataclass(frozen=True, kw_only=True)
class Inner:
    """A part of the arguments."""

    size: int = 3
    absent: str | None = None


@dataclass(frozen=True, kw_only=True)
class Args:
    """Arguments of each kind."""

    inner: Inner = field(default_factory=Inner)
    names: Sequence[str] = ("a", "b")
    by_name: Mapping[str, Inner] = field(default_factory=lambda: {"one": Inner(size=1)})
    on: bool = True
    absent: str | None = None
    value: Any = None


class Shop(Component):
    """A component with one resource."""

    def __init__(
        self, name: str, opts: ResourceOptions | None = None, *, extra: ResourceOptions | None = None, **said: Any
    ) -> None:
        super().__init__(name, said.pop("props", {}), opts, **said)
        aws.sns.Topic(name, tags=self.tags, opts=self.child(extra))
        self.register_outputs({})


class Mall(Component):
    """A component with another in it."""

    def __init__(self, *, shop: Mapping[str, str] | None = None) -> None:
        super().__init__("mall", {}, None, tags={"Service": "mall"})
        Shop("shop", self.child(), tags=shop)
        self.register_outputs({})


def test_its_type_is_made_of_its_class() -> None:
    """The type is part of every child's URN: another one would replace all of them."""
    assert one(record(lambda: Shop("shop")), ":Shop").type == "drydock:index:Shop"


def test_what_was_meant_goes_with_it_under_one_key() -> None:
    """A top-level prop becomes an attribute of the component: `name` or `tags` among them would hide its own.

    As one text: what is plain is known at any preview, and each leaf costs.
    """
    shop = one(record(lambda: Shop("shop", props={"tags": "mine", "size": 3})), ":Shop")
    assert shop.inputs == {"declared": '{"args":{"tags":"mine","size":3}}'}


def test_an_output_is_no_argument_to_declare() -> None:
    """It may be a secret, and a component that waited for one would hold up its children."""
    with pytest.raises(TypeError, match="not JSON serializable"):
        record(lambda: Shop("shop", props={"word": Output.secret("hush")}))


def test_a_component_that_means_nothing_declares_nothing() -> None:
    assert one(record(lambda: Shop("shop")), ":Shop").inputs == {}


def test_its_roles_are_declared_with_policies_and_trusts() -> None:
    """A policy pack reads them at a first preview; a role without grants has a trust, and no policy."""
    grant = Grant(actions=["s3:GetObject"], resources=["arn:aws:s3:::shop/*"])
    trust = confused_deputy(ACCOUNT, ACCOUNT.arn("ecs", "*"))
    roles = [
        ServiceRole(name="shop-task", service="ecs-tasks.amazonaws.com", conditions=trust, grants=[grant]),
        ServiceRole(name="shop-idle", service="ecs-tasks.amazonaws.com", conditions={}),
    ]
    said = one(record(lambda: Shop("shop", roles=roles)), ":Shop").inputs
    assert json.loads(said["declared"])["policies"] == {
        "shop-task": [{"actions": ["s3:GetObject"], "resources": ["arn:aws:s3:::shop/*"]}],
    }
    assert json.loads(said["declared"])["trusts"] == {
        "shop-task": {"service": "ecs-tasks.amazonaws.com", "conditions": trust},
        "shop-idle": {"service": "ecs-tasks.amazonaws.com", "conditions": {}},
    }


def test_a_component_has_its_parents_tags_unless_it_says_its_own() -> None:
    """A workload says who it is once."""
    inherited = one(record(Mall), ":Topic")
    own = one(record(lambda: Mall(shop={"Service": "shop"})), ":Topic")
    assert (inherited.inputs["tags"], own.inputs["tags"]) == ({"Service": "mall"}, {"Service": "shop"})


class Bounded(Component):
    """A component whose roles are bounded, with a component and a part in it."""

    def __init__(self) -> None:
        super().__init__("bounded", {}, None, role_bounds=BOUNDS)
        self.own = Shop("shop", self.child())
        self.part = Part(self.child())
        self.other = Shop("other", self.child(), role_bounds=RoleBounds(path="/other/"))
        self.register_outputs({})


def test_whatever_is_within_a_component_has_its_roles_where_it_has_them() -> None:
    """Said once, for a stack's platform and each workload; nobody hands it on."""
    made: list[Bounded] = []
    record(lambda: made.append(Bounded()))
    (bounded,) = made
    assert bounded.own.role_bounds is bounded.part.role_bounds is BOUNDS
    assert bounded.other.role_bounds == RoleBounds(path="/other/")


def test_a_component_within_nothing_has_no_tags_of_its_own() -> None:
    """The provider's are all there are."""
    assert one(record(lambda: Shop("shop")), ":Topic").inputs["tags"] == {}


def test_a_child_cannot_leave_its_component() -> None:
    """Whatever further options it has: merging the other way round would let `parent` in them win."""

    def build() -> None:
        Shop("shop", extra=ResourceOptions(parent=Mall(), protect=True))

    topic = next(each for each in record(build) if each.name == "shop" and each.custom and each.protect)
    assert topic.urn == "urn:pulumi:test::drydock::drydock:index:Shop$aws:sns/topic:Topic::shop"


def test_the_callers_options_are_not_the_childrens() -> None:
    """Handed on, an alias or an import id would hit every child at once; protection comes by parentage."""
    opts = ResourceOptions(aliases=[pulumi.Alias(name="old")], protect=True)
    resources = record(lambda: Shop("shop", opts))
    shop, topic = one(resources, ":Shop"), one(resources, ":Topic")
    assert shop.parent == STACK
    assert (len(shop.aliases), shop.protect) == (1, True)
    assert (len(topic.aliases), topic.protect) == (0, True)


def test_arguments_that_were_given_become_plain_mappings_and_lists() -> None:
    """A policy reads what was meant."""
    given = Args(inner=Inner(size=5), names=("c",), by_name={"two": Inner(size=1)}, on=False)
    assert declared(given) == {"inner": {"size": 5}, "names": ["c"], "by_name": {"two": {"size": 1}}, "on": False}


def test_what_is_as_it_would_be_anyway_is_not_declared() -> None:
    """Only what somebody decided is of interest; and each value on the wire costs time."""
    assert declared(Args(on=True, names=("a", "b"))) == {}


def test_an_output_in_the_arguments_stays_out() -> None:
    """A secret one has no business there, and a component that waits holds up all its children."""
    assert declared(Args(value=Output.secret("hidden"))) == {}
    assert declared(Args(value=["plain", Output.from_input("later")])) == {"value": ["plain"]}


def test_a_component_in_the_arguments_stands_for_itself_by_its_name() -> None:
    """Its outputs are its own to tell."""
    said: list[Any] = []
    record(lambda: said.append(declared(Args(value=Shop("shop")))["value"]))
    assert said == ["shop"]
