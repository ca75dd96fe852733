"""EFS: file systems, their mount targets, access points, policies and backups."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from rehearsal.graph import Answer
    from rehearsal.stand_ins.calls import Making, Table


def _token(this: Making) -> str:
    """Return what tells a call made twice from a second resource; the provider makes one up."""
    return hashlib.sha256(this.resource.urn.encode()).hexdigest()[:32]


def _file_system(this: Making) -> Answer:
    token = {} if "creationToken" in this.inputs else {"CreationToken": _token(this)}
    made = this.create("efs:CreateFileSystem", token, apart=["lifecyclePolicies", "protection"])
    named = {"FileSystemId": made["FileSystemId"]}
    if "lifecyclePolicies" in this.inputs:
        policies = {"lifecyclePolicies": this["lifecyclePolicies"]}
        this.create("efs:PutLifecycleConfiguration", named, inputs=policies, tagged=False)
    if "protection" in this.inputs:
        rename = {"replicationOverwrite": "ReplicationOverwriteProtection"}
        this.create("efs:UpdateFileSystemProtection", named, inputs=this["protection"], rename=rename, tagged=False)
    return this.answer(
        made["FileSystemId"], made, arn=made["FileSystemArn"], dnsName=_dns_name(this, made["FileSystemId"])
    )


def _dns_name(this: Making, file_system: str) -> str:
    return f"{file_system}.efs.{this.aws.region}.amazonaws.com"


def _mount_target(this: Making) -> Answer:
    made = this.create("efs:CreateMountTarget")
    where = _dns_name(this, this["fileSystemId"])
    names = {"dnsName": where, "mountTargetDnsName": f"{made['AvailabilityZoneName']}.{where}"}
    return this.answer(made["MountTargetId"], made, fileSystemArn=_arn(this), **names)


def _access_point(this: Making) -> Answer:
    made = this.create("efs:CreateAccessPoint", {"ClientToken": _token(this)})
    return this.answer(made["AccessPointId"], made, arn=made["AccessPointArn"], fileSystemArn=_arn(this))


def _arn(this: Making) -> str:
    return this.arn("elasticfilesystem", f"file-system/{this['fileSystemId']}")


def _policy(this: Making) -> Answer:
    this.create("efs:PutFileSystemPolicy")
    return this.answer(this["fileSystemId"])


def _backup_policy(this: Making) -> Answer:
    this.create("efs:PutBackupPolicy")
    return this.answer(this["fileSystemId"])


TABLE: Final[Table] = {
    "aws:efs/accessPoint:AccessPoint": _access_point,
    "aws:efs/backupPolicy:BackupPolicy": _backup_policy,
    "aws:efs/fileSystem:FileSystem": _file_system,
    "aws:efs/fileSystemPolicy:FileSystemPolicy": _policy,
    "aws:efs/mountTarget:MountTarget": _mount_target,
}
