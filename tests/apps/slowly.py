"""A client that takes its answer at 40 KB a second, over buffers as small as those of a distant network."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

_AT_A_TIME = 2048
_PAUSE = 0.05


async def asked_slowly(server: Any, *headers: str, drained: bool = False) -> bytes:
    """Ask *server*, which does not listen yet, and return what comes until it says that no more does.

    With *drained*, the server is told to drain after the answer's first bytes, and must have done so 3 seconds after
    its last ones, though the client keeps its connection.
    """
    loop = asyncio.get_running_loop()
    await server.listen("127.0.0.1", 0)
    (listening,) = server._listener.sockets
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    received = bytearray()
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.settimeout(0)
        await loop.sock_connect(client, listening.getsockname())
        await loop.sock_sendall(client, "\r\n".join(("GET / HTTP/1.1", "Host: x", *headers, "", "")).encode())
        draining: asyncio.Task[int] | None = None
        try:
            async with asyncio.timeout(10):
                while more := await loop.sock_recv(client, _AT_A_TIME):
                    received += more
                    if drained and draining is None:
                        draining = asyncio.create_task(server.drain(20))
                    await asyncio.sleep(_PAUSE)
            async with asyncio.timeout(3):
                assert draining is None or await draining == 0
        except ConnectionResetError:
            pass  # what was received tells what was lost
        finally:
            if draining:
                draining.cancel()
            server._listener.close()
    return bytes(received)
