"""The `replacements:` of a workload's script: a new version of an image deployed while requests go on."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field, Strict

from rehearsal.script_part import Beside, Conditional

Outcome = Literal["completed", "rolled back", "failed", "refused"]


class Replacement(Conditional):
    """One new version: the program is run again, with another digest for the image."""

    kind: ClassVar[str] = "replacement"

    service: str
    """The logical name of the ECS service that runs it."""
    container: str | None = None
    """Whose image it is. Default: of the container that the service's load balancer leads to, or of the first."""
    setting: str = "image"
    """Where the workload's section of the stack file says the image: ``web.image`` for `image` below `web`."""
    source: Beside | None = None
    """The folder of the new version's source. Default: the old one's."""
    adds: Beside | None = None
    """A folder whose files are laid over that source: beside its own, or in their place. Default: none."""
    entrance: str
    """The workload's output that holds a URL; `path` is put behind it."""
    method: Literal["GET", "HEAD"] = "GET"
    path: str = Field(default="/", pattern="^/")
    api_key: str | None = None
    """The workload's output that holds the id of the API key that it is sent with. Its value is in no file."""
    status: Annotated[int, Strict()] = Field(default=200, ge=100, le=599)
    """What every answer is, before, meanwhile and after."""
    times: int = Field(default=500, ge=1, le=100_000)
    """Requests at least; they go on until the old tasks have ended."""
    at_once: int = Field(default=4, ge=1, le=48)
    per_second: int | None = Field(default=None, ge=1, le=1000)
    """Requests at most, for an entrance that has a throttle. Default: as fast as answers come."""
    outcome: Outcome = "completed"
    """What becomes of the deployment. `refused`: none was begun, since the program failed before."""
    told: tuple[str, ...] = ()
    """Texts that the program says, all of them: of a failure in its reason, else in its notes."""
    exercises: tuple[str, ...] = ()
    """The actions of the tasks' roles without which this would not come about."""
