"""Whether there is a container engine is found out by asking it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rehearsal import keeper
from rehearsal.containers import Containers, engine

if TYPE_CHECKING:
    from pathlib import Path


def test_an_engine_that_answers_is_found(tmp_path: Path) -> None:
    """Our own endpoint speaks Docker's API, so it passes for one."""
    with keeper.keep() as run, Containers(run, apps=tmp_path) as containers:
        assert engine.find({"DOCKER_HOST": containers.docker_host}) == containers.docker_host


def test_a_socket_that_nobody_serves_is_no_engine(tmp_path: Path) -> None:
    """A leftover socket file or variable must not send a rehearsal nowhere."""
    assert engine.find({"DOCKER_HOST": f"unix://{tmp_path}/none.sock"}) == ""
    assert engine.find({"DOCKER_HOST": "tcp://127.0.0.1:9"}) == ""
    assert engine.find({"DOCKER_HOST": "nonsense"}) == ""
