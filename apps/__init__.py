"""The workloads: one folder each, with its infrastructure and, beside it, its container's source."""

from __future__ import annotations

import importlib
import pkgutil
from typing import TYPE_CHECKING, Any

from apps._workload import Workload

if TYPE_CHECKING:
    from collections.abc import Mapping


def discover() -> Mapping[str, type[Workload[Any]]]:
    """Return each workload there is by its name: the folder's, with hyphens for underscores.

    A folder holds one `Workload`. Nothing else lists them, so a new folder is a new workload.

    Raises:
        LookupError: a folder that holds none, or several.

    """
    found: dict[str, type[Workload[Any]]] = {}
    for module in pkgutil.iter_modules(__path__):
        if module.name.startswith("_"):
            continue
        members = vars(importlib.import_module(f"apps.{module.name}")).values()
        here: list[type[Workload[Any]]] = [
            member
            for member in members
            if isinstance(member, type) and issubclass(member, Workload) and member.__module__ == f"apps.{module.name}"
        ]
        if len(here) != 1:
            raise LookupError(f"apps/{module.name}: {len(here)} subclasses of Workload; one makes it a workload")
        found[module.name.replace("_", "-")] = here[0]
    return found
