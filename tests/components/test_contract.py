"""What holds of every component of the library, the next one too: all are found by walking the package."""

from __future__ import annotations

import ast
import dataclasses
import functools
import inspect
import json
import sys
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, cast
from unittest import mock

import pulumi
import pulumi_aws as aws
import pytest
from pulumi import Output, ResourceOptions

from components.base import Component, Owner
from components.roles import RoleBounds
from rehearsal import schema
from tests.components.library import all_components, turned
from tests.components.recorder import Recorded, record
from tests.components.samples import SAMPLES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

OWNERS: Final = all_components()
NODES: Final = [each for each in OWNERS if issubclass(each, Component)]
TAGS: Final = {"Service": "shop"}
BOUNDS: Final = RoleBounds(path="/shop/test/", boundary="arn:aws:iam::111122223333:policy/walls/shop")

each_owner = pytest.mark.parametrize("component", OWNERS, ids=lambda each: each.__name__)
each_component = pytest.mark.parametrize("component", NODES, ids=lambda each: each.__name__)


class Shop(Component):
    """A workload around the component in question."""

    def __init__(self, opts: ResourceOptions) -> None:
        super().__init__("shop", {}, opts, tags=TAGS, role_bounds=BOUNDS, gathers=True)
        self.register_outputs({})


@dataclass(frozen=True, kw_only=True)
class Owned:
    """One component or part, and what it made."""

    name: str
    policies: Mapping[str, Any]
    """What is declared that its roles may do; for a part by the component that it is within."""
    trusts: Mapping[str, Any]
    """And who may take them."""
    children: list[Recorded]


@dataclass(frozen=True, kw_only=True)
class Built:
    """One class as it was built, in each of its sample's variants, and all that was registered with it."""

    provider: str
    resources: list[Recorded]
    made: list[Owner]
    handed: list[tuple[pulumi.ComponentResource, Mapping[str, Any]]]
    """What each call of `register_outputs` was given."""

    def owned(self) -> Iterator[Owned]:
        """Yield what was built, without components that it was given."""
        for number, made in enumerate(self.made):
            name = f"subject-{number}"
            own = [each for each in self.resources if each.name.startswith(name)]
            if isinstance(made, Component):
                # A component may have made another one within it, which owns children of its own.
                for node in (each for each in own if not each.custom):
                    children = [each for each in own if each.custom and each.parent == node.urn]
                    yield Owned(name=name, children=children, **_declared(node, ""))
            else:
                (around,) = (each for each in self.resources if each.name == "shop" and not each.custom)
                yield Owned(name=name, children=own, **_declared(around, name))


def _declared(by: Recorded, name: str) -> dict[str, Any]:
    """Return what *by* declares of roles whose names begin with *name*."""
    said = json.loads(by.inputs.get("declared") or "{}")
    return {
        prop: {each: it for each, it in said.get(prop, {}).items() if each.startswith(name)}
        for prop in ("policies", "trusts")
    }


@functools.cache
def built(component: type[Owner], turn: Callable[[Any], Any] = lambda given: given) -> Built:
    """Build *component* within a workload with an explicit provider, its arguments *turned* or not."""
    made: list[Owner] = []
    handed: list[tuple[pulumi.ComponentResource, Mapping[str, Any]]] = []
    register: Any = pulumi.ComponentResource.register_outputs

    def spy(self: pulumi.ComponentResource, outputs: Mapping[str, Any]) -> None:
        handed.append((self, outputs))
        register(self, outputs)

    def build() -> None:
        provider = aws.Provider("explicit", region="eu-west-1")
        opts = ResourceOptions(parent=Shop(ResourceOptions(providers=[provider])))
        make: Any = component
        made.extend(
            make(f"subject-{number}", turn(args), opts) for number, args in enumerate(SAMPLES[component.__name__](opts))
        )

    with mock.patch.object(pulumi.ComponentResource, "register_outputs", spy):
        resources = record(build)
    (provider,) = (each for each in resources if each.type == "pulumi:providers:aws")
    resources.remove(provider)
    return Built(provider=f"{provider.urn}::explicit-id", resources=resources, made=made, handed=handed)


def test_every_component_has_a_sample() -> None:
    """Without one, none of what follows is said of it."""
    assert {each.__name__ for each in OWNERS} == SAMPLES.keys()
    assert len(OWNERS) > 10, "the walk found next to nothing"


