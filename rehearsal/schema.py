"""What `pulumi_aws`'s own classes say of a resource type: its inputs, which are required, what it answers.

The provider's schema is not shipped with the Python package, but its generated classes are made from it.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import json
import sys
import typing
from collections.abc import Mapping, Sequence
from typing import Any, cast

# The SDK's own reading of its generated classes: its public names stop at the decorators.
from pulumi import _types  # pyright: ignore[reportPrivateUsage]
from pulumi.runtime import rpc
from pulumi.runtime.rpc import UNKNOWN


@functools.cache
def resource_class(token: str) -> type | None:
    """Return the class of a type token such as ``aws:lb/listener:Listener``, if its package is imported."""
    package, module_name, _ = token.split(":", 2)
    module = rpc.get_resource_module(package, module_name, "")
    info = getattr(module, "mod_info", None)
    if info is None or token not in info["classes"]:
        return None
    return getattr(importlib.import_module(info["fqn"]), info["classes"][token])


@functools.cache
def inputs_of(token: str) -> Mapping[str, Any]:
    """Return the inputs of *token* with their types; empty for a type that is not known."""
    arguments = _arguments_class(token)
    return _types.input_type_types(arguments) if arguments else {}


@functools.cache
def outputs_of(token: str) -> frozenset[str]:
    """Return every property that a resource of *token* has once it is made, inputs among them."""
    resource = resource_class(token)
    return frozenset(_types.resource_types(resource)) - {"id", "urn"} if resource else frozenset()


def documents(token: str, inputs: Mapping[str, Any]) -> dict[str, str]:
    """Return those of *inputs* that are given as maps and kept as JSON, such as a policy, in the kept form."""
    resource = resource_class(token)
    types = _types.resource_types(resource) if resource else {}
    return {
        name: UNKNOWN if UNKNOWN in (text := json.dumps(value)) else text
        for name, value in inputs.items()
        if isinstance(value, Mapping) and _plain_type(types.get(name)) is str
    }


def taggable(token: str) -> bool:
    """Say whether the provider merges its default tags into *token*."""
    return "tagsAll" in outputs_of(token)


def problems(token: str, inputs: Mapping[str, Any]) -> list[str]:
    """Return what the provider's Check would refuse in *inputs*: unknown names and missing ones, nested ones too."""
    arguments = _arguments_class(token)
    return list(_problems(arguments, inputs, "")) if arguments else []


def _arguments_class(token: str) -> type | None:
    resource = resource_class(token)
    if resource is None:
        return None
    module, name = sys.modules[resource.__module__], resource.__name__
    # `InitArgs` where a block of another resource has the plain name already.
    return getattr(module, f"{name}InitArgs", None) or getattr(module, f"{name}Args", None)


def _problems(arguments: type, given: Mapping[str, Any], at: str) -> typing.Iterator[str]:
    types = _types.input_type_types(arguments)
    for name in _required(arguments):
        if given.get(name) is None:
            yield f"{at}{name}: missing, and required"
    for name, value in given.items():
        # Check itself adds what the program did not give.
        if name == "tagsAll" and not at:
            continue
        if name not in types:
            yield f"{at}{name}: no such argument; there are {', '.join(sorted(types))}"
        else:
            yield from _nested(types[name], value, f"{at}{name}")


def _nested(kind: Any, value: Any, at: str) -> typing.Iterator[str]:
    kind = _plain_type(kind)
    if isinstance(value, Mapping):
        given = cast("Mapping[str, Any]", value)
        if isinstance(kind, type) and _types.is_input_type(kind):
            yield from _problems(kind, given, f"{at}.")
        elif typing.get_origin(kind) is Mapping:
            for key, item in given.items():
                yield from _nested(typing.get_args(kind)[1], item, f"{at}[{key!r}]")
    elif isinstance(value, list) and typing.get_origin(kind) is Sequence:
        for index, item in enumerate(cast("list[Any]", value)):
            yield from _nested(typing.get_args(kind)[0], item, f"{at}[{index}]")


def _plain_type(kind: Any) -> Any:
    """Take `Optional`, `Input` and the like off a type: what is left is a class, a `Sequence` or a `Mapping`."""
    while typing.get_origin(kind) is typing.Union:
        kind = typing.get_args(kind)[0]
    if typing.get_origin(kind) in (Sequence, list):
        return Sequence[typing.get_args(kind)[0]]
    if typing.get_origin(kind) in (Mapping, dict):
        key, item = typing.get_args(kind)
        return Mapping[key, item]
    return kind


@functools.cache
def _required(arguments: type) -> tuple[str, ...]:
    names = _types.input_type_py_to_pulumi_names(arguments)
    parameters = list(inspect.signature(arguments).parameters.values())
    return tuple(
        names[given.name] for given in parameters if given.default is inspect.Parameter.empty and given.name in names
    )
