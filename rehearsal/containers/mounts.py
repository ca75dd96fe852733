"""What a container mounts, where a plain process can have no mount: a folder of the run's stands for it.

One folder is one path of one file system, so that tasks share what they would share. Where the environment names a
mount's path, or one below it, the process is told the folder instead: a workload that takes its data folder from its
environment, and from nowhere else, finds it.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from rehearsal.containers.container import ContainerError
from rehearsal.containers.mount_rights import Mount, refusal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from rehearsal.emulator import Emulator

_CANNOT: Final = "ResourceInitializationError: failed to invoke EFS utils commands to set up EFS volumes: "
"""What the stopped reason of such a task begins with in ECS."""


def of_container(
    emulator: Emulator, task_definition: Mapping[str, Any], container: Mapping[str, Any], *, task_arn: str, root: Path
) -> dict[str, Path]:
    """Return path in the *container* → the folder below *root* that stands for what is mounted there, made if need be.

    Volumes of EFS alone: others are the task's own disk, and nothing of theirs outlives it.

    Raises:
        ContainerError: ECS could not mount it: there is no such access point, no mount target, no such directory, or
            the task role lacks a right.

    """
    volumes = {each["name"]: each for each in task_definition.get("volumes", [])}
    folders: dict[str, Path] = {}
    for point in container.get("mountPoints", []):
        said = volumes.get(point["sourceVolume"], {}).get("efsVolumeConfiguration")
        if said:
            try:
                folders[point["containerPath"]] = _mounted(emulator, task_definition, point, said, task_arn, root)
            except (ClientError, LookupError) as error:
                raise ContainerError(f"{_CANNOT}{point['containerPath']}: {error}") from error
    return folders


def translated(environment: Mapping[str, str], folders: Mapping[str, Path]) -> dict[str, str]:
    """Return *environment* with each value that is a mount's path, or lies below it, in the folder that stands for it.

    Of two mounts the one that is deeper counts, as in a container.
    """
    return {name: _translated(value, folders) for name, value in environment.items()}


def _translated(value: str, folders: Mapping[str, Path]) -> str:
    for path in sorted(folders, key=len, reverse=True):
        if value == path or value.startswith(f"{path}/"):
            return f"{folders[path]}{value.removeprefix(path)}"
    return value


def _mounted(
    emulator: Emulator,
    task_definition: Mapping[str, Any],
    point: Mapping[str, Any],
    said: Mapping[str, Any],
    task_arn: str,
    root: Path,
) -> Path:
    efs = emulator.client("efs")
    (file_system,) = efs.describe_file_systems(FileSystemId=said["fileSystemId"])["FileSystems"]
    if not efs.describe_mount_targets(FileSystemId=said["fileSystemId"])["MountTargets"]:
        raise LookupError(f"{said['fileSystemId']} has no mount target")
    authorization: Mapping[str, str] = said.get("authorizationConfig", {})
    access_point = _access_point(efs, said["fileSystemId"], authorization.get("accessPointId", ""))
    as_role = authorization.get("iam") == "ENABLED"
    refused = refusal(
        emulator,
        Mount(
            file_system_arn=file_system["FileSystemArn"],
            access_point_arn=access_point.get("AccessPointArn", ""),
            role=str(task_definition.get("taskRoleArn", "")) if as_role else "",
            session=task_arn.rpartition("/")[2],
            tls=said.get("transitEncryption") == "ENABLED",
            read_only=point.get("readOnly", False),
        ),
    )
    if refused:
        raise LookupError(refused)
    # Beside an access point ECS takes no directory but its root.
    directory = access_point.get("RootDirectory", {"Path": said.get("rootDirectory") or "/"})
    return _folder(root / said["fileSystemId"], directory)


def _access_point(efs: Any, file_system: str, access_point: str) -> Mapping[str, Any]:
    if not access_point:
        return {}
    found = efs.describe_access_points(AccessPointId=access_point)["AccessPoints"]
    if not found or found[0]["FileSystemId"] != file_system:
        raise LookupError(f"{file_system} has no access point {access_point}")
    return found[0]


def _folder(file_system: Path, directory: Mapping[str, Any]) -> Path:
    folder = file_system / str(directory["Path"]).strip("/")
    if folder == file_system:
        folder.mkdir(parents=True, exist_ok=True)
    elif not folder.is_dir():
        owner: Mapping[str, str] = directory.get("CreationInfo", {})
        if not owner:
            raise LookupError(
                f"there is no directory {json.dumps(directory['Path'])}, and nothing says whose it would be"
            )
        folder.mkdir(parents=True, exist_ok=True)
        # The rehearsal's own user must get in, if only to remove it.
        folder.chmod(int(owner["Permissions"], 8) | 0o700)
    return folder
