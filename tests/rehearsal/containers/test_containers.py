"""Tasks as local processes: from a task definition to an answered request, a log line and an exit code."""

from __future__ import annotations

import http.client
import json
import socket
import time
import urllib.parse
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from rehearsal import keeper
from rehearsal.containers import NOT_ENFORCED, Containers

if TYPE_CHECKING:
    import contextlib
    from collections.abc import Callable

    from conftest import Site

ACCOUNT, REGION = "123456789012", "ap-southeast-1"
SERVE = {
    "command": ["python", "main.py"],
    "environment": [{"name": "PORT", "value": "8000"}, {"name": "AWS_DEFAULT_REGION", "value": REGION}],
    "portMappings": [{"containerPort": 8000}],
    "healthCheck": {"command": ["CMD-SHELL", "curl -sf http://${BIND_ADDRESS:-localhost}:8000/health"]},
}


def sh(script: str, **more: Any) -> dict[str, Any]:
    return {"command": ["sh", "-c", script], **more}


def logged(site: Site) -> dict[str, Any]:
    options = {"awslogs-group": site.group, "awslogs-region": REGION, "awslogs-stream-prefix": "ecs"}
    return {"logConfiguration": {"logDriver": "awslogs", "options": options}}


def balanced(site: Site) -> tuple[str, str]:
    """Make a load balancer and its target group; its DNS name and the group's ARN."""
    ec2, elb, name = site.aws.client("ec2"), site.aws.client("elbv2"), f"lb-{uuid.uuid4().hex[:8]}"
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24")["Subnet"]["SubnetId"]
    group = elb.create_target_group(
        Name=name, Protocol="HTTP", Port=8000, VpcId=vpc, TargetType="ip", HealthCheckPath="/health"
    )["TargetGroups"][0]["TargetGroupArn"]
    balancer = elb.create_load_balancer(Name=name, Subnets=[subnet], Scheme="internal")["LoadBalancers"][0]
    elb.create_listener(
        LoadBalancerArn=balancer["LoadBalancerArn"],
        Protocol="HTTP",
        Port=80,
        DefaultActions=[{"Type": "forward", "TargetGroupArn": group}],
    )
    return balancer["DNSName"], group


def ask(site: Site, host: str, path: str) -> tuple[int, Any]:
    connection = http.client.HTTPConnection(urllib.parse.urlsplit(site.aws.endpoint).netloc, timeout=10)
    connection.request("GET", path, headers={"Host": host})
    answer = connection.getresponse()
    status, body = answer.status, json.loads(answer.read())
    connection.close()
    return status, body


def test_a_service_answers_through_its_load_balancer_under_its_own_role(site: Site) -> None:
    """The whole of it: create the service, wait until it is well, ask, and see what its role lacks."""
    host, group = balanced(site)
    role = site.role()
    definition = site.define(SERVE | logged(site), task=role)
    ecs, elb = site.aws.client("ecs"), site.aws.client("elbv2")
    service = f"service-{uuid.uuid4().hex[:8]}"
    ecs.create_service(
        cluster=site.cluster,
        serviceName=service,
        taskDefinition=definition["taskDefinitionArn"],
        desiredCount=2,
        launchType="FARGATE",
        loadBalancers=[{"targetGroupArn": group, "containerName": "web", "containerPort": 8000}],
        networkConfiguration={"awsvpcConfiguration": {"subnets": ["subnet-1"]}},
    )
    deadline = time.monotonic() + 15
    states: list[str] = []
    while states != ["healthy", "healthy"] and time.monotonic() < deadline:
        time.sleep(0.05)
        health = elb.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
        states = [each["TargetHealth"]["State"] for each in health]
    assert states == ["healthy", "healthy"]
    assert site.containers.wait_until_well(10) == []

    assert ask(site, host, "/health") == (200, "ok")
    status, arn = ask(site, host, "/who")
    assert (status, arn.rpartition("/")[0]) == (
        200,
        f"arn:aws:sts::{ACCOUNT}:assumed-role/{role.rpartition('/')[2]}",
    )
    assert ask(site, host, "/queues") == (502, "AccessDenied")
    denial = site.aws.denials()[-1]
    assert (denial.action, denial.role) == ("sqs:ListQueues", role.rpartition("/")[2])

    ecs.delete_service(cluster=site.cluster, service=service, force=True)
    mine = [each for each in site.containers.all() if each.definition["image"] == site.image and each.log_stream]
    stopped = [each for each in mine if each.task_arn.rpartition("/")[2] in arn]
    assert stopped[0].wait(10) == 0
    assert list(stopped[0].lines) == ['{"message": "listening"}', '{"message": "stopped"}']
    events = site.aws.client("logs").get_log_events(
        logGroupName=site.group, logStreamName=f"ecs/web/{arn.rpartition('/')[2]}"
    )["events"]
    assert [event["message"] for event in events] == list(stopped[0].lines)


