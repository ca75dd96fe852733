"""What the bootstrap stack is told: typed, every error at once, unknown keys refused."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Final, Self

import pulumi
from pulumi.runtime import config as pulumi_config
from pydantic import ValidationError, model_validator

from settings.platform import Tag
from settings.section import ACCOUNT_ID, REGION, Section, Text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic_core import ErrorDetails

_OURS: Final = "drydock-bootstrap:"
_THE_ENGINES: Final = "pulumi:"

StackName = Annotated[str, Text(r"[a-z][a-z0-9-]{0,39}", "a stack's name: lower-case letters, digits and hyphens")]


class ConfigurationError(pulumi.RunError):
    """The stack file cannot be used: every error in it, one a line."""


class StackSettings(Section):
    """One stack of the program, whose account and region its own file says."""

    state_key: Annotated[str, Text(rf"arn:[a-z-]+:kms:{REGION}:{ACCOUNT_ID}:key/\S+", "the ARN of a KMS key")]
    """Key that encrypts what is secret in its state; of the stack's own account and region."""
    administrator: (
        Annotated[str, Text(rf"arn:[a-z-]+:iam::{ACCOUNT_ID}:role/\S+", "the ARN of a role of the stack's account")]
        | None
    ) = None
    """Role taken on to make its roles. Default: none; the credentials of the update are the account's own."""


class Configuration(Section):
    """All of it."""

    github_repository: Annotated[
        str, Text(r"[A-Za-z0-9-]+/[A-Za-z0-9._-]+", "owner/name on GitHub, without wildcards, such as 'acme/drydock'")
    ]
    """Whose workflows deploy. Nobody else's take on a role."""
    images_in: StackName
    """The stack in whose account all images are: they are built once there, and pulled from there by every stack."""
    owner: Tag
    """The tag Owner, who answers for all of it."""
    cost_center: Tag
    """The tag CostCenter."""
    stacks: dict[StackName, StackSettings]
    """Each stack that is deployed from GitHub, in an environment of that name."""

    @model_validator(mode="after")
    def _images_are_somewhere(self) -> Self:
        if self.images_in not in self.stacks:
            raise ValueError(f"images_in: got {self.images_in!r}; one of the stacks, {', '.join(self.stacks)}")
        return self

    def tags(self, stack: str) -> dict[str, str]:
        """Return the default tags of what is made for *stack*."""
        return {
            "Project": "drydock",
            "Environment": stack,
            "Owner": self.owner,
            "CostCenter": self.cost_center,
            "Service": "pipeline",
            "ManagedBy": "pulumi",
        }


def load() -> Configuration:
    """Read what the stack file says.

    Raises:
        ConfigurationError: naming each wrong setting, its value, and what would do.

    """
    said = {**pulumi_config.get_config_env(), **pulumi_config.CONFIG.get()}
    strange = [key for key in said if not key.startswith((_OURS, _THE_ENGINES))]
    problems = [f"{key}: nobody reads it; settings here begin with {_OURS!r}" for key in strange]
    try:
        configuration = Configuration.model_validate(_document(said))
    except ValidationError as error:
        problems += [_in_words(each) for each in error.errors(include_url=False)]
        raise _refused(problems) from None
    if problems:
        raise _refused(problems)
    return configuration


def _document(said: Mapping[str, str]) -> dict[str, object]:
    """Return the settings as they were written: the engine hands every value over as text."""
    ours = {key.removeprefix(_OURS): text for key, text in said.items() if key.startswith(_OURS)}
    return {key: json.loads(text) if text[:1] in ("{", "[") else text for key, text in ours.items()}


def _refused(problems: list[str]) -> ConfigurationError:
    count = "1 setting" if len(problems) == 1 else f"{len(problems)} settings"
    return ConfigurationError("\n  ".join([f"{count} of this stack cannot be used:", *problems]))


def _in_words(error: ErrorDetails) -> str:
    where = _OURS + ".".join(str(part) for part in error["loc"] if part != "[key]")
    match error["type"]:
        case "extra_forbidden":
            return f"{where}: no such setting"
        case "missing":
            return f"{where}: missing; it must be said"
        case "value_error":
            return f"{where}: {error.get('ctx', {})['error']}"
        case _:
            return f"{where}: got {error['input']!r}; {error['msg']}"
