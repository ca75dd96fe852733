"""What the container's environment must say, read once and checked whole before anything starts."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from workflow_client import SettingsFaultError
from workflow_client import read as read_client

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from workflow_client.settings import Settings

_PATH: Final = re.compile(r"(/[A-Za-z0-9_.~-]{1,64}){1,8}")
# A load balancer gives up after 60 s of silence unless told otherwise: the caller must hear from us before that.
_LONGEST_TIMEOUT: Final = 55


@dataclass(frozen=True, kw_only=True)
class Environment:
    """The settings of one container."""

    bind_address: str
    """`BIND_ADDRESS`: the IP address to listen at, default 0.0.0.0."""
    port: int
    """`PORT`: 1 to 65535, default 8080."""
    base_path: str
    """`BASE_PATH`: what a load balancer's rule has before each path, such as `/workflow`; default none."""
    request_timeout: int
    """`REQUEST_TIMEOUT`: seconds in which a conversation is answered to its end. 1 to 55, default 30."""
    agents: Settings
    """`WORKFLOW_SERVICE_...`: where the agents are."""


class EnvironmentFaultError(Exception):
    """The environment cannot be used; the message names each variable, its value, and what would do."""


def read(variables: Mapping[str, str]) -> Environment:
    """Read the environment out of *variables* (`os.environ`).

    Raises:
        EnvironmentFaultError: one variable or more is missing or unusable.

    """
    faults: list[str] = []

    def take(name: str, default: str, accepts: Callable[[str], object], expected: str) -> str:
        value = variables.get(name) or default
        if accepts(value):
            return value
        faults.append(f"{name} is {value[:128]!r}: {expected} would do")
        return default

    address = take("BIND_ADDRESS", "0.0.0.0", _is_address, "an IP address")
    port = take("PORT", "8080", _whole(1, 65535), "a port from 1 to 65535")
    base_path = take("BASE_PATH", "", lambda text: not text or _PATH.fullmatch(text), "a path such as /workflow")
    timeout = take(
        "REQUEST_TIMEOUT", "30", _whole(1, _LONGEST_TIMEOUT), f"a whole number of seconds from 1 to {_LONGEST_TIMEOUT}"
    )
    try:
        agents = read_client(variables)
    except SettingsFaultError as error:
        raise EnvironmentFaultError("; ".join([*faults, str(error)])) from error
    if faults:
        raise EnvironmentFaultError("; ".join(faults))
    return Environment(
        bind_address=address, port=int(port), base_path=base_path, request_timeout=int(timeout), agents=agents
    )


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _whole(low: int, high: int) -> Callable[[str], bool]:
    return lambda text: bool(re.fullmatch(r"[0-9]{1,9}", text)) and low <= int(text) <= high