def test_its_environment_is_the_task_definitions_and_what_it_must_be_told(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever else reached it would make it work here and not in an account."""
    monkeypatch.setenv("AWS_PROFILE", "work")
    task = site.run(sh("env", environment=[{"name": "STAGE", "value": "dev"}]), task=site.role())
    container = site.of(task)
    container.wait(5)
    seen = dict(line.split("=", 1) for line in container.lines)
    image, told = {"PATH", "HOME"}, {"BIND_ADDRESS", "AWS_ENDPOINT_URL"}
    by_ecs = {"AWS_REGION", "AWS_DEFAULT_REGION", "ECS_CONTAINER_METADATA_URI_V4"}
    credentials = {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"}
    shell = {"PWD", "OLDPWD", "SHLVL", "_"}
    assert set(seen) - shell == image | told | by_ecs | credentials | {"STAGE", keeper.MARKER}
    assert seen["AWS_ACCESS_KEY_ID"].startswith("ASIA")
    assert seen["BIND_ADDRESS"] == container.address
    assert container.address.startswith("127.")
    assert not list(Path(seen["HOME"]).iterdir())


def test_a_task_is_told_its_resolver_where_there_is_one(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Names of Cloud Map's would resolve nowhere else."""
    monkeypatch.setattr(site.containers, "dns_server", "127.0.0.1:5300")
    container = site.of(site.run(sh("env")))
    container.wait(5)
    assert "DNS_SERVER=127.0.0.1:5300" in container.lines


def test_a_task_without_a_role_has_no_credentials(site: Site) -> None:
    """As in ECS; the emulator's own must not stand in."""
    container = site.of(site.run(sh("env")))
    container.wait(5)
    assert not [line for line in container.lines if line.startswith("AWS_ACCESS_KEY_ID")]


def test_containers_of_a_task_share_an_address_and_tasks_do_not(site: Site) -> None:
    """A sidecar is reached on localhost; two tasks on one port must not meet."""
    both = sh("sleep 5", name="a"), sh("sleep 5", name="b")
    first, second = site.run(*both), site.run(*both)
    assert site.of(first, "a").address == site.of(first, "b").address != site.of(second, "a").address
    for task in (first, second):
        site.aws.client("ecs").stop_task(cluster=site.cluster, task=task)


def test_an_essential_containers_exit_code_is_the_tasks(site: Site) -> None:
    """A failed run that looked like a success would never be noticed."""
    task = site.ran(sh("echo one; echo two >&2; exit 3"))
    assert (task["stopCode"], task["containers"][0]["exitCode"]) == ("EssentialContainerExited", 3)
    assert list(site.of(task["taskArn"]).lines) == ["one", "two"]


def test_a_stop_is_sigterm_and_then_sigkill_after_the_stop_timeout(site: Site) -> None:
    """A workload that does not stop in time loses what it was doing, here as there."""
    task = site.run(sh("trap 'echo told' TERM; echo up; while :; do sleep 0.05; done", stopTimeout=2))
    container = site.of(task)
    while "up" not in container.lines:
        time.sleep(0.02)
    began = time.monotonic()
    site.aws.client("ecs").stop_task(cluster=site.cluster, task=task)
    assert 1.9 < time.monotonic() - began < 4
    assert (container.exit_code, list(container.lines)) == (137, ["up", "told"])


def test_a_command_override_is_what_runs(site: Site) -> None:
    """RunTask's overrides are how a job is run once, by hand."""
    definition = site.define(sh("exit 1"))
    ran = site.aws.client("ecs").run_task(
        cluster=site.cluster,
        taskDefinition=definition["taskDefinitionArn"],
        overrides={"containerOverrides": [{"name": "web", "command": ["sh", "-c", "exit 7"]}]},
    )
    task = site.task(ran["tasks"][0]["taskArn"], until="STOPPED")
    assert task["containers"][0]["exitCode"] == 7


def test_an_entry_point_comes_before_the_command(site: Site) -> None:
    """The emulator leaves it out of what it asks a container engine for."""
    task = site.ran({"entryPoint": ["sh", "-c"], "command": ["exit 9"]})
    assert task["containers"][0]["exitCode"] == 9


def test_a_container_without_a_command_anywhere_is_refused(site: Site) -> None:
    """Neither its task definition nor a Dockerfile says one."""
    assert "has no command: state one in its task definition" in site.ran({})["stoppedReason"]


def test_an_image_without_a_folder_cannot_be_pulled(site: Site) -> None:
    """A typing error in a repository's name must be told from a fault of the emulator."""
    task = site.ran(sh("true", image="123456789012.dkr.ecr.ap-southeast-1.amazonaws.com/no-such:1"))
    assert task["stopCode"] == "TaskFailedToStart"
    assert str(site.containers.apps / "no_such" / "service") in task["stoppedReason"]


def test_a_container_waits_for_what_it_depends_on(site: Site) -> None:
    """The emulator starts them in the order of their definition, whatever they depend on."""
    task = site.ran(
        sh("echo web", dependsOn=[{"containerName": "init", "condition": "SUCCESS"}]),
        sh("sleep 0.3; date +%s.%N", name="init", essential=False),
    )
    web, init = site.of(task["taskArn"]), site.of(task["taskArn"], "init")
    assert list(web.lines) == ["web"]
    assert init.finished_at <= web.finished_at
    assert task["containers"][0]["exitCode"] == 0


def test_a_container_whose_dependency_fails_does_not_start(site: Site) -> None:
    """A failed migration must stop the release."""
    task = site.ran(
        sh("echo web", dependsOn=[{"containerName": "init", "condition": "SUCCESS"}]),
        sh("exit 1", name="init", essential=False),
    )
    assert "web" not in site.of(task["taskArn"]).lines


def test_what_is_not_enforced_is_said() -> None:
    """The report prints it: what was not tried must not read as proved."""
    said = " ".join(NOT_ENFORCED)
    for words in ("CPU and memory", "read-only root", "ulimits", "security groups"):
        assert words in said


def test_the_end_stops_every_container(tmp_path: Path) -> None:
    """A service would put a new task in a stopped one's place; while ending, no container is created."""
    with keeper.keep() as run:
        containers = Containers(run, apps=tmp_path)
        with containers:
            assert Path(containers.docker_host.removeprefix("unix://")).is_socket()
        with pytest.raises(Exception, match="the rehearsal is ending"):
            containers.create("image", [], {}, {})


def test_a_failure_ends_every_container_at_once(
    open_site: Callable[[], contextlib.AbstractContextManager[Site]],
) -> None:
    """A Ctrl-C must not wait for a workload that is deaf to SIGTERM."""
    began: list[float] = []

    def fail() -> None:
        with open_site() as site:
            container = site.of(site.run(sh("trap '' TERM; echo up; sleep 60; sleep 60")))
            while "up" not in container.lines:
                time.sleep(0.02)
            began.append(time.monotonic())
            raise RuntimeError("interrupted")

    with pytest.raises(RuntimeError, match="interrupted"):
        fail()
    assert time.monotonic() - began[0] < 2


def test_many_tasks_may_start_at_once(tmp_path: Path) -> None:
    """The emulator's client does not wait: it gives a task up as soon as a connection is refused."""
    with keeper.keep() as run, Containers(run, apps=tmp_path) as containers:
        path = containers.docker_host.removeprefix("unix://")
        waiting = [socket.socket(socket.AF_UNIX) for _ in range(100)]
        try:
            for each in waiting:
                each.settimeout(0)
                each.connect(path)
        finally:
            for each in waiting:
                each.close()
