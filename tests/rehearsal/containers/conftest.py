"""One emulator with containers for the whole session, and a few lines to run a task on it."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from rehearsal import keeper
from rehearsal.containers import Container, Containers
from rehearsal.emulator import Emulator, launch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

ACCOUNT, REGION = "123456789012", "ap-southeast-1"
REGISTRY = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com"
APPS = Path(__file__).parent / "apps"


@dataclasses.dataclass(frozen=True)
class Site:
    """An account with a cluster, a log group and a repository, which every test makes its own roles in."""

    aws: Emulator
    containers: Containers
    cluster: str = "shop"
    image: str = f"{REGISTRY}/tiny-web@sha256:{'a' * 64}"
    group: str = "/ecs/tiny-web"

    def role(self, *allows: tuple[str, str], service: str = "ecs-tasks.amazonaws.com") -> str:
        """Make a role that *service* may assume for this account, allowed each (action, resource)."""
        iam, name = self.aws.client("iam"), f"role-{uuid.uuid4().hex[:8]}"
        trust = {
            "Effect": "Allow",
            "Principal": {"Service": service},
            "Action": "sts:AssumeRole",
            "Condition": {"StringEquals": {"aws:SourceAccount": ACCOUNT}},
        }
        arn: str = iam.create_role(RoleName=name, AssumeRolePolicyDocument=_document(trust))["Role"]["Arn"]
        statements = [{"Effect": "Allow", "Action": action, "Resource": resource} for action, resource in allows]
        if statements:
            iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=_document(*statements))
        return arn

    def execution_role(self, *allows: tuple[str, str], without: str = "") -> str:
        """Make a role with what every task here needs before it starts, except *without*."""
        log = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{self.group}:*"
        repository = f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/tiny-web"
        usual = {
            "logs:CreateLogStream": log,
            "logs:PutLogEvents": log,
            "ecr:GetAuthorizationToken": "*",
            "ecr:BatchCheckLayerAvailability": repository,
            "ecr:BatchGetImage": repository,
            "ecr:GetDownloadUrlForLayer": repository,
        }
        return self.role(*[pair for pair in usual.items() if pair[0] != without], *allows)

    def define(
        self,
        *containers: dict[str, Any],
        execution: str = "",
        task: str = "",
        volumes: Sequence[dict[str, Any]] = (),
    ) -> dict[str, Any]:
        """Register a task definition; a container's name, image and essential flag have defaults."""
        defaults = {"name": "web", "image": self.image, "essential": True}
        made = self.aws.client("ecs").register_task_definition(
            family=f"tiny-{uuid.uuid4().hex[:8]}",
            networkMode="awsvpc",
            requiresCompatibilities=["FARGATE"],
            cpu="256",
            memory="512",
            executionRoleArn=execution or self.execution_role(),
            **({"taskRoleArn": task} if task else {}),
            containerDefinitions=[{**defaults, **container} for container in containers],
            volumes=list(volumes),
        )
        return made["taskDefinition"]

    def run(self, *containers: dict[str, Any], **said: Any) -> str:
        """Run a task, defined as `define` does; its ARN."""
        definition = self.define(*containers, **said)
        ran = self.aws.client("ecs").run_task(
            cluster=self.cluster,
            taskDefinition=definition["taskDefinitionArn"],
            launchType="FARGATE",
            networkConfiguration={"awsvpcConfiguration": {"subnets": ["subnet-1"]}},
        )
        return ran["tasks"][0]["taskArn"]

    def task(self, arn: str, until: str = "") -> dict[str, Any]:
        """Return the task as DescribeTasks has it, once it is *until* or stopped."""
        deadline = time.monotonic() + 10
        while True:
            found = self.aws.client("ecs").describe_tasks(cluster=self.cluster, tasks=[arn])["tasks"][0]
            if not until or found["lastStatus"] in (until, "STOPPED"):
                return found
            assert time.monotonic() < deadline, f"{arn} is {found['lastStatus']}, not {until}"
            time.sleep(0.05)

    def ran(self, *containers: dict[str, Any], **said: Any) -> dict[str, Any]:
        """Run a task, defined as `define` does, to its end; the task as DescribeTasks has it."""
        return self.task(self.run(*containers, **said), until="STOPPED")

    def of(self, arn: str, name: str = "web") -> Container:
        """Return the task's container of that *name*, once there is one."""
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            for container in self.containers.all():
                if container.task_arn == arn and container.name == name:
                    return container
            time.sleep(0.02)
        raise AssertionError(f"{arn} has no container {name!r}: {self.task(arn)['stoppedReason']}")


def _document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


@contextlib.contextmanager
def _open(*without: str, correct: bool = True) -> Iterator[Site]:
    with keeper.keep() as run, Containers(run, apps=APPS) as containers:
        docker = containers.docker_host
        containers.emulator = launch(
            run, account=ACCOUNT, region=REGION, docker_host=docker, correct=correct, without=without
        )
        made = Site(containers.emulator, containers)
        made.aws.client("ecs").create_cluster(clusterName=made.cluster)
        made.aws.client("logs").create_log_group(logGroupName=made.group)
        made.aws.client("ecr").create_repository(repositoryName="tiny-web")
        yield made


@pytest.fixture(scope="session")
def site() -> Iterator[Site]:
    with _open() as opened:
        yield opened


@pytest.fixture
def open_site() -> Callable[..., contextlib.AbstractContextManager[Site]]:
    """For a test of how one ends, or of the emulator without some of its corrections."""
    return _open
