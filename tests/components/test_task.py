"""A task has exactly the rights it was given, and contradictions are refused before anything is registered."""

from __future__ import annotations

import json
from typing import Any

import pytest

from components.account import Account
from components.adopted_network import AdoptedNetwork
from components.cluster import Cluster, ClusterArgs
from components.container import Container, HealthCheck
from components.errors import InvalidArgsError
from components.fargate import InstanceSize, Size
from components.file_system import AccessPoint, FileSystem, FileSystemArgs
from components.grants import Grant
from components.image import Image
from components.logs import Logs
from components.secret import SecretReference
from components.task import Task, TaskArgs
from components.volume import Volume
from tests.components.recorder import Recorded, of_type, one, record

ACCOUNT = Account(id="111122223333", region="eu-west-1")
IMAGE = Image.at("111122223333.dkr.ecr.eu-west-1.amazonaws.com/orders@sha256:" + "a" * 64)
SECRET = SecretReference.adopted("arn:aws:secretsmanager:eu-west-1:111122223333:secret:db-AbCdEf")
READ = Grant(actions=("dynamodb:GetItem",), resources=("arn:aws:dynamodb:eu-west-1:111122223333:table/orders",))


def made(**said: Any) -> list[Recorded]:
    args = {"account": ACCOUNT, "containers": [Container(image=IMAGE, port=8080)], **said}
    return record(lambda: Task("orders", TaskArgs(**args)))


def policy(resources: list[Recorded], name: str) -> dict[str, Any]:
    return json.loads(one(resources, ":RolePolicy", name).inputs["policy"])


def test_the_execution_role_reaches_its_own_repository_log_group_and_secrets_alone() -> None:
    """The whole policy: AWS's managed one reaches every repository and log group of the account."""
    resources = made(containers=[Container(image=IMAGE, secrets={"PASSWORD": SECRET})])
    assert policy(resources, "orders-execution") == {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": ["ecr:GetAuthorizationToken"], "Resource": ["*"]},
            {
                "Effect": "Allow",
                "Action": ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
                "Resource": ["arn:aws:ecr:eu-west-1:111122223333:repository/orders"],
            },
            {
                "Effect": "Allow",
                "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
                "Resource": ["arn:aws:logs:eu-west-1:111122223333:log-group:/ecs/orders:*"],
            },
            {
                "Effect": "Allow",
                "Action": ["secretsmanager:GetSecretValue"],
                "Resource": ["arn:aws:secretsmanager:eu-west-1:111122223333:secret:db-AbCdEf"],
            },
        ],
    }


def test_the_task_role_has_the_grants_and_nothing_else() -> None:
    """Whatever a component adds here, every workload would have."""
    assert policy(made(grants=[READ]), "orders-task") == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": ["dynamodb:GetItem"],
                "Resource": ["arn:aws:dynamodb:eu-west-1:111122223333:table/orders"],
            }
        ],
    }


def test_a_task_without_grants_has_a_role_that_may_do_nothing() -> None:
    """Without a role of its own it would have the instance's, or none to tell it apart by."""
    resources = made()
    assert "orders-task" in of_type(resources, ":Role")
    assert "orders-task" not in of_type(resources, ":RolePolicy")


@pytest.mark.parametrize("role", ["orders-task", "orders-execution"])
def test_its_roles_are_for_ecs_in_this_account_alone(role: str) -> None:
    """Without the conditions ECS could be led to use them on behalf of another account."""
    trust = json.loads(one(made(), ":Role", role).inputs["assumeRolePolicy"])
    assert trust["Statement"] == [
        {
            "Effect": "Allow",
            "Principal": {"Service": "ecs-tasks.amazonaws.com"},
            "Action": "sts:AssumeRole",
            "Condition": {
                "StringEquals": {"aws:SourceAccount": "111122223333"},
                "ArnLike": {"aws:SourceArn": "arn:aws:ecs:eu-west-1:111122223333:*"},
            },
        }
    ]


