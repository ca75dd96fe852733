"""What a rehearsal must refuse: the program changed in one place, and a message that names it."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

import pytest

from tests.rehearsal.copies import Ended, change, copy, rehearse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_WORKLOAD: Final = "apps/query_service/__init__.py"
_GRANTED: Final = ("GetItem", "Query", "PutItem", "UpdateItem", "DeleteItem")
_AT_ONCE: Final = 2
"""Rehearsals side by side: each waits half of its time."""


def _without(action: str) -> Callable[[Path], None]:
    """Return the change that takes *action* out of what the task is granted."""

    def changed(project: Path) -> None:
        if action == "lambda:InvokeFunction":
            change(project / _WORKLOAD, ", function.invoke()]", "]")
            return
        left = ", ".join(f'"{each}"' for each in _GRANTED if f"dynamodb:{each}" != action)
        granted = ", ".join(f'"{each}"' for each in _GRANTED)
        change(project / _WORKLOAD, f"answers.grant({granted})", f"answers.grant({left})")

    return changed


ACTIONS: Final = (*(f"dynamodb:{each}" for each in _GRANTED), "lambda:InvokeFunction")


def _everything_in_s3(project: Path) -> None:
    everything = 'Grant(actions=("s3:*",), resources=("*",))'
    change(project / _WORKLOAD, ", function.invoke()]", f", function.invoke(), {everything}]")
    change(project / _WORKLOAD, "from components.logs", "from components.grants import Grant\nfrom components.logs")


def _everything_in_s3_unseen_by_the_library(project: Path) -> None:
    _everything_in_s3(project)
    change(project / "components/grants.py", 'in ("", "*")', 'in ("",)')


def _public_subnets(project: Path) -> None:
    change(project / "components/standing.py", "network.app_subnet_ids", "network.public_subnet_ids")


def _a_tag_less(project: Path) -> None:
    change(project / "settings/platform.py", '            "CostCenter": self.cost_center,\n', "")


AT_PREVIEW: Final[dict[str, tuple[Callable[[Path], None], str]]] = {
    "everything in S3": (_everything_in_s3, "Grant.actions: got 's3:*'"),
    "everything in S3, unseen by the library": (
        _everything_in_s3_unseen_by_the_library,
        "policy least-privilege (mandatory) wildcard-action: Task 'query-service': `policies.query-service-task`",
    ),
    "public subnets": (
        _public_subnets,
        "policy private-network (mandatory) private-subnet:\n  Service 'query-service'",
    ),
    "a tag less": (_a_tag_less, "policy tags (mandatory) required-tag:"),
}


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Future[Ended]]]:
    """Each change's rehearsal, two at a time, begun together: a test waits for its own."""
    changes = {action: _without(action) for action in ACTIONS} | {name: it for name, (it, _) in AT_PREVIEW.items()}

    def one(name: str) -> Ended:
        folder = tmp_path_factory.mktemp("refused")
        project = copy(folder / "project", only="query-service")
        changes[name](project)
        return rehearse("up", project, "--stack", "dev", json_file=folder / "result.json")

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        yield {name: pool.submit(one, name) for name in changes}


@pytest.mark.parametrize("action", ACTIONS)
def test_an_action_that_the_task_lacks_is_named(ended: dict[str, Future[Ended]], action: str) -> None:
    """The workload copes with some refusals, so that no request need fail: the rehearsal must all the same."""
    found = ended[action].result()
    assert found.code == 1, found.output
    assert {(each["role"], each["action"]) for each in found.result["denials"]} == {("query-service-task", action)}
    (lack,) = [error for error in found.errors if error.startswith("role ")]
    table_or_function = "function:query-result-lambda-" if "lambda" in action else "table/query-service-answers-"
    assert lack.startswith(f"role 'query-service-task' lacks {action} on arn:aws:")
    assert table_or_function in lack
    assert lack in found.output
    assert found.errors[0] == lack, "the cause comes first"
    assert "Traceback" not in found.output


@pytest.mark.parametrize("name", AT_PREVIEW)
def test_what_the_policies_or_the_library_refuse_is_not_created(ended: dict[str, Future[Ended]], name: str) -> None:
    found = ended[name].result()
    assert found.code == 1, found.output
    (error,) = found.errors
    assert error.startswith(AT_PREVIEW[name][1])
    assert error.splitlines()[0] in found.output
    assert not found.result["created"]
    assert "emulator" not in found.result["seconds"]
    assert "Traceback" not in found.output
