"""What tasks mount they share, as they would a file system; and what EFS would refuse them is refused."""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from rehearsal.containers.mounts import translated

if TYPE_CHECKING:
    from conftest import Site

ACCOUNT, REGION = "123456789012", "ap-southeast-1"
READ, WRITE = "elasticfilesystem:ClientMount", "elasticfilesystem:ClientWrite"


class FileSystem:
    """A file system with one access point and a mount target."""

    def __init__(self, site: Site, *, mount_target: bool = True, path: str = "/data") -> None:
        self.efs = site.aws.client("efs")
        made = self.efs.create_file_system(CreationToken=uuid.uuid4().hex)
        self.id, self.arn = made["FileSystemId"], made["FileSystemArn"]
        if mount_target:
            ec2 = site.aws.client("ec2")
            vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
            subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24")["Subnet"]["SubnetId"]
            self.efs.create_mount_target(FileSystemId=self.id, SubnetId=subnet)
        self.point, self.point_arn = self.access_point(path)

    def access_point(self, path: str, **creation: str) -> tuple[str, str]:
        """Make an access point to *path*; its id and ARN."""
        owner = {"OwnerUid": 1000, "OwnerGid": 1000, "Permissions": "755"} | creation
        made = self.efs.create_access_point(
            ClientToken=uuid.uuid4().hex, FileSystemId=self.id, RootDirectory={"Path": path, "CreationInfo": owner}
        )
        return made["AccessPointId"], made["AccessPointArn"]

    def policy(self, *statements: dict[str, Any]) -> None:
        """Give it a policy of its own."""
        document = {"Version": "2012-10-17", "Statement": list(statements)}
        self.efs.put_file_system_policy(FileSystemId=self.id, Policy=json.dumps(document))

    def closed(self) -> None:
        """Refuse what does not come by the access point."""
        by = {"StringNotEquals": {"elasticfilesystem:AccessPointArn": [self.point_arn]}}
        self.policy(
            {
                "Sid": "AccessPointsOnly",
                "Effect": "Deny",
                "Principal": "*",
                "Action": [READ, WRITE],
                "Resource": self.arn,
                "Condition": by,
            }
        )

    def volume(self, point: str = "", **said: Any) -> dict[str, Any]:
        """Return it as a task definition's volume, by its first access point or by *point*."""
        given = {
            "fileSystemId": self.id,
            "transitEncryption": "ENABLED",
            "authorizationConfig": {"accessPointId": point or self.point, "iam": "ENABLED"},
        }
        return {"name": "files", "efsVolumeConfiguration": given | said}


def mounting(script: str, *, read_only: bool = False, path: str = "/app/data") -> dict[str, Any]:
    return {
        "command": ["sh", "-c", script],
        "environment": [{"name": "DATA_DIR", "value": path}, {"name": "DATABASE", "value": f"{path}/sub/parking.db"}],
        "mountPoints": [{"sourceVolume": "files", "containerPath": path, "readOnly": read_only}],
    }


def ran(site: Site, container: dict[str, Any], volume: dict[str, Any], *allows: tuple[str, str]) -> dict[str, Any]:
    return site.ran(container, task=site.role(*allows), volumes=[volume])


def test_what_one_task_writes_the_next_one_reads(site: Site) -> None:
    """The tasks come one after the other, each in a container of its own, and the data stays."""
    files = FileSystem(site)
    files.closed()
    rights = ((READ, files.arn), (WRITE, files.arn))
    written = ran(site, mounting('mkdir "$DATA_DIR/sub" && echo kept > "$DATABASE"'), files.volume(), *rights)
    assert written["containers"][0]["exitCode"] == 0, written
    read = ran(site, mounting('cat "$DATA_DIR/sub/parking.db"', path="/other"), files.volume(), *rights)
    container = site.of(read["taskArn"])
    assert list(container.lines) == ["kept"]
    assert (container.mounts["/other"] / "sub" / "parking.db").read_text() == "kept\n"


def test_access_points_are_the_folders_that_they_say(site: Site) -> None:
    """Two of one path meet, two of other paths do not, and one below another is seen from there."""
    files = FileSystem(site)
    rights = ((READ, files.arn), (WRITE, files.arn))
    same, _ = files.access_point("/data")
    other, _ = files.access_point("/other")
    below, _ = files.access_point("/data/below")
    for point, name in ((files.point, "one"), (other, "two"), (below, "three")):
        task = ran(site, mounting(f'touch "$DATA_DIR/{name}"'), files.volume(point), *rights)
        assert task["containers"][0]["exitCode"] == 0
    seen = site.of(ran(site, mounting('cd "$DATA_DIR"; find . -type f | sort'), files.volume(same), *rights)["taskArn"])
    assert list(seen.lines) == ["./below/three", "./one"]


def test_its_folder_has_the_mode_that_the_access_point_says(site: Site) -> None:
    files = FileSystem(site)
    point, _ = files.access_point("/private", Permissions="0700")
    task = ran(site, mounting('stat -c %a "$DATA_DIR"'), files.volume(point), (READ, files.arn), (WRITE, files.arn))
    assert list(site.of(task["taskArn"]).lines) == ["700"]