def test_what_is_granted_is_declared_for_policies_to_read_at_preview() -> None:
    """The rendered document is one unknown string then."""
    declared = one(made(grants=[READ]), "drydock:index:Task").inputs
    assert json.loads(declared["declared"])["policies"]["orders-task"] == [
        {"actions": ["dynamodb:GetItem"], "resources": ["arn:aws:dynamodb:eu-west-1:111122223333:table/orders"]}
    ]
    assert json.loads(declared["declared"])["trusts"]["orders-task"]["service"] == "ecs-tasks.amazonaws.com"
    assert json.loads(declared["declared"])["args"]["containers"][0]["port"] == 8080


def test_ecs_exec_adds_what_the_cluster_says_and_a_writable_root() -> None:
    """The agent in the container needs both."""

    def build() -> None:
        cluster = Cluster("main", ClusterArgs(account=ACCOUNT, exec_audit=Logs()))
        Task("orders", TaskArgs(account=ACCOUNT, containers=[Container(image=IMAGE)], exec_on=cluster))

    resources = record(build)
    actions = [action for each in policy(resources, "orders-task")["Statement"] for action in each["Action"]]
    assert [action for action in actions if action.startswith("ssmmessages:")] == [
        "ssmmessages:CreateControlChannel",
        "ssmmessages:CreateDataChannel",
        "ssmmessages:OpenControlChannel",
        "ssmmessages:OpenDataChannel",
    ]
    definition = json.loads(one(resources, ":TaskDefinition").inputs["containerDefinitions"])
    assert definition[0]["readonlyRootFilesystem"] is False


def test_the_definition_is_for_fargate_and_waits_for_its_policies() -> None:
    """A task that starts before its policies are attached fails on its first call."""
    resources = made(
        grants=[READ], size=Size(512, 2048), architecture="ARM64", ephemeral_storage=40, family="orders-v2"
    )
    definition = one(resources, ":TaskDefinition")
    assert definition.inputs["requiresCompatibilities"] == ["FARGATE"]
    assert (definition.inputs["cpu"], definition.inputs["memory"]) == ("512", "2048")
    assert definition.inputs["runtimePlatform"]["cpuArchitecture"] == "ARM64"
    assert definition.inputs["ephemeralStorage"] == {"sizeInGib": 40}
    assert definition.inputs["family"] == "orders-v2"
    assert one(resources, ":LogGroup").inputs["name"] == "/ecs/orders-v2"
    policies = {each.urn for each in of_type(resources, ":RolePolicy").values()}
    assert len(policies) == 2
    assert policies <= definition.dependencies


def volume(name: str, *, read_only: bool = False, access_point: str = "") -> Volume:
    return Volume(
        name=name,
        file_system_id="fs-1",
        access_point_id=access_point or f"fsap-{name}",
        read_only=read_only,
        grants=(Grant(actions=(f"elasticfilesystem:Client{'Mount' if read_only else 'Write'}",), resources=(name,)),),
    )


def test_what_is_mounted_is_a_volume_over_tls_by_its_access_point_as_the_tasks_role() -> None:
    """Each of the four is off by default in ECS, and the root directory beside an access point must be its own."""
    resources = made(containers=[Container(image=IMAGE, mounts={"/data": volume("files")})], grants=[READ])
    definition = one(resources, ":TaskDefinition").inputs
    assert definition["volumes"] == [
        {
            "name": "files",
            "efsVolumeConfiguration": {
                "fileSystemId": "fs-1",
                "rootDirectory": "/",
                "transitEncryption": "ENABLED",
                "authorizationConfig": {"accessPointId": "fsap-files", "iam": "ENABLED"},
            },
        }
    ]
    (container,) = json.loads(definition["containerDefinitions"])
    assert container["mountPoints"] == [{"sourceVolume": "files", "containerPath": "/data", "readOnly": False}]
    assert container["readonlyRootFilesystem"] is True
    actions = [each["Action"] for each in policy(resources, "orders-task")["Statement"]]
    assert actions == [["dynamodb:GetItem"], ["elasticfilesystem:ClientWrite"]]


