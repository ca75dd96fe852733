"""A file system is closed but for its access points, and those who mount it get the right to that and no other."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pulumi import Output, ResourceOptions

from components.account import Account
from components.adopted_network import AdoptedNetwork
from components.errors import InvalidArgsError
from components.file_system import AccessPoint, FileSystem, FileSystemArgs
from components.grants import document
from policies.rules.iam import documents, statements
from tests.components.recorder import Recorded, of_type, one, record

ACCOUNT = Account(id="111122223333", region="eu-west-1")
NETWORK = AdoptedNetwork(
    vpc_id="vpc-0a1b2c3d",
    cidr="10.0.0.0/16",
    zones=("a", "b"),
    app_subnet_ids=("subnet-0a1b2c3d", "subnet-1a1b2c3d"),
)
DATA = AccessPoint(path="/parking-data")


def arguments(**said: Any) -> FileSystemArgs:
    return FileSystemArgs(**({"account": ACCOUNT, "network": NETWORK, "access_points": {"data": DATA}} | said))


def made(**said: Any) -> list[Recorded]:
    return record(lambda: FileSystem("files", arguments(**said)))


def file_system(**said: Any) -> Recorded:
    return one(made(**said), ":FileSystem", "files")


def the(resources: list[Recorded], token: str) -> dict[str, Recorded]:
    return of_type(resources, f"aws:efs/{token}")


def test_by_default_it_is_encrypted_elastic_backed_up_and_protected() -> None:
    """What a hurried author gets: EFS's own defaults encrypt nothing and back nothing up."""
    resources = made()
    (made_one,) = the(resources, "fileSystem:FileSystem").values()
    said = made_one.inputs
    assert said["encrypted"] is True
    assert (said["performanceMode"], said["throughputMode"]) == ("generalPurpose", "elastic")
    assert not {"kmsKeyId", "lifecyclePolicies"} & said.keys()
    assert made_one.protect
    (backup,) = the(resources, "backupPolicy:BackupPolicy").values()
    assert backup.inputs["backupPolicy"] == {"status": "ENABLED"}


def test_a_dev_stack_may_have_it_cheap_and_let_it_go() -> None:
    resources = made(throughput="bursting", backup=False, protect=False)
    (made_one,) = the(resources, "fileSystem:FileSystem").values()
    assert made_one.inputs["throughputMode"] == "bursting"
    assert not made_one.protect
    assert not the(resources, "backupPolicy:BackupPolicy")


def test_what_its_component_is_protected_from_it_is_too() -> None:
    """A caller's own protection must not be taken back by the argument's silence."""
    opts = ResourceOptions(protect=True)
    resources = record(lambda: FileSystem("files", arguments(protect=False), opts))
    assert the(resources, "fileSystem:FileSystem")["files"].protect


def test_its_key_is_the_one_given_or_one_of_its_own() -> None:
    arn = "arn:aws:kms:eu-west-1:111122223333:key/1"
    (given,) = the(made(kms_key_arn=arn), "fileSystem:FileSystem").values()
    assert given.inputs["kmsKeyId"] == arn
    resources = made(own_key=True)
    assert the(resources, "fileSystem:FileSystem")["files"].inputs["kmsKeyId"] == "files.arn"
    assert one(resources, "aws:kms/key:Key").inputs["enableKeyRotation"] is True


@pytest.mark.parametrize(("days", "said"), [(1, "AFTER_1_DAY"), (30, "AFTER_30_DAYS")])
def test_what_nobody_reads_moves_and_comes_back_at_the_first_reading(days: int, said: str) -> None:
    """Without the way back, a file that is in use again is paid for at each reading."""
    (made_one,) = the(made(infrequent_access_after=days), "fileSystem:FileSystem").values()
    assert made_one.inputs["lifecyclePolicies"] == [
        {"transitionToIa": said},
        {"transitionToPrimaryStorageClass": "AFTER_1_ACCESS"},
    ]


def test_each_zones_tasks_have_a_mount_target_in_their_own_subnet() -> None:
    """Keyed by zone, so that another zone moves none of them."""
    resources = made()
    targets = the(resources, "mountTarget:MountTarget")
    assert {name: each.inputs["subnetId"] for name, each in targets.items()} == {
        "files-a": "subnet-0a1b2c3d",
        "files-b": "subnet-1a1b2c3d",
    }
    assert all(each.inputs["securityGroups"] == ["files-id"] for each in targets.values())


def test_nobody_reaches_it_until_it_is_opened_and_then_by_nfs_alone() -> None:
    """Tasks' groups have no way out on this port either, so that both sides need a rule."""

    def build() -> None:
        FileSystem("files", arguments()).open_to("jobs", "sg-jobs")

    closed, opened = made(), record(build)
    assert not of_type(closed, "IngressRule") | of_type(closed, "EgressRule")
    assert "ingress" not in one(closed, ":SecurityGroup").inputs
    way_in, way_out = one(opened, ":SecurityGroupIngressRule").inputs, one(opened, ":SecurityGroupEgressRule").inputs
    port = {"ipProtocol": "tcp", "fromPort": 2049, "toPort": 2049, "tags": {}}
    assert way_in == {"securityGroupId": "files-id", "referencedSecurityGroupId": "sg-jobs", **port}
    assert way_out == {"securityGroupId": "sg-jobs", "referencedSecurityGroupId": "files-id", **port}


