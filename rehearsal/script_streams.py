"""The `streams:` of a workload's script: many answers that come message by message, and a server killed meanwhile.

An answer is lines of JSON: a message each, and a last line that says how it ended.
"""

from __future__ import annotations

from typing import Any, ClassVar, Final, Literal, Self

from pydantic import Field, model_validator

from rehearsal.script_part import Conditional, Part

_AT_ONCE: Final = 48


class Fields(Part):
    """What the fields of an answer's lines are called."""

    index: str = "index"
    """Counts a stream's messages, from `first` on and without a gap."""
    first: int = 0
    host: str = "agent"
    """Which of the servers answered: its task's address, with its port or without, or its task's id."""
    complete: str = "complete"
    """True in the last line of a stream that was answered whole."""
    error: str = "error"
    """In the last line of one that was not, or in an answer without messages: what went wrong, an object or a text."""
    code: str = "status"
    """In that object: what the stream failed with, such as `UNAVAILABLE`."""
    attempts: str = "attempts"
    """Optional in the last line, or in that object: how often it was tried. More than once counts as retried."""


class Kill(Part):
    """Tasks that die in the middle, as when a machine is lost: SIGKILL to all their processes."""

    service: str
    """The logical name of the ECS service. Of its tasks those die that most of the open streams are on."""
    tasks: int = Field(default=1, ge=1)
    after_messages: int = Field(ge=1)
    """How many messages all streams together have heard by then."""


class StreamsExpectation(Part):
    """What must come of the streams.

    Besides, always: a stream hears each message once and in order, and fails only where its server was killed.
    """

    complete_at_least: int | None = Field(default=None, ge=0)
    """How many streams are answered whole. Default: all."""
    codes: tuple[str, ...] = ("UNAVAILABLE", "DEADLINE_EXCEEDED")
    """What a stream may fail with."""
    balanced_over: int = Field(default=1, ge=1)
    """How many servers, at least, the streams are spread over."""
    messages: int | None = Field(default=None, ge=1)
    """How many messages a stream has that is answered whole. Default: one or more."""


class Afterwards(Part):
    """The same again, once the others are over: every stream is answered whole, and none by a killed server."""

    times: int = Field(ge=1)
    at_once: int = Field(default=8, ge=1, le=_AT_ONCE)


class Streams(Conditional):
    """One request many times over."""

    kind: ClassVar[str] = "stream"

    entrance: str
    """The workload's output that holds a URL; `path` is put behind it."""
    method: Literal["GET", "POST", "PUT"]
    path: str = Field(pattern="^/")
    headers: dict[str, str] = Field(default_factory=dict[str, str])
    json_: Any = Field(default=None, alias="json")
    """A body, sent as JSON. `{number}` within a text is the stream's own number, from 1."""
    times: int = Field(ge=1, le=1000)
    at_once: int = Field(default=8, ge=1, le=_AT_ONCE)
    """How many are open at a time, 48 at most: each holds one of the 64 threads of the emulator's load balancer."""
    within: float = Field(default=60, gt=0, allow_inf_nan=False)
    """Seconds for one stream, from its request to its last line."""
    fields: Fields = Fields()
    kill: Kill | None = None
    exercises: tuple[str, ...] = ()
    """The actions of the tasks' roles without which this would not come about."""
    expect: StreamsExpectation = StreamsExpectation()
    afterwards: Afterwards | None = None

    @model_validator(mode="after")
    def _possible(self) -> Self:
        wanted = self.expect.complete_at_least
        if wanted is not None and wanted > self.times:
            raise ValueError(f"expect.complete_at_least is {wanted} of {self.times} times: give {self.times} or fewer")
        if self.expect.balanced_over > self.times:
            raise ValueError(
                f"expect.balanced_over is {self.expect.balanced_over}, and {self.times} times reach that many "
                f"servers at most: give {self.times} or fewer, or more `times`"
            )
        if self.afterwards and not self.kill:
            raise ValueError("afterwards is what follows a kill, and there is none: give `kill`, or more `times`")
        return self
