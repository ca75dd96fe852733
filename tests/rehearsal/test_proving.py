"""A rehearsal's proof is of services that live on: one that dies once all is asked has not passed."""

from __future__ import annotations

import io
import os
import signal
import uuid
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import mock

import pytest
from rich.console import Console

from rehearsal import services
from rehearsal.graph import Registered
from rehearsal.killing import Killing
from rehearsal.progress import Progress
from rehearsal.proving import Proving
from rehearsal.result import Result
from rehearsal.script_streams import Kill
from rehearsal.subject import Subject
from rehearsal.tree import Tree
from tests.rehearsal.containers.conftest import Site, _open
from tests.rehearsal.containers.rolled import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rehearsal.containers import Container

ASK = "_tell_what_was_not_asked"
"""What comes after the last request."""


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with _open() as opened:
        yield opened


class Proved:
    """A service of one task that a rehearsal found well."""

    def __init__(self, site: Site) -> None:
        self.site, self.ecs, self.name = site, site.aws.client("ecs"), f"blog-{uuid.uuid4().hex[:8]}"
        runs = {"command": ["python", "main.py"], "environment": [{"name": "PORT", "value": "8000"}]}
        self.ecs.create_service(
            cluster=site.cluster,
            serviceName=self.name,
            taskDefinition=site.define(runs)["taskDefinitionArn"],
            desiredCount=1,
            launchType="FARGATE",
            networkConfiguration={"awsvpcConfiguration": {"subnets": ["subnet-1"]}},
        )
        talk = Registered(urn="urn:talk", type="drydock:index:Talk", name="talk", parent="", custom=False, inputs={})
        blog = Registered(
            urn="urn:blog",
            type=services.SERVICE,
            name="blog",
            parent="urn:talk",
            custom=True,
            id=self.name,
            inputs={"cluster": site.cluster, "desiredCount": 1},
            outputs={"name": self.name},
        )
        self.tree = Tree([talk, blog], {"workloads": {"talk": {}}})
        self.result, progress = Result(stack="dev"), Progress(Console(file=io.StringIO()))
        subject = Subject(
            tree=self.tree,
            scripts={},
            emulator=site.aws,
            containers=site.containers,
            databases=mock.Mock(),
            result=self.result,
            progress=progress,
        )
        self.proving = Proving(subject, mock.Mock())
        assert self.proving.wait(lambda: False)

    def prove(self, **then: Any) -> list[str]:
        """Prove it, what is said in *then* coming after the last request; what is wrong."""
        with mock.patch.object(self.proving, ASK, **then):
            self.proving.prove()
        return self.result.errors

    def container(self) -> Container:
        """Return the running one."""
        tasks = self.ecs.list_tasks(cluster=self.site.cluster, serviceName=self.name)["taskArns"]
        return next(each for each in self.site.containers.all() if each.task_arn in tasks and each.status == "running")

    def die(self) -> None:
        """Kill its process, as the kernel would one that takes too much memory."""
        container = self.container()
        holder = container._process
        assert holder
        children = Path(f"/proc/{holder.pid}/task/{holder.pid}/children")
        # A container runs as soon as its holder does, which is a moment before the process that it holds.
        until(children.read_text)
        for child in children.read_text().split():
            os.kill(int(child), signal.SIGKILL)
        container.wait(10)
        assert container.status == "exited"
        self.site.containers.stop_one(container)  # as ECS's agent clears up: it is not what ended it


def test_a_service_that_dies_after_its_last_request_fails_the_rehearsal(site: Site) -> None:
    """ECS puts another task in its place, so that all is well again; whoever was asking then was not answered."""
    blog = Proved(site)
    (told,) = blog.prove(side_effect=blog.die)
    assert told.startswith(f"service {blog.name!r}: a container ended of itself after the service was well")
    assert "exited with 137" in told


def test_a_service_that_is_no_longer_well_at_the_end_is_told(site: Site) -> None:
    """Nothing died: somebody has scaled it down. That tasks were stopped since is no reason not to wait."""
    blog = Proved(site)
    down = {"cluster": site.cluster, "service": blog.name, "desiredCount": 0}
    with mock.patch("rehearsal.proving._WELL_AGAIN_WITHIN", 1), mock.patch.object(services, "_FAILED_TASKS", 1):
        (told,) = blog.prove(side_effect=lambda: blog.ecs.update_service(**down))
    assert told.startswith("service 'blog': 0 of 1 tasks are well after 1 s")


def test_what_scripts_and_ecs_end_has_not_died(site: Site) -> None:
    """A kill that a script says, and the tasks that a new version takes the place of."""
    blog = Proved(site)

    def replaced() -> None:
        kill = Kill.model_validate({"service": "blog", "after_messages": 1})
        killing = Killing(blog.tree, "talk", kill, emulator=site.aws, containers=site.containers)
        killing.kill(Counter([blog.container().address]))
        assert killing.replaced()[1] == []
        old = blog.container()
        blog.ecs.update_service(cluster=site.cluster, service=blog.name, forceNewDeployment=True)
        old.wait(20)
        assert old.status == "exited"

    assert blog.prove(side_effect=replaced) == []


def test_a_version_that_is_to_fail_may_die(site: Site) -> None:
    """It is judged by the deployment's outcome; a task of the version that goes on may not."""
    blog = Proved(site)

    def fails(outcome: str) -> Any:
        replaced = mock.Mock(outcome=outcome, ok=True, requests=1, problems=())
        return mock.Mock(return_value=mock.Mock(run=lambda _: comes_and_dies() or replaced))

    def comes_and_dies() -> None:
        old = blog.container()
        blog.ecs.update_service(cluster=site.cluster, service=blog.name, forceNewDeployment=True)
        old.wait(20)
        blog.die()

    said = mock.Mock(service="blog")
    with mock.patch("rehearsal.proving.Replacing", fails("rolled back")):
        assert blog.prove(side_effect=lambda: blog.proving._replace_one("talk", said)) == []
    with mock.patch("rehearsal.proving.Replacing", fails("completed")):
        assert len(blog.prove(side_effect=lambda: blog.proving._replace_one("talk", said))) == 1


def test_a_job_that_ends_has_not_died(site: Site) -> None:
    blog = Proved(site)
    assert blog.prove(side_effect=lambda: site.ran({"command": ["sh", "-c", "exit 0"]})) == []
