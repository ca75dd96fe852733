"""The container's health check: exit 0 when the agent says that it serves, 1 when it does not.

Run in the agent's own environment, of which it reads what the agent reads.
"""

from __future__ import annotations

import os
import sys
from typing import Any, Final

import grpc
from environment import read
from grpc_health.v1 import health_pb2, health_pb2_grpc

SECONDS: Final = 4
"""ECS gives a health check 5."""


def check(target: str) -> str | None:
    """Say what is wrong with the agent; None when it is well."""
    with grpc.insecure_channel(target) as channel:
        stub: Any = health_pb2_grpc.HealthStub(channel)
        try:
            answer = stub.Check(health_pb2.HealthCheckRequest(), timeout=SECONDS)
        except grpc.RpcError as error:
            said: Any = error
            return f"{target}: {said.code().name}: {said.details()}"
    if answer.status == health_pb2.HealthCheckResponse.SERVING:
        return None
    return f"{target}: {health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status)}"


if __name__ == "__main__":
    sys.exit(check(read(os.environ).own_target))
