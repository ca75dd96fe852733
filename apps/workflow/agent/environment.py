"""Where the agent listens, as the container's environment says, checked before anything starts."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, kw_only=True)
class Environment:
    """The settings of one container."""

    address: str
    """`BIND_ADDRESS`, and where that is not set `GRPC_HOST`: the IP address to listen at, default 0.0.0.0."""
    port: int
    """`GRPC_PORT`: 1 to 65535, default 50051."""

    @property
    def target(self) -> str:
        """What gRPC calls the two together."""
        return _target(self.address, self.port)

    @property
    def own_target(self) -> str:
        """Where this container reaches its own agent: one that listens everywhere does so at localhost."""
        anywhere = ipaddress.ip_address(self.address).is_unspecified
        return _target("127.0.0.1" if anywhere else self.address, self.port)


class EnvironmentFaultError(Exception):
    """The environment cannot be used; the message names each variable, its value, and what would do."""


def read(variables: Mapping[str, str]) -> Environment:
    """Read the environment out of *variables* (`os.environ`).

    Raises:
        EnvironmentFaultError: one variable or both cannot be used.

    """
    name = "BIND_ADDRESS" if variables.get("BIND_ADDRESS") else "GRPC_HOST"
    address, port = variables.get(name) or "0.0.0.0", variables.get("GRPC_PORT") or "50051"
    faults: list[str] = []
    try:
        ipaddress.ip_address(address)
    except ValueError:
        faults.append(f"{name} is {address[:128]!r}: an IP address would do")
    if not re.fullmatch(r"[0-9]{1,5}", port) or not 1 <= int(port) <= 65535:  # noqa: PLR2004 -- the largest there is
        faults.append(f"GRPC_PORT is {port[:128]!r}: a port from 1 to 65535 would do")
    if faults:
        raise EnvironmentFaultError("; ".join(faults))
    return Environment(address=address, port=int(port))


def _target(address: str, port: int) -> str:
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
