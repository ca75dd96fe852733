"""The choice between processes and a container engine, in one place."""

from __future__ import annotations

import http.client
import os
import socket
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT = "unix:///var/run/docker.sock"
"""Where an engine listens when ``DOCKER_HOST`` says nothing."""


def find(environment: Mapping[str, str] = os.environ) -> str:
    """Return the ``docker_host`` of a container engine that answers; empty when none does.

    A rehearsal runs processes unless it is told to use an engine, even where there is one: it is then the same run on
    every machine. With an engine the emulator pulls and starts real containers itself; images must be there, and what
    `Containers` does besides is not done: the execution role is not asked, health checks are not run, and the tasks get
    no credentials that the emulator accepts. Nobody has run it so yet.
    """
    host = environment.get("DOCKER_HOST", DEFAULT)
    return host if _answers(host) else ""


def _answers(docker_host: str) -> bool:
    scheme, _, address = docker_host.partition("://")
    connection = http.client.HTTPConnection("localhost" if scheme == "unix" else address, timeout=2)
    try:
        if scheme == "unix":
            connection.sock = socket.socket(socket.AF_UNIX)
            connection.sock.settimeout(2)
            connection.sock.connect(address)
        connection.request("GET", "/_ping")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
