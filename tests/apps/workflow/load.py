"""Many streams through a gateway at once, and what each one must be, whatever becomes of the agents."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import h11

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from tests.apps.workflow.fleet import Fleet

WORDS = ("one", "two", "three", "four", "five")
ENDINGS = {"UNAVAILABLE", "DEADLINE_EXCEEDED"}
"""How a stream may fail."""


@dataclass(frozen=True, kw_only=True)
class Stream:
    """What a caller has of one conversation."""

    status: int
    lines: list[dict[str, Any]]
    seconds: float

    @property
    def messages(self) -> int:
        """How many of the agent's messages there were."""
        return sum("index" in line for line in self.lines)

    @property
    def ending(self) -> str:
        """How it ended: OK, a gRPC status, or what must not be."""
        if self.status != 200:
            error = self.lines[0]["error"] if self.lines else {}
            if error.get("status") == "UNAVAILABLE" and error.get("attempts") != 2:
                return f"not tried once more: {error}"
            return str(error.get("status", f"HTTP {self.status}"))
        *messages, last = self.lines or [{}]
        if "complete" not in last:
            return f"without an end after {len(self.lines)} lines"
        expected = [(index, word.upper()) for index, word in enumerate(WORDS)][: len(messages)]
        if [(line["index"], line["text"]) for line in messages] != expected:
            return f"not each message once, in order: {messages}"
        if last["complete"]:
            whole = len(messages) == len(WORDS) and messages[-1]["final"]
            return "OK" if whole else f"called complete with {len(messages)} messages"
        return str(last["error"]["status"])


@dataclass(frozen=True, kw_only=True)
class Load:
    """So many streams, begun one after the other at an even pace, and more of them until it has been enough."""

    port: int
    streams: int
    seconds: float
    pace_ms: int = 15
    patience: float = 20
    """A stream that has not ended by then hangs: longer than the gateway gives it."""

    async def run(self, meanwhile: Awaitable[object] | None = None) -> list[Stream]:
        """Send them all, and go on until *meanwhile* is done; every one is answered, or counted as hanging."""
        async with asyncio.TaskGroup() as group:
            done = asyncio.ensure_future(meanwhile or asyncio.sleep(0))
            sent: list[asyncio.Task[Stream]] = []
            while len(sent) < self.streams or not done.done():
                sent.append(group.create_task(self._converse(f"c-{len(sent)}")))
                await asyncio.sleep(self.seconds / self.streams)
            await done
        return [task.result() for task in sent]

    async def _converse(self, conversation_id: str) -> Stream:
        began = time.monotonic()
        http = h11.Connection(h11.CLIENT)
        status, received = 0, b""
        try:
            async with asyncio.timeout(self.patience):
                reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
                try:
                    writer.write(self._request(http, conversation_id))
                    while not isinstance(event := http.next_event(), h11.EndOfMessage | h11.ConnectionClosed):
                        if event is h11.NEED_DATA:
                            http.receive_data(await reader.read(65536))
                        elif isinstance(event, h11.Response):
                            status = event.status_code
                        elif isinstance(event, h11.Data):
                            received += event.data
                finally:
                    writer.transport.abort()
        except TimeoutError:
            status = -1
        except (OSError, h11.RemoteProtocolError):
            pass  # cut off: what there is of it tells
        lines = [json.loads(line) for line in received.splitlines()]
        return Stream(status=status, lines=lines, seconds=time.monotonic() - began)

    def _request(self, http: h11.Connection, conversation_id: str) -> bytes:
        body = {"conversation_id": conversation_id, "text": " ".join(WORDS), "pace_ms": self.pace_ms}
        text = json.dumps(body).encode()
        headers = {
            "Host": "gateway",
            "Content-Type": "application/json",
            "Content-Length": str(len(text)),
            "Connection": "close",
        }
        head = h11.Request(method="POST", target="/conversations", headers=list(headers.items()))
        return b"".join(http.send(event) or b"" for event in (head, h11.Data(data=text), h11.EndOfMessage()))


async def chaos(fleet: Fleet, load: Load, kills: int) -> list[Stream]:
    """Send *load* while one agent after the other is killed and replaced."""

    async def kill() -> None:
        for _ in range(kills):
            await asyncio.sleep(load.seconds / (kills + 1) / 2)
            # Its successor takes a second or so to listen, which is within the other half.
            await asyncio.to_thread(fleet.kill_and_replace)

    return await load.run(kill())


def endings(streams: list[Stream]) -> Counter[str]:
    """How many streams ended how."""
    return Counter(stream.ending for stream in streams)
