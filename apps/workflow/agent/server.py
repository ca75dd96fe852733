"""The gRPC server around the servicer: health, reflection, limits, and the order in which it stops."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection
from workflow_api import workflow_agent_pb2_grpc
from workflow_api.workflow_agent_pb2 import DESCRIPTOR

if TYPE_CHECKING:
    from servicer import Agent

# What follows has no types of its own.
_api: Any = workflow_agent_pb2_grpc
_health: Any = health
_health_api: Any = health_pb2_grpc
_reflection: Any = reflection

SERVICE: Final[str] = DESCRIPTOR.services_by_name["WorkflowAgent"].full_name

DRAIN_SECONDS: Final = 25
"""For the conversations in flight after SIGTERM. ECS kills 30 s after it, unless told otherwise."""

# gRPC drops the calls that are read and not yet begun when it is told to stop: until there are none, they are refused.
_REFUSE_SECONDS: Final = 0.3

_OPTIONS: Final = (
    # Linux would let two servers share the port, and each get half of the calls.
    ("grpc.so_reuseport", 0),
    # A request has 8000 characters, of 4 bytes at most.
    ("grpc.max_receive_message_length", 64 * 1024),
    # A caller may ask this often whether the line still stands; by default a third question within 5 minutes cuts it.
    ("grpc.http2.min_ping_interval_without_data_ms", 5000),
    ("grpc.http2.min_recv_ping_interval_without_data_ms", 5000),
    # A connection through a network load balancer stays with one task for good: sent off now and then, in good order,
    # callers find the tasks that came later.
    ("grpc.max_connection_age_ms", 300_000),
)


class Server:
    """One agent's server. To be made on the event loop's thread."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent
        self._health = _health.aio.HealthServicer()
        self._server = grpc.aio.server(options=_OPTIONS)
        _api.add_WorkflowAgentServicer_to_server(agent, self._server)
        _health_api.add_HealthServicer_to_server(self._health, self._server)
        names = (SERVICE, health.SERVICE_NAME, reflection.SERVICE_NAME)
        _reflection.enable_server_reflection(names, self._server)

    async def listen(self, target: str) -> None:
        """Begin to accept calls at *target*; RuntimeError where the address is not to be had."""
        if not self._server.add_insecure_port(target):
            raise RuntimeError("it is taken, or not of this host")
        await self._server.start()
        for name in ("", SERVICE):  # the whole server's, which most health checks ask for, and the service's own
            await self._health.set(name, health_pb2.HealthCheckResponse.SERVING)

    async def drain(self) -> int:
        """Say that this agent is going, take nothing more, and return how many conversations had to be cut.

        Callers are told three times: by its health, by UNAVAILABLE for a new call, and by HTTP/2's own GOAWAY. What was
        begun before is answered.
        """
        await self._health.enter_graceful_shutdown()
        self._agent.stop()
        await asyncio.sleep(_REFUSE_SECONDS)
        stopping = asyncio.ensure_future(self._server.stop(DRAIN_SECONDS - _REFUSE_SECONDS))
        try:
            async with asyncio.timeout(DRAIN_SECONDS - _REFUSE_SECONDS):
                await self._agent.idle()
        except TimeoutError:
            cut = self._agent.running
        else:
            cut = 0
        # Whoever still watches its health would hold the server up to the last second.
        await self._server.stop(None)
        await stopping
        return cut
