"""What the container's environment must say, read once and checked whole before anything starts."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_STAGE: Final = re.compile(r"[a-z][a-z0-9-]{0,31}")
_REGION: Final = re.compile(r"[a-z]{2}(-[a-z]+)+-[0-9]")
# https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_CreateTable.html
_TABLE: Final = re.compile(r"[A-Za-z0-9_.-]{3,255}")
# https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html: 64 characters for a bare name.
_FUNCTION: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
# A load balancer gives up after 60 s of silence unless told otherwise: the caller must hear from us before that.
_LONGEST_TIMEOUT: Final = 55


@dataclass(frozen=True, kw_only=True)
class Environment:
    """The settings of one container."""

    stage: str
    """`ENVIRONMENT`, such as `dev` or `prod`; it goes into each line of the log."""
    internal_api_url: str
    """`INTERNAL_API_URL`: the private API's stage, `https://<id>.execute-api.<region>.amazonaws.com/v1`; no slash at
    its end."""
    request_timeout: int
    """`REQUEST_TIMEOUT`: seconds in which a request is answered, one way or the other. 1 to 55, default 30."""
    region: str
    """`AWS_DEFAULT_REGION`, which the SDK reads for itself."""
    table_name: str
    """`TABLE_NAME`: the service's own table (see `store`)."""
    function_name: str
    """`FUNCTION_NAME`: the function behind the private API, invoked directly when the API is not to be reached."""
    port: int
    """`PORT`: 1 to 65535, default 8000."""
    bind_address: str
    """`BIND_ADDRESS`: the IP address to listen at, default 0.0.0.0."""


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One variable that will not do."""

    name: str
    value: str | None
    """None where the variable is not set."""
    expected: str

    def __str__(self) -> str:
        """The variable, its value, and what would do."""
        found = "is not set" if self.value is None else f"is {self.value[:128]!r}"
        return f"{self.name} {found}: {self.expected} would do"


class EnvironmentFaultError(Exception):
    """The environment cannot be used; every variable at fault is in `faults`."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__("; ".join(map(str, faults)))
        self.faults = faults


def read(variables: Mapping[str, str]) -> Environment:
    """Read the environment out of *variables* (`os.environ`).

    Raises:
        EnvironmentFaultError: one variable or more is missing or unusable.

    """
    faults: list[Fault] = []

    def take(name: str, accept: Callable[[str], Any], expected: str, default: str | None = None) -> Any:
        text = variables.get(name) or default
        value = None if text is None else accept(text)
        if value is None:
            faults.append(Fault(name=name, value=text, expected=expected))
        return value

    environment = Environment(
        stage=take("ENVIRONMENT", _matching(_STAGE), "a stage's name of lower case letters, such as 'prod',"),
        internal_api_url=take(
            "INTERNAL_API_URL", _url, "the invoke URL of the private API's stage, with neither user nor query,"
        ),
        request_timeout=take(
            "REQUEST_TIMEOUT",
            _whole(1, _LONGEST_TIMEOUT),
            f"a whole number of seconds from 1 to {_LONGEST_TIMEOUT}",
            "30",
        ),
        region=take("AWS_DEFAULT_REGION", _matching(_REGION), "a region's name, such as 'ap-southeast-1',"),
        table_name=take("TABLE_NAME", _matching(_TABLE), "the name of the service's own table"),
        function_name=take("FUNCTION_NAME", _matching(_FUNCTION), "the name of the function behind the private API"),
        port=take("PORT", _whole(1, 65535), "a port from 1 to 65535", "8000"),
        bind_address=take("BIND_ADDRESS", _address, "an IP address", "0.0.0.0"),
    )
    if faults:
        raise EnvironmentFaultError(faults)
    return environment


def _matching(pattern: re.Pattern[str]) -> Callable[[str], str | None]:
    return lambda text: text if pattern.fullmatch(text) else None


def _whole(low: int, high: int) -> Callable[[str], int | None]:
    def accept(text: str) -> int | None:
        if not re.fullmatch(r"[0-9]{1,9}", text):
            return None
        return int(text) if low <= int(text) <= high else None

    return accept


def _url(text: str) -> str | None:
    try:
        parts = urlsplit(text)
        _ = parts.port  # raises when it is no port
    except ValueError:
        return None
    if parts.scheme not in {"http", "https"} or not parts.hostname or "@" in parts.netloc:
        return None
    if parts.query or parts.fragment or re.search(r"[\s\x00-\x1f]", text):
        return None
    return text.rstrip("/")


def _address(text: str) -> str | None:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return None
