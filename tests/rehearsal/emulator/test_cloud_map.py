"""A service's tasks are found in Cloud Map while they run and are well, and by those who may look."""

from __future__ import annotations

import contextlib
import signal
import time
import uuid
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from botocore.exceptions import ClientError

from rehearsal.containers import execution
from tests.rehearsal.containers.conftest import ACCOUNT, REGION, Site

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path


class Registry(NamedTuple):
    """A Cloud Map service, and its namespace."""

    id: str
    arn: str
    namespace_arn: str
    name: str
    namespace: str


def registry(site: Site, *, custom_health: bool = True) -> Registry:
    """Make a namespace and a service of A records in it."""
    cloud_map, namespace = site.aws.client("servicediscovery"), f"{uuid.uuid4().hex[:8]}.local"
    cloud_map.create_private_dns_namespace(Name=namespace, Vpc="vpc-1")
    made = next(each for each in cloud_map.list_namespaces()["Namespaces"] if each["Name"] == namespace)
    service = cloud_map.create_service(
        Name="agent",
        NamespaceId=made["Id"],
        DnsConfig={"RoutingPolicy": "MULTIVALUE", "DnsRecords": [{"Type": "A", "TTL": 10}]},
        **({"HealthCheckCustomConfig": {"FailureThreshold": 1}} if custom_health else {}),
    )["Service"]
    return Registry(service["Id"], service["Arn"], made["Arn"], "agent", namespace)


def serve(site: Site, where: Registry, count: int = 1, container: Mapping[str, Any] | None = None) -> str:
    """Make an ECS service of *count* tasks, registered in *where*; its name."""
    # An image of nobody's registry, so that a task starts without a role, which the plain emulator does not let assume.
    runs = {
        "image": "tiny-web",
        "command": ["python", "main.py"],
        "environment": [{"name": "PORT", "value": "8000"}],
        **(container or {}),
    }
    definition, name = site.define(runs), f"agent-{uuid.uuid4().hex[:8]}"
    site.aws.client("ecs").create_service(
        cluster=site.cluster,
        serviceName=name,
        taskDefinition=definition["taskDefinitionArn"],
        desiredCount=count,
        launchType="FARGATE",
        networkConfiguration={"awsvpcConfiguration": {"subnets": ["subnet-1"]}},
        serviceRegistries=[{"registryArn": where.arn}],
    )
    return name


def check(sign: Path) -> dict[str, Any]:
    """Return a health check that passes while the file *sign* is there."""
    return {"command": ["CMD", "test", "-e", str(sign)], "interval": 1, "retries": 1}


def found(site: Site, where: Registry, **asked: Any) -> list[dict[str, Any]]:
    named = {"NamespaceName": where.namespace, "ServiceName": where.name}
    return site.aws.client("servicediscovery").discover_instances(**named, **asked)["Instances"]


def until(holds: Callable[[], bool], seconds: float = 10) -> float:
    """Wait until it *holds*; the seconds that took."""
    started = time.monotonic()
    while not holds():
        assert time.monotonic() - started < seconds, "it never held"
        time.sleep(0.02)
    return time.monotonic() - started


def addresses(site: Site, where: Registry) -> set[str]:
    return {each["Attributes"]["AWS_INSTANCE_IPV4"] for each in found(site, where, HealthStatus="HEALTHY")}


def test_a_running_task_is_registered_under_its_id_with_what_ecs_tells(site: Site, bare: Site) -> None:
    """Whoever asks Cloud Map would find nobody, and AWS would be the first to show whether it works."""
    nowhere = registry(bare)
    serve(bare, nowhere)
    where = registry(site)
    name = serve(site, where)
    until(lambda: bool(found(site, where)))
    until(lambda: bool(bare.containers.present()) and bare.containers.present()[0].well)
    assert found(bare, nowhere) == []
    (instance,) = found(site, where)
    (container,) = [each for each in site.containers.present() if each.task_arn.endswith(instance["InstanceId"])]
    assert instance["HealthStatus"] == "HEALTHY"
    assert instance["Attributes"] == {
        "AWS_INSTANCE_IPV4": container.address,
        "AWS_INIT_HEALTH_STATUS": "HEALTHY",
        "AVAILABILITY_ZONE": f"{REGION}a",
        "REGION": REGION,
        "ECS_CLUSTER_NAME": "shop",
        "ECS_SERVICE_NAME": name,
        "ECS_TASK_DEFINITION_FAMILY": container.labels["com.amazonaws.ecs.task-definition-family"],
    }


