"""The container's process: read the environment, listen, and on SIGTERM stop in good order."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from typing import TYPE_CHECKING, Final

from connections import Server
from environment import EnvironmentFaultError, read
from journal import Journal
from prometheus_client import CollectorRegistry
from routes import Routes
from workflow_client import WorkflowClient

if TYPE_CHECKING:
    from environment import Environment

DRAIN_SECONDS: Final = 25
"""For the requests in flight after SIGTERM. ECS kills 30 s after it, unless told otherwise."""


async def serve(environment: Environment, journal: Journal) -> int:
    """Answer requests until SIGTERM (or SIGINT), and return the process's exit code."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    registry = CollectorRegistry()
    client = WorkflowClient(environment.agents, registry)
    routes = Routes(
        client,
        registry,
        journal,
        base_path=environment.base_path,
        request_timeout=environment.request_timeout,
    )
    server = Server(routes, journal)
    try:
        await server.listen(environment.bind_address, environment.port)
    except OSError as error:
        journal.error(f"cannot listen at {environment.bind_address}:{environment.port}", error_message=str(error))
        return 1
    journal.info("listening", address=environment.bind_address, port=environment.port)
    await stop.wait()
    journal.info("draining")
    routes.drain()
    cut = await server.drain(DRAIN_SECONDS)
    await client.close()
    journal.info("stopped", cut=cut)
    return 1 if cut else 0


def main() -> int:
    """Run the gateway and return the process's exit code; 2 where the environment cannot be used."""
    journal = Journal()
    try:
        environment = read(os.environ)
    except EnvironmentFaultError as error:
        journal.error(f"the environment cannot be used: {error}")
        return 2
    return asyncio.run(serve(environment, journal))


if __name__ == "__main__":
    sys.exit(main())
