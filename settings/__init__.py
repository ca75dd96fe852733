"""What a stack says of itself, read once: typed, frozen, every error at once, unknown keys refused.

`load` is the only reader of Pulumi's configuration. The models are also where the JSON schema of the stack files
comes from.
"""

from __future__ import annotations

from settings.cluster import ClusterSettings
from settings.discovery import DiscoverySettings
from settings.image import ImageSettings
from settings.load_balancer import LoadBalancerSettings
from settings.network import AdoptSettings, NetworkSettings
from settings.platform import AlertSettings, Settings, Workloads
from settings.reader import SettingsError, load, schema
from settings.roles import RoleSettings
from settings.service import ServiceSettings
from settings.sleep import SleepSettings
from settings.workload import ImagedSettings, TaskSettings, WorkloadSettings

__all__ = [
    "AdoptSettings",
    "AlertSettings",
    "ClusterSettings",
    "DiscoverySettings",
    "ImageSettings",
    "ImagedSettings",
    "LoadBalancerSettings",
    "NetworkSettings",
    "RoleSettings",
    "ServiceSettings",
    "Settings",
    "SettingsError",
    "SleepSettings",
    "TaskSettings",
    "WorkloadSettings",
    "Workloads",
    "load",
    "schema",
]