def test_containers_that_mount_one_folder_have_one_volume_and_each_right_once() -> None:
    """ECS refuses a volume's name twice; who reads beside a writer is told apart at its mount point."""
    writer = Container(image=IMAGE, mounts={"/data": volume("files"), "/more": volume("files")})
    reader = Container(image=IMAGE, name="reader", mounts={"/data": volume("files", read_only=True)})
    resources = made(containers=[reader, writer])
    definition = one(resources, ":TaskDefinition").inputs
    assert [each["name"] for each in definition["volumes"]] == ["files"]
    actions = [each["Action"] for each in policy(resources, "orders-task")["Statement"]]
    assert actions == [["elasticfilesystem:ClientWrite"], ["elasticfilesystem:ClientMount"]]


def test_a_task_without_mounts_says_nothing_of_volumes() -> None:
    """Another word in a definition is another revision of everything that runs."""
    definition = one(made(), ":TaskDefinition").inputs
    assert "volumes" not in definition
    assert "mountPoints" not in json.loads(definition["containerDefinitions"])[0]


def test_a_task_waits_for_what_its_volumes_wait_for() -> None:
    """Until the mount targets stand, each of its tasks would fail to start."""

    def build() -> None:
        network = AdoptedNetwork(
            vpc_id="vpc-0a1b2c3d", cidr="10.0.0.0/16", zones=("a",), app_subnet_ids=("subnet-0a1b2c3d",)
        )
        points = {"data": AccessPoint(path="/data")}
        files = FileSystem("files", FileSystemArgs(account=ACCOUNT, network=network, access_points=points))
        container = Container(image=IMAGE, mounts={"/data": files.volume("data")})
        Task("orders", TaskArgs(account=ACCOUNT, containers=[container]))

    resources = record(build)
    awaited = [one(resources, ":MountTarget").urn, one(resources, ":FileSystemPolicy").urn]
    assert set(awaited) <= one(resources, ":TaskDefinition").dependencies


SIDECAR = Container(image=IMAGE, name="sidecar")


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"containers": []}, "Task.containers: got 0; from 1 to 10 containers"),
        (
            {"containers": [Container(image=IMAGE, essential=False)]},
            "at least one container of a task must be essential",
        ),
        ({"containers": [SIDECAR, SIDECAR]}, "Container.name: got 'sidecar'; containers of a task share one address"),
        (
            {"containers": [Container(image=IMAGE, port=80), Container(image=IMAGE, name="b", port=80)]},
            "Container.port: got 80",
        ),
        (
            {"containers": [Container(image=IMAGE, depends_on={"db": "START"})]},
            "Container.depends_on of 'app': got 'db'; a container of this task: app",
        ),
        (
            {"containers": [Container(image=IMAGE, depends_on={"sidecar": "HEALTHY"}), SIDECAR]},
            "give 'sidecar' a health_check, or wait for START",
        ),
        (
            {
                "containers": [
                    Container(image=IMAGE, name="a", depends_on={"b": "START"}),
                    Container(image=IMAGE, name="b", depends_on={"a": "START"}),
                ]
            },
            "Container.depends_on: got ['a', 'b']; these wait for each other: break the circle",
        ),
        (
            {"containers": [Container(image=IMAGE, mounts={"/a": volume("x"), "/b": volume("x", access_point="y")})]},
            "Container.mounts: got 'x'; volumes of a task by names of their own",
        ),
        ({"containers": [Container(image=IMAGE, memory=1024)]}, "Container.memory: got 1024; at most 512 in sum"),
        ({"ephemeral_storage": 20}, "Task.ephemeral_storage: got 20; a whole number from 21 to 200 GiB"),
        ({"architecture": "RISC"}, "Task.architecture: got 'RISC'; one of 'X86_64', 'ARM64'"),
        ({"family": "my family"}, "task family name: got 'my family'"),
    ],
)
def test_a_contradiction_is_refused_with_what_would_do(said: dict[str, Any], message: str) -> None:
    """ECS refuses some of these late and without naming the container, and runs into the rest."""
    with pytest.raises(InvalidArgsError) as refused:
        made(**said)
    assert message in str(refused.value)


