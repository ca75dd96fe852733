"""Stand-ins for the AWS provider: for each resource type, what the provider would call to create it.

A stand-in creates, and forgets: nothing is read back later or compared. What a second run of a program may change is in
`updates`. Every call goes through botocore's validation. To add a type, write its function in the file of its service
family and name it in that file's table.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from rehearsal.graph import Answer
from rehearsal.hooks import HookError
from rehearsal.monitor import Refused
from rehearsal.stand_ins import (
    compute,
    databases,
    discovery,
    domains,
    entrances,
    file_systems,
    identity,
    images,
    instances,
    messaging,
    monitoring,
    network,
    rest_apis,
    scheduling,
    storage,
    updates,
)
from rehearsal.stand_ins.calls import Aws, Databases, Making, Table

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from rehearsal.graph import Registered

TABLE: Final[Table] = {
    **network.TABLE,
    **identity.TABLE,
    **domains.TABLE,
    **entrances.TABLE,
    **rest_apis.TABLE,
    **compute.TABLE,
    **instances.TABLE,
    **discovery.TABLE,
    **images.TABLE,
    **storage.TABLE,
    **file_systems.TABLE,
    **databases.TABLE,
    **messaging.TABLE,
    **monitoring.TABLE,
    **scheduling.TABLE,
}
"""Every type that a rehearsal can make."""

SERVICES: Final = (
    *(
        "acm",
        "apigateway",
        "autoscaling",
        "cloudformation",
        "cloudwatch",
        "dynamodb",
        "ec2",
        "ecr",
        "ecs",
        "efs",
        "elbv2",
        "events",
        "iam",
        "kms",
        "lambda",
    ),
    *("logs", "rds", "route53", "s3", "scheduler", "secretsmanager", "servicediscovery", "sns", "sqs", "stepfunctions"),
)
"""Every service that a stand-in calls."""

_PROVIDER: Final = "pulumi:providers:"


class StandIns:
    """Makes resources in the emulator, as the administrator of its account."""

    def __init__(
        self,
        client: Callable[[str], Any],
        *,
        account: str,
        region: str,
        project_dir: Path,
        partition: str = "aws",
        gateway: str = "",
        databases: Databases | None = None,
    ) -> None:
        """Make resources through *client*, a function from a service's name to its boto3 client.

        *gateway* is the emulator's own address, such as ``http://127.0.0.1:4566``: an API's invoke URL starts with it.
        *databases* starts what stands behind a database.
        """
        self._aws = Aws(
            client=client,
            account=account,
            region=region,
            partition=partition,
            project_dir=project_dir,
            gateway=gateway,
            databases=databases,
        )

    def knows(self, token: str) -> bool:
        """Say whether there is a stand-in for the type *token*."""
        return knows(token)

    def warm(self) -> None:
        """Open the clients, which takes a second, before they are needed: for a thread, while something is awaited."""
        for service in SERVICES:
            self._aws.client(service)

    def make(self, resource: Registered) -> Answer:
        """Create *resource*; on several threads at once.

        Raises:
            Refused: There is no stand-in, or AWS would not.

        """
        if resource.type.startswith(_PROVIDER):
            return self._provider(resource)
        _run_hooks(resource, None)
        return TABLE[resource.type](Making(resource, self._aws))

    def update(self, resource: Registered, before: Registered, changed: frozenset[str]) -> Answer:
        """Change what was made for *before* into *resource*, which differs in the inputs *changed*.

        Raises:
            Refused: There is no such update, or AWS would not.

        """
        update = updates.TABLE.get(resource.type)
        if update is None:
            those = ", ".join(token.rpartition(":")[2] for token in sorted(updates.TABLE))
            raise Refused(
                f"{resource.type} {resource.name!r}: its {', '.join(sorted(changed))} changed, and of what it has made "
                f"a rehearsal changes {those} alone: rehearse it from the beginning"
            )
        _run_hooks(resource, before)
        return update(Making(resource, self._aws), before, changed)

    def retire(self, before: Registered) -> None:
        """Take away what was made for *before*, in whose place there is another now."""
        if before.type == "aws:ecs/taskDefinition:TaskDefinition" and not before.inputs.get("skipDestroy"):
            Making(before, self._aws).call("ecs:DeregisterTaskDefinition", taskDefinition=before.outputs["arn"])

    def rebuild(self, repository: str, digest: str) -> None:
        """Have the next build for *repository* give the image of *digest*, as if its source had changed."""
        self._aws.rebuilt[repository] = digest

    def _provider(self, resource: Registered) -> Answer:
        """Check what the provider checks when it is configured: that this is the account and region it is meant for."""
        if resource.type == f"{_PROVIDER}aws":
            allowed = resource.inputs.get("allowedAccountIds", [])
            # A provider's settings travel as JSON within strings.
            allowed = json.loads(allowed) if isinstance(allowed, str) else allowed
            if allowed and self._aws.account not in allowed:
                raise Refused(
                    f"{resource.type} {resource.name!r}: the account {self._aws.account} is not among "
                    f"allowedAccountIds {allowed}"
                )
            region = resource.inputs.get("region")
            if region != self._aws.region:
                raise Refused(
                    f"{resource.type} {resource.name!r}: its region is {region}, and the emulator's {self._aws.region}"
                )
        return Answer(id=resource.name, proof="local")


def _run_hooks(resource: Registered, before: Registered | None) -> None:
    """Do what the program has said is to be done before *resource* is made, or changed from what it was *before*."""
    if resource.before is None:
        return
    try:
        resource.before(resource, before)
    except HookError as error:
        raise Refused(f"{resource.type} {resource.name!r}: what was to be done before failed: {error}") from None


class Preview:
    """Knows the types, and makes nothing: what a preview runs with."""

    def knows(self, token: str) -> bool:
        """Say whether there is a stand-in for the type *token*."""
        return knows(token)

    def make(self, resource: Registered) -> Answer:
        """Refuse: nothing is made in a preview."""
        raise Refused(f"{resource.type} {resource.name!r}: a preview makes nothing")


def knows(token: str) -> bool:
    """Say whether there is a stand-in for the type *token*."""
    return token in TABLE or token.startswith(_PROVIDER)
