"""What a stack file may say of parking-etl: what cannot work is told before anything is made."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml

from apps.parking_etl import Settings
from settings import SettingsError
from tests.settings.test_reader import load

PROD: dict[str, Any] = yaml.safe_load((Path(__file__).parents[3] / "Pulumi.prod.yaml").read_text())["config"]
IMAGE: dict[str, Any] = {"image": {"build": True}}


def read(**said: Any) -> Settings:
    """Return the section that says *said*, of a stack that has no other workload."""
    config = {**copy.deepcopy(PROD), "drydock:workloads": {"parking-etl": {**IMAGE, **said}}}
    (section,) = (each for _, each in load(config, known={"parking-etl": Settings}).workloads.each())
    assert isinstance(section, Settings)
    return section


def complaint(**said: Any) -> list[str]:
    """Return what is told of it, one line for each setting."""
    with pytest.raises(SettingsError) as refused:
        read(**said)
    _, *lines = str(refused.value).splitlines()
    return [line.strip().removeprefix("drydock:workloads.parking-etl") for line in lines]


def test_what_nobody_says_is_the_workloads_own() -> None:
    """Scheduled, bursting, at the source's times."""
    section = read()
    assert (section.mode, section.throughput, section.skips, section.log_retention_days) == (
        "scheduled",
        "bursting",
        3,
        30,
    )
    assert section.times.model_dump() == {
        "sync_availability": "rate(5 minutes)",
        "sync_parking": "cron(0 2 * * ? *)",
        "timezone": "Asia/Taipei",
        "enabled": True,
    }
    assert section.open_data_url == "https://data.ntpc.gov.tw"


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "a mode that there is not": ({"mode": "cron"}, ".mode: got 'cron'; one of 'scheduled' or 'always-on'"),
    "times of a mode that has its own": (
        {"mode": "always-on", "times": {"enabled": False}},
        ".mode: got 'always-on'; take out times, or choose 'scheduled', which goes by it",
    ),
    "skips where nothing is skipped": ({"mode": "always-on", "skips": 4}, ".mode: got 'always-on'; take out skips"),
    "a rate in the wrong number": (
        {"times": {"sync_availability": "rate(1 minutes)"}},
        ".times.sync_availability: got 'rate(1 minutes)'; write rate(1 minute)",
    ),
    "a line of a crontab": (
        {"times": {"sync_availability": "*/5 * * * *"}},
        ".times.sync_availability: got '*/5 * * * *'; write rate(5 minutes), cron(0 18 * * ? *) or at(",
    ),
    "a cron of five fields": (
        {"times": {"sync_parking": "cron(0 2 * * *)"}},
        ".times.sync_parking: got 'cron(0 2 * * *)'; cron has six fields",
    ),
    "a cron by both kinds of day": (
        {"times": {"sync_parking": "cron(0 2 * * * *)"}},
        "exactly one of day-of-month and day-of-week is ?",
    ),
    "a one-off in the past": (
        {"times": {"sync_parking": "at(2020-01-01T00:00:00)"}},
        ".times.sync_parking: got 'at(2020-01-01T00:00:00)'; that is past",
    ),
    "a zone that is misspelt": (
        {"times": {"timezone": "Asia/Taipeh"}},
        ".times.timezone: got 'Asia/Taipeh'; did you mean 'Asia/Taipei'?",
    ),
    "a zone by its distance": ({"times": {"timezone": 8}}, ".times.timezone: got 8; text: put it in quotes"),
    "a switch in words": ({"times": {"enabled": "no"}}, ".times.enabled: got 'no'; true or false"),
    "a job that there is not": (
        {"times": {"sync_all": "rate(1 day)"}},
        ".times.sync_all: no such setting; did you mean 'sync_availability'?",
    ),
    "open data without TLS": (
        {"open_data_url": "http://data.ntpc.gov.tw"},
        ".open_data_url: got 'http://data.ntpc.gov.tw'; https:// and a host name",
    ),
    "open data below a path": (
        {"open_data_url": "https://data.ntpc.gov.tw/api"},
        ".open_data_url: got 'https://data.ntpc.gov.tw/api'; https:// and a host name, no more",
    ),
    "open data on a port that is not open to its tasks": (
        {"open_data_url": "https://data.ntpc.gov.tw:8443"},
        ".open_data_url: got 'https://data.ntpc.gov.tw:8443'; https:// and a host name, no more",
    ),
    "a throughput that is paid by the hour": (
        {"throughput": "provisioned"},
        ".throughput: got 'provisioned'; one of 'elastic' or 'bursting'",
    ),
    "no skips at all": ({"skips": 0}, ".skips: got 0; 1 or more"),
    "skips as text": ({"skips": "3"}, ".skips: got '3'; a whole number"),
    "no image": ({"image": {}}, ".image: say one of `build: true` and `digest: sha256:"),
    "an image by its tag": ({"image": {"digest": "latest"}}, ".image.digest: got 'latest'; 'sha256:' and 64"),
    "more memory than its CPU can have": ({"size": {"cpu": 256, "memory": 4096}}, ".size: size.memory: got 4096"),
    "CPU units that Fargate has not": ({"size": {"cpu": 300, "memory": 512}}, ".size: size.cpu: got 300"),
    "a count, of which there is one": ({"desired_count": 2}, ".desired_count: no such setting"),
    "capacity of nobody's": (
        {"capacity": [{"provider": "SPOT"}]},
        ".capacity.0.provider: got 'SPOT'; one of 'FARGATE' or 'FARGATE_SPOT'",
    ),
    "days that CloudWatch has not": ({"log_retention_days": 31}, ".log_retention_days: CloudWatch keeps logs for one"),
}


@pytest.mark.parametrize(("said", "told"), BAD.values(), ids=BAD.keys())
def test_a_bad_setting_is_named_with_what_would_do(said: dict[str, Any], told: str) -> None:
    """Each would otherwise fail in AWS half-way, or run at another time than was meant."""
    (line,) = complaint(**said)
    assert told in line


def test_ten_errors_are_told_at_once() -> None:
    """One error a run would be ten runs."""
    lines = complaint(
        mode="cron",
        times={"sync_parking": "cron(0 2 * * *)"},
        open_data_url="data.ntpc.gov.tw",
        throughput="max",
        skips=0,
        image={"digest": "latest"},
        size={"cpu": 1, "memory": 1},
        capacity=[],
        execute_command="yes",
        desired_count=1,
    )
    assert sorted(line.split(":")[0].split(".")[1] for line in lines) == [
        "capacity",
        "desired_count",
        "execute_command",
        "image",
        "mode",
        "open_data_url",
        "size",
        "skips",
        "throughput",
        "times",
    ]


def test_both_times_are_told_at_once() -> None:
    (line,) = complaint(times={"sync_availability": "often", "sync_parking": "at night"})
    assert "sync_availability: got 'often'" in line
    assert "sync_parking: got 'at night'" in line


def test_what_is_turned_off_may_be_past() -> None:
    """A one-off that has run stays as it is until somebody takes it out."""
    times = {"sync_parking": "at(2020-01-01T00:00:00)", "enabled": False}
    assert read(times=times).times.sync_parking == "at(2020-01-01T00:00:00)"
