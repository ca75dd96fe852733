"""When a schedule runs, as EventBridge Scheduler takes it: checked before anything is made.

https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
"""

from __future__ import annotations

import calendar
import difflib
import re
import zoneinfo
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

_RATE: Final = re.compile(r"([+-]?\d+(?:\.\d+)?)\s+([A-Za-z]+)")
_UNITS: Final = {"minute": 1, "hour": 60, "day": 24 * 60}
"""In minutes."""
_SATURDAY: Final = 7
_LOCAL_ZONES: Final = ("localtime", "posixrules", "Factory", "posix/", "right/")
"""What Python's zones have beside IANA's names: files of the machine's own."""
_AT: Final = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}")
_AT_FORM: Final = "at(yyyy-mm-ddThh:mm:ss), such as at(2030-01-31T08:00:00); the time zone is an argument of its own"
_LONGEST: Final = 256
"""Characters of an expression: `ScheduleExpression` in botocore's `scheduler` model."""


@dataclass(frozen=True, kw_only=True)
class _Field:
    """One of cron's six fields."""

    name: str
    low: int
    high: int
    names: Mapping[str, int] = field(default_factory=dict[str, int])
    """Words for its values."""
    any_day: bool = False
    """Whether ``?`` may stand in it."""
    steps: bool = True
    """Whether ``/`` may stand in it."""
    wraps: bool = True
    """Whether a range may run over its end, as 20-2 does in hours."""

    def values(self, text: str) -> frozenset[int]:
        """Return the values that *text* means.

        Raises:
            _Refused: It means none, or is not written as AWS wants it.

        """
        found: set[int] = set()
        for part in text.split(","):
            base, slash, step = part.partition("/")
            if slash and not self.steps:
                raise _Refused(f"{self.name} takes no step: name the values instead of {part!r}")
            if slash and not (step.isdecimal() and 1 <= int(step) <= max(self.high - self.low, 1)):
                raise _Refused(f"the step of {self.name} is {step!r}: a number from 1 to {self.high - self.low}")
            span = self._span(base, open_end=bool(slash))
            found.update(span[:: int(step)] if slash else span)
        return frozenset(found)

    def _span(self, text: str, *, open_end: bool) -> list[int]:
        if text == "*":
            return list(range(self.low, self.high + 1))
        first, dash, last = text.partition("-")
        begin = self.value(first)
        if not dash:
            return list(range(begin, self.high + 1)) if open_end else [begin]
        end = self.value(last)
        if begin <= end:
            return list(range(begin, end + 1))
        if not self.wraps:
            raise _Refused(f"the range {text!r} of {self.name} runs backwards")
        return [*range(begin, self.high + 1), *range(self.low, end + 1)]

    def value(self, text: str) -> int:
        """Return the one value that *text* says."""
        number = self.names.get(text.upper())
        if number is None and text.isdecimal() and text.isascii():
            number = int(text)
        if number is None or not self.low <= number <= self.high:
            words = list(self.names)
            named = f", or {words[0]} to {words[-1]}" if words else ""
            raise _Refused(f"{self.name} has {text!r}: it goes from {self.low} to {self.high}{named}")
        return number


class _Refused(Exception):  # noqa: N818 - a verdict, on its way up
    """What is wrong, and what would do."""


_MONTHS: Final = {name.upper(): number for number, name in enumerate(calendar.month_abbr) if name}
_DAYS: Final = {name: number for number, name in enumerate(("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"), 1)}
_MINUTES: Final = _Field(name="minutes", low=0, high=59)
_HOURS: Final = _Field(name="hours", low=0, high=23)
_DAY_OF_MONTH: Final = _Field(name="day-of-month", low=1, high=31, any_day=True)
_MONTH: Final = _Field(name="month", low=1, high=12, names=_MONTHS)
_DAY_OF_WEEK: Final = _Field(name="day-of-week", low=1, high=7, names=_DAYS, any_day=True, steps=False)
_YEAR: Final = _Field(name="year", low=1970, high=2199, wraps=False)
_FIELDS: Final = (_MINUTES, _HOURS, _DAY_OF_MONTH, _MONTH, _DAY_OF_WEEK, _YEAR)


