"""parking-etl as it is deployed, on both stacks: its task, its files, and who reaches them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.apps import exact
from tests.apps.exact import ACCOUNTS, REGION, doors, exits

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.whole import Whole

each_stack = pytest.mark.parametrize("stack", ACCOUNTS)

KIND = {"dev": "fargate", "prod": "scheduled"}
ZONES = {"dev": "ab", "prod": "abc"}
TASKS = {"dev": "Service/ec2.SecurityGroup parking-etl", "prod": "Guard/ec2.SecurityGroup parking-database"}
FILES = "FileSystem/ec2.SecurityGroup parking-etl"


def deployed(stack: str) -> Whole:
    return exact.deployed(stack).of_workload("parking-etl")


def definition(stack: str) -> Mapping[str, Any]:
    return deployed(stack).one(":TaskDefinition").inputs


def container(stack: str) -> dict[str, Any]:
    (only,) = json.loads(definition(stack)["containerDefinitions"])
    return only


def subnets(stack: str) -> list[str]:
    return [f"Network/ec2.Subnet {stack}-app-{zone}" for zone in ZONES[stack]]


def states() -> dict[str, Any]:
    return json.loads(deployed("prod").one(":StateMachine").inputs["definition"])["States"]


def handed(stack: str) -> Mapping[str, Any]:
    return deployed(stack).outputs["workloads"]["parking-etl"]


@each_stack
def test_its_task_is_fargates_smallest_in_a_family_of_its_mode(stack: str) -> None:
    said = definition(stack)
    assert (said["family"], said["cpu"], said["memory"]) == (f"parking-etl-{KIND[stack]}", "256", "512")
    assert (said["networkMode"], said["requiresCompatibilities"]) == ("awsvpc", ["FARGATE"])


@each_stack
def test_its_container_is_told_where_the_data_comes_from_and_goes(stack: str) -> None:
    """The path from a variable: a rehearsal has no mount there."""
    said = container(stack)
    assert said["name"] == "parking-etl"
    assert said["command"] == ["cron"], "what it runs unless a run says which job"
    assert {each["name"]: each["value"] for each in said["environment"]} == {
        "OPEN_DATA_URL": "https://data.ntpc.gov.tw",
        "DATA_DIR": "/app/data",
    }
    assert "secrets" not in said
    assert "portMappings" not in said, "nobody calls it"


def test_only_where_somebody_may_look_in_is_the_root_writable() -> None:
    """ECS Exec's agent writes there: in dev, into the task that stays."""
    assert {stack: container(stack)["readonlyRootFilesystem"] for stack in ACCOUNTS} == {"dev": False, "prod": True}
    assert deployed("dev").one("ecs/service:Service").inputs["enableExecuteCommand"] is True


@each_stack
def test_its_files_are_encrypted_and_burst(stack: str) -> None:
    """Of EFS's modes these are what a database of some megabytes needs."""
    files = deployed(stack).one("efs/fileSystem:FileSystem").inputs
    assert (files["encrypted"], files["performanceMode"], files["throughputMode"]) == (
        True,
        "generalPurpose",
        "bursting",
    )
    backup = deployed(stack).one(":BackupPolicy").inputs
    assert backup["backupPolicy"] == {"status": "ENABLED"}
    assert deployed(stack).one("efs/fileSystem:FileSystem").protect is (stack == "prod")


@each_stack
def test_every_subnet_of_its_tasks_has_a_mount_target(stack: str) -> None:
    """Without one a zone's tasks mount through another zone, or not at all."""
    targets = [each.inputs for each in deployed(stack).of(":MountTarget").values()]
    assert sorted(each["subnetId"] for each in targets) == subnets(stack)
    assert all(each["securityGroups"] == [FILES] for each in targets)


