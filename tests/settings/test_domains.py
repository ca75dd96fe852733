"""Two load balancers of a stack have names of their own."""

from __future__ import annotations

from typing import Any

import pytest

from settings import SettingsError
from tests.settings.test_reader import changed, load

ZONE = {"zone_id": "Z0123456789ABCDEFGHIJ"}
CERTIFICATE = {
    "certificate_arn": "arn:aws:acm:ap-southeast-1:444455556666:certificate/12345678-1234-1234-1234-123456789012"
}


def both(**internal: Any) -> dict[str, Any]:
    """Return the settings of a stack with that domain inside, and *.shop.example.com besides its own name outside."""
    return changed("drydock:internal_load_balancer/domain", internal)


@pytest.mark.parametrize(
    "names", [{"name": "shop.example.com"}, {"name": "a.example.com", "further_names": ["*.shop.example.com"]}]
)
def test_a_name_of_both_is_refused(names: dict[str, Any]) -> None:
    """Its record would lead to one of them, or Route 53 refuse the second; and its one proof would be owned twice."""
    with pytest.raises(SettingsError) as refused:
        load(both(**names, **ZONE))
    assert "1 setting of this stack" in str(refused.value)
    assert "drydock:public_load_balancer.domain: got 'shop.example.com' or '*.shop.example.com'" in str(refused.value)


@pytest.mark.parametrize(
    "domain",
    [
        {"name": "in.example.com", **ZONE},
        {"name": "example.com", "further_names": ["*.example.com"], **ZONE},
        {"name": "user.shop.example.com", **ZONE},
        {"name": "shop.example.com", **CERTIFICATE},
    ],
    ids=["another", "what is above it", "one below it", "records that are somebody else's"],
)
def test_names_that_are_proved_apart_are_not(domain: dict[str, Any]) -> None:
    """Two records and two proofs, or nobody's here."""
    assert load(both(**domain))
