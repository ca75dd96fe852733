"""Where the environment says that the agents are to be found."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

PREFIX: Final = "WORKFLOW_SERVICE"

_NAME: Final = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_.-]{0,252})")
_SWITCH: Final = {"true": True, "1": True, "false": False, "0": False}
_WAYS: Final = f"{PREFIX}_HOST, _DNS, _NAMESPACE with _NAME, or _FALLBACK_HOST"


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The ways to the agents, in the order in which they are tried."""

    host: str | None = None
    """`WORKFLOW_SERVICE_HOST`: an address or a name that is used whatever else is set."""
    dns: str | None = None
    """`WORKFLOW_SERVICE_DNS`: a name with one A record an agent."""
    namespace: str | None = None
    """`WORKFLOW_SERVICE_NAMESPACE`: the Cloud Map namespace's name; it goes with the next."""
    name: str | None = None
    """`WORKFLOW_SERVICE_NAME`: the Cloud Map service's name."""
    fallback_host: str | None = None
    """`WORKFLOW_SERVICE_FALLBACK_HOST`: a load balancer's name."""
    port: int = 50051
    """`WORKFLOW_SERVICE_PORT`: 1 to 65535, default 50051. Of all ways."""
    tls: bool = False
    """`WORKFLOW_SERVICE_TLS`: `true` or `1` where the entrance speaks TLS; default `false`, or `0`."""
    dns_server: tuple[str, int] | None = None
    """`DNS_SERVER`: `<address>:<port>` of the server that is asked for names; by default it is the system's."""


class SettingsFaultError(Exception):
    """The environment cannot be used; the message names each variable, its value, and what would do."""


def read(variables: Mapping[str, str]) -> Settings:
    """Read the settings out of *variables* (`os.environ`).

    Raises:
        SettingsFaultError: no way is set, or a variable cannot be used.

    """
    faults: list[str] = []

    def take(name: str, accepts: Callable[[str], object], expected: str) -> str | None:
        value = variables.get(name) or None
        if value is not None and not accepts(value):
            faults.append(f"{name} is {value[:128]!r}: {expected} would do")
            return None
        return value

    def part(name: str, expected: str = "a name") -> str | None:
        return take(f"{PREFIX}_{name}", _is_host, expected)

    host, dns = part("HOST", "a name or an IP address"), part("DNS")
    namespace, service = part("NAMESPACE"), part("NAME")
    fallback_host = part("FALLBACK_HOST", "a name or an IP address")
    port = take(f"{PREFIX}_PORT", _is_port, "a port from 1 to 65535")
    tls = take(f"{PREFIX}_TLS", _SWITCH.__contains__, "true or false")
    dns_server = take("DNS_SERVER", _is_server, "<IP address>:<port>")
    if bool(variables.get(f"{PREFIX}_NAMESPACE")) != bool(variables.get(f"{PREFIX}_NAME")):
        faults.append(f"one of {PREFIX}_NAMESPACE and {PREFIX}_NAME is not set: both or neither would do")
    if not faults and not (host or dns or namespace or fallback_host):
        faults.append(f"no way to the agents is set: {_WAYS} would do")
    if faults:
        raise SettingsFaultError("; ".join(faults))
    return Settings(
        host=host,
        dns=dns,
        namespace=namespace,
        name=service,
        fallback_host=fallback_host,
        port=int(port or 50051),
        tls=_SWITCH[tls or "false"],
        dns_server=_server(dns_server) if dns_server else None,
    )


def _is_host(text: str) -> bool:
    return bool(_NAME.fullmatch(text)) or _is_address(text)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _is_port(text: str) -> bool:
    return bool(re.fullmatch(r"[0-9]{1,5}", text)) and 1 <= int(text) <= 65535  # noqa: PLR2004 -- the largest there is


def _is_server(text: str) -> bool:
    address, _, port = text.rpartition(":")
    return _is_address(address.strip("[]")) and _is_port(port)


def _server(text: str) -> tuple[str, int]:
    address, _, port = text.rpartition(":")
    return address.strip("[]"), int(port)
