"""Working hours become the moments at which tasks and instances come and go, in each scheduler's own words."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from components import schedule_expression, sleep
from components.errors import InvalidArgsError
from components.sleep import Moment, Sleep


def _sleep(**said: str) -> Sleep:
    return Sleep(**({"time_zone": "Asia/Taipei"} | said))


def test_tasks_and_instances_come_and_go_in_each_schedulers_words() -> None:
    """Three services of AWS, and three dialects of cron: one field too many, and nobody sleeps."""
    night = _sleep()
    assert night.tasks_wake.for_application_auto_scaling == "cron(0 8 ? * MON,TUE,WED,THU,FRI *)"
    assert night.tasks_sleep.for_application_auto_scaling == "cron(0 20 ? * MON,TUE,WED,THU,FRI *)"
    assert night.instances_wake.for_auto_scaling == "50 7 * * 1,2,3,4,5"
    assert night.instances_sleep.for_auto_scaling == "15 20 * * 1,2,3,4,5"
    assert [moment.for_cloudwatch for moment in night.quiet] == [
        "cron(0 20 * * MON,TUE,WED,THU)",
        "cron(0 20 * * FRI)",
    ]


def test_instances_are_there_before_the_tasks_and_after_them() -> None:
    """A task that finds no instance waits for one; an instance that goes first takes its tasks with it."""
    for times in ({}, {"awake_from": "00:05", "awake_to": "23:00"}, {"awake_from": "22:00", "awake_to": "06:30"}):
        night = _sleep(**times)
        for early, late in ((night.instances_wake, night.tasks_wake), (night.tasks_sleep, night.instances_sleep)):
            assert 10 <= (late.minute - early.minute) % (24 * 60) <= 15


def test_what_is_before_midnight_is_on_the_day_before() -> None:
    early, late = _sleep(awake_from="00:05", days="SUN-THU"), _sleep(awake_to="23:50", days="SUN-THU")
    assert str(early.instances_wake) == "23:55 on SUN,MON,TUE,WED,SAT"
    assert str(late.instances_sleep) == "00:05 on MON,TUE,WED,THU,FRI"


def test_a_night_shift_ends_on_the_day_after() -> None:
    night = _sleep(awake_from="22:00", awake_to="06:00", days="FRI,SAT")
    assert str(night.tasks_wake) == "22:00 on FRI,SAT"
    assert str(night.tasks_sleep) == "06:00 on SUN,SAT"
    assert night.hours_asleep == 168 - 2 * 8


@pytest.mark.parametrize(
    ("said", "days"),
    [
        ("MON-FRI", "MON,TUE,WED,THU,FRI"),
        ("SUN-THU", "SUN,MON,TUE,WED,THU"),
        ("SAT-WED", "SUN,MON,TUE,WED,SAT"),
        ("FRI,MON", "MON,FRI"),
        ("MON-TUE,TUE", "MON,TUE"),
        ("WED", "WED"),
        ("SUN-SAT", "SUN,MON,TUE,WED,THU,FRI,SAT"),
    ],
)
def test_days_are_ranges_and_lists_which_may_run_over_the_weekend(said: str, days: str) -> None:
    """No range is handed on: each scheduler counts the days of a week from another one."""
    assert _sleep(days=said).tasks_wake.named_days == days


@pytest.mark.parametrize(
    ("said", "nights"),
    [
        ("MON-FRI", {"MON,TUE,WED,THU": 12.5, "FRI": 60.5}),
        ("SUN-SAT", {"SUN,MON,TUE,WED,THU,FRI,SAT": 12.5}),
        ("MON,WED", {"MON": 36.5, "WED": 108.5}),
        ("WED", {"WED": 156.5}),
    ],
)
def test_alarms_are_quiet_each_night_and_until_tasks_are_well_again(said: str, nights: dict[str, float]) -> None:
    assert {at.named_days: length / timedelta(hours=1) for at, length in _sleep(days=said).quiet.items()} == nights


@pytest.mark.parametrize("days", ["MON-FRI", "MON,WED,SAT", "SUN-SAT", "THU"])
@pytest.mark.parametrize(("awake_from", "awake_to"), [("08:00", "20:00"), ("22:00", "06:30"), ("00:00", "23:00")])
def test_quiet_and_awake_make_up_a_week(days: str, awake_from: str, awake_to: str) -> None:
    """An hour in neither rings in an empty house; one in both is deaf."""
    night = _sleep(days=days, awake_from=awake_from, awake_to=awake_to)
    recovery = timedelta(minutes=30)
    quiet = sum((len(at.days) * (length - recovery) for at, length in night.quiet.items()), timedelta())
    assert quiet == timedelta(hours=night.hours_asleep)


def test_of_a_week_with_the_default_hours_108_of_168_are_asleep() -> None:
    assert _sleep().hours_asleep == 108


def test_what_application_auto_scaling_gets_is_a_cron_that_comes() -> None:
    """Its cron is EventBridge's: what that one takes, this one does."""
    for moment in (_sleep().tasks_wake, _sleep(days="SUN", awake_from="23:59", awake_to="22:00").tasks_sleep):
        assert schedule_expression.fault(moment.for_application_auto_scaling, "Asia/Taipei") is None


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"time_zone": "Asia/Taipeh"}, r"Sleep.time_zone: got 'Asia/Taipeh'; did you mean 'Asia/Taipei'\?"),
        ({"awake_from": "8:00"}, r"Sleep.awake_from: got '8:00'; a time such as '08:00'"),
        ({"awake_to": "24:00"}, r"Sleep.awake_to: got '24:00'; a time"),
        ({"awake_to": "08:00"}, r"Sleep.awake_to: got '08:00'; an hour or more before 08:00"),
        ({"awake_to": "07:30"}, r"Sleep.awake_to: got '07:30'; an hour or more before 08:00"),
        ({"days": "Mon-Fri"}, r"Sleep.days: got 'Mon-Fri'; days such as 'MON-FRI'"),
        ({"days": ""}, r"Sleep.days: got ''"),
        ({"days": "MON-"}, r"Sleep.days: got 'MON-'"),
        ({"days": "MON, TUE"}, r"Sleep.days: got 'MON, TUE'"),
        ({"days": "1-5"}, r"Sleep.days: got '1-5'"),
    ],
)
def test_hours_that_cannot_be_meant_are_refused(wrong: dict[str, str], says: str) -> None:
    with pytest.raises(InvalidArgsError, match=says):
        _sleep(**wrong)


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"awake_from": "02:30"}, "awake_from"),
        ({"awake_from": "03:05"}, "awake_from"),  # the instances' moment, at 02:55
        ({"awake_from": "09:00", "awake_to": "02:15"}, "awake_to"),
        ({"awake_from": "09:00", "awake_to": "01:50"}, "awake_to"),  # the instances', at 02:05
    ],
)
def test_a_moment_that_clocks_skip_is_refused(said: dict[str, str], field: str) -> None:
    """In Berlin's last Sunday of March there is no half past two: tasks due then might stay away all day."""
    with pytest.raises(InvalidArgsError, match=rf"Sleep.{field}: got '0[12]:.* the clocks of Europe/Berlin skip"):
        Sleep(time_zone="Europe/Berlin", days="SUN-SAT", **said)


def test_clocks_that_change_on_a_day_off_are_in_nobodys_way() -> None:
    Sleep(time_zone="Europe/Berlin", days="MON-FRI", awake_from="02:30")


def test_the_date_of_a_skipped_moment_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    class Fixed(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Fixed:
            return cls(2026, 6, 1, tzinfo=tz)

    monkeypatch.setattr(sleep, "datetime", Fixed)
    with pytest.raises(InvalidArgsError, match=r"got '02:30 on SUN'; another time: .* skip that one on 2027-03-28"):
        Sleep(time_zone="Europe/Berlin", days="SUN", awake_from="02:30")


def test_a_moment_moves_over_the_end_of_the_week_both_ways() -> None:
    assert Moment(minute=0, days=(0,)).later(-1) == Moment(minute=1439, days=(6,))
    assert Moment(minute=1439, days=(6,)).later(1) == Moment(minute=0, days=(0,))
