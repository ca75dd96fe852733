"""What Scheduler takes passes; what it would refuse, or take and never run, is refused with the reason."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from components.schedule_expression import fault, fault_of_timezone

NOW = datetime(2022, 1, 1, 12, tzinfo=UTC)

DOCUMENTED = [
    # Scheduler's user guide, schedule types.
    "rate(5 minutes)",
    "rate(15 minutes)",
    "rate(2 hours)",
    "rate(5 days)",
    "cron(15 10 ? * 6L 2022-2023)",
    "at(2022-11-20T13:00:00)",
    # The reference of CreateSchedule: 8:00 on every first day of the month.
    "cron(0 8 1 * ? *)",
    # EventBridge's reference of cron and rate expressions, whose dialect is Scheduler's.
    "rate(1 minute)",
    "rate(1 hour)",
    "rate(1 day)",
    "rate(5 hours)",
    "cron(0 10 * * ? *)",
    "cron(15 12 * * ? *)",
    "cron(0 18 ? * MON-FRI *)",
    "cron(0/15 * * * ? *)",
    "cron(0/10 * ? * MON-FRI *)",
    "cron(0/5 8-17 ? * MON-FRI *)",
    "cron(0/30 20-2 ? * MON-FRI *)",
    "cron(0 12 * * ? *)",
    "cron(5,35 14 * * ? *)",
    "cron(15 10 ? * 6L 2019-2022)",
    "cron(0 9 ? * 2#1 *)",
    # The meaning of each wildcard, in the same references.
    "cron(0 0 1-15 JAN,FEB,MAR ? *)",
    "cron(1/10 * * * ? *)",
    "cron(0 0 7 * ? *)",
    "cron(0 0 L * ? *)",
    "cron(0 0 ? * L *)",
    "cron(0 0 3W * ? *)",
    "cron(0 0 ? * 3#2 *)",
]

ALSO_TAKEN = [
    "cron(0 0 LW * ? *)",
    "cron(0 0 L-2 * ? *)",
    "cron(30 7 ? * mon#1 *)",
    "cron(0 0 ? * FRIL *)",
    "cron(0 1-7/2,11-23/2,10 * * ? *)",
    "cron(0 0 29 2 ? *)",
    "cron(0 0 ? * SAT-SUN *)",
    "cron(*/5 * * * ? 2022/2)",
    "cron(0  18  *  *  ?  *)",
    "cron(1 12 1 1 ? 2022)",
    "cron(0 0 1W 1 ? 2022)",
    "cron(0 0 ? 2 TUE#5 *)",
    "cron(0 0 ? 1 SATL 2022)",
    "cron(0 0 L-30 * ? *)",
    "rate(3650 days)",
]

MALFORMED = {
    "": "write rate(5 minutes), cron",
    "5 minutes": "write rate(5 minutes), cron",
    "0 18 * * ? *": "write rate(5 minutes), cron",
    "every(5 minutes)": "write rate(5 minutes), cron",
    "CRON(0 18 * * ? *)": "write rate(5 minutes), cron",
    "rate (5 minutes)": "write rate(5 minutes), cron",
    "rate(5 minutes": "write rate(5 minutes), cron",
    " rate(5 minutes)": "with nothing around it",
    f"rate({'0' * 260}5 minutes)": "at most 256 characters",
    "rate()": "a number and a unit",
    "rate(5)": "a number and a unit",
    "rate(minutes)": "a number and a unit",
    "rate(five minutes)": "a number and a unit",
    "rate(5minutes)": "a number and a unit",
    "rate(5 minutes 3)": "a number and a unit",
    "rate(1 minutes)": "write rate(1 minute)",
    "rate(5 minute)": "write rate(5 minutes)",
    "rate(1 hours)": "write rate(1 hour)",
    "rate(2 day)": "write rate(2 days)",
    "rate(0 minutes)": "from 1 on, and this is 0",
    "rate(-5 minutes)": "from 1 on, and this is -5",
    "rate(1.5 hours)": "from 1 on, and this is 1.5",
    "rate(30 seconds)": "minute(s), hour(s) or day(s), and this is 'seconds'",
    "rate(2 weeks)": "minute(s), hour(s) or day(s), and this is 'weeks'",
    "rate(5 Minutes)": "minute(s), hour(s) or day(s), and this is 'Minutes'",
    "at()": "write at(yyyy-mm-ddThh:mm:ss)",
    "at(tomorrow)": "write at(yyyy-mm-ddThh:mm:ss)",
    "at(2022-11-20)": "write at(yyyy-mm-ddThh:mm:ss)",
    "at(2022-11-20 13:00:00)": "write at(yyyy-mm-ddThh:mm:ss)",
    "at(2022-11-20T13:00)": "write at(yyyy-mm-ddThh:mm:ss)",
    "at(2022-11-20T13:00:00Z)": "the time zone is an argument of its own",
    "at(2022-11-20T13:00:00+08:00)": "the time zone is an argument of its own",
    "at(2022-02-30T13:00:00)": "there is no such time (day is out of range for month)",
    "at(2022-13-01T13:00:00)": "there is no such time (month must be in 1..12)",
    "at(2022-11-20T24:00:00)": "there is no such time (hour must be in 0..23)",
    "at(2021-12-31T23:59:59)": "that is past (now it is 2022-01-01T12:00:00 in UTC)",
    "at(2022-01-01T12:00:00)": "that is past",
    "cron()": "six fields",
    "cron(0 18 * * ?)": "and this has 5; the year comes last, often as *",
    "cron(* * * * *)": "and this has 5",
    "cron(0 0 18 * * ? *)": "and this has 7",
    "cron(0 18 * * * *)": "exactly one of day-of-month and day-of-week is ?: AWS knows no schedule that goes by both",
    "cron(0 18 1 * MON *)": "exactly one of day-of-month and day-of-week is ?",
    "cron(0 18 ? * ? *)": "exactly one of day-of-month and day-of-week is ?: say a day in one of them",
    "cron(? 18 * * ? *)": "? may stand for a day only, and not in minutes",
    "cron(0 18 * ? ? *)": "? may stand for a day only, and not in month",
    "cron(60 18 * * ? *)": "minutes has '60': it goes from 0 to 59",
    "cron(-1 18 * * ? *)": "minutes has '': it goes from 0 to 59",
    "cron(0 24 * * ? *)": "hours has '24': it goes from 0 to 23",
    "cron(0 6pm * * ? *)": "hours has '6pm'",
    "cron(0 18 0 * ? *)": "day-of-month has '0': it goes from 1 to 31",
    "cron(0 18 32 * ? *)": "day-of-month has '32'",
    "cron(0 18 * 13 ? *)": "month has '13': it goes from 1 to 12, or JAN to DEC",
    "cron(0 18 * SEPT ? *)": "month has 'SEPT'",
    "cron(0 18 ? * 0 *)": "day-of-week has '0': it goes from 1 to 7, or SUN to SAT",
    "cron(0 18 ? * 8 *)": "day-of-week has '8'",
    "cron(0 18 ? * MONDAY *)": "day-of-week has 'MONDAY'",
    "cron(0 18 ? * 2/2 *)": "day-of-week takes no step",
    "cron(0 18 * * ? 1969)": "year has '1969': it goes from 1970 to 2199",
    "cron(0 18 * * ? 2200)": "year has '2200'",
    "cron(0 18 * * ? 2024-2023)": "the range '2024-2023' of year runs backwards",
    "cron(0 18 * * ? 2020-2021)": "its last year is 2021, which is over",
    "cron(0/0 18 * * ? *)": "the step of minutes is '0': a number from 1 to 59",
    "cron(0/x 18 * * ? *)": "the step of minutes is 'x'",
    "cron(5/155 18 * * ? *)": "the step of minutes is '155'",
    "cron(0,,5 18 * * ? *)": "minutes has ''",
    "cron(0, 18 * * ? *)": "minutes has ''",
    "cron(0 18 W * ? *)": "W follows one day",
    "cron(0 18 32W * ? *)": "day-of-month has '32'",
    "cron(0 18 1-5W * ? *)": "W follows one day",
    "cron(0 18 15,L * ? *)": "L stands alone in day-of-month",
    "cron(0 18 L-31 * ? *)": "L stands alone in day-of-month",
    "cron(0 18 L L ? *)": "month has 'L'",
    "cron(0 18 ? * 8L *)": "day-of-week has '8'",
    "cron(0 18 ? * 3#6 *)": "a week of the month, 1 to 5, and this is '3#6'",
    "cron(0 18 ? * #2 *)": "day-of-week has ''",
    "cron(0 18 ? * 3#1,6#3 *)": "with # day-of-week says one day alone",
    "cron(0 18 31 2 ? *)": "no month of these has a day 31: it would never run",
    "cron(0 18 31 APR,JUN ? *)": "no month of these has a day 31",
    "cron(0 18 29 2 ? 2023)": "no month of these has a day 29",
    "rate(99999999999999 minutes)": "it would first run after 2199",
    "rate(65000 days)": "it would first run after 2199",
    "rate(\u0665 minutes)": "ASCII's digits, letters and spaces alone",
    "rate(5\u00a0minutes)": "ASCII's digits, letters and spaces alone",
    "rate(5\nminutes)": "write it in one line",
    "cron(0\t18 * * ? *)": "write it in one line",
    "cron(0 18 \u0663W * ? *)": "ASCII's digits, letters and spaces alone",
    "at(0001-01-01T00:00:00)": "that is past",
    "cron(0 0 1 1 ? 2022)": "its last day is past (now it is 2022-01-01T12:00:00)",
    "cron(59 11 1 1 ? 2021-2022)": "its last day is past",
    "cron(0 12 1 1 ? 2022)": "its last day is past",
    "cron(0 0 ? 2 MON#5 2022)": "no month of these has a day MON#5: it would never run",
    "cron(0 0 31W 2 ? *)": "no month of these has a day 31W",
    "cron(0 0 L-30 4,6 ? *)": "no month of these has a day L-30",
}


@pytest.mark.parametrize("expression", [*DOCUMENTED, *ALSO_TAKEN])
def test_what_scheduler_takes_passes(expression: str) -> None:
    assert fault(expression, now=NOW) is None


@pytest.mark.parametrize(("expression", "reason"), MALFORMED.items(), ids=list(MALFORMED))
def test_what_it_refuses_or_would_never_run_is_refused_with_the_reason(expression: str, reason: str) -> None:
    found = fault(expression, now=NOW)
    assert found
    assert reason in found


def test_a_one_off_is_judged_by_the_clock_of_its_zone() -> None:
    """20:00 in Taipei is noon in UTC: read in the wrong zone, it would be eight hours off."""
    assert fault("at(2022-01-01T20:00:01)", "Asia/Taipei", now=NOW) is None
    found = fault("at(2022-01-01T19:59:59)", "Asia/Taipei", now=NOW)
    assert found
    assert "now it is 2022-01-01T20:00:00 in Asia/Taipei" in found


def test_a_one_off_that_the_clocks_skip_is_refused() -> None:
    """When summer begins, 2:30 is on no clock of the zone: the run would be skipped without a word."""
    found = fault("at(2022-03-13T02:30:00)", "America/New_York", now=NOW)
    assert found
    assert "the clocks of America/New_York skip that time" in found
    assert fault("at(2022-03-13T02:30:00)", "UTC", now=NOW) is None


@pytest.mark.parametrize(
    ("at", "timezone"), [("0001-01-01T00:00:00", "Asia/Taipei"), ("9999-12-31T23:59:59", "America/New_York")]
)
def test_a_one_off_at_the_end_of_all_years_is_refused(at: str, timezone: str) -> None:
    """In UTC it is beyond them: no reason to end with a traceback."""
    assert "there is no such time in" in (fault(f"at({at})", timezone, now=NOW) or "")


def test_a_cron_is_judged_by_the_clock_of_its_zone() -> None:
    """At noon in UTC it is 20:00 in Taipei already."""
    assert fault("cron(0 19 1 1 ? 2022)", "UTC", now=NOW) is None
    assert "now it is 2022-01-01T20:00:00" in (fault("cron(0 19 1 1 ? 2022)", "Asia/Taipei", now=NOW) or "")


@pytest.mark.parametrize(
    ("expression", "now", "runs"),
    [
        # 1 January 2022 is a Saturday, and 31 July a Sunday.
        ("cron(0 18 1W 1 ? 2022)", datetime(2022, 1, 3, 12, tzinfo=UTC), True),
        ("cron(0 18 1W 1 ? 2022)", datetime(2022, 1, 3, 18, tzinfo=UTC), False),
        ("cron(0 18 LW 7 ? 2022)", datetime(2022, 7, 29, 12, tzinfo=UTC), True),
        ("cron(0 18 LW 7 ? 2022)", datetime(2022, 7, 30, tzinfo=UTC), False),
        ("cron(0 18 ? 7 1L 2022)", datetime(2022, 7, 31, 12, tzinfo=UTC), True),
        ("cron(0 18 ? 7 L 2022)", datetime(2022, 7, 30, 12, tzinfo=UTC), True),
        ("cron(0 18 ? 7 L 2022)", datetime(2022, 7, 31, tzinfo=UTC), False),
        ("cron(0 18 ? 7 SUN#5 2022)", datetime(2022, 7, 31, 12, tzinfo=UTC), True),
        ("cron(0 18 ? 7 SUN#4 2022)", datetime(2022, 7, 25, tzinfo=UTC), False),
    ],
)
def test_a_year_that_is_not_over_may_have_no_run_left(expression: str, now: datetime, *, runs: bool) -> None:
    """Scheduler takes it, and nobody hears of it again."""
    assert (fault(expression, now=now) is None) == runs


def test_without_a_clock_it_is_judged_now() -> None:
    assert "that is past" in (fault("at(2020-01-01T00:00:00)") or "")


@pytest.mark.parametrize("timezone", ["UTC", "Asia/Taipei", "America/New_York"])
def test_a_time_zone_of_ianas_passes(timezone: str) -> None:
    assert fault_of_timezone(timezone) is None


@pytest.mark.parametrize(
    ("timezone", "reason"),
    [
        ("Asia/Tapei", "did you mean 'Asia/Taipei'?"),
        ("", "an IANA name"),
        ("../etc/passwd", "an IANA name"),
        ("+08:00", "an IANA name"),
        ("localtime", "a file of this machine's"),
        ("posixrules", "a file of this machine's"),
        ("Factory", "a file of this machine's"),
        ("right/UTC", "a file of this machine's"),
        ("posix/UTC", "a file of this machine's"),
    ],
)
def test_any_other_time_zone_is_refused(timezone: str, reason: str) -> None:
    found = fault_of_timezone(timezone)
    assert found
    assert reason in found
