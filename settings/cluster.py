"""The ECS cluster of a stack, as its file says it."""

from __future__ import annotations

from typing import Literal

from settings.capacity import CapacitySettings, Strategy
from settings.section import Section


class ClusterSettings(Section):
    """The ECS cluster."""

    capacity: Strategy = (CapacitySettings(provider="FARGATE"),)
    """What services run on unless they say otherwise."""
    container_insights: Literal["disabled", "enabled", "enhanced"] = "enhanced"
    exec_audit: bool = False
    """Whether ECS Exec sessions are possible, encrypted, and recorded."""
