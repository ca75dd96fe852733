"""What is kept of a network's traffic."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import pulumi_aws as aws

from components import naming
from components.errors import one_of
from components.grants import Grant
from components.logs import RETENTION_DAYS
from components.roles import ServiceRole, confused_deputy

if TYPE_CHECKING:
    from pulumi import Output

    from components.account import Account
    from components.base import Owner


@dataclass(frozen=True, kw_only=True)
class FlowLogs:
    """What is kept of a network's traffic, in the log group ``/vpc/<network's name>/flow-logs``.

    Raises:
        InvalidArgsError: a retention, a traffic type or an interval that AWS has not.

    """

    retention_days: int = 30
    """Days. Default: 30. One of CloudWatch's own choices, 1 to 3653."""
    traffic: Literal["ALL", "ACCEPT", "REJECT"] = "ALL"
    """Default: all of it. What was refused says who knocked, what was accepted says who came in."""
    interval_seconds: Literal[60, 600] = 600
    """Seconds of traffic that one record sums up: 60 or 600. Default: 600, which makes the fewest records.

    https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-basics.html
    """

    def __post_init__(self) -> None:
        one_of(self, "retention_days", RETENTION_DAYS)
        one_of(self, "traffic", ("ALL", "ACCEPT", "REJECT"))
        one_of(self, "interval_seconds", (60, 600))


def role(network: str, account: Account) -> ServiceRole:
    """Plan the role by which AWS writes the flow logs of *network*, by its logical name."""
    # https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-iam-role.html, less the right to make log groups.
    actions = ["logs:CreateLogStream", "logs:DescribeLogGroups", "logs:DescribeLogStreams", "logs:PutLogEvents"]
    return ServiceRole(
        name=naming.autonamed(f"{network}-flow-logs", naming.ROLE),
        service="vpc-flow-logs.amazonaws.com",
        conditions=confused_deputy(account, account.arn("ec2", "vpc-flow-log/*")),
        grants=[Grant(actions=actions, resources=[account.arn("logs", f"log-group:{_group(network)}:*")])],
    )


def keep(flow_logs: FlowLogs, writer: ServiceRole, vpc_id: Output[str], *, network: str, within: Owner) -> None:
    """Make the log group, the *writer* and the flow log of *network* as children of *within*."""
    group = aws.cloudwatch.LogGroup(
        f"{network}-flow-logs",
        name=_group(network),
        retention_in_days=flow_logs.retention_days,
        tags=within.tags,
        opts=within.child(),
    )
    aws.ec2.FlowLog(
        network,
        vpc_id=vpc_id,
        traffic_type=flow_logs.traffic,
        max_aggregation_interval=flow_logs.interval_seconds,
        log_destination_type="cloud-watch-logs",
        log_destination=group.arn,
        iam_role_arn=writer.create(within).arn,
        tags=within.tags,
        opts=within.child(),
    )


def _group(network: str) -> str:
    return naming.fixed(f"/vpc/{network}/flow-logs", naming.LOG_GROUP)
