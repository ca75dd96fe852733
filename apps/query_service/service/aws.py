"""The two AWS clients, as far as they are used here, and AWS's refusals in its own words."""

from __future__ import annotations

from typing import Any, Final, Protocol

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

AWS_ERRORS: Final = (BotoCoreError, ClientError)
"""Whatever a client raises: no answer, or a refusal."""

_CONNECT_SECONDS: Final = 1


class DynamoDB(Protocol):
    """The five actions that the task's role grants on its own table."""

    def get_item(self, **request: Any) -> dict[str, Any]: ...  # noqa: D102
    def query(self, **request: Any) -> dict[str, Any]: ...  # noqa: D102
    def put_item(self, **request: Any) -> dict[str, Any]: ...  # noqa: D102
    def update_item(self, **request: Any) -> dict[str, Any]: ...  # noqa: D102
    def delete_item(self, **request: Any) -> dict[str, Any]: ...  # noqa: D102


class Lambda(Protocol):
    """The one action that the task's role grants on its own function."""

    def invoke(self, **request: Any) -> dict[str, Any]: ...  # noqa: D102


def dynamodb(request_timeout: float, connections: int) -> DynamoDB:
    """Make a client that gives up on a call well within a request's *request_timeout* seconds."""
    # A healthy table answers in milliseconds: one retry, and then the request does without its table.
    return _client("dynamodb", read_seconds=min(2.0, request_timeout / 4), attempts=2, connections=connections)


def functions(request_timeout: float, connections: int) -> Lambda:
    """Make a client that waits half of a request's *request_timeout* seconds, once: the API had the other half."""
    return _client("lambda", read_seconds=request_timeout / 2, attempts=1, connections=connections)


def words(error: Exception) -> dict[str, str]:
    """AWS's error code and message, as fields of a line of the log; the caller never sees them."""
    if isinstance(error, ClientError):
        said: dict[str, Any] = vars(error)["response"].get("Error", {})  # which botocore gives no type
        return {"error_code": str(said.get("Code")), "error_message": str(said.get("Message"))}
    return {"error_code": type(error).__name__, "error_message": str(error)}


def _client(service: str, *, read_seconds: float, attempts: int, connections: int) -> Any:
    # Region, credentials and endpoint are the SDK's own to find, by its standard environment.
    config = Config(
        connect_timeout=_CONNECT_SECONDS,
        read_timeout=read_seconds,
        retries={"mode": "standard", "total_max_attempts": attempts},
        max_pool_connections=connections,
    )
    make: Any = boto3.client  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType] -- boto3 has no types
    return make(service, config=config)
