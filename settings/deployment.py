"""What a section may say of how a service's new version takes over."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Self, get_args

from pydantic import model_validator

from components.deployment import Deployment, Strategy
from settings.section import Section

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
    from pydantic_core import CoreSchema


class DeploymentSettings(Section):
    """How a new version takes over: see docs/deployments.md. A strategy's name alone stands for its defaults."""

    strategy: Strategy = "rolling"
    """`rolling`: task by task. The others start the new version beside the old one and shift requests to it:
    `blue_green` all at once, `linear` in steps, `canary` a few first."""
    bake_minutes: int | None = None
    """Minutes in which the old version stays, once all requests are shifted, 0 to 1440. Default: 5."""
    step_percent: float | None = None
    """Of linear: percent shifted at a time, 3 to 100. Default: 10."""
    step_minutes: int | None = None
    """Of linear: minutes between two steps, 0 to 1440. Default: 6."""
    canary_percent: float | None = None
    """Of canary: percent shifted first, 0.1 to 100. Default: 5."""
    canary_minutes: int | None = None
    """Of canary: minutes until the rest follows, 0 to 1440. Default: 10."""
    approval_minutes: int | None = None
    """Minutes in which somebody must approve a new version, or it is rolled back, 1 to 20160; `pulumi up` waits that
    long. Default: nobody is asked."""
    alarms: bool | None = None
    """Whether errors and failing health checks roll a deployment back. Default: yes, but for `rolling`."""
    error_percent: int | None = None
    """Percent of 5xx answers above which they do, 1 to 99. Default: 5."""

    @model_validator(mode="before")
    @classmethod
    def _of_a_name(cls, said: Any) -> Any:
        return {"strategy": said} if isinstance(said, str) else said

    @model_validator(mode="after")
    def _as_a_component_takes_it(self) -> Self:
        self.value()
        return self

    def value(self) -> Deployment:
        """Return it as the components take it."""
        return Deployment(**self.model_dump())


class _OrItsName:
    """In the JSON schema, too, a strategy's name alone will do."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return handler(source)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"anyOf": [{"enum": list(get_args(Strategy)), "type": "string"}, handler(schema)]}


Deployed = Annotated[DeploymentSettings, _OrItsName()]
"""As a section says it."""