def fault(expression: str, timezone: str = "UTC", *, now: datetime | None = None) -> str | None:
    """Return what is wrong with *expression* and what would do; None where Scheduler would take it, and it would run.

    What can never run again is a fault too: a one-off in the past, years that are over, the 31st of February.

    Args:
        expression: ``rate(...)``, ``cron(...)`` or ``at(...)``.
        timezone: The zone in which it is read, one that `fault_of_timezone` passes.
        now: The moment it is judged at, with a zone. Default: this one.

    """
    now = now or datetime.now(UTC)
    form = re.fullmatch(r"(rate|cron|at)\((.*)\)", expression, re.DOTALL)
    if not form:
        return "write rate(5 minutes), cron(0 18 * * ? *) or at(2030-01-31T08:00:00), with nothing around it"
    if len(expression) > _LONGEST:
        return f"at most {_LONGEST} characters, and this has {len(expression)}"
    if not (expression.isascii() and expression.isprintable()):
        return "write it in one line, with ASCII's digits, letters and spaces alone"
    kind, inside = form[1], form[2]
    try:
        if kind == "rate":
            _rate(inside, now)
        elif kind == "cron":
            _cron(inside, now.astimezone(zoneinfo.ZoneInfo(timezone)))
        else:
            _at(inside, zoneinfo.ZoneInfo(timezone), now)
    except _Refused as refused:
        return str(refused)
    return None


