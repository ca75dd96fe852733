"""An EFS file system that tasks share: who reaches it over the network, and by which access points."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

import pulumi_aws as aws
from pulumi import Output, ResourceOptions

from components import key, naming, resource_policy, security_group
from components.base import Component, declared
from components.errors import InvalidArgsError, of, one_of, within
from components.grants import Grant
from components.volume import NFS, Volume

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pulumi import Input

    from components.account import Account
    from components.adopted_network import AnyNetwork

_MOST_ID: Final = 4_294_967_295
_READ: Final = "elasticfilesystem:ClientMount"
_WRITE: Final = "elasticfilesystem:ClientWrite"
_AS_ROOT: Final = "elasticfilesystem:ClientRootAccess"
_BY_ACCESS_POINT: Final = "elasticfilesystem:AccessPointArn"
_BY_MOUNT_TARGET: Final = "elasticfilesystem:AccessedViaMountTarget"
# botocore's `efs` model, `Path`, without the root itself.
_PATH: Final = re.compile(r"(/(?!\.)[^$#<>;`|&?{}^*/\n]+){1,4}")
_LONGEST_PATH: Final = 100
_IDLE_DAYS: Final = (1, 7, 14, 30, 60, 90, 180, 270, 365)


@dataclass(frozen=True, kw_only=True)
class AccessPoint:
    """A folder of the file system, and as whom its files are read and written, whatever user a container has.

    Each of these is for ever: EFS replaces an access point that changes, and leaves a folder that exists as it is.

    Raises:
        InvalidArgsError: a path, a user or a mode that EFS refuses, or that nobody could write with.

    """

    path: str
    """The folder, such as ``/parking-data``; made by EFS at the first mount. One to four levels deep, at most 100
    characters. Not the root: that is its superuser's, so that nobody admitted here could write to it."""
    uid: int = 1000
    """POSIX user that owns the folder and that all who come this way are, 1 to 4294967295. Not 0, the superuser, whom
    nobody may be."""
    gid: int = 1000
    """Its group, 0 to 4294967295."""
    mode: str = "755"
    """Permissions of the folder when EFS makes it: three or four octal digits."""

    def __post_init__(self) -> None:
        if not _PATH.fullmatch(self.path) or len(self.path) > _LONGEST_PATH:
            raise InvalidArgsError(
                of(self, "path"),
                got=self.path,
                want=f"one to four folders below the root, such as '/data', in at most {_LONGEST_PATH} characters",
            )
        within(self, "uid", 1, _MOST_ID)
        within(self, "gid", 0, _MOST_ID)
        if not re.fullmatch("[0-7]{3,4}", self.mode):
            raise InvalidArgsError(of(self, "mode"), got=self.mode, want="three or four octal digits, such as '755'")


@dataclass(frozen=True, kw_only=True)
class FileSystemArgs:
    """What a `FileSystem` takes.

    Raises:
        InvalidArgsError: no access point, a throughput that is none, days that EFS does not know, or two keys at once.

    """

    account: Account
    """Where it is: a key of its own is administered by this account."""
    network: AnyNetwork
    """Whose app subnets have a mount target each: where tasks are, so that no zone's tasks cross to another's."""
    access_points: Mapping[str, AccessPoint]
    """Name → folder: the only ways in, one or more."""
    throughput: Literal["elastic", "bursting"] = "elastic"
    """``elastic`` is always quick enough, and paid by what is read and written. ``bursting`` costs nothing beside the
    storage, and is as quick as what is stored allows: 50 KiB/s a GiB, faster while credits last. It can be changed."""
    infrequent_access_after: int | None = None
    """Days after which a file that nobody read is kept more cheaply until somebody does: 1, 7, 14, 30, 60, 90, 180, 270
    or 365. Default: never."""
    backup: bool = True
    """Whether AWS Backup copies it daily, and keeps each copy for 35 days."""
    protect: bool = True
    """Whether Pulumi refuses to delete or replace it until this is turned off; EFS itself refuses neither."""
    own_key: bool = False
    """Whether a KMS key of its own encrypts it, for a dollar a month: one whose use can be ended. It is for ever.
    Default: no, AWS's own for EFS does."""
    kms_key_arn: Input[str] | None = None
    """Another key that encrypts it instead; for ever too. Whoever mounts the file system needs no right to it."""

    def __post_init__(self) -> None:
        if not self.access_points:
            raise InvalidArgsError(of(self, "access_points"), got={}, want="at least one: there is no other way in")
        one_of(self, "throughput", ("elastic", "bursting"))
        one_of(self, "infrequent_access_after", _IDLE_DAYS)
        if self.own_key and self.kms_key_arn is not None:
            raise InvalidArgsError(of(self, "own_key"), got=True, want="False, with kms_key_arn: one key encrypts it")


