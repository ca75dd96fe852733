"""The one method of the service: a conversation's answers, streamed."""

from __future__ import annotations

import asyncio
import re
import time
from typing import TYPE_CHECKING, Any, Final

import grpc
from conversation import LONGEST_STREAM, InvalidRequestError, parse
from workflow_api.workflow_agent_pb2 import ConversationReply
from workflow_api.workflow_agent_pb2_grpc import WorkflowAgentServicer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from conversation import Conversation
    from journal import Journal
    from workflow_api.workflow_agent_pb2 import ConversationRequest

MOST_STREAMS: Final = 256
"""Conversations at once. One more is refused at once, and its caller can go elsewhere; queued it would be slow."""

STREAM_SECONDS: Final = LONGEST_STREAM + 2
"""What a stream may take, its caller's slow reading included, whatever deadline the caller gave."""

_SANE_ID: Final = re.compile(r"[A-Za-z0-9._:-]{1,128}")


class Agent(WorkflowAgentServicer):
    """Answers conversations. Lives on the event loop's thread."""

    def __init__(self, name: str, journal: Journal) -> None:
        self._name = name
        self._journal = journal
        self._running = 0
        self._stopping = False
        self._idle = asyncio.Event()
        self._idle.set()

    def stop(self) -> None:
        """Refuse what comes from now on; what is being answered is answered to its end."""
        self._stopping = True

    async def idle(self) -> None:
        """Wait until no conversation is being answered."""
        await self._idle.wait()

    @property
    def running(self) -> int:
        """Conversations being answered."""
        return self._running

    async def ProcessConversation(  # noqa: N802 -- the contract's name
        self, request: ConversationRequest, context: grpc.aio.ServicerContext[Any, Any]
    ) -> AsyncIterator[ConversationReply]:
        """Answer a conversation, one message a word, and log how that ended."""
        began, sent = time.monotonic(), 0
        self._running += 1
        self._idle.clear()
        status = "CANCELLED"  # by the caller, its deadline, or the end of this process: no code of ours runs then
        try:
            async with asyncio.timeout(STREAM_SECONDS):
                conversation = await self._accept(request, context)
                async for reply in self._answer(conversation):
                    yield reply
                    sent += 1
            status = "OK"
        except TimeoutError:
            status = "DEADLINE_EXCEEDED"
            await context.abort(
                grpc.StatusCode.DEADLINE_EXCEEDED, f"not read to its end within {STREAM_SECONDS:g} seconds"
            )
        except grpc.aio.AbortError:
            status = str(grpc.StatusCode(context.code()).name)
            raise
        finally:
            self._running -= 1
            if not self._running:
                self._idle.set()
            self._journal.info(
                "conversation",
                request_id=_request_id(context),
                conversation_id=request.conversation_id[:64],
                status=status,
                messages=sent,
                ms=round((time.monotonic() - began) * 1000),
            )

    async def _accept(self, request: ConversationRequest, context: grpc.aio.ServicerContext[Any, Any]) -> Conversation:
        if self._stopping:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "this agent is stopping: another would do")
        if self._running > MOST_STREAMS:
            await context.abort(
                grpc.StatusCode.RESOURCE_EXHAUSTED, f"{MOST_STREAMS} conversations are being answered: try again"
            )
        try:
            return parse(request)
        except InvalidRequestError as error:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))

    async def _answer(self, conversation: Conversation) -> AsyncIterator[ConversationReply]:
        last = len(conversation.words) - 1
        for index, text in enumerate(conversation.answers()):
            # With no pace it still lets the others have their turn.
            await asyncio.sleep(conversation.pace)
            yield ConversationReply(
                conversation_id=conversation.id, index=index, text=text, final=index == last, agent=self._name
            )


def _request_id(context: grpc.aio.ServicerContext[Any, Any]) -> str | None:
    """What the caller calls its request, if that is fit for a log."""
    given = dict(context.invocation_metadata() or ()).get("x-request-id", "")
    return given if isinstance(given, str) and _SANE_ID.fullmatch(given) else None