@each_owner
def test_every_argument_is_in_a_sample(component: type[Owner]) -> None:
    """An argument that no sample gives is a branch that nothing here has been through."""
    given: set[str] = set()
    fields: set[str] = set()

    def gather() -> None:
        for args in SAMPLES[component.__name__](ResourceOptions()):
            for field in dataclasses.fields(args):
                fields.add(field.name)
                unset = field.default if field.default_factory is dataclasses.MISSING else field.default_factory()
                value = getattr(args, field.name)
                # An output has no truth of its own.
                if isinstance(value, Output) or value != unset:
                    given.add(field.name)

    record(gather)
    assert given == fields


@each_owner
def test_it_takes_a_name_arguments_and_options(component: type[Owner]) -> None:
    """Whoever knows one knows all; and the arguments' class stands in the same file under the component's name."""
    parameters = inspect.signature(component).parameters
    assert list(parameters) == ["name", "args", "opts"]
    assert str(parameters["args"].annotation).removesuffix(" | None") == f"{component.__name__}Args"
    assert hasattr(sys.modules[component.__module__], f"{component.__name__}Args")


@each_owner
def test_all_that_it_makes_is_within_it(component: type[Owner]) -> None:
    """A child that left would miss the provider, the protection and the aliases that come by parentage."""
    result = built(component)
    up = {each.urn: each for each in result.resources}
    for resource in result.resources:
        if resource.custom:
            parent = up[resource.parent]
            ours = resource.name.startswith("subject-")
            assert not parent.custom, f"{resource.urn} hangs on a resource"
            if ours and not issubclass(component, Component):
                assert parent.type == "drydock:index:Shop", f"{resource.urn} is not where the part's options say"
            else:
                assert parent.type != "drydock:index:Shop", f"{resource.urn} left its component"
                assert parent.name.startswith("subject-") == ours, f"{resource.urn} is with somebody else"
    assert all(owned.children for owned in result.owned())


@each_owner
def test_the_explicit_provider_reaches_every_child(component: type[Owner]) -> None:
    """A resource on the default provider would be in whatever account and region the shell is in."""
    result = built(component)
    astray = [each.urn for each in result.resources if each.custom and each.provider != result.provider]
    assert not astray


@each_owner
def test_its_childrens_names_begin_with_its_own(component: type[Owner]) -> None:
    """Two of one kind in a stack would clash; and the engine follows a renaming by this prefix."""
    result = built(component)
    for owned in result.owned():
        assert all(child.name.startswith(owned.name) for child in owned.children)
    made = [each for each in result.resources if each.custom and each.name.startswith("subject-")]
    assert len(made) == sum(len(owned.children) for owned in result.owned()), "some are called after nobody"


@each_owner
def test_the_order_of_what_it_is_given_names_nothing(component: type[Owner]) -> None:
    """A list sorted by somebody must not replace what runs."""
    straight, other = ({each.urn for each in built(component, turn).resources} for turn in (_as_is, turned))
    assert straight == other


@each_component
def test_it_hands_out_its_outputs_once(component: type[Owner]) -> None:
    """Without it the component looks unfinished, and its outputs are not in the state."""
    result = built(component)
    calls = Counter(id(who) for who, _ in result.handed)
    assert [calls[id(each)] for each in result.made] == [1] * len(result.made)


@each_component
def test_what_it_hands_out_is_what_its_attributes_are(component: type[Owner]) -> None:
    """State and program would tell different stories otherwise; and an output that is not handed out is not kept."""
    result = built(component)
    outputs = {id(who): handed for who, handed in result.handed}
    for each in result.made:
        handed = outputs[id(each)]
        for name, value in handed.items():
            assert not name.startswith("_")
            assert getattr(each, name) is value, f"{component.__name__}.{name} is another value than the one handed out"
        announced = {name for name in _attributes(component) if _holds_outputs(getattr(each, name))}
        assert announced or not handed, "the source was not understood"
        assert announced <= handed.keys(), f"not handed out: {announced - handed.keys()}"


@each_component
def test_handing_out_its_outputs_is_the_last_it_does(component: type[Owner]) -> None:
    """What is made after it belongs to a component that the engine holds for finished."""
    (made,) = (
        each
        for each in ast.walk(ast.parse(inspect.getsource(component)))
        if isinstance(each, ast.FunctionDef) and each.name == "__init__"
    )
    last = made.body[-1]
    assert isinstance(last, ast.Expr)
    assert ast.unparse(last).startswith("self.register_outputs(")


