"""Whether EFS would let a task in: its role's policies and the file system's own, held against the mount.

No API tells: a client is asked for its rights by the NFS server, which no emulator has. So the decision is made here,
by the emulator's own evaluation of policies.
"""

from __future__ import annotations

import importlib
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from rehearsal.emulator import Denial

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rehearsal.emulator import Emulator

_ANYBODY = "*"
"""Who mounts without IAM."""


@dataclass(frozen=True, kw_only=True)
class Mount:
    """What a client of NFS asks for."""

    file_system_arn: str
    access_point_arn: str
    """Empty where it asks for the file system itself."""
    role: str
    """The task role's ARN; empty where it says not who it is."""
    session: str
    """The role session's name."""
    tls: bool
    read_only: bool


def refusal(emulator: Emulator, mount: Mount) -> str:
    """Return why EFS would refuse *mount*, or the writing through it; nothing where it would not.

    It is recorded with the emulator's own refusals, so that it is told as those are.

    Without a policy of its own a file system lets in everybody who reaches a mount target.
    https://docs.aws.amazon.com/efs/latest/ug/iam-access-control-nfs-efs.html
    """
    own = _policy_of(emulator, mount.file_system_arn)
    if not own:
        return ""
    evaluator: Any = importlib.import_module("ministack.core.iam_evaluator")
    policies = [evaluator.parse_policy_document(each) for each in _policies_of(emulator, mount.role)]
    for action in ("ClientMount",) if mount.read_only else ("ClientMount", "ClientWrite"):
        asked = evaluator.EvalContext(
            principal_arn=_principal(mount),
            principal_type="AssumedRole",
            principal_account=emulator.account,
            action=f"elasticfilesystem:{action}",
            resource_arn=mount.file_system_arn,
            region=emulator.region,
            secure_transport=mount.tls,
            # The evaluator looks keys up in lower case.
            service_context={"elasticfilesystem:accessedviamounttarget": "true"}
            | ({"elasticfilesystem:accesspointarn": mount.access_point_arn} if mount.access_point_arn else {}),
        )
        decided = evaluator.combine_resource_policy(
            evaluator.evaluate(asked, policies), asked, own, mount.file_system_arn.split(":")[4]
        )
        if decided.decision != "Allow":
            who = mount.role or "whoever says not who it is"
            why = f"{decided.reason} {decided.matched_sid}".strip()
            emulator.record(
                Denial(
                    principal=asked.principal_arn,
                    action=asked.action,
                    resource=mount.file_system_arn,
                    reason=why,
                    time=time.time(),
                )
            )
            return f"access denied by server: {who} may not {asked.action} on {mount.file_system_arn}: {why}"
    return ""


def _principal(mount: Mount) -> str:
    if not mount.role:
        return _ANYBODY
    account, name = mount.role.split(":")[4], mount.role.rpartition("/")[2]
    return f"arn:aws:sts::{account}:assumed-role/{name}/{mount.session}"


def _policy_of(emulator: Emulator, file_system_arn: str) -> str:
    efs = emulator.client("efs")
    try:
        return efs.describe_file_system_policy(FileSystemId=file_system_arn.rpartition("/")[2])["Policy"]
    except ClientError as error:
        if error.response["Error"]["Code"] == "PolicyNotFound":
            return ""
        raise


def _policies_of(emulator: Emulator, role: str) -> Iterator[dict[str, Any]]:
    """Yield the documents of *role*, its own and those attached to it."""
    if not role:
        return
    iam, name = emulator.client("iam"), role.rpartition("/")[2]
    for each in iam.list_role_policies(RoleName=name)["PolicyNames"]:
        yield iam.get_role_policy(RoleName=name, PolicyName=each)["PolicyDocument"]
    for each in iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]:
        arn = each["PolicyArn"]
        version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
        yield iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]
