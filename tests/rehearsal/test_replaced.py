"""What is told of a replacement, by what ECS and the program say of it: of a service that is there in records alone."""

from __future__ import annotations

from collections import Counter
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from unittest import mock

import pytest

from rehearsal import replacing
from rehearsal.containers import FAMILY, REVISION
from rehearsal.graph import Registered
from rehearsal.program import Failure, Result
from rehearsal.replacing import Replacing
from rehearsal.script_replacements import Replacement
from rehearsal.tree import Tree

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rehearsal.result import Replaced

WHY = "the page: what was to be done before failed:\n  applying 0003\n  0003 failed, and was undone\n  good-bye"


class Page:
    """A service of one task, and what ECS says of it."""

    def __init__(self) -> None:
        self.revision, self.deployments = 1, 1
        self.containers: list[Any] = []
        self.start_task()

    def deploy(self) -> None:
        """Replace the task."""
        self.revision, self.deployments = self.revision + 1, self.deployments + 1
        self.end_task()
        self.start_task()

    def start_task(self) -> None:
        """Have another task of its revision."""
        labels = {FAMILY: "p", REVISION: str(self.revision)}
        name = f"c{len(self.containers)}"
        self.containers.append(SimpleNamespace(id=name, status="running", exit_code=None, labels=labels))

    def end_task(self) -> None:
        """Have the newest task end in order."""
        self.containers[-1].status, self.containers[-1].exit_code = "exited", 0

    def all(self) -> list[Any]:
        """Return its containers, as their keeper does."""
        return self.containers

    def client(self, _: str) -> Any:
        """Return itself in ECS's stead."""
        return self

    def describe_services(self, **_: object) -> Any:
        """Answer as ECS does."""
        return {
            "services": [{"taskDefinition": f"arn:aws:ecs:eu-west-1:123456789012:task-definition/p:{self.revision}"}]
        }

    def list_service_deployments(self, **_: object) -> Any:
        """Answer as ECS does, the newest first."""
        return {"serviceDeployments": [{"serviceDeploymentArn": f"d{self.deployments}", "status": "SUCCESSFUL"}]}


@pytest.fixture
def page() -> Iterator[Page]:
    """It is sent 500 requests, and answers all."""
    traffic = mock.MagicMock(answers=Counter({"200": 500}))
    with (
        mock.patch.object(replacing, "Traffic", return_value=traffic),
        mock.patch.object(replacing, "_SETTLED_WITHIN", 0.1),
    ):
        yield Page()


def replace(page: Page, *does: str, error: str = "", notes: tuple[str, ...] = (), **said: Any) -> Replaced:
    """Replace *page* by a program that *does* so with it, ends with *error* and says *notes*."""

    def redeploy() -> Result:
        for each in does:
            getattr(page, each)()
        log = [("info", note) for note in notes]
        return Result(stack="dev", preview=False, log=log, error=Failure(message=error) if error else None)

    site = Registered(urn="site", type="drydock:index:Site", name="site", parent="", custom=False, inputs={})
    service = Registered(
        urn="page", type="aws:ecs/service:Service", name="page", parent="site", custom=True, inputs={"cluster": "c"}
    )
    tree = Tree([site, service], {"workloads": {"site": {"url": "http://127.0.0.1:1"}}})
    replacement = Replacement(name="it is replaced", service="page", entrance="url", **said)
    both: Any = page
    return Replacing("site", replacement, tree=tree, emulator=both, containers=both).run(redeploy)


def test_one_that_the_program_refused_is_as_expected_where_nothing_was_begun(page: Page) -> None:
    replaced = replace(page, error=WHY, outcome="refused", told=["0003 failed", "good-bye"])
    assert replaced.ok, replaced.problems
    assert (replaced.outcome, replaced.before, replaced.after, replaced.exit_codes) == ("refused", "p:1", "p:1", ())
    assert replaced.told == WHY
    assert replaced.reason == "0003 failed, and was undone", "the first line that the script speaks of"


def test_without_words_of_the_scripts_the_reason_is_the_first_line(page: Page) -> None:
    assert replace(page, error=WHY, outcome="refused").reason == WHY.splitlines()[0]


def test_one_that_failed_for_another_reason_is_not_as_expected(page: Page) -> None:
    """The rights to run the job may have gone: the migration itself would then not be shown to fail."""
    (problem,) = replace(page, error="no rights", outcome="refused", told=["0003 failed"]).problems
    assert problem == "expected '0003 failed' in what the program says, got 'no rights'"


def test_one_that_was_refused_unexpectedly_is_told_with_the_reason(page: Page) -> None:
    (problem,) = replace(page, error="no rights").problems
    assert problem == "expected that the deployment is completed, and it is refused: no rights"


def test_one_that_was_to_be_refused_and_was_deployed_is_told(page: Page) -> None:
    (problem,) = replace(page, "deploy", outcome="refused").problems
    assert problem == "expected that the deployment is refused, and it is completed"


def test_tasks_of_a_version_that_stays_are_not_to_end(page: Page) -> None:
    """That others go on does not mend it."""
    page.start_task()
    (problem,) = replace(page, "end_task", error=WHY, outcome="refused").problems
    assert problem == "no deployment was begun, and 1 of the containers that were to go on have ended"


def test_a_program_that_changed_nothing_has_deployed_nothing(page: Page) -> None:
    replaced = replace(page)
    assert replaced.outcome == "unchanged"
    assert replaced.problems == ("nothing was deployed: its task definition does not follow the image",)


def test_one_that_is_deployed_may_have_to_say_so(page: Page) -> None:
    """That its migration has run, say."""
    assert replace(page, "deploy", notes=("job 'm' runs", "job 'm' has run"), told=["has run"]).ok
    (problem,) = replace(page, "deploy", notes=("job 'm' runs",), told=["has run"]).problems
    assert problem.startswith("expected 'has run' in what the program says")
