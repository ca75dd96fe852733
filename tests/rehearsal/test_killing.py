"""Tasks are killed where the streams are, and the service is waited for until it is whole again."""

from __future__ import annotations

import uuid
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from rehearsal import services
from rehearsal.graph import Registered
from rehearsal.killing import Killing, check
from rehearsal.script import Script
from rehearsal.script_streams import Kill
from rehearsal.streams import KillError
from rehearsal.tree import Tree
from tests.rehearsal.containers.conftest import Site, _open

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rehearsal.containers import Container


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with _open() as opened:
        yield opened


def service(site: Site, count: int) -> tuple[Tree, list[Container]]:
    """Make a service of *count* tasks behind a target group; the tree that has it, and its containers."""
    balancing, name = site.aws.client("elbv2"), f"agent-{uuid.uuid4().hex[:8]}"
    group = balancing.create_target_group(
        Name=name, Protocol="HTTP", Port=8000, VpcId="vpc-1", TargetType="ip", HealthCheckPath="/health"
    )["TargetGroups"][0]["TargetGroupArn"]
    runs = {"command": ["python", "main.py"], "environment": [{"name": "PORT", "value": "8000"}]}
    site.aws.client("ecs").create_service(
        cluster=site.cluster,
        serviceName=name,
        taskDefinition=site.define(runs)["taskDefinitionArn"],
        desiredCount=count,
        launchType="FARGATE",
        networkConfiguration={"awsvpcConfiguration": {"subnets": ["subnet-1"]}},
        loadBalancers=[{"targetGroupArn": group, "containerName": "web", "containerPort": 8000}],
    )
    registered = Registered(
        urn="urn:agent",
        type=services.SERVICE,
        name="agent",
        parent="urn:talk",
        custom=True,
        id=name,
        inputs={"cluster": site.cluster, "desiredCount": count, "loadBalancers": [{"targetGroupArn": group}]},
        outputs={"name": name},
    )
    assert services.wait(site.aws, site.containers, [registered], within=10) == []
    tasks = site.aws.client("ecs").list_tasks(cluster=site.cluster, serviceName=name)["taskArns"]
    return tree(registered), [each for each in site.containers.present() if each.task_arn in tasks]


def tree(*below: Registered) -> Tree:
    talk = Registered(urn="urn:talk", type="drydock:index:Talk", name="talk", parent="", custom=False, inputs={})
    return Tree([talk, *below], {"workloads": {"talk": {}}})


def killing(site: Site, where: Tree, **more: Any) -> Killing:
    kill = Kill.model_validate({"service": "agent", "after_messages": 1} | more)
    return Killing(where, "talk", kill, emulator=site.aws, containers=site.containers)


@pytest.mark.parametrize("named", ["address", "address and port", "task"])
def test_the_task_with_most_streams_dies_and_another_takes_its_place(site: Site, named: str) -> None:
    """A kill of an idle task would show nothing."""
    where, (one, other) = service(site, 2)
    names = {
        "address": lambda each: each.address,
        "address and port": lambda each: f"{each.address}:50051",
        "task": lambda each: each.task_arn.rpartition("/")[2],
    }[named]
    kills = killing(site, where)
    assert kills.kill(Counter({names(one): 2, names(other): 5})) == {names(other)}
    assert (one.status, other.status, other.exit_code) == ("running", "exited", 137)
    seconds, wrong = kills.replaced()
    assert wrong == []
    assert 0 < seconds < 10


def test_as_many_tasks_die_as_are_to_and_the_service_is_not_given_up(site: Site) -> None:
    """Three stopped tasks are otherwise what a service is given up at."""
    where, all_of_them = service(site, 3)
    kills = killing(site, where, tasks=3)
    assert len(kills.kill(Counter(each.address for each in all_of_them))) == 3
    assert kills.replaced()[1] == []


def test_a_host_that_is_no_task_is_told_with_what_would_do(site: Site) -> None:
    where, _ = service(site, 1)
    with pytest.raises(
        KillError, match=r"of the hosts that streams are open on \(ip-10-0-1-2\) none is a running task"
    ):
        killing(site, where).kill(Counter({"ip-10-0-1-2": 1}))


def test_a_service_that_the_workload_does_not_have_is_told() -> None:
    """At the preview, before anything is made."""
    kill = {"service": "agent", "after_messages": 1}
    said = {"name": "x", "entrance": "url", "method": "POST", "path": "/", "times": 1, "kill": kill}
    script = Script.model_validate({"streams": [said]})
    with pytest.raises(KillError, match="talk: its script kills tasks of the service 'agent'; it has none"):
        check(tree(), "talk", script)
