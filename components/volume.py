"""A volume of a task, as a value: what is mounted, what the task's role needs for it, and what must stand before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from components import naming
from components.errors import InvalidArgsError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pulumi_aws as aws
    from pulumi import Input, Resource

    from components.container import Container
    from components.grants import Grant

NFS: Final = 2049
"""The port of a mount target."""


@dataclass(frozen=True, kw_only=True)
class Volume:
    """A folder of an EFS file system as a container takes it, under `mounts`; `FileSystem.volume` hands it out.

    Raises:
        InvalidArgsError: a name that ECS refuses.

    """

    name: str
    """What task definitions call it; one name is one folder, for all containers of a task."""
    file_system_id: Input[str]
    """Such as ``fs-0a1b2c3d4e5f67890``."""
    access_point_id: Input[str]
    """The access point that decides which folder it is, and as whom files are written."""
    grants: Sequence[Grant]
    """What the task's role needs to mount it."""
    security_group_id: Input[str] | None = None
    """Of the mount targets: whoever runs the task opens the way there. Default: the way is open already."""
    read_only: bool = False
    """Whether the container may only read. Default: it may write too."""
    after: Sequence[Resource] = ()
    """What a task that is to mount it waits for. Default: nothing; the file system stands already."""

    def __post_init__(self) -> None:
        naming.fixed(self.name, naming.VOLUME)

    def definition(self) -> aws.ecs.TaskDefinitionVolumeArgsDict:
        """Render it as a task definition takes it: over TLS, as the task's role, by its access point alone."""
        return {
            "name": self.name,
            "efs_volume_configuration": {
                "file_system_id": self.file_system_id,
                # The access point's own root; ECS refuses any other beside one.
                "root_directory": "/",
                "transit_encryption": "ENABLED",
                "authorization_config": {"access_point_id": self.access_point_id, "iam": "ENABLED"},
            },
        }


def of_containers(containers: Iterable[Container]) -> Sequence[Volume]:
    """Return what *containers* mount, by name: whoever may write before those that read the same, each once.

    Raises:
        InvalidArgsError: one name for two folders.

    """
    found: list[Volume] = []
    for volume in (each for container in containers for each in container.mounts.values()):
        for other in found:
            # Outputs compare by identity: what they will be, nobody knows yet.
            if other.name == volume.name and other.access_point_id != volume.access_point_id:
                raise InvalidArgsError(
                    "Container.mounts", got=volume.name, want="volumes of a task by names of their own: this is two"
                )
        if volume not in found:
            found.append(volume)
    return sorted(found, key=lambda each: (each.name, each.read_only))