@each_stack
def test_the_only_way_in_is_a_folder_that_belongs_to_its_own_user(stack: str) -> None:
    point = deployed(stack).one(":AccessPoint").inputs
    assert point["posixUser"] == {"uid": 1000, "gid": 1000}
    assert point["rootDirectory"] == {
        "path": "/parking-data",
        "creationInfo": {"ownerUid": 1000, "ownerGid": 1000, "permissions": "755"},
    }
    refused = {
        each["Sid"]: (each["Effect"], each["Principal"], each.get("Condition", {}))
        for each in json.loads(deployed(stack).one(":FileSystemPolicy").inputs["policy"])["Statement"]
    }
    access_point = f"arn:aws:elasticfilesystem:{REGION}:{ACCOUNTS[stack]}:access-point/parking-etl-data"
    assert refused == {
        "TlsOnly": ("Deny", "*", {"Bool": {"aws:SecureTransport": "false"}}),
        "MountTargetsOnly": ("Deny", "*", {"Bool": {"elasticfilesystem:AccessedViaMountTarget": "false"}}),
        "AccessPointsOnly": ("Deny", "*", {"StringNotEquals": {"elasticfilesystem:AccessPointArn": [access_point]}}),
        "NobodyAsRoot": ("Deny", "*", {}),
    }


@each_stack
def test_the_folder_is_mounted_over_tls_as_its_role(stack: str) -> None:
    """At the path that the container is told."""
    (volume,) = definition(stack)["volumes"]
    assert volume["efsVolumeConfiguration"] == {
        "fileSystemId": "FileSystem/efs.FileSystem parking-etl",
        "rootDirectory": "/",
        "transitEncryption": "ENABLED",
        "authorizationConfig": {"accessPointId": "FileSystem/efs.AccessPoint parking-etl-data", "iam": "ENABLED"},
    }
    assert container(stack)["mountPoints"] == [
        {"sourceVolume": volume["name"], "containerPath": "/app/data", "readOnly": False}
    ]


@each_stack
def test_nfs_is_open_to_its_tasks_alone_and_they_are_open_to_nobody(stack: str) -> None:
    """And out they get to the open data, by HTTPS, and to their files."""
    whole = deployed(stack)
    of_platform = ("LoadBalancer/", "Network/", "Ec2Capacity/")
    assert {door for door in doors(whole) if not door[0].startswith(of_platform)} == {(FILES, 2049, TASKS[stack])}
    assert {way for way in exits(whole) if not way[0].startswith(of_platform)} == {
        (TASKS[stack], 443, "0.0.0.0/0"),
        (TASKS[stack], 2049, FILES),
    }


@each_stack
def test_its_tasks_stand_in_private_subnets_of_every_zone(stack: str) -> None:
    """The source had them in public ones, with addresses of their own."""
    if stack == "dev":
        said = deployed("dev").one("ecs/service:Service").inputs["networkConfiguration"]
        assert said == {"subnets": subnets("dev"), "securityGroups": [TASKS["dev"]], "assignPublicIp": False}
    else:
        said = states()["Run"]["Arguments"]["NetworkConfiguration"]["AwsvpcConfiguration"]
        assert said == {"Subnets": subnets("prod"), "SecurityGroups": [TASKS["prod"]], "AssignPublicIp": "DISABLED"}


def test_its_repository_is_devs_own_and_scanned() -> None:
    """Prod runs what was pushed to the repository that serves both stacks."""
    repository = deployed("dev").one("ecr/repository:Repository").inputs
    assert repository["name"] == "dev/parking-etl/service"
    assert repository["imageScanningConfiguration"] == {"scanOnPush": True}
    assert not deployed("prod").of("ecr/repository:Repository")


def test_images_are_pinned_by_digest() -> None:
    """Whatever tag there is: what it points at changes under a schedule."""
    assert container("dev")["image"].endswith(".imageUri"), "a build answers with its digest"
    assert "/parking-newtaipei@sha256:" in container("prod")["image"]


@pytest.mark.parametrize(("stack", "days"), [("dev", 7), ("prod", 30)])
def test_its_logs_are_where_they_are_in_either_mode(stack: str, days: int) -> None:
    """Whoever turns one mode into the other finds the old lines where the new ones are."""
    group = deployed(stack).one(":LogGroup", "parking-etl").inputs
    assert (group["name"], group["retentionInDays"]) == ("/ecs/parking-etl", days)
    assert container(stack)["logConfiguration"]["options"]["awslogs-group"] == group["name"]
    assert handed(stack)["log_group_name"] == group["name"]
