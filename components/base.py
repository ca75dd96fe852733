"""What every component stands on: its type token, its children's options, its tags, and what it declares."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

import pulumi
from pulumi import Output, ResourceOptions

if TYPE_CHECKING:
    from components.roles import ServiceRole


class Component(pulumi.ComponentResource):
    """A node of the preview that owns the resources it makes."""

    tags: Mapping[str, str]
    """Tags of its taggable resources, beyond the provider's default ones; a child component has its parent's."""

    def __init__(
        self,
        name: str,
        props: Mapping[str, Any],
        opts: ResourceOptions | None,
        *,
        roles: Sequence[ServiceRole] = (),
        tags: Mapping[str, str] | None = None,
    ) -> None:
        """Register the component: what was meant (*props*, *roles*) goes with it, as it was given.

        A policy pack reads it at a first preview, when a rendered policy is one unknown string.
        """
        said: dict[str, Any] = {}
        if props:
            # Under one key: the SDK makes an output, and an attribute of that name, of every top-level prop.
            said["args"] = dict(props)
        if roles:
            said["policies"] = {role.name: [grant.declared() for grant in role.grants] for role in roles if role.grants}
            said["trusts"] = {role.name: role.declared() for role in roles}
        super().__init__(f"drydock:index:{type(self).__name__}", name, said, opts)
        parent = opts.parent if opts else None
        self.tags = tags if tags is not None else parent.tags if isinstance(parent, Component) else {}
        self._child = ResourceOptions(parent=self)

    def child(self, extra: ResourceOptions | None = None) -> ResourceOptions:
        """Return the options of a child, with *extra* ones where it needs them.

        The caller's own options are not for children: providers and protection reach them by parentage, and the
        rest names the component alone. The component comes last in the merge, so that no child can leave it.
        """
        return self._child if extra is None else ResourceOptions.merge(extra, self._child)


def declared(args: object) -> dict[str, Any]:
    """Turn an arguments dataclass into plain mappings and lists, with outputs left as they are.

    `dataclasses.asdict` would copy outputs, which cannot be. What is not given (None) is left out, and a component
    stands for itself by its logical name.
    """
    return cast("dict[str, Any]", _plain(args))


def _plain(value: object) -> object:
    if value is None or isinstance(value, str | int | float):
        return value
    if isinstance(value, Output):
        return cast("Output[Any]", value)
    if isinstance(value, pulumi.Resource):
        return value.pulumi_resource_name
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in cast("Mapping[str, object]", value).items()}
    if isinstance(value, Sequence):
        return [_plain(item) for item in cast("Sequence[object]", value)]
    if dataclasses.is_dataclass(value):
        pairs = ((name, _plain(getattr(value, name))) for name in _field_names(type(value)))
        return {name: item for name, item in pairs if item is not None}
    return str(value)


@functools.cache
def _field_names(of: type) -> tuple[str, ...]:
    return tuple(field.name for field in dataclasses.fields(of))
