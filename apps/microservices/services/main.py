"""The container's process, `python main.py <service>`: read the environment, listen, stop in good order on SIGTERM."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from typing import TYPE_CHECKING, Final

from serving.connections import Server
from serving.environment import Environment, EnvironmentFaultError, read
from serving.journal import Journal
from serving.routes import Routes
from serving.service import find

if TYPE_CHECKING:
    from collections.abc import Sequence

    from serving.service import Service

DRAIN_SECONDS: Final = 25
"""For the requests in flight after SIGTERM. ECS kills 30 s after it, unless told otherwise."""

_FAREWELL_SECONDS: Final = 1
"""Of those, for telling the callers that are still waiting."""


async def serve(service: Service, environment: Environment, journal: Journal) -> int:
    """Answer requests until SIGTERM (or SIGINT), and return the process's exit code."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    # The SDK takes half a second of a whole vCPU to import; the container has a quarter, and /health answers meanwhile.
    connected = loop.run_in_executor(None, service.connect, environment)
    routes = Routes(connected, journal, base_path=environment.base_path, request_timeout=environment.request_timeout)
    server = Server(routes, journal, largest_body=service.largest_body)
    try:
        await server.listen(environment.bind_address, environment.port)
    except OSError as error:
        journal.error(f"cannot listen at {environment.bind_address}:{environment.port}", error_message=str(error))
        return 1
    journal.info("listening", address=environment.bind_address, port=environment.port)
    try:
        await connected
    except Exception as error:  # noqa: BLE001 -- whatever it is, there is no service without its clients
        journal.error("the AWS clients cannot be made", error_message=repr(error))
        return 1
    await stop.wait()
    journal.info("draining")
    routes.drain()
    loop.call_later(DRAIN_SECONDS - _FAREWELL_SECONDS, routes.cut)
    cut = await server.drain(DRAIN_SECONDS)
    journal.info("stopped", cut=cut)
    return 1 if cut else 0


def main(arguments: Sequence[str]) -> int:
    """Run the service that *arguments* name and return the process's exit code; 2 where it cannot be begun."""
    name = " ".join(arguments)
    journal = Journal(service=name)
    try:
        service = find(name)
        environment = read(os.environ, name, service.storage)
    except LookupError as error:
        journal.error(str(error))
        return 2
    except EnvironmentFaultError as error:
        journal.error(f"the environment cannot be used: {error}")
        return 2
    return asyncio.run(serve(service, environment, journal))


if __name__ == "__main__":
    code = main(sys.argv[1:])
    sys.stdout.flush()
    # Past its deadline a thread may still wait for AWS, with nobody waiting for it: an orderly exit would join it.
    os._exit(code)
