"""Plans give each client a key of its own, hold it to its limits, and show its value to nobody."""

from __future__ import annotations

from typing import Any

import pytest

from components.api_stage import Throttle
from components.errors import InvalidArgsError
from components.usage_plan import Quota, UsagePlan, command
from tests.components.recorder import of_type, one
from tests.components.test_public_api import api, args

PLANS = {
    "partners": UsagePlan(
        clients=("web", "till"), throttle=Throttle(rate_limit=5, burst_limit=6), quota=Quota(limit=1000, period="WEEK")
    ),
    "staff": UsagePlan(clients=("desk",)),
}


def test_each_client_has_a_key_in_its_plan() -> None:
    resources = api(plans=PLANS)
    assert of_type(resources, ":ApiKey").keys() == {"shop-desk", "shop-till", "shop-web"}
    plans = {name: each.inputs["usagePlanId"] for name, each in of_type(resources, ":UsagePlanKey").items()}
    assert plans == {"shop-desk": "shop-staff-id", "shop-till": "shop-partners-id", "shop-web": "shop-partners-id"}
    assert one(resources, ":UsagePlanKey", "shop-web").inputs["keyId"] == "shop-web-id"


def test_a_plan_holds_each_of_its_keys_to_its_limits() -> None:
    plan = one(api(plans=PLANS), ":UsagePlan", "shop-partners").inputs
    assert plan["throttleSettings"] == {"rateLimit": 5, "burstLimit": 6}
    assert plan["quotaSettings"] == {"limit": 1000, "period": "WEEK"}
    assert plan["apiStages"] == [{"apiId": "shop-id", "stage": "prod"}]


def test_a_plan_without_a_quota_has_no_end() -> None:
    assert "quotaSettings" not in one(api(plans=PLANS), ":UsagePlan", "shop-staff").inputs


def test_no_key_is_given_a_value() -> None:
    """One that a program knows is in its source, its settings or its state."""
    assert not any("value" in each.inputs for each in of_type(api(plans=PLANS), ":ApiKey").values())


def test_the_order_of_clients_says_nothing() -> None:
    turned = {**PLANS, "partners": UsagePlan(clients=("till", "web"))}
    before, after = (
        {name: each.inputs for name, each in of_type(api(plans=plans), ":ApiKey").items()} for plans in (PLANS, turned)
    )
    assert before == after


def test_a_key_is_shown_by_a_command_for_whoever_may_see_it() -> None:
    said = "aws apigateway get-api-key --region eu-north-1 --api-key a1b2 --include-value --query value --output text"
    assert command("a1b2", region="eu-north-1") == said


@pytest.mark.parametrize("clients", [(), ("web", "web"), ("Web",), ("web till",), ("-web",), ("",)])
def test_clients_without_a_name_of_their_own_are_refused(clients: tuple[str, ...]) -> None:
    with pytest.raises(InvalidArgsError, match=r"^UsagePlan\.clients: got "):
        UsagePlan(clients=clients)


@pytest.mark.parametrize(
    ("given", "field"),
    [({"limit": 0}, "limit"), ({"limit": 2**31}, "limit"), ({"limit": 1, "period": "YEAR"}, "period")],
)
def test_a_quota_that_api_gateway_has_not_is_refused(given: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidArgsError, match=rf"^Quota\.{field}: got "):
        Quota(**given)


@pytest.mark.parametrize(
    "plans",
    [
        {"a": UsagePlan(clients=("web",)), "b": UsagePlan(clients=("till", "web"))},
        {"A plan": UsagePlan(clients=("web",))},
    ],
)
def test_a_client_in_two_plans_and_a_plan_without_a_name_are_refused(plans: dict[str, UsagePlan]) -> None:
    """API Gateway refuses a key in two plans of one stage: half-way through an update."""
    with pytest.raises(InvalidArgsError, match=r"^PublicApi\.plans: got "):
        args(plans=plans)
