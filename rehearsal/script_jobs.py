"""A script's jobs: the tasks that a workload runs now and then, started now, and what must come of each."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final, Literal, Self

from pydantic import AfterValidator, Field, Strict, model_validator

from rehearsal.script_part import Beside, Conditional, Part, named_once

if TYPE_CHECKING:
    from collections.abc import Iterator

_ORIGIN: Final = re.compile(r"https?://[^/\s]+")


class Outside(Part):
    """A server on the internet that the workload calls, and the one that stands for it here."""

    origin: str
    """Such as ``https://data.example.com``: where a container's environment names it, the process is told the other."""
    server: Beside
    """A Python file beside the script. It binds `BIND_ADDRESS` and `PORT` (0: a free one), prints
    ``listening on http://127.0.0.1:NNNN``, and takes a mode as the body of ``POST /_mode``."""

    @model_validator(mode="after")
    def _an_origin(self) -> Self:
        if not _ORIGIN.fullmatch(self.origin):
            raise ValueError(
                f"got {self.origin!r}; write scheme and host, and nothing behind: https://data.example.com"
            )
        return self


class Database(Part):
    """Rows that an SQLite database on a mounted file system has."""

    file: str = Field(pattern="^/")
    """The path that the container knows it by; it lies below a mount."""
    query: str
    """Is only read."""
    rows: tuple[tuple[str | int | float | None, ...], ...]
    """What it gives: these, in this order."""


class Told(Part):
    """A message that a topic delivers."""

    topic: str
    """The workload's output that holds the topic's ARN."""
    containing: tuple[str, ...] = Field(min_length=1)
    """What one message's subject and text have in them, all of it."""


class JobExpectation(Part):
    """What must come of a job."""

    outcome: Literal["succeeded", "failed", "skipped"] = "succeeded"
    """``skipped``: its state machine succeeded and ran no task."""
    exit_code: Annotated[int, Field(ge=0, le=255), Strict()] | None = None
    """Of its task; where it ran more than one, of the last. Default: any."""
    log: Mapping[str, Any] = Field(default_factory=dict[str, Any])
    """Part of a JSON line of its containers."""
    database: Database | None = None
    told: Told | None = None


class Job(Conditional):
    """One job, started in one of two ways."""

    kind: ClassVar[str] = "job"

    schedule: str | None = None
    """The logical name of a schedule of the workload: fired now, as EventBridge Scheduler would."""
    run: str | None = None
    """The workload's output that holds the AWS CLI command by which an operator runs it; ``a.b`` is b in a mapping."""
    with_: Mapping[str, str] = Field(default_factory=dict[str, str], alias="with")
    """Names among `outside` with the mode that each is in meanwhile; ``normal`` before and after. What runs meanwhile
    sees it too."""
    while_running: Job | None = None
    """Another job that runs already as this one starts. It must come out as it expects, too."""
    again_on: frozenset[Annotated[int, Strict()]] = frozenset()
    """Exit codes after which it is started again, for 20 s: 75, say, where another may hold its lock for a moment."""
    within: float = Field(default=60.0, gt=0, le=600, allow_inf_nan=False)
    """Seconds after which it is stopped, and has failed."""
    exercises: tuple[str, ...] = ()
    """The actions of the task's role without which this would not come about."""
    expect: JobExpectation = JobExpectation()

    @model_validator(mode="after")
    def _one_start(self) -> Self:
        if (self.schedule is None) == (self.run is None):
            raise ValueError("a job is started in one way: give `schedule` or `run`, and not both")
        return self

    def all(self) -> Iterator[Job]:
        """Yield it and those that run meanwhile."""
        yield self
        if self.while_running:
            yield from self.while_running.all()


def _named_once(jobs: tuple[Job, ...]) -> tuple[Job, ...]:
    named_once(tuple(each for top in jobs for each in top.all()))
    return jobs


class WithJobs(Part):
    """The part of a script that jobs, and the tasks of any workload, are rehearsed with."""

    images: Mapping[str, Beside] = Field(default_factory=dict[str, str])
    """Repository → the folder beside the script that holds its Dockerfile and source, where that is not the one that
    the repository's name says."""
    outside: Mapping[str, Outside] = Field(default_factory=dict[str, Outside])
    """Name → a server outside. The name is the script's own."""
    jobs: Annotated[tuple[Job, ...], AfterValidator(_named_once)] = ()

    @model_validator(mode="after")
    def _known_modes(self) -> Self:
        for job in (each for top in self.jobs for each in top.all()):
            for name in job.with_:
                if name not in self.outside:
                    known = ", ".join(self.outside) or "none"
                    raise ValueError(f"the job {job.name!r} has {name!r} under `with`; `outside` has {known}")
        return self