def test_an_access_point_is_a_folder_and_a_user() -> None:
    (point,) = the(
        made(access_points={"data": AccessPoint(path="/parking-data", uid=1001, gid=1002, mode="750")}),
        "accessPoint:AccessPoint",
    ).values()
    assert point.name == "files-data"
    assert point.inputs["posixUser"] == {"uid": 1001, "gid": 1002}
    assert point.inputs["rootDirectory"] == {
        "path": "/parking-data",
        "creationInfo": {"ownerUid": 1001, "ownerGid": 1002, "permissions": "750"},
    }


def test_its_policy_refuses_every_way_in_but_the_one() -> None:
    """The whole policy: where it allowed something, clients would be let in whose role has no right."""
    resources = made(access_points={"old": AccessPoint(path="/old"), "data": DATA})
    (policy,) = the(resources, "fileSystemPolicy:FileSystemPolicy").values()
    read, write, root = (f"elasticfilesystem:Client{what}" for what in ("Mount", "Write", "RootAccess"))
    everybody = {"Effect": "Deny", "Principal": "*"}
    assert json.loads(policy.inputs["policy"]) == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "TlsOnly",
                **everybody,
                "Action": [read, write, root],
                "Resource": ["files.arn"],
                "Condition": {"Bool": {"aws:SecureTransport": "false"}},
            },
            {
                "Sid": "MountTargetsOnly",
                **everybody,
                "Action": [read, write],
                "Resource": "files.arn",
                "Condition": {"Bool": {"elasticfilesystem:AccessedViaMountTarget": "false"}},
            },
            {
                "Sid": "AccessPointsOnly",
                **everybody,
                "Action": [read, write],
                "Resource": "files.arn",
                "Condition": {
                    "StringNotEquals": {"elasticfilesystem:AccessPointArn": ["files-data.arn", "files-old.arn"]}
                },
            },
            {"Sid": "NobodyAsRoot", **everybody, "Action": [root], "Resource": "files.arn"},
        ],
    }


@pytest.mark.parametrize(("read_only", "actions"), [(False, ["ClientMount", "ClientWrite"]), (True, ["ClientMount"])])
def test_a_volume_grants_its_access_point_and_no_other(*, read_only: bool, actions: list[str]) -> None:
    """By the file system's ARN alone, a task could mount every folder there is."""

    def build() -> Output[None]:
        volume = FileSystem("files", arguments()).volume("data", read_only=read_only)
        assert (volume.name, volume.read_only) == ("files-data", read_only)
        return Output.from_input(document(volume.grants)).apply(pinned)

    def pinned(policy: str) -> None:
        assert json.loads(policy)["Statement"] == [
            {
                "Effect": "Allow",
                "Action": [f"elasticfilesystem:{action}" for action in actions],
                "Resource": ["files.arn"],
                "Condition": {"StringEquals": {"elasticfilesystem:AccessPointArn": "files-data.arn"}},
            }
        ]

    record(build)


def test_what_a_volume_grants_is_least_privilege() -> None:
    """The pack judges every task role with a mount by it."""
    arn = "arn:aws:elasticfilesystem:eu-west-1:111122223333"

    def judged(policy: str) -> None:
        text = policy.replace("files.arn", f"{arn}:file-system/fs-1").replace("files-data.arn", f"{arn}:access-point/1")
        found = documents.parse(text)
        assert found
        assert found.statements
        assert statements.judge(found, (), task_role=True) == []

    def build() -> Output[None]:
        volume = FileSystem("files", arguments()).volume("data")
        return Output.from_input(document(volume.grants)).apply(judged)

    record(build)


def test_a_volume_waits_for_every_mount_target_and_for_the_policy() -> None:
    """A task that mounts earlier fails; and before the policy stands, EFS lets everybody in."""
    waited: list[str] = []

    def build() -> None:
        waited.extend(each.pulumi_resource_name for each in FileSystem("files", arguments()).volume("data").after)

    record(build)
    assert waited == ["files", "files-a", "files-b"]


def test_a_volume_of_an_access_point_that_is_none_is_refused() -> None:
    with pytest.raises(InvalidArgsError, match=r"FileSystem.volume: got 'date'; one of data"):
        record(lambda: FileSystem("files", arguments()).volume("date"))


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"access_points": {}}, "FileSystem.access_points: got {}; at least one"),
        ({"throughput": "provisioned"}, "FileSystem.throughput: got 'provisioned'; one of 'elastic', 'bursting'"),
        ({"infrequent_access_after": 31}, "FileSystem.infrequent_access_after: got 31; one of 1, 7, 14, 30"),
        ({"own_key": True, "kms_key_arn": "arn"}, "FileSystem.own_key: got True; False, with kms_key_arn"),
        ({"access_points": {"my data": DATA}}, "volume name: got 'files-my data'; letters, digits"),
    ],
)
def test_what_cannot_work_is_refused(said: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidArgsError) as refused:
        made(**said)
    assert message in str(refused.value)


@pytest.mark.parametrize(
    "said",
    [
        *({"path": path} for path in ("", "data", "/", "/a/", "//a", "/../a", "/a/b/c/d/e", "/a*", "/" + "a" * 100)),
        *({"uid": uid} for uid in (0, -1, 2**32, True)),
        *({"gid": gid} for gid in (-1, 2**32)),
        *({"mode": mode} for mode in ("75", "758", "rwxr-xr-x", "07555")),
    ],
)
def test_an_access_point_that_nobody_could_use_is_refused(said: dict[str, Any]) -> None:
    """EFS refuses most of these at `pulumi up`, and takes the root and the superuser, who then can write nothing."""
    (field,) = said
    with pytest.raises(InvalidArgsError, match=f"AccessPoint.{field}: got"):
        AccessPoint(**({"path": "/data"} | said))
