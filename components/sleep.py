"""When a stack sleeps: outside its working hours, in a time zone, as each of AWS's schedulers is told it."""

from __future__ import annotations

import re
import zoneinfo
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from components.errors import InvalidArgsError, of
from components.schedule_expression import fault_of_timezone

if TYPE_CHECKING:
    from collections.abc import Mapping

_DAYS: Final = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
"""In Unix's order, by which EC2 Auto Scaling knows them as 0 to 6."""
_TIME: Final = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")
_HOUR: Final = 60
_DAY: Final = 24 * _HOUR

_EARLIER: Final = 10
"""Minutes that instances are up before the tasks that need them: more than one takes to start and join its cluster."""
_LATER: Final = 15
"""Minutes that instances are kept after the tasks: these have 2 of them at most to finish in."""
_RECOVERY: Final = 30
"""Minutes after which an alarm rings again: a task's start, and the periods in which a metric must be good again."""


@dataclass(frozen=True, kw_only=True)
class Moment:
    """A time of day on some days of the week."""

    minute: int
    """Of the day, from 0."""
    days: tuple[int, ...]
    """0 for Sunday, to 6."""

    def later(self, minutes: int) -> Moment:
        """Return the moment so many *minutes* later, or earlier: maybe on the day after, or before."""
        over, minute = divmod(self.minute + minutes, _DAY)
        return Moment(minute=minute, days=tuple(sorted((day + over) % len(_DAYS) for day in self.days)))

    @property
    def named_days(self) -> str:
        """Its days, such as ``MON,TUE``."""
        return ",".join(_DAYS[day] for day in self.days)

    @property
    def for_application_auto_scaling(self) -> str:
        """Six fields, the year last.

        https://docs.aws.amazon.com/autoscaling/application/userguide/scheduled-scaling-using-cron-expressions.html
        """
        return f"cron({self._time} ? * {self.named_days} *)"

    @property
    def for_auto_scaling(self) -> str:
        """Unix's five fields: `PutScheduledUpdateGroupAction` in botocore's `autoscaling` model."""
        return f"{self._time} * * {','.join(map(str, self.days))}"

    @property
    def for_cloudwatch(self) -> str:
        """Five fields: `Schedule` in botocore's `cloudwatch` model."""
        return f"cron({self._time} * * {self.named_days})"

    @property
    def _time(self) -> str:
        return f"{self.minute % _HOUR} {self.minute // _HOUR}"

    def __str__(self) -> str:
        """Write it for a reader."""
        return f"{self.minute // _HOUR:02}:{self.minute % _HOUR:02} on {self.named_days}"


@dataclass(frozen=True, kw_only=True)
class Sleep:
    """Nothing runs outside working hours: tasks go first and come last, instances the other way round.

    Raises:
        InvalidArgsError: no such time zone, time or day, a sleep under an hour, or a moment that clocks skip.

    """

    time_zone: str
    """IANA's name of the zone in which the times are, such as ``Asia/Taipei``. Its summer time is followed."""
    awake_from: str = "08:00"
    """When tasks start, ``HH:MM``."""
    awake_to: str = "20:00"
    """When they stop. Before *awake_from*, it is of the day after: a night shift."""
    days: str = "MON-FRI"
    """On which days they start: three letters, ranges and lists of them, such as ``SUN-THU`` or ``MON,WED``."""

    def __post_init__(self) -> None:
        if wrong := fault_of_timezone(self.time_zone):
            raise InvalidArgsError(of(self, "time_zone"), got=self.time_zone, want=wrong)
        for field in ("awake_from", "awake_to"):
            if not _TIME.fullmatch(getattr(self, field)):
                raise InvalidArgsError(
                    of(self, field), got=getattr(self, field), want="a time such as '08:00', from 00:00 to 23:59"
                )
        _days_in(self.days)
        if _DAY - self._awake < _HOUR:
            raise InvalidArgsError(
                of(self, "awake_to"),
                got=self.awake_to,
                want=f"an hour or more before {self.awake_from}, when they start again: a shorter sleep saves nothing",
            )
        for moment in (self.tasks_wake, self.instances_wake, self.tasks_sleep, self.instances_sleep):
            if skipped := _skipped(moment, self.time_zone):
                raise InvalidArgsError(
                    of(self, "awake_from" if moment in (self.tasks_wake, self.instances_wake) else "awake_to"),
                    got=str(moment),
                    want=f"another time: the clocks of {self.time_zone} skip that one on {skipped}",
                )

    @property
    def tasks_wake(self) -> Moment:
        """When services have their tasks again."""
        return Moment(minute=_minutes(self.awake_from), days=_days_in(self.days))

    @property
    def tasks_sleep(self) -> Moment:
        """When services have none any more."""
        return self.tasks_wake.later(self._awake)

    @property
    def instances_wake(self) -> Moment:
        """When groups of instances have their minimum again: before the tasks that are to run on them."""
        return self.tasks_wake.later(-_EARLIER)

    @property
    def instances_sleep(self) -> Moment:
        """When groups of instances may be empty: after the tasks."""
        return self.tasks_sleep.later(_LATER)

    @property
    def quiet(self) -> Mapping[Moment, timedelta]:
        """From when on alarms do not ring, and how long: a night of one length each, until tasks are back and well."""
        days = _days_in(self.days)
        nights: dict[int, list[int]] = {}
        for day, following in zip(days, (*days[1:], days[0]), strict=True):
            off = (following - day - 1) % len(_DAYS)
            nights.setdefault(off * _DAY + _DAY - self._awake, []).append(day)
        started = self.tasks_wake.minute
        return {
            Moment(minute=started, days=tuple(of_length)).later(self._awake): timedelta(minutes=length + _RECOVERY)
            for length, of_length in sorted(nights.items())
        }

    @property
    def hours_asleep(self) -> float:
        """Hours of a week, 168, in which no task runs."""
        return (len(_DAYS) * _DAY - len(_days_in(self.days)) * self._awake) / _HOUR

    @property
    def _awake(self) -> int:
        """Minutes of one working day; of 24 hours where both times are the same, which is refused."""
        return (_minutes(self.awake_to) - _minutes(self.awake_from)) % _DAY or _DAY


def _minutes(time: str) -> int:
    hours, minutes = time.split(":")
    return int(hours) * _HOUR + int(minutes)


def _days_in(text: str) -> tuple[int, ...]:
    """Return the days that *text* means, Sunday first."""
    found: set[int] = set()
    for part in text.split(","):
        first, _, last = part.partition("-")
        if not {first, last or first} <= set(_DAYS) or part.endswith("-"):
            raise InvalidArgsError(
                "Sleep.days", got=text, want=f"days such as 'MON-FRI' or 'MON,WED', of {', '.join(_DAYS)}"
            )
        begin, end = _DAYS.index(first), _DAYS.index(last or first)
        found.update((begin + more) % len(_DAYS) for more in range((end - begin) % len(_DAYS) + 1))
    return tuple(sorted(found))


def _skipped(moment: Moment, time_zone: str) -> str | None:
    """Return the next date, within a year, on which the clocks of *time_zone* pass over *moment*."""
    zone = zoneinfo.ZoneInfo(time_zone)
    midnight = datetime.now(zone).replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    for ahead in range(366):
        local = midnight + timedelta(days=ahead, minutes=moment.minute)
        if local.isoweekday() % len(_DAYS) not in moment.days:
            continue
        if local.replace(tzinfo=zone).astimezone(UTC).astimezone(zone).replace(tzinfo=None) != local:
            return f"{local:%Y-%m-%d}"
    return None
