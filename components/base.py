"""What every component stands on: its type token, its children's options, what they inherit, and what it declares."""

from __future__ import annotations

import dataclasses
import functools
import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, cast

import pulumi
from pulumi import Alias, Output, ResourceOptions

from components import documents

if TYPE_CHECKING:
    from pulumi import Input

    from components.roles import RoleBounds, ServiceRole


class Owner:
    """Who owns resources: a component, or a part of one."""

    tags: Mapping[str, str]
    """Tags of its taggable resources, beyond the provider's default ones; whoever it owns has the same."""
    role_bounds: RoleBounds | None
    """Where its roles are, and what bounds them; whoever it owns has the same."""

    _opts: ResourceOptions

    def __init_subclass__(cls) -> None:
        # At each registration the SDK evaluates a component's annotations, as types of its outputs. Ours are for
        # readers, whose imports need not be there at run time.
        super().__init_subclass__()
        cls.__annotations__ = {}

    def child(self, extra: ResourceOptions | None = None) -> ResourceOptions:
        """Return the options of a resource it owns, with *extra* ones where that needs them.

        Its own come last in the merge, so that no child can leave it.
        """
        return self._opts if extra is None else ResourceOptions.merge(extra, self._opts)


class Part(Owner):
    """Resources that are no node of their own: they hang where their options say, as if made there by hand.

    For what holds data or is told of something, and has one resource that matters: a table, a bucket, a topic. A
    component around each would be a third of a workload's registrations, and say nothing in the preview that the
    resource does not.
    """

    def __init__(self, opts: ResourceOptions | None) -> None:
        self._opts = opts or ResourceOptions()
        self.tags, self.role_bounds = _inherited(self._opts.parent)

    def declare(self, role: ServiceRole) -> None:
        """Have the component that this is within declare *role*; outside of any, nobody does.

        Raises:
            TypeError: that component gathers no roles.

        """
        parent = self._opts.parent
        if isinstance(parent, Component):
            parent.declare(role)

    def child(self, extra: ResourceOptions | None = None, *, suffix: str = "") -> ResourceOptions:
        """Return the options of a resource of its, whose logical name is the part's own and *suffix*.

        An alias is the part's former name: it is followed by the same suffix, or two resources would claim one past.
        """
        options = super().child(extra)
        if not suffix or not self._opts.aliases:
            return options
        # A copy: merging lists of aliases would add them up.
        options = ResourceOptions.merge(None, options)
        options.aliases = [_followed(alias, suffix) for alias in self._opts.aliases]
        return options


class Component(Owner, pulumi.ComponentResource):
    """A node of the preview that owns the resources it makes."""

    within: list[Component]
    """The components that were made as its children, in their order."""

    def __init__(
        self,
        name: str,
        props: Mapping[str, Any],
        opts: ResourceOptions | None,
        *,
        roles: Sequence[ServiceRole] = (),
        tags: Mapping[str, str] | None = None,
        role_bounds: RoleBounds | None = None,
        gathers: bool = False,
    ) -> None:
        """Register the component: what was meant (*props*, *roles*) goes with it, as it was given.

        *tags* and *role_bounds* are for all that is within it. Default: those of the component that it is within.
        With *gathers* the parts within it may have roles, which it declares with its own.

        A policy pack reads it at a first preview, when a rendered policy is one unknown string.
        """
        self._roles = [*roles] if gathers else None
        # Sent at the loop's next turn where parts have roles: by then the program has made them.
        declaration = self._gathered(props) if gathers else _declaration(props, roles)
        said: dict[str, Any] = {"declared": declaration} if declaration else {}
        super().__init__(f"drydock:index:{type(self).__name__}", name, said, opts)
        self.within = []
        parent = opts.parent if opts else None
        if isinstance(parent, Component):
            parent.within.append(self)
        inherited_tags, inherited_bounds = _inherited(parent)
        self.tags = inherited_tags if tags is None else tags
        self.role_bounds = role_bounds or inherited_bounds
        # The caller's own options are not for children: providers and protection reach them by parentage, and the
        # rest names the component alone.
        self._opts = ResourceOptions(parent=self)

    def declare(self, role: ServiceRole) -> None:
        """Declare *role*, of a part within this, too. Before the program gives way to the loop, and so not in `apply`.

        Raises:
            TypeError: the component was made without *gathers*.

        """
        if self._roles is None:
            raise TypeError(f"{self.pulumi_resource_name}, a {type(self).__name__}, gathers no roles: say gathers=True")
        self._roles.append(role)

    async def _gathered(self, props: Mapping[str, Any]) -> str | None:
        return _declaration(props, self._roles or ())


