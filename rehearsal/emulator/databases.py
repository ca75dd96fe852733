"""The correction of how databases are made: the emulator makes none itself."""

# ruff: noqa: SLF001 - what is corrected is ministack's own inside

from __future__ import annotations

import importlib
from typing import Any

rds: Any = importlib.import_module("ministack.services.rds")


def leave_servers_to_others() -> None:
    """Keep a record of each database, and start no container for it.

    Without it the emulator has the endpoint that runs tasks start an image of PostgreSQL, which is none of a
    workload's, and whose server would speak no TLS.
    """

    def nobody() -> None:
        return None

    rds._get_docker = nobody
