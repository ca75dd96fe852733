"""What a stack says of itself, read once: typed, frozen, every error at once, unknown keys refused.

`load` is the only reader of Pulumi's configuration. The models are also where the JSON schema of the stack files
comes from.
"""

from __future__ import annotations

from settings.discovery import DiscoverySettings
from settings.platform import (
    AdoptSettings,
    AlertSettings,
    ClusterSettings,
    LoadBalancerSettings,
    NetworkSettings,
    Settings,
    Workloads,
)
from settings.reader import SettingsError, load, schema
from settings.workload import ImageSettings, ServiceSettings, TaskSettings, WorkloadSettings

__all__ = [
    "AdoptSettings",
    "AlertSettings",
    "ClusterSettings",
    "DiscoverySettings",
    "ImageSettings",
    "LoadBalancerSettings",
    "NetworkSettings",
    "ServiceSettings",
    "Settings",
    "SettingsError",
    "TaskSettings",
    "WorkloadSettings",
    "Workloads",
    "load",
    "schema",
]
