"""Health checks are run for real, and say why they fail."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

import pytest

from rehearsal.containers.health import HealthCheck

if TYPE_CHECKING:
    from pathlib import Path

ENVIRONMENT = {"PATH": os.environ["PATH"], "WORD": "here"}


def checked(folder: Path, command: list[str], *, until: str, **check: Any) -> HealthCheck:
    """Run a health check until its state is *until*, for five seconds at most."""
    health = HealthCheck({"command": command, **check}, environment=ENVIRONMENT, folder=folder)
    health.start()
    deadline = time.monotonic() + 5
    while (health.state != until or not health.output) and time.monotonic() < deadline:
        time.sleep(0.02)
    health.stop()
    return health


def test_a_check_that_passes_makes_it_healthy_at_once(tmp_path: Path) -> None:
    """The rehearsal does not wait for the interval of 30 seconds."""
    began = time.monotonic()
    health = checked(tmp_path, ["CMD-SHELL", 'test "$WORD" = here && pwd'], until="HEALTHY")
    assert (health.state, health.output) == ("HEALTHY", str(tmp_path))
    assert time.monotonic() - began < 2


def test_cmd_runs_without_a_shell(tmp_path: Path) -> None:
    """The two forms differ in what expands variables."""
    assert checked(tmp_path, ["CMD", "echo", "$WORD"], until="HEALTHY").output == "$WORD"


def test_it_is_tried_again_until_it_passes(tmp_path: Path) -> None:
    """A workload needs a moment before it listens."""
    script = "test -e once || { touch once; exit 1; }"
    assert checked(tmp_path, ["CMD-SHELL", script], until="HEALTHY").state == "HEALTHY"


@pytest.mark.parametrize(
    ("command", "says"),
    [
        (["CMD-SHELL", "echo no; exit 1"], "no"),
        (["CMD-SHELL", "exit 4"], "exit code 4"),
        (["CMD-SHELL", "sleep 60 & sleep 60"], "no answer within its timeout of 0.2 s"),
        (["CMD", "no-such-command"], "no-such-command: No such file or directory"),
        (["CMD-SHELL", "echo localhost; exit 1"], "the task's address here is ${BIND_ADDRESS:-localhost}"),
    ],
)
def test_one_that_never_passes_is_unhealthy_and_says_why(tmp_path: Path, command: list[str], says: str) -> None:
    """Seconds are ECS's: the start period, and then as many intervals as there are retries."""
    health = checked(tmp_path, command, until="UNHEALTHY", interval=0.1, timeout=0.2, retries=2, startPeriod=0.1)
    assert health.state == "UNHEALTHY"
    assert says in health.output


def test_it_is_not_unhealthy_within_its_start_period(tmp_path: Path) -> None:
    """A slow start is what the period is for."""
    health = checked(tmp_path, ["CMD-SHELL", "exit 1"], until="STARTING", interval=0.1, retries=1, startPeriod=60)
    assert health.state == "STARTING"


def test_a_healthy_one_that_fails_its_retries_becomes_unhealthy(tmp_path: Path) -> None:
    """One bad probe is not enough; as many as `retries` are."""
    script = "test ! -e later || exit 1; touch later"
    health = checked(tmp_path, ["CMD-SHELL", script], until="UNHEALTHY", interval=0.1, retries=2)
    assert health.state == "UNHEALTHY"