@each_owner
def test_whatever_takes_tags_has_its_workloads(component: type[Owner]) -> None:
    """The provider's own tags say ``platform``; what a workload costs is counted by this one."""
    for child in (child for owned in built(component).owned() for child in owned.children):
        if schema.taggable(child.type):
            said = child.inputs.get("tags", {})
            assert said.items() >= TAGS.items(), f"{child.type} {child.name!r}: {said}"


@each_owner
def test_its_roles_are_where_its_workload_has_them_and_bounded_as_they_are(component: type[Owner]) -> None:
    """Whoever deploys may make no other. What deploys, and bounds, says itself where it is: out of its own reach."""
    for child in (child for owned in built(component).owned() for child in owned.children):
        if child.type.startswith("aws:iam/") and "path" in schema.inputs_of(child.type) and not _deploys(component):
            assert child.inputs["path"] == BOUNDS.path, child.urn
            if "permissionsBoundary" in schema.inputs_of(child.type):
                assert child.inputs["permissionsBoundary"] == BOUNDS.boundary, child.urn


def _deploys(component: type[Owner]) -> bool:
    return component.__name__ in ("Boundary", "DeployRole")


@each_owner
def test_what_its_roles_may_do_is_declared_as_it_is(component: type[Owner]) -> None:
    """A policy pack judges the declaration at a first preview, when the document itself is one unknown string."""
    for owned in built(component).owned():
        policies = [each for each in owned.children if each.type == "aws:iam/rolePolicy:RolePolicy"]
        made = {each.name: [_statement(said) for said in _document(each, "policy")] for each in policies}
        declared = {name: [{"conditions": {}} | grant for grant in grants] for name, grants in owned.policies.items()}
        assert _with_nulls_of(declared, made) == declared


@each_owner
def test_who_takes_its_roles_is_declared_as_it_is(component: type[Owner]) -> None:
    """Likewise: the trust is what a policy pack holds against the confused deputy."""
    for owned in built(component).owned():
        # What admits an identity provider is plain text at the first preview, and judged as it stands.
        roles = [
            each
            for each in owned.children
            if each.type == "aws:iam/role:Role" and "Federated" not in each.inputs["assumeRolePolicy"]
        ]
        declared = owned.trusts
        assert declared.keys() == {each.name for each in roles}
        for role in roles:
            (statement,) = _document(role, "assumeRolePolicy")
            assert statement["Principal"] == {"Service": declared[role.name]["service"]}
            conditions = declared[role.name]["conditions"]
            assert _with_nulls_of(conditions, statement.get("Condition", {})) == conditions
            assert statement["Action"] == "sts:AssumeRole"


def _with_nulls_of(declared: Any, made: Any) -> Any:
    """Return *made* with null wherever *declared* has one: what is an output cannot be declared."""
    if isinstance(declared, dict) and isinstance(made, dict):
        return {key: _with_nulls_of(cast("Any", declared).get(key, 0), it) for key, it in cast("Any", made).items()}
    if isinstance(declared, list) and isinstance(made, list) and len(cast("Any", declared)) == len(cast("Any", made)):
        return [_with_nulls_of(meant, it) for meant, it in zip(cast("Any", declared), cast("Any", made), strict=True)]
    return None if declared is None and isinstance(made, str) else made


def _as_is(given: Any) -> Any:
    return given


def _attributes(component: type[Owner]) -> set[str]:
    """Return the annotated attributes; from the source, since the SDK takes the annotations off the class."""
    (node,) = ast.parse(inspect.getsource(component)).body
    assert isinstance(node, ast.ClassDef)
    return {
        each.target.id for each in node.body if isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name)
    }


def _holds_outputs(value: object) -> bool:
    if isinstance(value, tuple | list):
        return any(map(_holds_outputs, value))
    if isinstance(value, dict):
        return any(map(_holds_outputs, value.values()))
    return isinstance(value, Output)


def _document(resource: Recorded, key: str) -> list[dict[str, Any]]:
    return json.loads(resource.inputs[key])["Statement"]


def _statement(said: dict[str, Any]) -> dict[str, Any]:
    assert said["Effect"] == "Allow"
    return {"actions": said["Action"], "resources": said["Resource"], "conditions": said.get("Condition", {})}