def test_a_killed_task_is_gone_within_a_second_and_its_replacement_there_soon(site: Site) -> None:
    """A client that is sent to the dead waits for a connection that never comes."""
    where = registry(site)
    serve(site, where, count=2)
    until(lambda: len(addresses(site, where)) == 2)
    before = addresses(site, where)
    killed = next(each for each in site.containers.present() if each.address in before)
    site.containers.kill_one(killed, signal.SIGKILL)
    assert until(lambda: killed.address not in addresses(site, where)) < 1
    assert until(lambda: len(addresses(site, where)) == 2) < 5
    assert len(addresses(site, where) & before) == 1


def test_a_service_scaled_down_leaves_nobody_registered(site: Site) -> None:
    where = registry(site)
    name = serve(site, where)
    until(lambda: bool(found(site, where)))
    site.aws.client("ecs").update_service(cluster=site.cluster, service=name, desiredCount=0)
    until(lambda: not found(site, where, HealthStatus="ALL"))


def test_a_task_is_healthy_there_once_its_health_check_passes_and_while_it_does(site: Site, tmp_path: Path) -> None:
    """A task that only runs is not yet to be asked."""
    where, sign = registry(site), tmp_path / "well"
    serve(site, where, container={"healthCheck": check(sign)})
    until(lambda: bool(found(site, where, HealthStatus="UNHEALTHY")))
    assert addresses(site, where) == set()
    sign.touch()
    until(lambda: len(addresses(site, where)) == 1)
    sign.unlink()
    until(lambda: addresses(site, where) == set())


def test_a_registry_that_takes_no_health_has_every_task_that_runs(site: Site, tmp_path: Path) -> None:
    """As in AWS: whoever wants health there says so with a custom health check."""
    where = registry(site, custom_health=False)
    serve(site, where, container={"healthCheck": check(tmp_path / "never")})
    until(lambda: len(addresses(site, where)) == 1)


def test_where_none_is_healthy_all_are_found(site: Site, bare: Site) -> None:
    """The default of DiscoverInstances; the emulator finds the unhealthy too, and under the default's name nobody."""
    asked: dict[Site, list[list[str]]] = {}
    for each in (site, bare):
        where, cloud_map = registry(each), each.aws.client("servicediscovery")
        answers = asked.setdefault(each, [])
        for name, status in (("ill", "UNHEALTHY"), ("well", "HEALTHY")):
            cloud_map.register_instance(ServiceId=where.id, InstanceId=name, Attributes={"AWS_INSTANCE_IPV4": "::"})
            cloud_map.update_instance_custom_health_status(ServiceId=where.id, InstanceId=name, Status=status)
            for default in ({}, {"HealthStatus": "HEALTHY_OR_ELSE_ALL"}):
                answers.append([one["InstanceId"] for one in found(each, where, **default)])
    assert asked[site] == [["ill"], ["ill"], ["well"], ["well"]]
    assert asked[bare] == [["ill"], [], ["ill", "well"], []]


@pytest.mark.parametrize(
    ("of_service", "of_namespace", "may"), [(True, True, True), (True, False, False), (False, True, False)]
)
def test_who_discovers_needs_the_right_to_the_service_and_its_namespace(
    site: Site, *, of_service: bool, of_namespace: bool, may: bool
) -> None:
    """As AWS holds it; the emulator wants `*`, which no role of ours has."""
    where, other = registry(site), registry(site)
    resources = (where.arn if of_service else other.arn, where.namespace_arn if of_namespace else other.namespace_arn)
    role = site.role(*(("servicediscovery:DiscoverInstances", each) for each in resources))
    own = execution.credentials(site.aws, role, f"arn:aws:ecs:{REGION}:{ACCOUNT}:task/shop/0123")
    client = site.aws.client_as("servicediscovery", own)
    with contextlib.nullcontext() if may else pytest.raises(ClientError, match="AccessDenied"):
        client.discover_instances(NamespaceName=where.namespace, ServiceName=where.name)
