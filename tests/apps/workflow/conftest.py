"""What the tests of the two containers share: the client's modules, which live in the gateway's folder."""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING

import pytest

from tests.apps.workflow.fleet import FOLDER, Agent, Gateway, free_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import ModuleType


@pytest.fixture(scope="session")
def folder() -> Path:
    return FOLDER


def module(name: str) -> ModuleType:
    """Import a module of the client's package, or of the contract's: no other package has their names."""
    place = str(FOLDER / "gateway")
    sys.path.insert(0, place)
    try:
        return importlib.import_module(name)
    finally:
        sys.path.remove(place)


@pytest.fixture(scope="session")
def agent() -> Iterator[Agent]:
    """One agent for all tests that leave it as it was."""
    with Agent("127.0.0.1", free_port()) as running:
        yield running.wait_for("listening")


@pytest.fixture(scope="session")
def gateway(agent: Agent) -> Iterator[Gateway]:
    """One gateway for all tests that leave it as it was, before that agent."""
    told = {"WORKFLOW_SERVICE_HOST": agent.address, "WORKFLOW_SERVICE_PORT": str(agent.port)}
    with Gateway(**told, BASE_PATH="/workflow", REQUEST_TIMEOUT="25") as running:
        yield running.wait_for("listening")
