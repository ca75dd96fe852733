"""The container's process: read the environment, listen, and on SIGTERM stop in good order."""

from __future__ import annotations

import asyncio
import ipaddress
import os
import signal
import socket
import sys
from typing import TYPE_CHECKING

from environment import EnvironmentFaultError, read
from journal import Journal
from server import Server
from servicer import Agent

if TYPE_CHECKING:
    from environment import Environment


async def serve(environment: Environment, journal: Journal) -> int:
    """Answer conversations until SIGTERM (or SIGINT), and return the process's exit code."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    anywhere = ipaddress.ip_address(environment.address).is_unspecified
    server = Server(Agent(socket.gethostname() if anywhere else environment.target, journal))
    try:
        await server.listen(environment.target)
    except RuntimeError as error:
        journal.error(f"cannot listen at {environment.target}", error_message=str(error))
        return 1
    journal.info("listening", address=environment.address, port=environment.port)
    await stop.wait()
    journal.info("draining")
    cut = await server.drain()
    journal.info("stopped", cut=cut)
    return 1 if cut else 0


def main() -> int:
    """Run the agent and return the process's exit code; 2 where the environment cannot be used."""
    journal = Journal()
    try:
        environment = read(os.environ)
    except EnvironmentFaultError as error:
        journal.error(f"the environment cannot be used: {error}")
        return 2
    return asyncio.run(serve(environment, journal))


if __name__ == "__main__":
    sys.exit(main())
