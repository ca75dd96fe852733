"""The container's process: read the environment, listen, and on SIGTERM stop in good order."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Final

from connections import Server
from environment import Environment, EnvironmentFaultError, read
from journal import Journal
from routes import ROOM, Routes

if TYPE_CHECKING:
    from answers import Answers

DRAIN_SECONDS: Final = 25
"""For the requests in flight after SIGTERM. ECS kills 30 s after it, unless told otherwise."""

_FAREWELL_SECONDS: Final = 1
"""Of those, for telling the callers that are still waiting."""


async def serve(environment: Environment, journal: Journal) -> int:
    """Answer requests until SIGTERM (or SIGINT), and return the process's exit code."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    answers = loop.run_in_executor(None, _connect, environment)
    routes = Routes(answers, environment.request_timeout, journal)
    server = Server(routes, journal)
    try:
        await server.listen(environment.bind_address, environment.port)
    except OSError as error:
        journal.error(f"cannot listen at {environment.bind_address}:{environment.port}", error_message=str(error))
        return 1
    journal.info("listening", address=environment.bind_address, port=environment.port)
    try:
        await answers
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


def _connect(environment: Environment) -> Answers:
    # The SDK takes half a second of a whole vCPU to import; the container has a quarter, and /health answers meanwhile.
    from answers import connect  # noqa: PLC0415

    return connect(environment, ROOM)


def main() -> int:
    """Run the service and return the process's exit code; 2 where the environment cannot be used."""
    journal = Journal()
    try:
        environment = read(os.environ)
    except EnvironmentFaultError as error:
        journal.error(f"the environment cannot be used: {error}", variables=[asdict(fault) for fault in error.faults])
        return 2
    return asyncio.run(serve(environment, journal.bind(environment=environment.stage)))


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    # Past its deadline a thread may still wait for AWS, with nobody waiting for it: an orderly exit would join it.
    os._exit(code)
