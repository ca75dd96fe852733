"""The `forbidden:` of a workload's script: what a task's role must be refused."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import Field

from rehearsal.script_part import Conditional


class Forbidden(Conditional):
    """One call to AWS under a task's role, which IAM must refuse; and under another's, which it must not."""

    kind: ClassVar[str] = "forbidden call"

    service: str
    """The logical name of the ECS service whose tasks' role asks."""
    call: Annotated[str, Field(pattern="^[a-z0-9-]+:[A-Z][A-Za-z0-9]+$")]
    """The action, named as API and IAM both do: ``s3:GetObject``."""
    parameters: dict[str, Any]
    """What it is called with, as boto3 takes it; ``{output}`` in a text is the workload's output of that name."""
    allowed_to: str
    """The logical name of the ECS service whose tasks' role may. Without it a slip in the call would pass for a
    refusal."""