def test_a_read_only_root_and_ecs_exec_exclude_each_other() -> None:
    """Exec would be on, and never connect."""

    def build() -> None:
        cluster = Cluster("main", ClusterArgs(account=ACCOUNT, exec_audit=Logs()))
        container = Container(image=IMAGE, read_only_root=True)
        Task("orders", TaskArgs(account=ACCOUNT, containers=[container], exec_on=cluster))

    with pytest.raises(InvalidArgsError, match="ECS Exec's agent must write to the root"):
        record(build)


def test_a_container_may_wait_for_a_healthy_one() -> None:
    """The order that dependencies give is one that can be kept."""
    healthy = Container(image=IMAGE, name="db", health_check=HealthCheck(command=("CMD", "check")))
    made(containers=[Container(image=IMAGE, depends_on={"db": "HEALTHY"}), healthy])


def test_a_name_too_long_for_its_roles_is_refused() -> None:
    """Pulumi cuts nothing: AWS would refuse the role in the middle of a deployment."""
    with pytest.raises(InvalidArgsError, match="at most 56 characters"):
        record(lambda: Task("o" * 50, TaskArgs(account=ACCOUNT, containers=[SIDECAR])))


def test_a_task_for_instances_says_so_and_what_network_it_is_in() -> None:
    """ECS holds the definition against the machine: what is for Fargate alone runs on no instance."""
    definition = one(made(launch_type="EC2", network_mode="bridge", size=InstanceSize(1024, 1024)), ":TaskDefinition")
    assert definition.inputs["requiresCompatibilities"] == ["EC2"]
    assert definition.inputs["networkMode"] == "bridge"
    assert (definition.inputs["cpu"], definition.inputs["memory"]) == ("1024", "1024")
    (container,) = json.loads(definition.inputs["containerDefinitions"])
    assert container["portMappings"] == [{"containerPort": 8080, "hostPort": 0, "protocol": "tcp"}]


def test_containers_in_bridge_mode_may_listen_on_one_port_but_not_behind_one() -> None:
    """Each has an address of its own there; the instance's ports are shared."""
    ports = [Container(image=IMAGE, name=name, port=80, host_port=port) for name, port in (("a", 80), ("b", 81))]
    made(launch_type="EC2", network_mode="bridge", containers=ports)
    twins = [Container(image=IMAGE, name=name, port=port, host_port=80) for name, port in (("a", 80), ("b", 81))]
    with pytest.raises(InvalidArgsError, match=r"Container.host_port: got 80"):
        made(launch_type="EC2", network_mode="bridge", containers=twins)


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"launch_type": "fargate"}, "Task.launch_type: got 'fargate'; one of 'FARGATE', 'EC2', 'MANAGED_INSTANCES'"),
        ({"launch_type": "EC2", "network_mode": "none"}, "Task.network_mode: got 'none'; one of 'awsvpc', 'bridge'"),
        ({"network_mode": "bridge"}, "Task.network_mode: got 'bridge'; 'awsvpc' on FARGATE, or EC2"),
        (
            {"launch_type": "MANAGED_INSTANCES", "network_mode": "host"},
            "Task.network_mode: got 'host'; 'awsvpc' on MANAGED_INSTANCES, or EC2",
        ),
        ({"size": InstanceSize(1000, 900)}, "a Size, which is a pair that Fargate has"),
        ({"launch_type": "EC2", "ephemeral_storage": 30}, "Task.ephemeral_storage: got 30; none"),
        (
            {"containers": [Container(image=IMAGE, port=8080, host_port=80)]},
            "Container.host_port of 'app': got 80; none, or network_mode 'bridge'",
        ),
        (
            {"launch_type": "EC2", "network_mode": "host", "containers": [Container(image=IMAGE, port=2375)]},
            "Container.port of 'app': got 2375; 1 to 32767",
        ),
        (
            {
                "launch_type": "EC2",
                "network_mode": "bridge",
                "containers": [Container(image=IMAGE, mounts={"/data": volume("files")})],
            },
            "Container.mounts of 'app': got '/data'; none, or network_mode 'awsvpc'",
        ),
    ],
)
def test_a_network_that_the_machine_has_not_is_refused(said: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidArgsError) as refused:
        made(**said)
    assert message in str(refused.value)