def _followed(alias: Input[str | Alias], suffix: str) -> Input[str | Alias]:
    """Return *alias* with *suffix* behind the name that it says, if it says one."""
    if isinstance(alias, Alias):
        said = f"{alias.name}{suffix}" if isinstance(cast("object", alias.name), str) else alias.name
        return Alias(said, alias.type_, alias.parent, alias.stack, alias.project)
    return Output.concat(cast("Input[str]", alias), suffix)


def _inherited(parent: pulumi.Resource | None) -> tuple[Mapping[str, str], RoleBounds | None]:
    return (parent.tags, parent.role_bounds) if isinstance(parent, Component) else ({}, None)


def _declaration(props: Mapping[str, Any], roles: Sequence[ServiceRole]) -> str | None:
    """Return what a component declares as JSON, with null for each output in it; None where it is nothing.

    One text, since the SDK makes an output, and an attribute of that name, of every top-level prop, and a dozen calls
    of every leaf below; and no output, since a component that waited for one would hold up all of its children, whose
    output it may be.
    """
    policies = {role.name: [grant.declared() for grant in role.grants] for role in roles if role.grants}
    said = {
        "args": documents.compact(props) if props else "",  # which refuses outputs: `declared` leaves them out
        "policies": _WITH_NULLS.encode(policies) if policies else "",
        "trusts": _WITH_NULLS.encode({role.name: role.declared() for role in roles}) if roles else "",
    }
    texts = [f'"{prop}":{text}' for prop, text in said.items() if text]
    return f"{{{','.join(texts)}}}" if texts else None


def _null(leaf: object) -> None:
    if not isinstance(leaf, Output):
        raise TypeError(f"{type(leaf).__name__} has no place in a declaration")


_WITH_NULLS: Final = json.JSONEncoder(separators=(",", ":"), default=_null)


def declared(args: object) -> dict[str, Any]:
    """Return what an arguments dataclass was given, as plain mappings and lists.

    Only what is plain, and not as it would be anyway. Outputs stay out: each stands on the resource that takes it, a
    secret one has no business here, and a component that waited for one would hold up all of its children. A
    component stands for itself by its logical name.
    """
    return cast("dict[str, Any]", _plain(args))


_LEAVES: Final = (str, int, float)


def _plain(value: object) -> object:
    """Return *value* as the wire takes it; None for what stays out."""
    if value is None or isinstance(value, _LEAVES):
        return value
    if isinstance(value, Output | pulumi.Resource):
        return value.pulumi_resource_name if isinstance(value, pulumi.Resource) else None
    if (fields := _fields(type(value))) is not None:
        said: dict[str, object] = {}
        for name, default in fields:
            item = getattr(value, name)
            if item is not default and item != default and (plain := _plain(item)) is not None:
                said[name] = plain
        return said
    if isinstance(value, Mapping):
        given = cast("Mapping[str, object]", value).items()
        return {key: plain for key, item in given if (plain := _plain(item)) is not None}
    if isinstance(value, Sequence):
        return [plain for plain in map(_plain, cast("Sequence[object]", value)) if plain is not None]
    return str(value)


@functools.cache
def _fields(of: type) -> tuple[tuple[str, object], ...] | None:
    """Return the fields of a dataclass with their defaults; None for what is none."""
    if not dataclasses.is_dataclass(of):
        return None
    return tuple(
        (
            field.name,
            field.default if field.default_factory is dataclasses.MISSING else field.default_factory(),
        )
        for field in dataclasses.fields(of)
    )
