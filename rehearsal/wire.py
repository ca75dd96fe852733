"""Property values as they travel between a program and the engine, and the same as plain Python values.

On the wire an unknown value is a sentinel string, and secrets, assets and references are maps with a signature.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final, cast

from google.protobuf import struct_pb2
from pulumi.runtime.rpc import UNKNOWN

# The signatures are the engine's (`sdk/go/common/resource/sig`); the SDK has them under private names alone.
_KIND: Final = "4dabf18193072939515e22adb298388d"
_SECRET: Final = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 - a signature
_REFERENCE: Final = "5cf8f73096256a8f31e491e813e4eb8e"
ASSET: Final = "c44067f5952c0a294b673a41bacd8c17"
ARCHIVE: Final = "0def7320c3a5731c473e5ecbe6d01bc7"


def plain(values: struct_pb2.Struct) -> tuple[dict[str, Any], frozenset[str]]:
    """Return *values* with secrets opened, and the top-level names that hold a secret somewhere.

    Unknowns stay `UNKNOWN`, references become ids (URNs for components), assets and archives stay maps. Nulls are
    left out, as the engine takes a null for a value that is not given.
    """
    secrets: set[str] = set()
    opened: dict[str, Any] = {}
    for name, value in _sorted(values):
        found: list[bool] = []
        item = _plain(value, found)
        if item is not None:
            opened[name] = item
        if found:
            secrets.add(name)
    return opened, frozenset(secrets)


def _sorted(values: struct_pb2.Struct) -> list[tuple[str, struct_pb2.Value]]:
    """Return the fields in one order: on the wire they are in any, and another in each run."""
    return sorted(values.fields.items())


def _plain(value: struct_pb2.Value, secret: list[bool]) -> Any:
    match value.WhichOneof("kind"):
        case "struct_value":
            return _opened(value.struct_value, secret)
        case "list_value":
            return [_plain(item, secret) for item in value.list_value.values]
        case "number_value":
            number = value.number_value
            return int(number) if number.is_integer() else number
        case "string_value":
            return value.string_value
        case "bool_value":
            return value.bool_value
        case _:
            return None


def _opened(values: struct_pb2.Struct, secret: list[bool]) -> Any:
    kind = values.fields[_KIND].string_value if _KIND in values.fields else ""
    if kind == _SECRET:
        secret.append(True)
        return _plain(values.fields["value"], secret)
    if kind == _REFERENCE:
        # A custom resource's id; it is empty while unknown, and absent for a component.
        reference = values.fields["id"].string_value if "id" in values.fields else values.fields["urn"].string_value
        return reference or UNKNOWN
    items = ((name, _plain(item, secret)) for name, item in _sorted(values))
    return {name: item for name, item in items if item is not None}


def wired(values: Mapping[str, Any], secret: Collection[str]) -> struct_pb2.Struct:
    """Return *values* for the wire, those named in *secret* marked as such."""
    struct = struct_pb2.Struct()
    struct.update(
        {
            name: {_KIND: _SECRET, "value": value} if name in secret else value
            for name, value in values.items()
            if value is not None
        }
    )
    return struct


def signature(value: Any) -> str:
    """Return the kind of a map that stands for something else, such as `ARCHIVE`; empty for any other value."""
    return str(cast("Mapping[str, Any]", value).get(_KIND, "")) if isinstance(value, Mapping) else ""


def unknown_paths(value: Any, at: str = "") -> list[str]:
    """Return where in *value* unknowns are, such as ``containers[0].image``."""
    if value == UNKNOWN:
        return [at]
    found: list[str] = []
    if isinstance(value, Mapping):
        for name, item in cast("Mapping[str, Any]", value).items():
            found += unknown_paths(item, f"{at}.{name}" if at else name)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for index, item in enumerate(cast("Sequence[Any]", value)):
            found += unknown_paths(item, f"{at}[{index}]")
    return found
