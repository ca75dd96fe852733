"""What the container's environment must say, read once and checked whole before anything starts."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Storage = Literal["TABLE_NAME", "BUCKET_NAME"]
"""The variable that names where a service keeps its data."""

_PATH: Final = re.compile(r"(/[A-Za-z0-9_.~-]{1,64}){1,8}")
_REGION: Final = re.compile(r"[a-z]{2}(-[a-z]+)+-[0-9]")
# https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_CreateTable.html
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
_NAMES: Final[Mapping[Storage, re.Pattern[str]]] = {
    "TABLE_NAME": re.compile(r"[A-Za-z0-9_.-]{3,255}"),
    "BUCKET_NAME": re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]"),
}
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
    """`BASE_PATH`: what the load balancer's rule has before each path, such as `/user`; default the service's name."""
    request_timeout: int
    """`REQUEST_TIMEOUT`: seconds in which a request is answered, one way or the other. 1 to 55, default 10."""
    region: str
    """`AWS_DEFAULT_REGION`, which the SDK reads for itself."""
    storage_name: str
    """`TABLE_NAME` or `BUCKET_NAME`: the service's own table or bucket."""


class EnvironmentFaultError(Exception):
    """The environment cannot be used; the message names each variable, its value, and what would do."""


def read(variables: Mapping[str, str], name: str, storage: Storage) -> Environment:
    """Read the environment out of *variables* (`os.environ`), for the service *name* that keeps its data in *storage*.

    Raises:
        EnvironmentFaultError: one variable or more is missing or unusable.

    """
    faults: list[str] = []

    def take(name: str, default: str | None, accepts: Callable[[str], object], expected: str) -> str:
        value = variables.get(name) or default
        if value is not None and accepts(value):
            return value
        found = "is not set" if value is None else f"is {value[:128]!r}"
        faults.append(f"{name} {found}: {expected} would do")
        return default or ""

    kept_in = "table" if storage == "TABLE_NAME" else "bucket"
    address = take("BIND_ADDRESS", "0.0.0.0", _is_address, "an IP address")
    port = take("PORT", "8080", _whole(1, 65535), "a port from 1 to 65535")
    base_path = take("BASE_PATH", f"/{name}", _PATH.fullmatch, "a path such as /user")
    seconds = take(
        "REQUEST_TIMEOUT",
        "10",
        _whole(1, _LONGEST_TIMEOUT),
        f"a whole number of seconds from 1 to {_LONGEST_TIMEOUT}",
    )
    region = take("AWS_DEFAULT_REGION", None, _REGION.fullmatch, "a region's name, such as 'ap-southeast-1',")
    storage_name = take(storage, None, _NAMES[storage].fullmatch, f"the name of the service's own {kept_in}")
    if faults:
        raise EnvironmentFaultError("; ".join(faults))
    return Environment(
        bind_address=address,
        port=int(port),
        base_path=base_path,
        request_timeout=int(seconds),
        region=region,
        storage_name=storage_name,
    )


def _whole(low: int, high: int) -> Callable[[str], bool]:
    return lambda text: bool(re.fullmatch(r"[0-9]{1,9}", text)) and low <= int(text) <= high


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
