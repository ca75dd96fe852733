"""The correction of how tasks in host mode are started."""

# ruff: noqa: SLF001 - what is corrected is ministack's own inside

from __future__ import annotations

import importlib
from typing import Any

ecs: Any = importlib.import_module("ministack.services.ecs")


def share_the_hosts_network() -> None:
    """Ask for no port of a container in host mode, which has its host's: Docker's client refuses one with both.

    Without it such a task never starts, and only the emulator's log says so.
    """
    build = ecs._build_run_kwargs

    def built(*given: Any, **named: Any) -> dict[str, Any]:
        asked: dict[str, Any] = build(*given, **named)
        return {**asked, "ports": None} if asked.get("network_mode") == "host" else asked

    ecs._build_run_kwargs = built
