"""The library, found by walking its package."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import pkgutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pulumi import Output

import components
from components.base import Component, Owner, Part

if TYPE_CHECKING:
    from types import ModuleType

FOLDER: Final = Path(components.__file__).parent


def modules() -> list[ModuleType]:
    """Return every module of the library, found by walking the package."""
    found = pkgutil.walk_packages([str(FOLDER)], prefix="components.")
    return [importlib.import_module(each.name) for each in found]


def classes(module: ModuleType) -> list[type]:
    """Return the classes that *module* itself defines."""
    return [each for each in vars(module).values() if inspect.isclass(each) and each.__module__ == module.__name__]


def all_components() -> list[type[Owner]]:
    """Return every class of the library that makes resources: components, and parts, which are no node of their own."""
    found = (each for module in modules() for each in classes(module) if issubclass(each, Owner))
    return [each for each in found if each not in (Owner, Component, Part)]


_IN_ORDER: Final = frozenset(
    {"command", "cpus", "instance_types", "memory", "partition_key", "sort_key", "strategies", "ways"}
)
"""Arguments whose order is what they say."""


def turned(value: Any) -> Any:
    """Return *value* with every sequence and mapping in it the other way round, as somebody else may write it."""
    if isinstance(value, str | Output | Owner):
        return value
    if isinstance(value, Mapping):
        return {key: turned(item) for key, item in reversed(list(value.items()))}
    if isinstance(value, Sequence):
        return tuple(turned(item) for item in reversed(value))
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        said = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
        return type(value)(**{name: each if name in _IN_ORDER else turned(each) for name, each in said.items()})
    return value
