"""A container's health check, run as ECS's agent runs it: in the container's own environment and folder."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

Health = Literal["UNKNOWN", "STARTING", "HEALTHY", "UNHEALTHY"]
"""ECS's words, and STARTING for what has a health check and has not passed it yet (UNKNOWN there)."""

BIND_ADDRESS: Final = "BIND_ADDRESS"
"""The variable that tells a container's process which address is its task's; unset in a real container."""

_UNTIL_FIRST_PASS: Final = 0.5
"""Seconds between probes until the first passes. ECS waits a whole interval (30 s by default) before its first; the
result is the same and the developer does not wait."""


class HealthCheck:
    """Probes one container until told to stop; ``state`` and ``output`` are the latest."""

    state: Health
    output: str
    """What the last probe printed, or that it timed out: why the container is not healthy."""

    def __init__(self, check: Mapping[str, object], *, environment: Mapping[str, str], folder: Path) -> None:
        """*check* is the task definition's ``healthCheck``, with ECS's defaults for what it leaves out."""
        self.state = "STARTING"
        self.output = ""
        self._command = _command(check["command"])  # type: ignore[arg-type]
        self._interval = _number(check, "interval", 30)
        self._timeout = _number(check, "timeout", 5)
        self._retries = _number(check, "retries", 3)
        self._start_period = _number(check, "startPeriod", 0)
        self._environment = environment
        self._folder = folder
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True, name="health check")

    def start(self) -> None:
        """Begin to probe; the first probe is at once."""
        self._thread.start()

    def stop(self) -> None:
        """Probe no more."""
        self._stopped.set()

    def _watch(self) -> None:
        # Before the first pass ECS gives it the start period and then `retries` intervals.
        deadline = time.monotonic() + self._start_period + self._retries * self._interval
        failures = 0
        while not self._stopped.is_set():
            if self._passes():
                self.state, failures = "HEALTHY", 0
            else:
                failures += 1
                unhealthy = time.monotonic() > deadline if self.state == "STARTING" else failures >= self._retries
                self.state = "UNHEALTHY" if unhealthy else self.state
            self._stopped.wait(_UNTIL_FIRST_PASS if self.state == "STARTING" else self._interval)

    def _passes(self) -> bool:
        try:
            process = subprocess.Popen(  # noqa: S603 - what the task definition says
                self._command,
                env=self._environment,
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as error:
            self.output = f"{self._command[0]}: {error.strerror}"
            return False
        try:
            output, _ = process.communicate(timeout=self._timeout)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)  # with what a shell started
            process.communicate()
            self.output = f"no answer within its timeout of {self._timeout:g} s"
            return False
        self.output = output.decode(errors="replace").strip() or f"exit code {process.returncode}"
        if process.returncode and any("localhost" in word for word in self._command):
            # Without network namespaces localhost is the machine's, and a task has an address of its own on it.
            self.output += f" (it asks localhost, and the task's address here is ${{{BIND_ADDRESS}:-localhost}})"
        return process.returncode == 0


def _number(check: Mapping[str, object], name: str, default: float) -> float:
    return float(str(check.get(name, default)))


def _command(declared: Sequence[str]) -> list[str]:
    kind, *rest = declared
    return ["/bin/sh", "-c", *rest] if kind == "CMD-SHELL" else rest
