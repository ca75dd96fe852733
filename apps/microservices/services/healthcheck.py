"""The container's health check: exit 0 when the service answers 200 at `/health`, 1 when it does not.

A slim image has no curl. Run in the service's own environment, of which it reads `BIND_ADDRESS` and `PORT`.
"""

from __future__ import annotations

import http.client
import os
import sys

SECONDS = 4
"""ECS gives a health check 5."""


def check(address: str, port: int) -> str | None:
    """Say what is wrong with the service; None when it is well."""
    host = "localhost" if address in {"", "0.0.0.0", "::"} else address
    connection = http.client.HTTPConnection(host, port, timeout=SECONDS)
    try:
        connection.request("GET", "/health")
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        return f"http://{host}:{port}/health: {error!r}"
    finally:
        connection.close()
    return None if status == http.client.OK else f"http://{host}:{port}/health: {status}"


if __name__ == "__main__":
    sys.exit(check(os.environ.get("BIND_ADDRESS", ""), int(os.environ.get("PORT") or 8080)))