def fault_of_timezone(timezone: str) -> str | None:
    """Return what is wrong with *timezone* and what would do; None where it is one of IANA's."""
    if timezone.startswith(_LOCAL_ZONES):
        return "an IANA name, such as 'UTC' or 'Asia/Taipei': that one is a file of this machine's"
    try:
        zoneinfo.ZoneInfo(timezone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        near = difflib.get_close_matches(timezone, sorted(zoneinfo.available_timezones()), n=1)
        return f"did you mean {near[0]!r}?" if near else "an IANA name, such as 'UTC' or 'Asia/Taipei'"
    return None


def _rate(inside: str, now: datetime) -> None:
    form = _RATE.fullmatch(inside.strip())
    if not form:
        raise _Refused("a rate is a number and a unit: rate(1 minute), rate(5 minutes), rate(2 hours), rate(5 days)")
    value, unit = form[1], form[2]
    if not value.isdecimal() or int(value) < 1:
        raise _Refused(f"the value of a rate is a whole number from 1 on, and this is {value}")
    if unit.removesuffix("s") not in _UNITS:
        raise _Refused(f"the unit of a rate is minute(s), hour(s) or day(s), and this is {unit!r}")
    fits = unit.removesuffix("s") + ("" if int(value) == 1 else "s")
    if unit != fits:
        raise _Refused(f"write rate({int(value)} {fits}): AWS wants one {fits.removesuffix('s')}, and else the plural")
    if int(value) * _UNITS[unit.removesuffix("s")] > (_YEAR.high - now.year) * 365 * _UNITS["day"]:
        raise _Refused(f"it would first run after {_YEAR.high}, the last year that EventBridge knows")


def _at(inside: str, zone: zoneinfo.ZoneInfo, now: datetime) -> None:
    if not _AT.fullmatch(inside):
        raise _Refused(f"write {_AT_FORM}")
    try:
        local = datetime.fromisoformat(inside)
    except ValueError as error:
        raise _Refused(f"there is no such time ({error}); write {_AT_FORM}") from None
    try:
        moment = local.replace(tzinfo=zone).astimezone(UTC)
    except OverflowError:
        raise _Refused(f"there is no such time in {zone.key} (no year is so far); write {_AT_FORM}") from None
    if moment.astimezone(zone).replace(tzinfo=None) != local:
        raise _Refused(f"the clocks of {zone.key} skip that time when summer begins: take an hour later")
    if moment <= now:
        raise _Refused(
            f"that is past (now it is {now.astimezone(zone):%Y-%m-%dT%H:%M:%S} in {zone.key}): take a time to come, or "
            "turn off or take out what has run"
        )


def _cron(inside: str, now: datetime) -> None:
    """Check a cron, *now* being in its zone."""
    texts = inside.split()
    if len(texts) != len(_FIELDS):
        order = " ".join(each.name for each in _FIELDS)
        hint = "; the year comes last, often as *" if len(texts) == len(_FIELDS) - 1 else ""
        raise _Refused(f"cron has six fields ({order}), and this has {len(texts)}{hint}")
    minutes, hours, day, month, weekday, year = texts
    for each, text in zip(_FIELDS, texts, strict=True):
        if text == "?" and not each.any_day:
            raise _Refused(f"? may stand for a day only, and not in {each.name}: write *")
    if (day == "?") == (weekday == "?"):
        raise _Refused(
            "exactly one of day-of-month and day-of-week is ?: "
            + ("say a day in one of them" if day == "?" else "AWS knows no schedule that goes by both")
        )
    last = max(_HOURS.values(hours)), max(_MINUTES.values(minutes))
    months, years = _MONTH.values(month), _YEAR.values(year)
    days = _days_of_month(day) if day != "?" else _days_of_week(weekday)
    if max(years) < now.year:
        raise _Refused(f"its last year is {max(years)}, which is over")
    ever = False
    for date in _dates(days, months, years, since=now.year):
        if (*date, *last) > (now.year, now.month, now.day, now.hour, now.minute):
            return
        ever = True
    if ever:
        raise _Refused(f"its last day is past (now it is {now:%Y-%m-%dT%H:%M:%S}): take years to come, or turn it off")
    raise _Refused(f"no month of these has a day {day if day != '?' else weekday}: it would never run")


def _dates(
    days: Callable[[_Month], Iterable[int]], months: Iterable[int], years: Iterable[int], *, since: int
) -> Iterator[tuple[int, int, int]]:
    """Yield year, month and day of each date, those from the year *since* on before those that are over."""
    for year in sorted(years, key=lambda each: (each < since, each)):
        for month in sorted(months):
            for day in days(_Month(year, month)):
                yield year, month, day


class _Month:
    """One month of one year."""

    def __init__(self, year: int, month: int) -> None:
        first, self.length = calendar.monthrange(year, month)
        self._before_first = (first + 1) % 7
        """Days between the Sunday before it and its first."""

    def weekday(self, day: int) -> int:
        """Return 1 for a Sunday, to 7 for a Saturday."""
        return (self._before_first + day - 1) % 7 + 1

    def workday_by(self, day: int) -> int:
        """Return the day from Monday to Friday that is nearest to *day*, and in the month."""
        match self.weekday(day):
            case 1:  # a Sunday
                return day + 1 if day < self.length else day - 2
            case 7:
                return day - 1 if day > 1 else day + 2
            case _:
                return day

    def all(self, weekdays: frozenset[int]) -> list[int]:
        """Return its days of these kinds."""
        return [day for day in range(1, self.length + 1) if self.weekday(day) in weekdays]


def _days_of_month(text: str) -> Callable[[_Month], Iterable[int]]:
    """Return on which days of a month it runs, by a day-of-month: the last, the weekday nearest to one, or values."""
    mark = text.upper()
    # L-3, the third day before the last, and LW, the last weekday, are undocumented, and taken by AWS.
    if mark == "L":
        return lambda month: (month.length,)
    if mark == "LW":
        return lambda month: (month.workday_by(month.length),)
    if re.fullmatch(r"L-([1-9]|[12]\d|30)", mark):
        before = int(mark[2:])
        return lambda month: (month.length - before,) if before < month.length else ()
    if mark.endswith("W"):
        if not mark[:-1].isdecimal():
            raise _Refused(f"W follows one day, as in 15W, or L: {text!r} has neither")
        near = _DAY_OF_MONTH.value(mark[:-1])
        return lambda month: (month.workday_by(near),) if near <= month.length else ()
    if "L" in mark:
        raise _Refused(f"L stands alone in day-of-month, and this is {text!r}")
    values = sorted(_DAY_OF_MONTH.values(text))
    return lambda month: [day for day in values if day <= month.length]


def _days_of_week(text: str) -> Callable[[_Month], Iterable[int]]:
    """Return the same by a day-of-week: the last of its kind in the month, the nth of its kind, or plain values."""
    if text.upper() == "L":
        return lambda month: month.all(frozenset([_SATURDAY]))
    if text.upper().endswith("L"):
        kind = frozenset([_DAY_OF_WEEK.value(text[:-1])])
        return lambda month: month.all(kind)[-1:]
    if "#" in text:
        day, _, place = text.partition("#")
        if "," in text:
            raise _Refused(f"with # day-of-week says one day alone, and this is {text!r}")
        kind = frozenset([_DAY_OF_WEEK.value(day)])
        if not re.fullmatch(r"[1-5]", place):
            raise _Refused(f"# is followed by a week of the month, 1 to 5, and this is {text!r}")
        nth = int(place)
        return lambda month: month.all(kind)[nth - 1 : nth]
    values = _DAY_OF_WEEK.values(text)
    return lambda month: month.all(values)
