"""A stack sleeps when its file says so, twice over where it is protected; and a service may stay awake."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from unittest import mock

import pytest

from apps.parking_etl import Settings as ParkingSettings
from components.alarms import AlarmsArgs
from components.sleep import Sleep
from tests.settings.test_passed_on import STACK, passed, service
from tests.settings.test_reader import DIGEST, GOOD, complaint, load

if TYPE_CHECKING:
    from collections.abc import Mapping

TAIPEI: dict[str, Any] = {"time_zone": "Asia/Taipei"}


def _stack(sleep: Mapping[str, Any], *, protect: bool = False) -> dict[str, Any]:
    return {**GOOD, "drydock:protect": protect, "drydock:sleep": sleep}


def test_a_stack_that_does_not_say_so_never_sleeps() -> None:
    assert load(GOOD).sleep is None


def test_a_time_zone_is_enough() -> None:
    """Working hours that most have: 8 to 20, from Monday to Friday."""
    said = load(_stack(TAIPEI)).sleep
    assert said
    assert said.value() == Sleep(time_zone="Asia/Taipei", awake_from="08:00", awake_to="20:00", days="MON-FRI")


def test_a_protected_stack_sleeps_by_a_second_word_alone() -> None:
    """A copied line must not stop production every evening."""
    told = complaint(_stack(TAIPEI, protect=True))
    assert "drydock:sleep.even_protected: got False, and the stack has `protect: true`; true, if all of it" in told
    assert load(_stack(TAIPEI | {"even_protected": True}, protect=True)).sleep


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({}, "drydock:sleep.time_zone: missing; it must be said"),
        (TAIPEI | {"from": "08:00"}, "drydock:sleep.from: no such setting; there are awake_from, awake_to, days"),
        (TAIPEI | {"awake_from": 800}, "drydock:sleep.awake_from: got 800; text: put it in quotes"),
        (TAIPEI | {"awake_to": "8pm"}, "drydock:sleep: Sleep.awake_to: got '8pm'; a time such as '08:00'"),
        (TAIPEI | {"days": "weekdays"}, "drydock:sleep: Sleep.days: got 'weekdays'; days such as 'MON-FRI'"),
        ({"time_zone": "Taipei"}, "drydock:sleep: Sleep.time_zone: got 'Taipei'; did you mean"),
        (TAIPEI | {"awake_from": "20:00"}, "drydock:sleep: Sleep.awake_to: got '20:00'; an hour or more before"),
    ],
)
def test_hours_that_cannot_be_meant_are_told_with_what_would_do(said: dict[str, Any], told: str) -> None:
    assert told in complaint(_stack(said))


def test_services_sleep_with_their_stack_and_one_may_stay_awake() -> None:
    given = passed(STACK, {"web": service(sleeps=True), "till": service(sleeps=False)})
    assert given["Service web"].sleep == given["Cluster far"].sleep
    assert given["Service till"].sleep is None


def test_alarms_are_quiet_where_their_service_sleeps_and_nowhere_else() -> None:
    """A service that stays awake rings at night too."""
    with mock.patch("apps._workload.AlarmsArgs", wraps=AlarmsArgs) as alarms:
        passed(STACK, {"web": service(sleeps=True), "till": service(sleeps=False)})
    assert [call.kwargs["sleep"] is None for call in alarms.call_args_list] == [False, True]


def test_only_the_task_that_stays_can_sleep() -> None:
    """Schedules start tasks at any hour: a word that did nothing would look as if it did."""
    image = {"digest": DIGEST}
    assert ParkingSettings.model_validate({"image": image, "mode": "always-on", "sleeps": False}).sleeps is False
    with pytest.raises(ValueError, match="sleeps: schedules never sleep; take it out"):
        ParkingSettings.model_validate({"image": image, "mode": "scheduled", "sleeps": True})
