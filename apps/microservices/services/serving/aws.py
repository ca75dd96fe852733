"""The SDK: clients that give up in time, and AWS's refusals as one error. Slow to import."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from serving.faults import StorageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from serving.environment import Environment

_CONNECT_SECONDS: Final = 1


def client(service: str, environment: Environment, connections: int) -> Any:
    """Make a client for *connections* calls at once, each of which ends well within a request's time."""
    # Region, credentials and endpoint are the SDK's own to find, by its standard environment.
    config = Config(
        connect_timeout=_CONNECT_SECONDS,
        read_timeout=min(2.0, environment.request_timeout / 4),
        # A healthy store answers in milliseconds: two more tries, and then the caller may try again.
        retries={"mode": "standard", "total_max_attempts": 3},
        max_pool_connections=connections,
    )
    make: Any = boto3.client  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType] -- boto3 has no types
    return make(service, config=config)


def ask(operation: Callable[..., dict[str, Any]], **request: Any) -> dict[str, Any]:
    """Call an *operation* of a client.

    Raises:
        StorageError: AWS refuses, or does not answer.

    """
    try:
        return operation(**request)
    except ClientError as error:
        said: dict[str, Any] = vars(error)["response"].get("Error", {})  # which botocore gives no type
        raise StorageError(str(said.get("Code")), str(said.get("Message"))) from error
    except BotoCoreError as error:
        raise StorageError(type(error).__name__, str(error)) from error
