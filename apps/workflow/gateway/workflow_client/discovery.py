"""The ways to the agents: each finds the addresses there are now."""

from __future__ import annotations

import asyncio
import ipaddress
import os
import socket
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import dns.asyncresolver
import dns.exception

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workflow_client.settings import Settings

FIND_SECONDS = 3
"""What a way may take to find addresses: a name server or Cloud Map that is silent for longer has none."""


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """One address where an agent is, or a load balancer before the agents."""

    ip: str
    port: int
    name: str | None = field(default=None, compare=False)
    """By what name it was found: what a certificate is for, and what a load balancer's rules may ask for."""

    @property
    def target(self) -> str:
        """What gRPC calls it."""
        return f"ipv6:[{self.ip}]:{self.port}" if ":" in self.ip else f"ipv4:{self.ip}:{self.port}"

    def authority(self, *, tls: bool) -> str | None:
        """What a load balancer's rules compare, where there is a name: without the port that goes without saying."""
        return self.name if self.port == (443 if tls else 80) else self.name and f"{self.name}:{self.port}"


class NotFoundError(Exception):
    """A way has no address to give; the message says why."""


class Way(Protocol):
    """One way to find agents."""

    async def find(self) -> Sequence[Endpoint]:
        """Return every address there is now, at least one; NotFoundError where there is none."""
        ...


def ways(settings: Settings) -> Sequence[Way]:
    """Return the ways that are set, the first to be tried first: an override leaves no other."""
    if settings.host:
        return [Name(settings.host, settings)]
    found: list[Way] = []
    if settings.dns:
        found.append(Name(settings.dns, settings))
    if settings.namespace and settings.name:
        found.append(CloudMap(settings.namespace, settings.name, settings.port))
    if settings.fallback_host:
        found.append(Name(settings.fallback_host, settings))
    return found


class Name:
    """A name, with all its A records; or an address, which is found as it is."""

    def __init__(self, name: str, settings: Settings) -> None:
        self._name = name
        self._settings = settings

    def __str__(self) -> str:
        return self._name

    async def find(self) -> Sequence[Endpoint]:  # noqa: D102 -- the protocol says it
        port = self._settings.port
        with suppress(ValueError):
            return [Endpoint(ip=str(ipaddress.ip_address(self._name)), port=port)]
        try:
            async with asyncio.timeout(FIND_SECONDS):
                ips = await self._resolve()
        except (OSError, TimeoutError, dns.exception.DNSException) as error:
            raise NotFoundError(f"{self._name} does not resolve: {error!r}") from error
        return [Endpoint(ip=ip, port=port, name=self._name) for ip in ips]

    async def _resolve(self) -> Sequence[str]:
        if not self._settings.dns_server:
            # The system's own way, since Service Connect's names are in /etc/hosts.
            found = await asyncio.get_running_loop().getaddrinfo(
                self._name, None, family=socket.AF_INET, type=socket.SOCK_STREAM
            )
            return [str(address[0]) for *_, address in found]
        resolver = dns.asyncresolver.Resolver(configure=False)
        address, resolver.port = self._settings.dns_server
        resolver.nameservers = [address]
        answer: Any = await resolver.resolve(f"{self._name.rstrip('.')}.", "A", lifetime=FIND_SECONDS)
        return [record.address for record in answer]


class CloudMap:
    """Cloud Map's API, which knows of an agent as soon as it is registered, whatever DNS still has."""

    def __init__(self, namespace: str, name: str, port: int) -> None:
        self._request = {"NamespaceName": namespace, "ServiceName": name, "HealthStatus": "HEALTHY"}
        self._port = port
        self._client: Any = None

    def __str__(self) -> str:
        return "Cloud Map's {ServiceName}.{NamespaceName}".format(**self._request)

    async def find(self) -> Sequence[Endpoint]:  # noqa: D102 -- the protocol says it
        try:
            answer = await asyncio.to_thread(self._discover)
        except Exception as error:
            raise NotFoundError(f"{self}: {error!r}") from error
        found = [instance.get("Attributes", {}) for instance in answer["Instances"]]
        endpoints = [
            Endpoint(ip=each["AWS_INSTANCE_IPV4"], port=int(each.get("AWS_INSTANCE_PORT", self._port)))
            for each in found
            if "AWS_INSTANCE_IPV4" in each
        ]
        if not endpoints:
            raise NotFoundError(f"{self} has no instance with an address")
        return endpoints

    def _discover(self) -> dict[str, Any]:
        if not self._client:
            # Half a second of a vCPU, for whoever has no answer from DNS.
            import boto3  # noqa: PLC0415
            from botocore.config import Config  # noqa: PLC0415

            make: Any = boto3.client  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType] -- untyped
            config = Config(
                connect_timeout=1,
                read_timeout=FIND_SECONDS - 1,
                retries={"mode": "standard", "total_max_attempts": 1},
                # AWS answers this operation at a host of its own, `data-` before the service's; an endpoint that the
                # environment names answers all of them, and its name may have nothing before it.
                inject_host_prefix=not any(
                    os.environ.get(name) for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_SERVICEDISCOVERY")
                ),
            )
            self._client = make("servicediscovery", config=config)
        return self._client.discover_instances(**self._request)
