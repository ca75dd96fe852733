"""A volume is mounted over TLS and by its access point, and one name is one folder."""

from __future__ import annotations

import dataclasses

import pytest

from components.container import Container
from components.errors import InvalidArgsError
from components.image import Image
from components.volume import Volume, of_containers

IMAGE = Image.at("public.ecr.aws/docker/library/busybox@sha256:" + "a" * 64)
VOLUME = Volume(name="data", file_system_id="fs-1", access_point_id="fsap-1", grants=())
READING = dataclasses.replace(VOLUME, read_only=True)
OTHER = Volume(name="also", file_system_id="fs-1", access_point_id="fsap-2", grants=())


def test_it_is_mounted_over_tls_by_its_access_point_as_the_tasks_role() -> None:
    """ECS's own defaults are the whole file system, in plain text, as nobody."""
    assert VOLUME.definition() == {
        "name": "data",
        "efs_volume_configuration": {
            "file_system_id": "fs-1",
            "root_directory": "/",
            "transit_encryption": "ENABLED",
            "authorization_config": {"access_point_id": "fsap-1", "iam": "ENABLED"},
        },
    }


@pytest.mark.parametrize("name", ["", "my data", "a" * 256])
def test_a_name_that_ecs_refuses_is_refused(name: str) -> None:
    with pytest.raises(InvalidArgsError, match="volume name"):
        dataclasses.replace(VOLUME, name=name)


def test_what_containers_mount_is_told_once_in_an_order_of_its_own() -> None:
    """Written the other way round it must make no new revision."""
    first = Container(image=IMAGE, mounts={"/a": READING, "/b": VOLUME})
    second = Container(image=IMAGE, name="second", mounts={"/c": VOLUME, "/d": OTHER})
    assert of_containers([first, second]) == of_containers([second, first]) == [OTHER, VOLUME, READING]
    assert of_containers([Container(image=IMAGE)]) == []


def test_one_name_for_two_folders_is_refused() -> None:
    """ECS would refuse it too, without a word of which."""
    same = dataclasses.replace(OTHER, name="data")
    with pytest.raises(
        InvalidArgsError, match=r"Container.mounts: got 'data'; volumes of a task by names of their own"
    ):
        of_containers([Container(image=IMAGE, mounts={"/a": VOLUME, "/b": same})])
