"""The container's environment: what is taken, and how each variable that will not do is named."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

GOOD = {
    "ENVIRONMENT": "prod",
    "INTERNAL_API_URL": "https://a1b2c3d4e5.execute-api.ap-southeast-1.amazonaws.com/v1/",
    "AWS_DEFAULT_REGION": "ap-southeast-1",
    "TABLE_NAME": "query-service-answers-1a2b3c4",
    "FUNCTION_NAME": "query-result-lambda-1a2b3c4",
}


def test_what_is_left_out_has_a_default(load: Callable[[str], ModuleType]) -> None:
    environment = load("environment").read(GOOD)
    assert (environment.request_timeout, environment.port, environment.bind_address) == (30, 8000, "0.0.0.0")
    assert environment.internal_api_url == GOOD["INTERNAL_API_URL"].rstrip("/")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ENVIRONMENT", "Prod!"),
        ("INTERNAL_API_URL", "a1b2c3d4e5.execute-api.ap-southeast-1.amazonaws.com/v1"),
        ("INTERNAL_API_URL", "ftp://example.org"),
        ("INTERNAL_API_URL", "https://"),
        ("INTERNAL_API_URL", "https://user:word@example.org"),
        ("INTERNAL_API_URL", "https://example.org/v1?stage=1"),
        ("INTERNAL_API_URL", "https://example.org:port/v1"),
        ("INTERNAL_API_URL", "https://[::1/v1"),
        ("INTERNAL_API_URL", "https://example.org/v 1"),
        ("REQUEST_TIMEOUT", "0"),
        ("REQUEST_TIMEOUT", "56"),
        ("REQUEST_TIMEOUT", "1.5"),
        ("REQUEST_TIMEOUT", "-1"),
        ("REQUEST_TIMEOUT", "³"),
        ("REQUEST_TIMEOUT", "9" * 5000),
        ("AWS_DEFAULT_REGION", "singapore"),
        ("TABLE_NAME", "ab"),
        ("TABLE_NAME", "answers table"),
        ("FUNCTION_NAME", "arn:aws:lambda:ap-southeast-1:000000000000:function:query-result-lambda"),
        ("FUNCTION_NAME", "x" * 65),
        ("PORT", "0"),
        ("PORT", "65536"),
        ("BIND_ADDRESS", "localhost"),
    ],
)
def test_a_value_that_will_not_do_is_named_with_its_variable(
    load: Callable[[str], ModuleType], name: str, value: str
) -> None:
    environment = load("environment")
    with pytest.raises(environment.EnvironmentFaultError) as raised:
        environment.read(GOOD | {name: value})
    (fault,) = raised.value.faults
    assert (fault.name, fault.value) == (name, value)
    assert str(fault).startswith(f"{name} is {value[:128]!r}: ")
    assert len(str(fault)) < 300


@pytest.mark.parametrize("name", GOOD)
def test_an_empty_variable_is_one_that_is_not_set(load: Callable[[str], ModuleType], name: str) -> None:
    """A task definition cannot tell the two apart, and an empty table's name would only fail at the first request."""
    environment = load("environment")
    with pytest.raises(environment.EnvironmentFaultError, match=f"{name} is not set: .* would do"):
        environment.read(GOOD | {name: ""})
