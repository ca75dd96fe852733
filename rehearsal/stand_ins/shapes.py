"""Property values of the provider, as parameters of an AWS operation: botocore's models say how.

The provider renames little: `loadBalancerArn` is `LoadBalancerArn`, a block `fixedResponse` is `FixedResponseConfig`,
a list `settings` may be plural here and singular there. What names alone do not give, a stand-in says itself.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Mapping
from typing import Any, Final, cast

import botocore.session

# botocore has no types of its own: a shape is known here by its `type_name`.
Shape = Any

_SUFFIXES: Final = ("config", "configuration", "specification", "list")
"""What AWS adds to the name of a block that the provider has without."""


class NoParameterError(Exception):
    """A property that no parameter of the operation takes: its path."""


@functools.cache
def operation(name: str) -> Any:
    """Return botocore's model of an operation, such as ``elbv2:CreateListener``."""
    service, _, what = name.partition(":")
    return _service(service).operation_model(what)


@functools.cache
def _service(name: str) -> Any:
    botocore_session: Any = botocore.session
    return botocore_session.get_session().get_service_model(name)


def parameters(name: str, values: Mapping[str, Any], rename: Mapping[str, str]) -> dict[str, Any]:
    """Return *values* as parameters of the operation *name*.

    *rename* says which member a property goes to where names do not: by its path, lists left out, such as
    ``{"defaultActions.forward.targetGroups.arn": "TargetGroupArn"}``.

    Raises:
        NoParameterError: A property that no member takes.

    """
    shape: Shape = operation(name).input_shape
    return {} if shape is None else _structure(values, shape, rename, "")


def _converted(value: Any, shape: Shape, rename: Mapping[str, str], at: str) -> Any:
    match shape.type_name:
        case "structure":
            return _structure(value, shape, rename, at)
        case "list":
            return [_converted(item, shape.member, rename, at) for item in _items(value, shape.member)]
        case "map":
            entries: Mapping[str, Any] = json.loads(value) if isinstance(value, str) else value
            return {key: _converted(item, shape.value, rename, f"{at}.{key}") for key, item in entries.items()}
        case kind:
            return _scalar(value, kind)


def _structure(value: Any, shape: Shape, rename: Mapping[str, str], at: str) -> dict[str, Any]:
    given = json.loads(value) if isinstance(value, str) else value
    if isinstance(given, list):
        # A block of which there can be only one, which the provider has as a list all the same.
        (given,) = cast("list[Any]", given)
    converted: dict[str, Any] = {}
    for name, item in cast("Mapping[str, Any]", given).items():
        if item is None:
            continue
        path = f"{at}.{name}" if at else name
        member = rename.get(path) or _member(shape, name)
        if member is None:
            raise NoParameterError(path)
        converted[member] = _converted(item, shape.members[member], rename, path)
    return converted


def _items(value: Any, member: Shape) -> list[Any]:
    """Return *value* as a list: it may be JSON, one item that stands for itself, or a map of names and values."""
    if isinstance(value, str) and value.startswith("["):
        return json.loads(value)
    if isinstance(value, Mapping) and set(_members(member)) in ({"name", "value"}, {"key", "value"}):
        key, text = _ending(member, "name", "key"), _ending(member, "value")
        return [{key: name, text: item} for name, item in cast("Mapping[str, Any]", value).items()]
    return cast("list[Any]", value) if isinstance(value, list) else [value]


def _scalar(value: Any, kind: str) -> Any:
    if kind == "string" and not isinstance(value, str):
        # Text as the services write it: `true`, not `True`; a document as JSON.
        return json.dumps(value)
    if kind in ("integer", "long") and isinstance(value, str) and re.fullmatch(r"-?\d+", value):
        return int(value)
    if kind in ("float", "double") and isinstance(value, str | int):
        return float(value)
    if kind == "boolean" and value in ("true", "false"):
        return value == "true"
    return value


def _member(shape: Shape, name: str) -> str | None:
    """Return the member of *shape* that a property's name means: as it is, singular, plural, or with a suffix."""
    members = _members(shape)
    plain = _squashed(name)
    singular = f"{plain[:-3]}y" if plain.endswith("ies") else plain.removesuffix("s")
    plural = f"{plain[:-1]}ies" if plain.endswith("y") else f"{plain}s"
    tried = (plain, singular, plural, *(f"{stem}{end}" for stem in (plain, singular) for end in _SUFFIXES))
    return next((members[each] for each in tried if each in members), None)


def _members(shape: Shape) -> dict[str, str]:
    """Return the members of *shape*, if it has any: their names as they compare, and as they are."""
    return {_squashed(member): member for member in shape.members} if shape.type_name == "structure" else {}


def _squashed(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def properties(described: Mapping[str, Any], names: frozenset[str]) -> dict[str, Any]:
    """Return what AWS described as properties of the provider: those members that bear the name of one of *names*."""
    by_name = {_squashed(name): name for name in names}
    return {
        by_name[_squashed(member)]: value
        for member, value in described.items()
        # A nested structure has nested names, which are not compared here.
        if _squashed(member) in by_name and isinstance(value, str | int | float | bool)
    }


def violations(value: Any, shape: Shape, at: str = "") -> list[str]:
    """Return where *value* breaks the limits of *shape* that botocore knows and does not check: choices and maxima."""
    kind, limits = shape.type_name, shape.metadata
    found: list[str] = []
    if kind == "structure":
        for name, item in value.items():
            found += violations(item, shape.members[name], f"{at}.{name}" if at else name)
    elif kind == "list":
        for index, item in enumerate(value):
            found += violations(item, shape.member, f"{at}[{index}]")
    elif kind == "map":
        for name, item in value.items():
            found += violations(item, shape.value, f"{at}.{name}")
    elif kind == "string" and shape.enum and value not in shape.enum:
        return [f"{at} is {value!r}, and must be one of {', '.join(shape.enum)}"]
    is_number = isinstance(value, int | float)
    size = value if is_number else len(value) if kind in ("string", "list") else 0
    if "max" in limits and size > limits["max"]:
        what = "" if is_number else " long"
        found.append(f"{at} is {size}{what}, and may be at most {limits['max']}")
    return found


def word(value: Any) -> str:
    """Return *value* as attributes and patches have it, which are all text: ``true``, not ``True``."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def tags(name: str, values: Mapping[str, str], kind: str = "") -> dict[str, Any]:
    """Return the parameter that takes tags in the operation *name*; *kind* is what EC2 calls the resource.

    Raises:
        NoParameterError: The operation takes none.

    """
    members: Mapping[str, Shape] = operation(name).input_shape.members
    if "TagSpecifications" in members:
        pairs = [{"Key": key, "Value": value} for key, value in values.items()]
        return {"TagSpecifications": [{"ResourceType": kind, "Tags": pairs}]}
    member = next((each for each in ("Tags", "tags") if each in members), None)
    if member is None:
        raise NoParameterError("tags")
    shape: Shape = members[member]
    if shape.type_name == "map":
        return {member: dict(values)}
    key, value = _ending(shape.member, "key"), _ending(shape.member, "value")
    return {member: [{key: name, value: text} for name, text in values.items()]}


def _ending(shape: Shape, *ends: str) -> str:
    return next(member for member in shape.members if member.lower().endswith(ends))
