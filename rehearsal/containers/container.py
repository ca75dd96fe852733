"""One container as local processes: what `docker run` would do with an image, done with the image's own source."""

from __future__ import annotations

import collections
import secrets
import signal
import subprocess
import threading
import time
from typing import IO, TYPE_CHECKING, Any, Final, Literal

from rehearsal import keeper
from rehearsal.containers.health import Health, HealthCheck

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from rehearsal.containers.logs import LogStream

Status = Literal["created", "running", "exited"]
"""Docker's words."""

_KEPT_LINES: Final = 10_000
"""The latest lines of its output that a container keeps."""
_STOP_TIMEOUT: Final = 30
"""Seconds between SIGTERM and SIGKILL where the task definition says none: ECS's default."""


class ContainerError(Exception):
    """A container cannot be created or started; the emulator makes the message the task's stopped reason."""


class Container:
    """A container of a task, from its creation on. It stays readable after it has been removed."""

    id: str
    name: str
    """As the task definition names it."""
    task_arn: str
    image: str
    address: str
    """The task's own loopback address; all containers of a task share it."""
    definition: Mapping[str, Any]
    """The container's part of the task definition."""
    mounts: Mapping[str, Path]
    """Path in the container → the folder that stands for the file system's mounted there."""
    status: Status
    exit_code: int
    """0 until it has exited; 128 + n after signal n."""
    told_to_end: bool
    """Whether it was stopped or signalled, by ECS or a script, before it exited; else it ended of itself."""
    lines: collections.deque[str]
    """Its output, standard output and error alike, the latest 10,000 lines."""
    log_stream: LogStream | None

    def __init__(
        self,
        *,
        task_arn: str,
        image: str,
        address: str,
        definition: Mapping[str, Any],
        labels: Mapping[str, str],
        command: Sequence[str],
        environment: Mapping[str, str],
        folder: Path,
    ) -> None:
        """Nothing starts yet. *environment* is the whole of what its process sees, the run's marker apart."""
        self.id = secrets.token_hex(32)
        self.name = str(definition["name"])
        self.task_arn = task_arn
        self.image = image
        self.address = address
        self.definition = definition
        self.mounts = {}
        self.labels = labels
        self.status = "created"
        self.exit_code = 0
        self.told_to_end = False
        self.lines = collections.deque(maxlen=_KEPT_LINES)
        self.log_stream = None
        self.created_at = time.time()
        self.finished_at = 0.0
        self._command = list(command)
        self._environment = environment
        self._folder = folder
        self._changed = threading.Condition()
        self._process: subprocess.Popen[bytes] | None = None
        self._health: HealthCheck | None = None

    @property
    def health(self) -> Health:
        """The health check's latest verdict; UNKNOWN where there is none."""
        return self._health.state if self._health else "UNKNOWN"

    @property
    def health_output(self) -> str:
        """What the latest probe printed."""
        return self._health.output if self._health else ""

    @property
    def well(self) -> bool:
        """Running, and healthy where it has a health check."""
        return self.status == "running" and self.health in ("UNKNOWN", "HEALTHY")

    def start(self, run: keeper.Run) -> None:
        """Start its process, its health check, and the reading of its output. After `stop` it does nothing."""
        with self._changed:
            if self.status != "created":
                return
            self._process = run.start(
                self._command, environment=self._environment, folder=self._folder, output=subprocess.PIPE
            )
            self.status = "running"
            self._changed.notify_all()
        check = self.definition.get("healthCheck")
        if check and check["command"] != ["NONE"]:
            self._health = HealthCheck(check, environment={**self._environment, **run.environment}, folder=self._folder)
            self._health.start()
        threading.Thread(target=self._attend, args=(self._process,), name=f"container {self.name}", daemon=True).start()

    def stop(self, run: keeper.Run, seconds: float | None = None) -> None:
        """SIGTERM, and SIGKILL after *seconds*, by default its ``stopTimeout``. Returns when it has exited."""
        with self._changed:
            self.told_to_end |= self.status != "exited"
            if self.status == "created":
                self._exited(137)
            if self.status == "exited" or not self._process:
                return
        run.stop(
            self._process, float(self.definition.get("stopTimeout") or _STOP_TIMEOUT) if seconds is None else seconds
        )
        self.wait()

    def signal(self, run: keeper.Run, number: int) -> None:
        """Send its process signal *number*; SIGKILL ends all its processes."""
        if self._process and self.status == "running":
            self.told_to_end = True
            if number == signal.SIGKILL:  # which cannot be passed on
                run.kill(self._process)
            else:
                self._process.send_signal(number)

    def wait(self, seconds: float | None = None) -> int:
        """Wait until it has exited, its last line read and delivered; its exit code."""
        with self._changed:
            self._changed.wait_for(lambda: self.status == "exited", seconds)
        return self.exit_code

    def wait_for(self, condition: str) -> bool:
        """Wait until it meets a ``dependsOn`` *condition* of ECS's; False when it never will."""
        met = {
            "START": lambda: self.status != "created",
            "COMPLETE": lambda: self.status == "exited",
            "SUCCESS": lambda: self.status == "exited",
            "HEALTHY": lambda: self.health == "HEALTHY",
        }[condition]
        with self._changed:
            while not met() and self.status != "exited":
                self._changed.wait(0.05)  # health changes without a notice
        return met() and not (condition == "SUCCESS" and self.exit_code)

    def _attend(self, process: subprocess.Popen[bytes]) -> None:
        """Read its output to the end, then record how it ended."""
        output: IO[bytes] | None = process.stdout
        for line in output or ():
            text = line.decode(errors="replace").rstrip("\n")
            self.lines.append(text)
            if self.log_stream:
                self.log_stream.write(text)
        code = keeper.exit_code(process)
        if output:
            output.close()
        if self.log_stream:
            self.log_stream.close()
        if process.stdin:
            process.stdin.close()
        with self._changed:
            self._exited(code)

    def _exited(self, code: int) -> None:
        if self._health:
            self._health.stop()
        self.status, self.exit_code, self.finished_at = "exited", code, time.time()
        self._changed.notify_all()
