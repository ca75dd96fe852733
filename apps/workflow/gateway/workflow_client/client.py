"""One call to the agents: where it goes, how long it may take, and when it may be tried again."""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack, aclosing
from typing import TYPE_CHECKING, Any, Final

import grpc

from workflow_client.discovery import ways
from workflow_client.metrics import Metrics
from workflow_client.pool import NoEndpointError, Pool

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from prometheus_client import CollectorRegistry
    from workflow_api.workflow_agent_pb2 import ConversationReply, ConversationRequest

    from workflow_client.discovery import Endpoint
    from workflow_client.settings import Settings

ATTEMPTS: Final = 2
"""A call that had no message yet, and found its agent unavailable, is tried once more."""


class CallError(Exception):
    """A call that failed: its gRPC status, in the agent's words or ours."""

    def __init__(self, code: grpc.StatusCode, message: str, *, attempts: int, messages: int) -> None:
        super().__init__(message)
        self.code = code
        self.attempts = attempts
        """How often it was tried."""
        self.messages = messages
        """How many messages had come before."""


class WorkflowClient:
    """Calls the agents that *settings* lead to. Belongs to one event loop; `close` it there."""

    def __init__(self, settings: Settings, registry: CollectorRegistry) -> None:
        self._pool = Pool(ways(settings), tls=settings.tls)
        self._metrics = Metrics(registry, lambda: len(self._pool.ready()))

    async def close(self) -> None:
        """Close all connections, each with the end of the calls on it."""
        await self._pool.close()

    async def process(
        self,
        request: ConversationRequest,
        *,
        timeout: float,  # noqa: ASYNC109 -- it is sent along, as the call's deadline
        attempt_timeout: float | None = None,
        metadata: Sequence[tuple[str, str]] = (),
    ) -> AsyncGenerator[ConversationReply]:
        """Stream the replies to *request*: each once, in order, the last one `final`.

        To be read to its end or closed (`contextlib.aclosing`). All of it takes *timeout* seconds at most, finding an
        agent included, and each attempt *attempt_timeout*. Tried once more where the agent is unavailable and no
        message had come; never after the first, which would come twice.

        Raises:
            CallError: the call failed, with or without messages before.

        """
        began = time.monotonic()
        ends = began + timeout
        messages, avoid = 0, None
        try:
            for attempt in range(1, ATTEMPTS + 1):
                try:
                    attempted = self._attempt(request, ends, attempt_timeout, metadata, avoid)
                    async with aclosing(attempted) as replies:
                        async for reply in replies:
                            messages += 1
                            yield reply
                except _AttemptError as error:
                    self._metrics.failures.labels(reason=error.code.name.lower()).inc()
                    avoid = error.endpoint
                    if error.code is grpc.StatusCode.UNAVAILABLE and not messages and attempt < ATTEMPTS:
                        continue
                    raise CallError(error.code, str(error), attempts=attempt, messages=messages) from error
                return
        finally:
            self._metrics.seconds.observe(time.monotonic() - began)

    async def _attempt(
        self,
        request: ConversationRequest,
        ends: float,
        attempt_timeout: float | None,
        metadata: Sequence[tuple[str, str]],
        avoid: Endpoint | None,
    ) -> AsyncGenerator[ConversationReply]:
        async with AsyncExitStack() as held:
            try:
                async with asyncio.timeout(ends - time.monotonic()):
                    connection = await held.enter_async_context(await self._pool.pick(avoid))
            except TimeoutError:
                raise _AttemptError(grpc.StatusCode.DEADLINE_EXCEEDED, "no agent was ready in time") from None
            except NoEndpointError as error:
                raise _AttemptError(grpc.StatusCode.UNAVAILABLE, f"no agent is ready: {error}") from error
            left = max(0.0, ends - time.monotonic())
            call: Any = connection.stub.ProcessConversation(
                request, timeout=min(left, attempt_timeout or left), metadata=tuple(metadata)
            )
            held.callback(call.cancel)  # nothing to one that has ended
            silent, whole = True, False
            try:
                async for reply in call:
                    silent, whole = False, reply.final
                    yield reply
            except grpc.aio.AioRpcError as error:
                code = error.code()
                # We did not cancel it: an agent that goes drops what it has not begun in this way too.
                if code is grpc.StatusCode.CANCELLED:
                    code = grpc.StatusCode.UNAVAILABLE
                # One that says nothing until the deadline may be frozen: connected, and lost to every call it is given.
                frozen = silent and code is grpc.StatusCode.DEADLINE_EXCEEDED
                if frozen or code is grpc.StatusCode.UNAVAILABLE:
                    await self._pool.failed(connection)
                raise _AttemptError(code, error.details() or "", connection.endpoint) from error
            if not whole:
                raise _AttemptError(grpc.StatusCode.DATA_LOSS, "the stream ended without its final message")


class _AttemptError(Exception):
    """One attempt that failed, and where."""

    def __init__(self, code: grpc.StatusCode, message: str, endpoint: Endpoint | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.endpoint = endpoint
