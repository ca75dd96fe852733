"""A container is refused where ECS would refuse it, or accept it and break."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from components.container import Container, HealthCheck, Tmpfs, Ulimit
from components.errors import InvalidArgsError
from components.image import Image
from components.logs import Logs
from components.secret import SecretReference
from components.volume import Volume

IMAGE = Image.at("public.ecr.aws/docker/library/busybox@sha256:" + "a" * 64)
VOLUME = Volume(name="data", file_system_id="fs-1", access_point_id="fsap-1", grants=())
LOG_OPTIONS = Logs().options("/ecs/orders", "eu-west-1", "ecs")


def definition(*, exec_on: bool = False, **said: Any) -> dict[str, Any]:
    return Container(image=IMAGE, **said).definition(log_options=LOG_OPTIONS, exec_on=exec_on)


def test_a_container_is_closed_unless_it_says_otherwise() -> None:
    """What a hurried author gets: no writable root, no capability, logs that cannot stop it."""
    said = definition(port=8080)
    assert said["readonlyRootFilesystem"] is True
    assert said["linuxParameters"] == {"initProcessEnabled": True, "capabilities": {"drop": ["ALL"]}}
    assert said["portMappings"] == [{"containerPort": 8080, "hostPort": 8080, "protocol": "tcp"}]
    assert said["logConfiguration"]["options"]["mode"] == "non-blocking"
    assert said["stopTimeout"] == 30
    assert said["image"] == IMAGE.uri


def test_a_named_port_says_what_is_spoken_there() -> None:
    """Service Connect and VPC Lattice know the port by its name; without a protocol a proxy takes all for TCP."""
    (mapping,) = definition(port=50051, port_name="grpc", app_protocol="grpc")["portMappings"]
    assert (mapping["name"], mapping["appProtocol"]) == ("grpc", "grpc")


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"port_name": "grpc"}, "Container.port: got None; one, since 'grpc' is said of it"),
        ({"port": 1, "app_protocol": "grpc"}, "Container.port_name: got None; one, since 'grpc' is said of it"),
        ({"port": 1, "port_name": "gRPC"}, "port name: got 'gRPC'; lower-case letters"),
        ({"port": 1, "port_name": "grpc", "app_protocol": "tcp"}, "Container.app_protocol: got 'tcp'; one of 'http'"),
    ],
)
def test_a_port_is_named_as_ecs_has_it(said: dict[str, Any], message: str) -> None:
    """ECS would refuse the definition after all that it stands on was made."""
    with pytest.raises(InvalidArgsError) as refused:
        Container(image=IMAGE, **said)
    assert message in str(refused.value)


def test_what_is_not_said_is_not_in_the_definition() -> None:
    """ECS adds its own defaults, and an empty list would be a difference at every preview."""
    assert not {
        "command",
        "portMappings",
        "secrets",
        "healthCheck",
        "dependsOn",
        "ulimits",
        "user",
        "mountPoints",
    } & set(definition())


def test_the_order_of_settings_makes_no_new_revision() -> None:
    """A dictionary written the other way round must deploy nothing."""
    one, other = ({"A": "1", "B": "2"}, {"B": "2", "A": "1"})
    assert definition(environment=one) == definition(environment=other)


def test_ecs_exec_makes_the_root_writable() -> None:
    """Its agent writes there, and fails without a word if it cannot."""
    assert definition(exec_on=True)["readonlyRootFilesystem"] is False


def test_everything_said_is_in_the_definition() -> None:
    """Each argument that no other test looks at."""
    said = definition(
        command=("serve", "--quick"),
        user="1000:1000",
        cpu=128,
        memory=256,
        stop_timeout=90,
        essential=False,
        tmpfs=[Tmpfs(path="/tmp", mib=64)],  # noqa: S108 - a path inside a container
        ulimits=[Ulimit(name="nofile", soft=1024, hard=4096)],
        depends_on={"migrate": "SUCCESS"},
        health_check=HealthCheck(command=("CMD", "check"), interval=10, timeout=2, retries=5, start_period=20),
        secrets={"PASSWORD": SecretReference.adopted("arn:aws:secretsmanager:eu-west-1:111122223333:secret:db-AbCdEf")},
    )
    assert said["command"] == ["serve", "--quick"]
    assert (said["user"], said["cpu"], said["memory"]) == ("1000:1000", 128, 256)
    assert (said["stopTimeout"], said["essential"]) == (90, False)
    assert said["linuxParameters"]["tmpfs"] == [{"containerPath": "/tmp", "size": 64}]  # noqa: S108
    assert said["ulimits"] == [{"name": "nofile", "softLimit": 1024, "hardLimit": 4096}]
    assert said["dependsOn"] == [{"containerName": "migrate", "condition": "SUCCESS"}]
    assert said["healthCheck"] == {
        "command": ["CMD", "check"],
        "interval": 10,
        "timeout": 2,
        "retries": 5,
        "startPeriod": 20,
    }
    assert said["secrets"][0]["name"] == "PASSWORD"


def test_mounts_are_told_by_path_and_leave_the_root_read_only() -> None:
    """Written the other way round they must deploy nothing."""
    mounts = {"/b": VOLUME, "/a": dataclasses.replace(VOLUME, name="old", read_only=True)}
    said = definition(mounts=mounts)
    assert said["mountPoints"] == [
        {"sourceVolume": "old", "containerPath": "/a", "readOnly": True},
        {"sourceVolume": "data", "containerPath": "/b", "readOnly": False},
    ]
    assert said["readonlyRootFilesystem"] is True


@pytest.mark.parametrize("path", ["", "/", "//", "data", "./data", "/data/", "//data", "/app/../data", "/app//data"])
def test_a_mount_at_no_plain_path_is_refused(path: str) -> None:
    """Two spellings of one path would be two mounts, of which one hides the other."""
    with pytest.raises(InvalidArgsError, match=r"Container.mounts of 'app': got .* an absolute path below the root"):
        Container(image=IMAGE, mounts={path: VOLUME})


def test_a_mount_and_memory_at_one_path_are_refused() -> None:
    with pytest.raises(InvalidArgsError, match=r"got '/data'; it stands in `tmpfs` too: keep one"):
        Container(image=IMAGE, mounts={"/data": VOLUME}, tmpfs=[Tmpfs(path="/data", mib=1)])


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"port": 0}, "Container.port: got 0; a whole number from 1 to 65535"),
        ({"port": 65536}, "Container.port: got 65536"),
        ({"port": True}, "Container.port: got True"),
        ({"name": "my app"}, "container name: got 'my app'; letters, digits, hyphens, underscores"),
        ({"name": "a" * 256}, "at most 255 characters"),
        ({"stop_timeout": 121}, "Container.stop_timeout: got 121; a whole number from 2 to 120 seconds"),
        ({"memory": 3}, "Container.memory: got 3"),
        ({"depends_on": {"other": "DONE"}}, "got 'DONE'; one of START, COMPLETE, SUCCESS, HEALTHY"),
        (
            {"read_only_root": False, "tmpfs": [Tmpfs(path="/t", mib=1)]},
            "got '/t'; drop it, or leave the root read-only",
        ),
    ],
)
def test_a_bound_of_ecs_is_kept(said: dict[str, Any], message: str) -> None:
    """Each would fail at `pulumi up`, or silently at run time."""
    with pytest.raises(InvalidArgsError) as refused:
        Container(image=IMAGE, **said)
    assert message in str(refused.value)


def test_one_variable_cannot_be_plain_and_secret() -> None:
    """ECS takes both and keeps one."""
    secret = SecretReference.adopted("arn:aws:secretsmanager:eu-west-1:111122223333:secret:db-AbCdEf")
    with pytest.raises(InvalidArgsError, match="'PASSWORD'; it stands in `secrets` too"):
        Container(image=IMAGE, environment={"PASSWORD": "x"}, secrets={"PASSWORD": secret})


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"command": ("curl", "localhost")}, "begin with 'CMD' or 'CMD-SHELL'"),
        ({"command": ("CMD",)}, "begin with 'CMD' or 'CMD-SHELL', then the command"),
        ({"interval": 4}, "HealthCheck.interval: got 4; a whole number from 5 to 300 seconds"),
        ({"interval": 301}, "got 301"),
        ({"timeout": 1}, "HealthCheck.timeout: got 1; a whole number from 2 to 60 seconds"),
        ({"retries": 11}, "HealthCheck.retries: got 11; a whole number from 1 to 10"),
        ({"start_period": 301}, "HealthCheck.start_period: got 301"),
    ],
)
def test_a_health_check_keeps_the_bounds(said: dict[str, Any], message: str) -> None:
    """ECS refuses them with a message that names no container."""
    with pytest.raises(InvalidArgsError) as refused:
        HealthCheck(**{"command": ("CMD", "check"), **said})
    assert message in str(refused.value)


def test_limits_and_memory_folders_are_checked() -> None:
    """A misspelt limit is refused by ECS without saying which there are."""
    with pytest.raises(InvalidArgsError, match=r"Ulimit.name: got 'files'; one of 'core'"):
        Ulimit(name="files", soft=1, hard=1)
    with pytest.raises(InvalidArgsError, match=r"Ulimit.soft: got 5; from 0 to the hard limit, 4"):
        Ulimit(name="nofile", soft=5, hard=4)
    with pytest.raises(InvalidArgsError, match=r"Tmpfs.path: got 'tmp'; an absolute path"):
        Tmpfs(path="tmp", mib=1)


@pytest.mark.parametrize(
    ("mode", "said", "host_port"),
    [
        ("awsvpc", {}, 8080),
        ("bridge", {}, 0),
        ("bridge", {"host_port": 80}, 80),
        ("host", {}, 8080),
    ],
)
def test_its_port_on_the_host_is_what_its_network_has(mode: Any, said: dict[str, Any], host_port: int) -> None:
    """0 is whichever the agent gives out; in the other modes ECS refuses another than the container's own."""
    container = Container(image=IMAGE, port=8080, **said)
    (mapping,) = container.definition(log_options=LOG_OPTIONS, exec_on=False, network_mode=mode)["portMappings"]
    assert (mapping["containerPort"], mapping["hostPort"]) == (8080, host_port)


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"port": 80, "host_port": 0}, "Container.host_port: got 0; a whole number from 1 to 65535"),
        ({"host_port": 80}, "Container.port: got None; one, since 80 is said of it"),
    ],
)
def test_a_host_port_that_leads_nowhere_is_refused(said: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidArgsError) as refused:
        Container(image=IMAGE, **said)
    assert message in str(refused.value)


@pytest.mark.parametrize("port", [22, 2375, 2376, 32768, 51678])
def test_a_host_port_that_others_have_is_refused(port: int) -> None:
    """Those of SSH and Docker are taken; those above are given out, and could be taken at any time."""
    with pytest.raises(InvalidArgsError, match=f"Container.host_port of 'app': got {port}; 1 to 32767, but for 22"):
        Container(image=IMAGE, port=8080, host_port=port).static_host_port("bridge")
    with pytest.raises(InvalidArgsError, match=f"Container.port of 'app': got {port}"):
        Container(image=IMAGE, port=port).static_host_port("host")
    assert Container(image=IMAGE, port=port).static_host_port("awsvpc") is None