@pytest.mark.parametrize(
    ("value", "seen"),
    [
        ("/app/data", "/run/1"),
        ("/app/data/parking.db", "/run/1/parking.db"),
        ("/app/data/old/a", "/run/2/a"),
        ("/app/database", "/app/database"),
        ("file:/app/data", "file:/app/data"),
        ("/", "/"),
    ],
)
def test_a_value_that_is_a_mounts_path_or_lies_below_it_is_its_folder(value: str, seen: str) -> None:
    """A mount within another hides that part of it; and a path that only begins alike is another's."""
    folders = {"/app/data": Path("/run/1"), "/app/data/old": Path("/run/2")}
    assert translated({"PLACE": value}, folders) == {"PLACE": seen}


def test_a_role_without_the_right_mounts_nothing(site: Site) -> None:
    """The emulator asks nobody; in an account the task would not start."""
    files = FileSystem(site)
    files.closed()
    task = ran(site, mounting("true"), files.volume())
    assert task["stopCode"] == "TaskFailedToStart"
    assert "access denied by server" in task["stoppedReason"]
    assert f"may not {READ} on {files.arn}" in task["stoppedReason"]


def test_a_role_that_may_only_read_mounts_only_to_read(site: Site) -> None:
    """EFS would mount it for writing, and refuse each write."""
    files = FileSystem(site)
    files.closed()
    refused = ran(site, mounting("true"), files.volume(), (READ, files.arn))
    assert f"may not {WRITE}" in refused["stoppedReason"]
    denial = site.aws.denials()[-1]
    assert (denial.action, denial.resource) == (WRITE, files.arn)
    assert denial.role.startswith("role-"), "it is told as what a role of the program lacks"
    allowed = ran(site, mounting("true", read_only=True), files.volume(), (READ, files.arn))
    assert allowed["containers"][0]["exitCode"] == 0


def test_the_file_systems_own_policy_refuses_another_way_in(site: Site) -> None:
    """By an access point that the policy does not name, whatever the role may."""
    files = FileSystem(site)
    files.closed()
    other, _ = files.access_point("/other")
    task = ran(site, mounting("true"), files.volume(other), (READ, files.arn), (WRITE, files.arn))
    assert "Explicit deny AccessPointsOnly" in task["stoppedReason"]


def test_without_tls_the_policy_that_asks_for_it_refuses(site: Site) -> None:
    files = FileSystem(site)
    plain = {"Bool": {"aws:SecureTransport": "false"}}
    files.policy(
        {
            "Sid": "TlsOnly",
            "Effect": "Deny",
            "Principal": "*",
            "Action": [READ],
            "Resource": files.arn,
            "Condition": plain,
        }
    )
    rights = ((READ, files.arn), (WRITE, files.arn))
    task = ran(site, mounting("true"), files.volume(transitEncryption="DISABLED"), *rights)
    assert "Explicit deny TlsOnly" in task["stoppedReason"]
    assert ran(site, mounting("true"), files.volume(), *rights)["containers"][0]["exitCode"] == 0


def test_without_a_policy_everybody_on_the_network_is_let_in(site: Site) -> None:
    """Which is EFS's default, and no reason to call a task's role sufficient."""
    files = FileSystem(site)
    assert ran(site, mounting("true"), files.volume())["containers"][0]["exitCode"] == 0


def test_a_right_from_an_attached_policy_counts(site: Site) -> None:
    files = FileSystem(site)
    files.closed()
    iam, role = site.aws.client("iam"), site.role()
    statement = {"Effect": "Allow", "Action": [READ, WRITE], "Resource": files.arn}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    arn = iam.create_policy(PolicyName=f"mount-{uuid.uuid4().hex[:8]}", PolicyDocument=document)["Policy"]["Arn"]
    iam.attach_role_policy(RoleName=role.rpartition("/")[2], PolicyArn=arn)
    task = site.ran(mounting("true"), task=role, volumes=[files.volume()])
    assert task["containers"][0]["exitCode"] == 0


def test_who_mounts_without_iam_has_no_role_to_show(site: Site) -> None:
    """Its role's rights then count for nothing: the file system's policy alone says who may."""
    files = FileSystem(site)
    files.closed()
    anonymous = files.volume(authorizationConfig={"accessPointId": files.point})
    rights = ((READ, files.arn), (WRITE, files.arn))
    refused = ran(site, mounting("true"), anonymous, *rights)
    assert f"whoever says not who it is may not {READ}" in refused["stoppedReason"]
    files.policy({"Effect": "Allow", "Principal": "*", "Action": [READ, WRITE], "Resource": files.arn})
    assert ran(site, mounting("true"), anonymous)["containers"][0]["exitCode"] == 0


def test_a_file_system_that_cannot_be_mounted_stops_the_task(site: Site) -> None:
    """Each would be found out in the account, minutes after `pulumi up` said that all was well."""
    lonely, files = FileSystem(site, mount_target=False), FileSystem(site)
    reasons = {
        f"{lonely.id} has no mount target": lonely.volume(),
        f"{files.id} has no access point {lonely.point}": files.volume(lonely.point),
        "File system 'fs-0' does not exist": {**files.volume(fileSystemId="fs-0")},
        'there is no directory "/none"': {
            "name": "files",
            "efsVolumeConfiguration": {"fileSystemId": files.id, "rootDirectory": "/none"},
        },
    }
    for reason, volume in reasons.items():
        task = ran(site, mounting("true"), volume)
        assert task["stopCode"] == "TaskFailedToStart"
        assert "ResourceInitializationError: failed to invoke EFS utils commands" in task["stoppedReason"]
        assert reason in task["stoppedReason"]
