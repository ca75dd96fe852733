"""Agents that answer as a test tells them to, each at an address of its own."""

from __future__ import annotations

import asyncio
import itertools
import random
from typing import TYPE_CHECKING, Any, Self

import grpc

from tests.apps.workflow.conftest import module
from tests.apps.workflow.fleet import free_port

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

_api = module("workflow_api.workflow_agent_pb2")
_grpc = module("workflow_api.workflow_agent_pb2_grpc")
_addresses = (f"127.{random.randint(64, 254)}.{random.randint(0, 254)}.{last}" for last in itertools.count(1))  # noqa: S311 -- no secret

SILENCE = "silence"
"""A step of a script: nothing more comes."""


class Scripted(_grpc.WorkflowAgentServicer):  # type: ignore[misc, name-defined]
    """An agent that follows its scripts: one a call, the last one for all that come after.

    A step is a text, which is sent; a status, which ends the call; or `SILENCE`. The last text sent is the final one.
    """

    def __init__(self, *scripts: list[str | grpc.StatusCode], port: int = 0, credentials: Any = None) -> None:
        self._scripts = scripts or (["all"],)
        self._credentials = credentials
        self.address = next(_addresses)
        self.port = port or free_port(self.address)
        self.peers: list[str] = []
        """Who called, a connection each."""
        self.metadata: list[dict[str, str]] = []

    async def ProcessConversation(self, request: Any, context: Any) -> AsyncIterator[Any]:  # noqa: ARG002, N802
        """Follow the next script."""
        script = self._scripts[min(len(self.peers), len(self._scripts) - 1)]
        self.peers.append(context.peer())
        self.metadata.append(dict(context.invocation_metadata()))
        for index, step in enumerate(script):
            if step == SILENCE:
                await asyncio.sleep(60)
            elif isinstance(step, str):
                final = index == len(script) - 1
                yield _api.ConversationReply(index=index, text=step, final=final, agent=self.address)
            else:
                await context.abort(step, "as told")

    async def __aenter__(self) -> Self:
        self._server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
        _grpc.add_WorkflowAgentServicer_to_server(self, self._server)
        target = f"{self.address}:{self.port}"
        if self._credentials:
            self._server.add_secure_port(target, self._credentials)
        else:
            self._server.add_insecure_port(target)
        await self._server.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def stop(self) -> None:
        """Cut all calls, and listen no more."""
        await self._server.stop(None)
