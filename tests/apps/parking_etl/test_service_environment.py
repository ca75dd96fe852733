"""The container's environment: what is taken, and how each variable that will not do is named."""

from __future__ import annotations

import pytest

from tests.apps.parking_etl.conftest import load


def test_everything_has_a_default() -> None:
    environment = load("environment").read({})
    assert (environment.open_data_url, environment.data_dir) == ("https://data.ntpc.gov.tw", "/app/data")
    assert (environment.database, environment.page_size, environment.deadline) == ("parking.db", 1000, 240)
    assert (environment.sync_availability_every, environment.sync_parking_at) == (300, "02:00")


def test_a_variable_that_is_empty_is_one_that_is_not_set() -> None:
    """A task definition cannot tell the two apart."""
    names = ["OPEN_DATA_URL", "DATA_DIR", "DATABASE", "PAGE_SIZE", "RETRIES", "SYNC_PARKING_AT"]
    assert load("environment").read(dict.fromkeys(names, "")) == load("environment").read({})


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        ("https://example.org/", "https://example.org"),
        ("https://example.org:8443/mirror", "https://example.org:8443/mirror"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://localhost:8080", "http://localhost:8080"),
        ("http://[::1]:8080", "http://[::1]:8080"),
    ],
)
def test_an_address_is_taken_without_the_slash_at_its_end(given: str, taken: str) -> None:
    assert load("environment").read({"OPEN_DATA_URL": given}).open_data_url == taken


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("OPEN_DATA_URL", "data.ntpc.gov.tw"),
        ("OPEN_DATA_URL", "http://data.ntpc.gov.tw"),
        ("OPEN_DATA_URL", "http://127.0.0.1.example.org"),
        ("OPEN_DATA_URL", "ftp://example.org"),
        ("OPEN_DATA_URL", "https://"),
        ("OPEN_DATA_URL", "https://user:word@example.org"),
        ("OPEN_DATA_URL", "https://example.org?page=1"),
        ("OPEN_DATA_URL", "https://example.org:port"),
        ("OPEN_DATA_URL", "https://[::1"),
        ("OPEN_DATA_URL", "https://exam ple.org"),
        ("OPEN_DATA_URL", "https://example.org/新"),
        ("OPEN_DATA_URL", "https://.."),
        ("DATA_DIR", "data"),
        ("DATABASE", "../parking.db"),
        ("DATABASE", ".hidden"),
        ("DATABASE", "x" * 65),
        ("PAGE_SIZE", "0"),
        ("PAGE_SIZE", "1001"),
        ("REQUEST_TIMEOUT", "0"),
        ("REQUEST_TIMEOUT", "1.5"),
        ("RETRIES", "11"),
        ("RETRIES", "-1"),
        ("RETRIES", "³"),
        ("DEADLINE", "0"),
        ("DEADLINE", "9" * 5000),
        ("MAX_REJECTED_PERCENT", "101"),
        ("MAX_GONE_PERCENT", "half"),
        ("SYNC_AVAILABILITY_EVERY", "0"),
        ("SYNC_PARKING_AT", "24:00"),
        ("SYNC_PARKING_AT", "2:00"),
    ],
)
def test_a_value_that_will_not_do_is_named_with_its_variable(name: str, value: str) -> None:
    environment = load("environment")
    with pytest.raises(environment.EnvironmentFaultError) as raised:
        environment.read({name: value})
    (fault,) = raised.value.faults
    assert (fault.name, fault.value) == (name, value)
    assert str(fault).startswith(f"{name} is {value[:128]!r}: ")
    assert str(fault).endswith(" would do")
    assert len(str(fault)) < 300


def test_all_faults_are_told_at_once() -> None:
    environment = load("environment")
    with pytest.raises(environment.EnvironmentFaultError) as raised:
        environment.read({"DATA_DIR": "data", "RETRIES": "many"})
    assert [fault.name for fault in raised.value.faults] == ["DATA_DIR", "RETRIES"]
