"""Who may invoke a function: a permission that passes, and one thing broken at a time."""

from __future__ import annotations

from typing import Any

import pytest

from policies.rules.least_privilege import PERMISSION
from policies.rules.role_graph import PACK
from tests.policies.build import UNKNOWN, alone, made, rules, unproved


def test_who_may_invoke_a_function_is_held_to_a_source() -> None:
    def permission(**inputs: Any) -> Any:
        return made(PERMISSION, "p", {"principal": "apigateway.amazonaws.com", **inputs})

    source = "arn:aws:execute-api:eu-west-1:123456789012:a1b2c3/*/POST/query"
    assert alone(PACK, permission(sourceArn=source)) == []
    assert alone(PACK, permission(sourceArn=UNKNOWN)) == []
    assert rules(alone(PACK, permission())) == ["invoke-permission"]
    assert rules(alone(PACK, permission(sourceAccount="123456789012"))) == ["invoke-permission"]
    assert rules(alone(PACK, permission(sourceArn="*"))) == ["invoke-permission"]
    assert rules(alone(PACK, permission(principal="*"))) == ["invoke-permission"]
    assert unproved(alone(PACK, permission(principal=UNKNOWN))) == ["invoke-permission"]
    assert alone(PACK, permission(principal="arn:aws:iam::123456789012:role/caller")) == []
    assert alone(PACK, permission(principal="s3.amazonaws.com", sourceArn="arn:aws:s3:::orders")) == []


@pytest.mark.parametrize(
    "inputs",
    [
        {"principal": "apigateway.amazonaws.com.cn"},
        {"sourceArn": "arn:aws:execute-api:eu-west-1:*:a1b2c3/*"},
        {"sourceArn": "arn:aws:execute-api:*:123456789012:a1b2c3/*"},
        {"sourceArn": "arn:aws:execute-api:eu-west-1:12345678901?:a1b2c3/*"},
        {"sourceArn": "arn:aws:execute-api:*"},
        {"principal": "s3.amazonaws.com", "sourceArn": "arn:aws:s3:::*"},
        {"sourceArn": "arn:aws:execute-api:eu-west-1:999999999999:a1b2c3/*"},
        {"principal": "s3.amazonaws.com", "sourceArn": "arn:aws:s3:::orders", "sourceAccount": "999999999999"},
        {"principal": "999999999999"},
        {"principal": "arn:aws:iam::999999999999:root"},
        {"principal": "arn:aws:iam::999999999999:role/caller"},
        {"sourceArn": "hunter2"},
        {"principal": "hunter2.amazonaws.com"},
    ],
)
def test_a_function_is_not_invoked_from_other_accounts(inputs: dict[str, Any]) -> None:
    whole = {"principal": "apigateway.amazonaws.com", **inputs}
    (finding,) = alone(PACK, made(PERMISSION, "p", whole, provider={"allowedAccountIds": '["123456789012"]'}))
    assert finding.rule == "invoke-permission"
    assert not finding.unproved
    assert "hunter2" not in finding.message
