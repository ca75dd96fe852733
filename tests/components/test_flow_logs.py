"""Flow logs reach one log group, by a role that can do nothing else."""

from __future__ import annotations

import json
from typing import Any

import pytest

from components.account import Account
from components.errors import InvalidArgsError
from components.flow_logs import FlowLogs
from components.network import Network, NetworkArgs
from tests.components.recorder import one, record

ACCOUNT = Account(id="123456789012", region="eu-west-1")


def test_the_log_group_has_the_name_and_the_days_that_were_said() -> None:
    logs = FlowLogs(retention_days=90, traffic="REJECT", interval_seconds=60)
    resources = record(lambda: Network("main", NetworkArgs(account=ACCOUNT, flow_logs=logs)))
    group, log = one(resources, ":LogGroup"), one(resources, ":FlowLog")
    assert (group.inputs["name"], group.inputs["retentionInDays"]) == ("/vpc/main/flow-logs", 90)
    assert (log.inputs["trafficType"], log.inputs["maxAggregationInterval"]) == ("REJECT", 60)
    assert (log.inputs["logDestination"], log.inputs["iamRoleArn"]) == ("main-flow-logs.arn", "main-flow-logs.arn")


def test_by_default_all_traffic_is_summed_up_in_the_fewest_records() -> None:
    """Records are paid for by the byte."""
    log = one(record(lambda: Network("main", NetworkArgs(account=ACCOUNT))), ":FlowLog").inputs
    assert (log["trafficType"], log["maxAggregationInterval"]) == ("ALL", 600)


def test_the_role_writes_to_that_group_and_is_taken_for_this_accounts_flow_logs_alone() -> None:
    """Pinned whole: a wider action or resource here is a change that somebody should mean."""
    said = one(record(lambda: Network("main", NetworkArgs(account=ACCOUNT))), ":Network").inputs
    assert json.loads(said["declared"])["policies"] == {
        "main-flow-logs": [
            {
                "actions": [
                    "logs:CreateLogStream", "logs:DescribeLogGroups", "logs:DescribeLogStreams", "logs:PutLogEvents",
                ],
                "resources": ["arn:aws:logs:eu-west-1:123456789012:log-group:/vpc/main/flow-logs:*"],
            }
        ]
    }  # fmt: skip
    assert json.loads(said["declared"])["trusts"] == {
        "main-flow-logs": {
            "service": "vpc-flow-logs.amazonaws.com",
            "conditions": {
                "StringEquals": {"aws:SourceAccount": "123456789012"},
                "ArnLike": {"aws:SourceArn": "arn:aws:ec2:eu-west-1:123456789012:vpc-flow-log/*"},
            },
        }
    }


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"retention_days": 31}, "FlowLogs.retention_days"),
        ({"traffic": "all"}, "FlowLogs.traffic"),
        ({"interval_seconds": 300}, "FlowLogs.interval_seconds"),
    ],
)
def test_a_wrong_setting_is_named_with_its_value(given: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidArgsError, match=rf"^{field}: got "):
        FlowLogs(**given)
