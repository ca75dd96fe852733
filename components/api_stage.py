"""What opens a REST API to its callers, of whichever kind: one stage, its access log, and its throttle."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

import pulumi_aws as aws
from pulumi import ResourceOptions

from components import documents, naming
from components.api_gateway_logging import ACCESS_LOGS
from components.errors import InvalidArgsError, of, within

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pulumi import Output

    from components.api_gateway_logging import ApiGatewayLogging
    from components.base import Owner
    from components.logs import Logs

_STAGE: Final = re.compile(r"\w{1,128}", re.ASCII)
"""https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-stages.html has letters, digits, underscores."""

LOGGED: Final[Mapping[str, str]] = {
    "request_id": "$context.requestId",
    "time": "$context.requestTime",
    "method": "$context.httpMethod",
    "resource": "$context.resourcePath",
    "status": "$context.status",
    "source_ip": "$context.identity.sourceIp",
    "latency_ms": "$context.responseLatency",
    "integration_latency_ms": "$context.integrationLatency",
    "integration_status": "$context.integrationStatus",
    "response_bytes": "$context.responseLength",
    "error": "$context.error.message",
    "integration_error": "$context.integrationErrorMessage",
}
"""What every request leaves in the access log. API Gateway wants the request's id in it.
https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-variables-for-access-logging.html"""


@dataclass(frozen=True, kw_only=True)
class Throttle:
    """How many requests are let through; past it API Gateway answers 429.

    Raises:
        InvalidArgsError: a number out of bounds.

    """

    rate_limit: int = 100
    """Requests a second, over time. 1 to 10000, which is what an account has for all its APIs until it asks for more.
    Default: 100. https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html"""
    burst_limit: int = 200
    """Requests at once, 1 to 5000, the account's own burst at that rate. Default: 200."""

    def __post_init__(self) -> None:
        check_limits(self)


class Limits(Protocol):
    """How many requests are let through, as `Throttle` has it."""

    @property
    def rate_limit(self) -> int:
        """Requests a second, over time."""
        ...

    @property
    def burst_limit(self) -> int:
        """Requests at once."""
        ...


def check_limits(owner: Limits) -> None:
    """Refuse the ``rate_limit`` or ``burst_limit`` of *owner* where no account has as much."""
    within(owner, "rate_limit", 1, 10_000, "requests a second")
    within(owner, "burst_limit", 1, 5_000, "requests")


def check_stage(owner: object, field: str = "stage") -> None:
    """Refuse ``owner.field`` if API Gateway would as a stage's name."""
    if not _STAGE.fullmatch(getattr(owner, field)):
        raise InvalidArgsError(
            of(owner, field), got=getattr(owner, field), want="letters, digits and underscores, 1 to 128 of them"
        )


def group_of(name: str) -> str:
    """Return the name of the access log group of the API *name*; refuse *name* where none can have it."""
    return naming.fixed(f"{ACCESS_LOGS}{name}", naming.LOG_GROUP)


class Opening(Protocol):
    """How a stage is opened, as an API of either kind is told."""

    @property
    def stage(self) -> str:
        """The stage's name."""
        ...

    @property
    def logs(self) -> Logs:
        """How long the access log's lines are kept."""
        ...

    @property
    def logging(self) -> ApiGatewayLogging | None:
        """What the stage waits for, where this stack makes it."""
        ...

    @property
    def tracing(self) -> bool:
        """Whether requests are sampled for X-Ray."""
        ...


def open_stage(
    owner: Owner,
    name: str,
    opening: Opening,
    *,
    api_id: Output[str],
    deployment_id: Output[str],
    logged: Mapping[str, str],
) -> aws.apigateway.Stage:
    """Make the stage of the API *name* that answers with that deployment, and its access log, as children of *owner*.

    The log has one JSON line a request, of the fields *logged*, each with API Gateway's variable.
    """
    group = aws.cloudwatch.LogGroup(
        name,
        name=group_of(name),
        retention_in_days=opening.logs.retention_days,
        tags=owner.tags,
        opts=owner.child(),
    )
    return aws.apigateway.Stage(
        name,
        rest_api=api_id,
        deployment=deployment_id,
        stage_name=opening.stage,
        access_log_settings={
            "destination_arn": group.arn,
            "format": documents.compact(dict(logged)),
        },
        xray_tracing_enabled=opening.tracing,
        tags=owner.tags,
        opts=owner.child(ResourceOptions(depends_on=[opening.logging.ready]) if opening.logging else None),
    )


def throttle(
    owner: Owner,
    name: str,
    stage: aws.apigateway.Stage,
    api_id: Output[str],
    held_to: Limits,
    *,
    route: tuple[str, str] | None = None,
) -> None:
    """Hold each method of *stage* to its limits, or the one of *route*, a method and a path."""
    aws.apigateway.MethodSettings(
        name,
        rest_api=api_id,
        stage_name=stage.stage_name,
        # A slash within a path is escaped as in a JSON pointer: the provider hands AWS what it is given.
        method_path=f"{route[1].replace('/', '~1')}/{route[0]}" if route else "*/*",
        settings={
            # Execution logs and data traces hold requests and answers whole; the access log says what went wrong.
            "logging_level": "OFF",
            "data_trace_enabled": False,
            "throttling_rate_limit": held_to.rate_limit,
            "throttling_burst_limit": held_to.burst_limit,
        },
        opts=owner.child(),
    )
