"""The one setting by which API Gateway may write logs in an account and region."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import pulumi
import pulumi_aws as aws
from pulumi import Output, ResourceOptions

from components import naming
from components.base import Component, declared
from components.errors import InvalidArgsError, of
from components.grants import Grant
from components.roles import ServiceRole

if TYPE_CHECKING:
    from collections.abc import Sequence

    from components.account import Account

ACCESS_LOGS: Final = "/api-gateway/"
"""What the names of our REST APIs' access log groups begin with."""

# Written once, when the setting is made: API Gateway so tries the role, and refuses one that cannot.
_WELCOME: Final = "/aws/apigateway/welcome"


@dataclass(frozen=True, kw_only=True)
class ApiGatewayLoggingArgs:
    """What an `ApiGatewayLogging` takes.

    Raises:
        InvalidArgsError: a pattern of log groups that stands for all.

    """

    account: Account
    """The account and region that have the setting."""
    log_groups: Sequence[str] = ()
    """Names or patterns of further log groups that it may write to, for REST APIs that are not of this library.

    Default: none; ours are under ``/api-gateway/``.
    """

    def __post_init__(self) -> None:
        for group in self.log_groups:
            if not group.strip("*/"):
                raise InvalidArgsError(of(self, "log_groups"), got=group, want="names, or patterns such as '/apis/*'")


class ApiGatewayLogging(Component):
    """The role by which API Gateway writes the access logs of every REST API of an account and region.

    AWS has one such setting an account and region, and makes no stage with access logs without it. So one stack
    makes it, the platform's, and the others rely on it: made twice, the later replaces the earlier, and destroying
    either takes it from both.

    Raises:
        InvalidArgsError: *name* does not fit a role.

    """

    role_arn: Output[str]
    """The role's ARN."""
    ready: pulumi.Resource
    """What a stage waits for."""

    def __init__(self, name: str, args: ApiGatewayLoggingArgs, opts: ResourceOptions | None = None) -> None:
        writer = _role(name, args)
        super().__init__(name, declared(args), opts, roles=[writer])
        role = writer.create(self)
        self.role_arn = role.arn
        self.ready = aws.apigateway.Account(
            name,
            cloudwatch_role_arn=role.arn,
            opts=self.child(ResourceOptions(depends_on=[role.policy] if role.policy else None)),
        )
        self.register_outputs({"role_arn": self.role_arn})


def _role(name: str, args: ApiGatewayLoggingArgs) -> ServiceRole:
    # The managed AmazonAPIGatewayPushToCloudWatchLogs may read and write every log group of the account.
    groups = [f"log-group:{group}:*" for group in (f"{ACCESS_LOGS}*", *args.log_groups)]
    welcome = [args.account.arn("logs", f"log-group:{_WELCOME}{part}") for part in ("", ":*")]
    return ServiceRole(
        name=naming.autonamed(name, naming.ROLE),
        service="apigateway.amazonaws.com",
        # No condition: AWS documents none for this role, and API Gateway was found not to say aws:SourceAccount when
        # it takes it, so that one on it would have the setting refused. Who may hand API Gateway the role is decided
        # by `iam:PassRole`, inside this account alone.
        # https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-logging.html
        conditions={},
        grants=[
            # It knows no narrower resource.
            Grant(actions=["logs:DescribeLogGroups"], resources=["*"]),
            Grant(actions=["logs:CreateLogGroup"], resources=welcome),
            Grant(
                actions=["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
                resources=[*welcome, *(args.account.arn("logs", group) for group in groups)],
            ),
        ],
    )
