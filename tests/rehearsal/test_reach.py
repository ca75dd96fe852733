"""What is printed of a rehearsal that stays up works, also after a failure."""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import Any

import pytest

from rehearsal import reach
from rehearsal.origins import Origins
from rehearsal.script import Script

SCRIPT = Script.model_validate(
    {"requests": [{"name": "it holds", "entrance": "url", "method": "GET", "path": "/x", "expect": {"status": 200}}]}
)


def told(outputs: dict[str, Any], script: Script = SCRIPT) -> str:
    emulator: Any = SimpleNamespace(endpoint="http://127.0.0.1:1", environment={"AWS_ENDPOINT_URL": "x"})
    with Origins(emulator.endpoint, ["shop.example.com"]) as origins:
        origins.domains = {"shop.example.com": "shop"}
        return reach.told(emulator, {"shop": script}, outputs, origins)


def test_each_entrance_is_told_as_a_command() -> None:
    assert "# shop: it holds\n  curl -i -X GET http://127.0.0.1:9/x" in told(
        {"workloads": {"shop": {"url": "http://127.0.0.1:9"}}}
    )


def test_a_command_with_an_api_key_fetches_its_value() -> None:
    """What is printed ends in logs: the id does no harm there, and the value would."""
    request = SCRIPT.requests[0].model_copy(update={"api_key": "api_key_id"})
    lines = told(
        {"workloads": {"shop": {"url": "http://127.0.0.1:9", "api_key_id": "k1"}}}, Script(requests=(request,))
    )
    shown = "$(aws apigateway get-api-key --api-key k1 --include-value --query value --output text)"
    assert f'curl -i -X GET -H "X-Api-Key: {shown}" http://127.0.0.1:9/x' in lines


def test_a_load_balancers_domain_is_reached_by_the_name_of_the_balancer() -> None:
    """Nobody resolves it here; the emulator knows that one."""
    assert "-H 'Host: shop.example.com' http://127.0.0.1:1/_alb/shop/x" in told(
        {"workloads": {"shop": {"url": "http://shop.example.com"}}}
    )


def test_a_browser_has_an_address_of_this_machine_where_a_page_is_expected() -> None:
    """It can be told neither what a name resolves to nor whom a request is for. It has no use for what is no page."""
    shop = {"workloads": {"shop": {"url": "https://shop.example.com"}}}
    page = SCRIPT.requests[0].model_dump(by_alias=True) | {
        "expect": {"status": 200, "headers": {"content-type": "text/html; charset=utf-8"}}
    }
    # Not the last of its entrance, which is the one that is told as a command.
    script = Script.model_validate({"requests": [page, SCRIPT.requests[0].model_dump(by_alias=True) | {"name": "y"}]})
    assert re.search(r"^  # in a browser: http://127\.0\.0\.1:\d+$", told(shop, script), re.MULTILINE)
    assert "in a browser" not in told({"workloads": {"shop": {"url": "http://127.0.0.1:9"}}}, script)
    assert "in a browser" not in told(shop)


@pytest.mark.parametrize("outputs", [{}, {"workloads": {}}, {"workloads": {"shop": {"url": "arn:aws:x"}}}])
def test_what_failed_before_there_were_entrances_is_reached_all_the_same(outputs: dict[str, Any]) -> None:
    """It is kept so that somebody finds out why it failed."""
    lines = told(outputs)
    assert "AWS_ENDPOINT_URL=x" in lines
    assert "curl" not in lines
