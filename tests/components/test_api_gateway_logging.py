"""API Gateway writes to its own log groups, and to no other."""

from __future__ import annotations

import json

import pytest

from components.account import Account
from components.api_gateway_logging import ApiGatewayLogging, ApiGatewayLoggingArgs
from components.errors import InvalidArgsError
from tests.components.recorder import Recorded, one, record

ACCOUNT = Account(id="123456789012", region="eu-west-1")
LOGS = "arn:aws:logs:eu-west-1:123456789012:log-group:"


def logging(*log_groups: str) -> list[Recorded]:
    return record(lambda: ApiGatewayLogging("logging", ApiGatewayLoggingArgs(account=ACCOUNT, log_groups=log_groups)))


def test_the_role_writes_under_api_gateway_and_where_a_stack_says() -> None:
    """Pinned whole; the managed policy in its place reads and writes every log group of the account."""
    welcome = [f"{LOGS}/aws/apigateway/welcome", f"{LOGS}/aws/apigateway/welcome:*"]
    assert json.loads(one(logging("/apis/*"), ":ApiGatewayLogging").inputs["declared"])["policies"] == {
        "logging": [
            {"actions": ["logs:DescribeLogGroups"], "resources": ["*"]},
            {"actions": ["logs:CreateLogGroup"], "resources": welcome},
            {
                "actions": ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
                "resources": [*welcome, f"{LOGS}/api-gateway/*:*", f"{LOGS}/apis/*:*"],
            },
        ]
    }


def test_the_role_admits_api_gateway_without_a_condition() -> None:
    """API Gateway does not say whom it acts for when it tries the role: with a condition the setting is refused."""
    resources = logging()
    assert json.loads(one(resources, ":ApiGatewayLogging").inputs["declared"])["trusts"] == {
        "logging": {"service": "apigateway.amazonaws.com", "conditions": {}}
    }
    (statement,) = json.loads(one(resources, ":Role").inputs["assumeRolePolicy"])["Statement"]
    assert statement["Principal"] == {"Service": "apigateway.amazonaws.com"}
    assert "Condition" not in statement


def test_the_setting_waits_for_the_roles_policy() -> None:
    """API Gateway tries the role while it takes it, and refuses one that cannot write yet."""
    resources = logging()
    setting = one(resources, "account:Account")
    assert setting.inputs["cloudwatchRoleArn"] == "logging.arn"
    assert one(resources, ":RolePolicy").urn in setting.dependencies
    assert one(resources, ":ApiGatewayLogging").outputs == {"role_arn": "logging.arn"}


@pytest.mark.parametrize("pattern", ["*", "/*", ""])
def test_a_pattern_that_stands_for_every_log_group_is_refused(pattern: str) -> None:
    with pytest.raises(InvalidArgsError, match=r"^ApiGatewayLogging\.log_groups: got "):
        ApiGatewayLoggingArgs(account=ACCOUNT, log_groups=[pattern])
