"""What the container's environment may say, read once and checked whole before anything starts."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_FILE: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,63}")
_LOOPBACK: Final = re.compile(r"localhost|127(\.[0-9]{1,3}){3}|::1")
_HOST: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?|::1")
_CLOCK: Final = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")


@dataclass(frozen=True, kw_only=True)
class Environment:
    """The settings of one container. Every one has a default."""

    open_data_url: str
    """`OPEN_DATA_URL`: where the datasets are, default `https://data.ntpc.gov.tw`. Plain HTTP is for loopback alone."""
    data_dir: str
    """`DATA_DIR`: the folder of the database, where the file system is mounted. Default `/app/data`."""
    database: str
    """`DATABASE`: the database's file in that folder, default `parking.db`. Its lock file ends in `.lock`."""
    page_size: int
    """`PAGE_SIZE`: rows asked for at a time, 1 to 1000 (the source gives no more). Default 1000."""
    request_timeout: int
    """`REQUEST_TIMEOUT`: seconds for one page, from the attempt to connect to the last byte, 1 to 120. Default 20. Each
    address of the source that does not answer takes as long before the next is tried, which `DEADLINE` bounds."""
    retries: int
    """`RETRIES`: how often one page is asked for again, 0 to 10. Default 4."""
    deadline: int
    """`DEADLINE`: seconds for a whole run, 1 to 3600. Default 240: done before the next one is due."""
    max_rejected_percent: int
    """`MAX_REJECTED_PERCENT`: of a run's rows, how many may be unusable. 0 to 100, default 10."""
    max_gone_percent: int
    """`MAX_GONE_PERCENT`: of the rows in the database, how many the source may drop at once. 0 to 100, default 50: a
    source that lost half of its rows has more likely lost them by mistake."""
    sync_availability_every: int
    """`SYNC_AVAILABILITY_EVERY`: for `cron`, seconds from one run's start to the next, 1 to 86400. Default 300."""
    sync_parking_at: str
    """`SYNC_PARKING_AT`: for `cron`, when in the day, in Taipei. Default `02:00`."""


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One variable that will not do."""

    name: str
    value: str
    expected: str

    def __str__(self) -> str:
        """The variable, its value, and what would do."""
        return f"{self.name} is {self.value[:128]!r}: {self.expected} would do"

    @property
    def fields(self) -> dict[str, str]:
        """The same, for a log."""
        return {"name": self.name, "value": self.value[:128], "expected": self.expected}


class EnvironmentFaultError(Exception):
    """The environment cannot be used; every variable at fault is in `faults`."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__("; ".join(map(str, faults)))
        self.faults = faults


def read(variables: Mapping[str, str]) -> Environment:
    """Read the environment out of *variables* (`os.environ`). One that is empty is one that is not set.

    Raises:
        EnvironmentFaultError: one variable or more is unusable.

    """
    faults: list[Fault] = []

    def take(name: str, accept: Callable[[str], Any], expected: str, default: str) -> Any:
        text = variables.get(name) or default
        value = accept(text)
        if value is None:
            faults.append(Fault(name=name, value=text, expected=expected))
        return value

    def whole(name: str, low: int, high: int, what: str, default: int) -> int:
        def accept(text: str) -> int | None:
            number = int(text) if re.fullmatch(r"[0-9]{1,9}", text) else -1
            return number if low <= number <= high else None

        return take(name, accept, f"a whole number of {what} from {low} to {high}", str(default))

    environment = Environment(
        open_data_url=take(
            "OPEN_DATA_URL",
            _url,
            "an https:// address, or an http:// one on loopback, with neither user nor query,",
            "https://data.ntpc.gov.tw",
        ),
        data_dir=take("DATA_DIR", _folder, "an absolute path", "/app/data"),
        database=take("DATABASE", _matching(_FILE), "a file's name, such as 'parking.db',", "parking.db"),
        page_size=whole("PAGE_SIZE", 1, 1000, "rows", 1000),
        request_timeout=whole("REQUEST_TIMEOUT", 1, 120, "seconds", 20),
        retries=whole("RETRIES", 0, 10, "retries", 4),
        deadline=whole("DEADLINE", 1, 3600, "seconds", 240),
        max_rejected_percent=whole("MAX_REJECTED_PERCENT", 0, 100, "percent", 10),
        max_gone_percent=whole("MAX_GONE_PERCENT", 0, 100, "percent", 50),
        sync_availability_every=whole("SYNC_AVAILABILITY_EVERY", 1, 86400, "seconds", 300),
        sync_parking_at=take("SYNC_PARKING_AT", _matching(_CLOCK), "a time of day, such as '02:00',", "02:00"),
    )
    if faults:
        raise EnvironmentFaultError(faults)
    return environment


def _matching(pattern: re.Pattern[str]) -> Callable[[str], str | None]:
    return lambda text: text if pattern.fullmatch(text) else None


def _folder(text: str) -> str | None:
    return text.rstrip("/") or "/" if text.startswith("/") and "\0" not in text else None


def _url(text: str) -> str | None:
    try:
        parts = urlsplit(text)
        _ = parts.port  # raises when it is no port
    except ValueError:
        return None
    if not re.fullmatch(r"[\x21-\x7e]+", text) or "@" in parts.netloc or "?" in text or "#" in text:
        return None
    host = parts.hostname or ""
    if not _HOST.fullmatch(host):
        return None
    if parts.scheme == "https" or (parts.scheme == "http" and _LOOPBACK.fullmatch(host)):
        return text.rstrip("/")
    return None
