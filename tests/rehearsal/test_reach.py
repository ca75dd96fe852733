"""What is printed of a rehearsal that stays up works, also after a failure."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from rehearsal import reach
from rehearsal.script import Script

SCRIPT = Script.model_validate(
    {"requests": [{"name": "it holds", "entrance": "url", "method": "GET", "path": "/x", "expect": {"status": 200}}]}
)


def told(outputs: dict[str, Any]) -> str:
    emulator: Any = SimpleNamespace(endpoint="http://127.0.0.1:1", environment={"AWS_ENDPOINT_URL": "x"})
    return reach.told(emulator, {"shop": SCRIPT}, outputs, {"shop.example.com": "shop.elb"})


def test_each_entrance_is_told_as_a_command() -> None:
    assert "# shop: it holds\n  curl -i -X GET http://127.0.0.1:9/x" in told(
        {"workloads": {"shop": {"url": "http://127.0.0.1:9"}}}
    )


def test_a_load_balancers_own_domain_is_reached_by_its_other_name() -> None:
    """Nobody resolves either here; the emulator knows one."""
    assert "Host: shop.elb'" in told({"workloads": {"shop": {"url": "http://shop.example.com"}}})


@pytest.mark.parametrize("outputs", [{}, {"workloads": {}}, {"workloads": {"shop": {"url": "arn:aws:x"}}}])
def test_what_failed_before_there_were_entrances_is_reached_all_the_same(outputs: dict[str, Any]) -> None:
    """It is kept so that somebody finds out why it failed."""
    lines = told(outputs)
    assert "AWS_ENDPOINT_URL=x" in lines
    assert "curl" not in lines