class FileSystem(Component):
    """A file system, a mount target in every app subnet, and the access points that are the only ways in.

    It is encrypted, and reached over TLS alone, from the security groups that it was opened to. Its policy only
    refuses: who is admitted is for the roles to say, by what `volume` grants.

    Raises:
        InvalidArgsError: a name that leaves no room for Pulumi's suffix, or an access point's that ECS refuses.

    """

    id: Output[str]
    """Such as ``fs-0a1b2c3d4e5f67890``."""
    arn: Output[str]
    security_group_id: Output[str]
    """Of its mount targets."""

    def __init__(self, name: str, args: FileSystemArgs, opts: ResourceOptions | None = None) -> None:
        naming.autonamed(name, naming.SECURITY_GROUP)
        for each in args.access_points:
            naming.fixed(f"{name}-{each}", naming.VOLUME)
        super().__init__(name, declared(args), opts)
        self._name = name

        file_system = aws.efs.FileSystem(
            name,
            encrypted=True,
            kms_key_id=key.create(self, name, f"Files of {name}", args.account, []).arn
            if args.own_key
            else args.kms_key_arn,
            performance_mode="generalPurpose",
            throughput_mode=args.throughput,
            lifecycle_policies=_lifecycle(args.infrequent_access_after),
            tags=self._named(name),
            # Where it is not protected here, whatever holds for the component does.
            opts=self.child(ResourceOptions(protect=True) if args.protect else None),
        )
        self.id, self.arn = file_system.id, file_system.arn
        if args.backup:
            aws.efs.BackupPolicy(name, file_system_id=self.id, backup_policy={"status": "ENABLED"}, opts=self.child())
        self._access_points = {
            each: self._access_point(f"{name}-{each}", args.access_points[each]) for each in sorted(args.access_points)
        }
        policy = aws.efs.FileSystemPolicy(
            name,
            file_system_id=self.id,
            policy=resource_policy.document(_only(self.arn, [each.arn for each in self._access_points.values()])),
            opts=self.child(),
        )
        group = aws.ec2.SecurityGroup(
            name,
            # Without the name: another description is another group, and renaming must replace nothing.
            description="Mount targets, and who may mount",
            vpc_id=args.network.vpc_id,
            tags=self.tags,
            opts=self.child(),
        )
        self.security_group_id = group.id
        self._stands = [
            policy,
            *(
                aws.efs.MountTarget(
                    f"{name}-{zone}",
                    file_system_id=self.id,
                    subnet_id=subnet,
                    security_groups=[self.security_group_id],
                    # EFS takes one a zone: the new one cannot be made beside the old.
                    opts=self.child(ResourceOptions(delete_before_replace=True)),
                )
                for zone, subnet in zip(args.network.zones, args.network.app_subnet_ids, strict=True)
            ),
        ]
        self.register_outputs({"id": self.id, "arn": self.arn, "security_group_id": self.security_group_id})

    def volume(self, access_point: str, *, read_only: bool = False) -> Volume:
        """Return the folder of *access_point* as a container mounts it, with the right to that and to nothing beside.

        Raises:
            InvalidArgsError: there is no such access point.

        """
        if access_point not in self._access_points:
            raise InvalidArgsError(
                "FileSystem.volume", got=access_point, want=f"one of {', '.join(self._access_points)}"
            )
        found = self._access_points[access_point]
        return Volume(
            name=f"{self._name}-{access_point}",
            file_system_id=self.id,
            access_point_id=found.id,
            security_group_id=self.security_group_id,
            read_only=read_only,
            grants=(
                Grant(
                    actions=(_READ,) if read_only else (_READ, _WRITE),
                    resources=(self.arn,),
                    conditions={"StringEquals": {_BY_ACCESS_POINT: found.arn}},
                ),
            ),
            after=self._stands,
        )

    def open_to(self, name: str, security_group_id: Input[str]) -> None:
        """Let the security group in that *name* stands for, and out to here.

        For whatever is no task: a service, a schedule or a guard opens the way of the tasks that it runs. Both rules
        are this component's, and their logical names end in *name*.
        """
        mine = self.security_group_id
        security_group.let_in(self, f"{self._name}-from-{name}", mine, NFS, from_group=security_group_id)
        security_group.let_out(self, f"{self._name}-by-{name}", security_group_id, NFS, to_group=mine)

    def _access_point(self, name: str, said: AccessPoint) -> aws.efs.AccessPoint:
        return aws.efs.AccessPoint(
            name,
            file_system_id=self.id,
            posix_user={"uid": said.uid, "gid": said.gid},
            root_directory={
                "path": said.path,
                "creation_info": {"owner_uid": said.uid, "owner_gid": said.gid, "permissions": said.mode},
            },
            tags=self._named(name),
            opts=self.child(),
        )

    def _named(self, name: str) -> Mapping[str, str]:
        # The console lists file systems and access points by this tag, and by bare ids where it is missing.
        return {**self.tags, "Name": name}


def _lifecycle(days: int | None) -> list[aws.efs.FileSystemLifecyclePolicyArgsDict] | None:
    if days is None:
        return None
    return [
        {"transition_to_ia": f"AFTER_{days}_DAY{'' if days == 1 else 'S'}"},
        {"transition_to_primary_storage_class": "AFTER_1_ACCESS"},
    ]


def _only(file_system: Input[str], access_points: Sequence[Input[str]]) -> list[resource_policy.Statement]:
    """Refuse all ways in but the one: over TLS, at a mount target, by one of *access_points*, and not as root.

    A policy that allowed would admit clients whose role has no right at all, since EFS asks for one of the two; any
    policy ends the access that EFS gives to everybody on the network where there is none.
    https://docs.aws.amazon.com/efs/latest/ug/iam-access-control-nfs-efs.html
    """
    return [
        resource_policy.tls_only([_READ, _WRITE, _AS_ROOT], [file_system]),
        _refuse("MountTargetsOnly", [_READ, _WRITE], file_system, {"Bool": {_BY_MOUNT_TARGET: "false"}}),
        # Without an access point there is no such key: the negated operator then holds, and refuses.
        _refuse(
            "AccessPointsOnly", [_READ, _WRITE], file_system, {"StringNotEquals": {_BY_ACCESS_POINT: access_points}}
        ),
        _refuse("NobodyAsRoot", [_AS_ROOT], file_system, {}),
    ]


def _refuse(
    sid: str, actions: list[str], file_system: Input[str], conditions: dict[str, Any]
) -> resource_policy.Statement:
    statement = {"Sid": sid, "Effect": "Deny", "Principal": "*", "Action": actions, "Resource": file_system}
    return {**statement, "Condition": conditions} if conditions else statement
