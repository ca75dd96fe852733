"""The awslogs driver: a container's lines to CloudWatch Logs, as the execution role that ECS writes them with."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from rehearsal.containers import execution

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rehearsal.emulator import Emulator

_EVERY: Final = 0.3
"""Seconds between two deliveries; the real driver has 5, and a rehearsal does not last so long."""
_BATCH: Final = 10_000
"""Events of one PutLogEvents, AWS's own limit."""


class LogStream:
    """The stream of one container. Made before it starts, since ECS starts no container whose stream it cannot make."""

    name: str
    """``prefix/container/task id``."""
    error: str
    """Why lines were not delivered, in AWS's words; empty when all were."""

    def __init__(
        self, emulator: Emulator, *, options: Mapping[str, str], container: str, task_arn: str, role: str
    ) -> None:
        """Make the stream that the awslogs *options* name.

        Raises:
            botocore.exceptions.ClientError: *role* may not, or there is no such group.

        """
        self.error = ""
        self._group = options["awslogs-group"]
        prefix = options.get("awslogs-stream-prefix", "")
        self.name = f"{prefix}/{container}/{task_arn.rpartition('/')[2]}"
        self._logs: Any = emulator.client_as("logs", execution.credentials(emulator, role, task_arn))
        if options.get("awslogs-create-group") == "true":
            self._unless_there(lambda: self._logs.create_log_group(logGroupName=self._group))
        # The emulator's own forwarder makes streams too, as itself; IAM is asked before that is found out.
        self._unless_there(lambda: self._logs.create_log_stream(logGroupName=self._group, logStreamName=self.name))
        self._events: list[dict[str, Any]] = []
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._deliver, name=f"logs {self.name}", daemon=True)
        self._thread.start()

    def write(self, line: str) -> None:
        """Hand over one line; it is delivered with the next batch."""
        with self._lock:
            self._events.append({"timestamp": int(time.time() * 1000), "message": line or " "})

    def close(self) -> None:
        """Deliver what is left."""
        self._closed.set()
        self._thread.join(timeout=5)

    def _deliver(self) -> None:
        while not self._closed.wait(_EVERY):
            self._put()
        self._put()

    def _put(self) -> None:
        with self._lock:
            batch, self._events = self._events[:_BATCH], self._events[_BATCH:]
        if not batch:
            return
        try:
            self._logs.put_log_events(logGroupName=self._group, logStreamName=self.name, logEvents=batch)
        except Exception as error:  # noqa: BLE001 - whatever it is, the container goes on, as in ECS, and the report says
            self.error = str(error)

    @staticmethod
    def _unless_there(make: Any) -> None:
        try:
            make()
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceAlreadyExistsException":
                raise
