"""What ECS does with a task's execution role before a container starts, done under that role's own credentials.

The emulator reads secrets, and would pull images, as itself. So a right that the role lacks would go unseen, and the
task would fail on its first day in an account.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, cast

from botocore.exceptions import ClientError

from rehearsal.containers.images import digest_of, registry_of, repository_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rehearsal.emulator import Emulator

ECS: Final = "ecs-tasks.amazonaws.com"
"""The principal that assumes a task's roles."""

_DENIED: Final = ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation")


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """Something that the execution role may not do and the task needs."""

    container: str
    what: str
    """The secret's variable and where it comes from, or the image."""
    role: str
    """The execution role's ARN; empty when the task has none."""
    message: str
    """AWS's own words."""

    def __str__(self) -> str:
        return f"container {self.container!r}: {self.what}: {self.message}"


def credentials(emulator: Emulator, role: str, task_arn: str) -> dict[str, Any]:
    """Return credentials of *role* for the task, the session being named by the task's id, as ECS does."""
    return emulator.assume(role, service=ECS, source=task_arn, session=task_arn.rpartition("/")[2])


def prove_secrets(emulator: Emulator, task_definition: Mapping[str, Any], task_arn: str = "") -> list[Refusal]:
    """Read each secret of *task_definition* (as DescribeTaskDefinition has it) as its execution role.

    *task_arn* is the task that they are read for; without one, a task of that account that never was. Returns what was
    refused or not found, and thus nothing when all is well.
    """
    arn = task_arn or _no_task(str(task_definition["taskDefinitionArn"]))
    role = str(task_definition.get("executionRoleArn", ""))
    refusals: list[Refusal] = []
    for container in task_definition["containerDefinitions"]:
        for secret in container.get("secrets", []):
            what = f"secret {secret['name']} from {secret['valueFrom']}"
            message = _words(lambda arn=arn, secret=secret: _read(emulator, role, arn, secret["valueFrom"]))
            if message:
                refusals.append(Refusal(container=container["name"], what=what, role=role, message=message))
    return refusals


def prove_pull(emulator: Emulator, task_definition: Mapping[str, Any], task_arn: str = "") -> list[Refusal]:
    """Ask ECR for each image of *task_definition* that the account's own registry has, as its execution role.

    That the image exists is not asked: the rehearsal pushes none.
    """
    arn = task_arn or _no_task(str(task_definition["taskDefinitionArn"]))
    role = str(task_definition.get("executionRoleArn", ""))
    own = f"{emulator.account}.dkr.ecr.{emulator.region}.amazonaws.com"
    refusals: list[Refusal] = []
    for container in task_definition["containerDefinitions"]:
        image = str(container["image"])
        if registry_of(image) == own:
            message = _words(lambda image=image, arn=arn: _pull(emulator, role, arn, image))
            if message:
                refusals.append(Refusal(container=container["name"], what=f"image {image}", role=role, message=message))
    return refusals


def _words(ask: Callable[[], None]) -> str:
    try:
        ask()
    except (ClientError, LookupError) as error:
        return str(error)
    return ""


def _read(emulator: Emulator, role: str, task_arn: str, value_from: str) -> None:
    own = _as_execution_role(emulator, role, task_arn)
    if ":secretsmanager:" in value_from:
        # An ARN has seven parts; ECS lets a JSON key, a version stage and a version id follow.
        parts = value_from.split(":")
        key, stage, version = (*parts[7:], "", "", "")[:3]
        optional = {"VersionStage": stage, "VersionId": version}
        given = {name: value for name, value in optional.items() if value}
        secret = emulator.client_as("secretsmanager", own).get_secret_value(SecretId=":".join(parts[:7]), **given)
        if key and key not in _object(secret["SecretString"]):
            raise LookupError(f"the secret is no JSON object with the key {key!r}")
    else:
        path = value_from.partition(":parameter/")[2]
        name = (f"/{path}" if "/" in path else path) or value_from
        found = emulator.client_as("ssm", own).get_parameters(Names=[name], WithDecryption=True)
        if not found["Parameters"]:
            raise LookupError(f"there is no parameter {name!r}")


def _object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError:
        return {}
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _pull(emulator: Emulator, role: str, task_arn: str, image: str) -> None:
    ecr = emulator.client_as("ecr", _as_execution_role(emulator, role, task_arn))
    named, layer = {"repositoryName": repository_of(image)}, digest_of("no layer")
    for ask in (
        ecr.get_authorization_token,
        lambda: ecr.batch_check_layer_availability(**named, layerDigests=[layer]),
        lambda: ecr.batch_get_image(**named, imageIds=[{"imageDigest": digest_of(image)}]),
        lambda: ecr.get_download_url_for_layer(**named, layerDigest=layer),
    ):
        try:
            ask()
        except ClientError as error:
            if error.response["Error"]["Code"] in _DENIED:
                raise


def _as_execution_role(emulator: Emulator, role: str, task_arn: str) -> dict[str, Any]:
    if not role:
        raise LookupError("the task definition has no execution role")
    return credentials(emulator, role, task_arn)


def _no_task(task_definition_arn: str) -> str:
    return task_definition_arn.replace(":task-definition/", ":task/").rpartition(":")[0]
