"""Stands in for the ECS agents of a program's EC2 instances: each registers its instance, under the instance's role.

There are no machines. The Auto Scaling group's instances are the emulator's records; what is proved of them is what an
agent needs to be one of a cluster: the instance profile of the launch template, its role's trust in EC2 and its right
to register, and the cluster that the user data names. Tasks then run as processes, as all others do.
"""

from __future__ import annotations

import base64
import contextlib
import json
import re
import threading
from typing import TYPE_CHECKING, Any, Final, Self

from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from collections.abc import Callable

    from rehearsal.emulator import Emulator
    from rehearsal.graph import Registered
    from rehearsal.tree import Tree

_GROUP: Final = "aws:autoscaling/group:Group"
_TEMPLATE: Final = "aws:ec2/launchTemplate:LaunchTemplate"
_PROFILE: Final = "aws:iam/instanceProfile:InstanceProfile"
_ROLE: Final = "aws:iam/role:Role"
_EC2: Final = "ec2.amazonaws.com"
_LOOKED_EVERY: Final = 0.1
"""Seconds between two looks for new instances."""


class EcsAgents:
    """The agents of all groups of a program, from the block's beginning to its end."""

    faults: list[str]
    """Why instances could not be registered, each once."""

    def __init__(self, tree: Tree, emulator: Emulator) -> None:
        """Look after the groups in *tree*."""
        self.faults = []
        self._tree, self._emulator = tree, emulator
        self._registered: set[str] = set()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="ECS agents", daemon=True)

    def __enter__(self) -> Self:
        """Begin; without a group, there is nothing to do."""
        if self._tree.of(_GROUP):
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Register no more."""
        self._ending.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        # An emulator that is gone has no more instances; that it is, others tell.
        with contextlib.suppress(BotoCoreError):
            self._look_after_groups()

    def _look_after_groups(self) -> None:
        scaling = self._emulator.client("autoscaling")
        groups = {group.id: group for group in self._tree.of(_GROUP)}
        while not self._ending.wait(_LOOKED_EVERY):
            for found in scaling.describe_auto_scaling_groups(AutoScalingGroupNames=list(groups))["AutoScalingGroups"]:
                there = {each["InstanceId"] for each in found["Instances"]}
                for instance in sorted(there - self._registered):
                    self._registered.add(instance)
                    self._register(groups[found["AutoScalingGroupName"]], instance)

    def _register(self, group: Registered, instance: str) -> None:
        try:
            template = self._template(group)
            ecs = self._emulator.client_as("ecs", self._credentials(template, instance))
            ecs.register_container_instance(
                cluster=cluster_of(template.inputs.get("userData", "")),
                instanceIdentityDocument=json.dumps({"instanceId": instance, "region": self._emulator.region}),
            )
        except (LookupError, ClientError) as error:
            said = f"instances of {group.name!r} join no cluster: {error}"
            if said not in self.faults:
                self.faults.append(said)

    def _template(self, group: Registered) -> Registered:
        mixed = group.inputs.get("mixedInstancesPolicy", {}).get("launchTemplate", {})
        said: dict[str, Any] = mixed.get("launchTemplateSpecification") or group.inputs.get("launchTemplate") or {}
        wanted = said.get("launchTemplateId") or said.get("id")
        return self._one(_TEMPLATE, lambda each: each.id == wanted, "a launch template of the stack")

    def _credentials(self, template: Registered, instance: str) -> dict[str, Any]:
        arn = template.inputs.get("iamInstanceProfile", {}).get("arn")
        profile = self._one(_PROFILE, lambda each: each.outputs["arn"] == arn, "an instance profile of the stack")
        role = self._one(
            _ROLE, lambda each: each.outputs["name"] == profile.inputs.get("role"), "a role in its profile"
        )
        # EC2 sets no source, so a trust that asks for one admits no instance.
        return self._emulator.assume(role.outputs["arn"], service=_EC2, source="", session=instance)

    def _one(self, token: str, wanted: Callable[[Registered], bool], what: str) -> Registered:
        for each in self._tree.of(token):
            if wanted(each):
                return each
        raise LookupError(f"they have not {what}")


def cluster_of(user_data: str) -> str:
    """Return the cluster that *user_data*, in base64, has an agent join.

    Raises:
        LookupError: it names none, and the agent would join ``default``.

    """
    script = base64.b64decode(user_data).decode(errors="replace")
    found = re.search(r"^(?:echo +)?[\"']?ECS_CLUSTER=([\w-]+)", script, re.MULTILINE)
    if not found:
        raise LookupError("their user data sets no ECS_CLUSTER, and the agent would join the cluster `default`")
    return found[1]
