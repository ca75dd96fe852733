"""The services' HTTP server by itself, with a client that is slow."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from tests.apps.slowly import asked_slowly

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType


@pytest.mark.parametrize("headers", [["Connection: close"], []], ids=["asked to close", "draining"])
def test_a_slow_client_has_all_of_the_answer_before_the_connection_ends(
    load: Callable[[str], ModuleType], monkeypatch: pytest.MonkeyPatch, headers: list[str]
) -> None:
    """What the server has written may still wait in this process, and would be thrown away with the connection."""
    connections, messages, journal = (load(f"serving.{name}") for name in ("connections", "messages", "journal"))
    monkeypatch.setattr(connections, "_LINGER_SECONDS", 0.2)

    async def answer(_request: Any) -> Any:
        return messages.Response(status=200, body=b"x" * 60_000)

    server = connections.Server(answer, journal.Journal(), largest_body=1024)
    received = asyncio.run(asked_slowly(server, *headers, drained=not headers))
    assert received.endswith(b"\r\n\r\n" + b"x" * 60_000)
