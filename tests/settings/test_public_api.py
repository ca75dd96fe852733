"""A public API's section is right, or each mistake in it is told by its setting, its value and what would do."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from components.api_stage import Throttle
from components.usage_plan import Quota, UsagePlan
from settings.public_api import PublicApiSettings
from tests.apps.stacks import stack

ACL = "arn:aws:wafv2:eu-west-1:111122223333:regional/webacl/guard/1a2b"
CERTIFICATE = "arn:aws:acm:eu-west-1:111122223333:certificate/1a2b"
ZONE = "Z0123456789A"


def read(**said: Any) -> PublicApiSettings:
    return PublicApiSettings.model_validate_json(json.dumps(said))


def wrong(**said: Any) -> str:
    with pytest.raises(ValidationError) as refused:
        read(**said)
    return str(refused.value)


def told(said: PublicApiSettings, **balancers: Any) -> list[str]:
    return [*said.problems(stack(**balancers))]


def test_plans_reach_the_component() -> None:
    """With their throttle and their quota, which is for each key."""
    quota = {"limit": 5, "period": "WEEK"}
    plans = {
        "gold": {"clients": ["web", "mobile-2"], "rate_limit": 7, "burst_limit": 9, "quota": quota},
        "open": {"clients": ["guest"]},
    }
    assert read(plans=plans).usage_plans() == {
        "gold": UsagePlan(
            clients=("web", "mobile-2"),
            throttle=Throttle(rate_limit=7, burst_limit=9),
            quota=Quota(limit=5, period="WEEK"),
        ),
        "open": UsagePlan(clients=("guest",), throttle=Throttle(rate_limit=100, burst_limit=200)),
    }


@pytest.mark.parametrize(
    "said",
    [
        {"rate_limit": 1, "burst_limit": 1},
        {"rate_limit": 10_000, "burst_limit": 5_000, "quota": {"limit": 2**31 - 1, "period": "MONTH"}},
        {"quota": {"limit": 1}},
    ],
)
def test_what_is_at_its_bounds_is_taken_by_the_component_too(said: dict[str, Any]) -> None:
    assert read(plans={"gold": {"clients": ["a"], **said}}).usage_plans()


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"stage": "a-b"}, "got 'a-b'; 1 to 128 letters, digits and underscores"),
        ({"stage": ""}, "got ''; 1 to 128 letters"),
        ({"timeout_ms": 49}, "greater than or equal to 50"),
        ({"timeout_ms": 300_001}, "less than or equal to 300000"),
        ({"throttle": {"rate_limit": 0}}, "greater than or equal to 1"),
        ({"throttle": {"rate_limit": 10_001}}, "less than or equal to 10000"),
        ({"throttle": {"burst_limit": 5_001}}, "less than or equal to 5000"),
        (
            {"plans": {"Gold": {"clients": ["a"]}}},
            "got 'Gold'; 1 to 63 lower-case letters, digits and hyphens",
        ),
        ({"plans": {"gold": {"clients": ["a_b"]}}}, "got 'a_b'; 1 to 63 lower-case letters"),
        ({"plans": {"gold": {"clients": []}}}, "clients: got []; the name of one client or more"),
        ({"plans": {"gold": {}}}, "Field required"),
        ({"plans": {"gold": {"clients": ["a"], "quota": {"limit": 0}}}}, "greater than or equal to 1"),
        ({"plans": {"gold": {"clients": ["a"], "quota": {"limit": 1, "period": "YEAR"}}}}, "'DAY', 'WEEK' or 'MONTH'"),
        ({"web_acl_arn": ACL.replace("regional", "global")}, "the ARN of a regional WAFv2 web ACL"),
        ({"log_retention_days": 2}, "CloudWatch keeps logs for one of"),
        ({"domain": {"name": "a.example.com"}}, "got neither of zone_id and certificate_arn"),
        ({"keys": ["a"]}, "Extra inputs are not permitted"),
    ],
)
def test_what_cannot_work_is_refused_when_it_is_read(said: dict[str, Any], message: str) -> None:
    """All errors of a stack file are said at once, before anything is made; none names a class of ours."""
    error = wrong(**said)
    assert message in error
    assert "UsagePlan." not in error


@pytest.mark.parametrize(
    "plans",
    [{"gold": {"clients": ["a", "b", "a"]}}, {"gold": {"clients": ["a"]}, "open": {"clients": ["b", "a"]}}],
    ids=["in one plan", "in two"],
)
def test_a_client_that_is_named_twice_is_told(plans: dict[str, Any]) -> None:
    """API Gateway refuses a key in two plans of one stage."""
    assert "plans: got 'a' more than once; each client once, in one plan" in wrong(plans=plans)


def test_what_is_of_the_stacks_account_and_region_will_do() -> None:
    said = read(web_acl_arn=ACL, domain={"name": "api.example.com", "certificate_arn": CERTIFICATE})
    assert told(said) == []


@pytest.mark.parametrize(("mine", "other"), [("eu-west-1", "us-east-1"), ("111122223333", "444455556666")])
def test_what_is_of_another_region_or_account_is_told(mine: str, other: str) -> None:
    """API Gateway would refuse either at its last step, when all else is there."""
    acl, certificate = ACL.replace(mine, other), CERTIFICATE.replace(mine, other)
    said = read(web_acl_arn=acl, domain={"name": "api.example.com", "certificate_arn": certificate})
    own = (
        "one of the stack's own account and region, arn:aws:{}:eu-west-1:111122223333:{}...: API Gateway takes no other"
    )
    assert told(said) == [
        f"domain.certificate_arn: got {certificate!r}; {own.format('acm', 'certificate/')}",
        f"web_acl_arn: got {acl!r}; {own.format('wafv2', 'regional/webacl/')}",
    ]


@pytest.mark.parametrize("kind", ["internal_load_balancer", "public_load_balancer"])
@pytest.mark.parametrize("name", ["shop.example.com", "*.shop.example.com"])
def test_a_name_that_a_load_balancer_has_too_is_told(kind: str, name: str) -> None:
    """Its record would lead to one of them, and its one proof would be owned twice."""
    said = read(domain={"name": "api.example.com", "further_names": [name], "zone_id": ZONE})
    taken = {"domain": {"name": "shop.example.com", "zone_id": ZONE}}
    (line,) = told(said, **{kind: taken})
    assert line.startswith(
        f"domain: got 'shop.example.com' or '*.shop.example.com', one of which {kind} has too; another"
    )


@pytest.mark.parametrize(
    "domain",
    [
        {"name": "api.shop.example.com", "zone_id": ZONE},
        {"name": "shop.example.com", "certificate_arn": CERTIFICATE},
    ],
    ids=["one below it", "records that are somebody else's"],
)
def test_names_that_are_proved_apart_are_not(domain: dict[str, Any]) -> None:
    taken = {"domain": {"name": "shop.example.com", "further_names": ["*.shop.example.com"], "zone_id": ZONE}}
    assert told(read(domain=domain), public_load_balancer=taken) == []
