"""What docs/adding_a_service.md says is all: its diff, applied to a copy of the project, is a sixth service."""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.rehearsal.copies import PROJECT, Ended, change, copy, rehearse

if TYPE_CHECKING:
    from pathlib import Path

PAGE: Final = (PROJECT / "docs/adding_a_service.md").read_text(encoding="utf-8")


def block(language: str) -> str:
    """Return the page's only block of *language*."""
    (found,) = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    return found


def previewed(project: Path, json_file: Path) -> dict[str, Any]:
    ended = rehearse("preview", project, "--stack", "prod", json_file=json_file)
    assert ended.code == 0, ended.output
    return ended.result


@pytest.fixture(scope="module")
def projects(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The project as it is, and with the page's diff and requests."""
    folder = tmp_path_factory.mktemp("sixth")
    before, after = (copy(folder / name, only="microservices") for name in ("before", "after"))
    subprocess.run(["git", "apply", "-"], cwd=after, input=block("diff"), text=True, check=True)  # noqa: S607 - the developer's
    script = after / "apps/microservices/rehearsal.yaml"
    # Before web's: it keeps what it has heard for a second, and what is asked of the page then is there already.
    change(script, "\n  # web\n", f"\n{block('yaml')}\n  # web\n")
    return before, after


@pytest.fixture(scope="module")
def rehearsed(projects: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Ended:
    return rehearse("up", projects[1], "--stack", "dev", json_file=tmp_path_factory.mktemp("events") / "result.json")


def test_it_is_one_folder_and_a_section_of_each_stack() -> None:
    files = re.findall(r"^\+\+\+ b/(\S+)$", block("diff"), re.MULTILINE)
    assert files == ["Pulumi.dev.yaml", "Pulumi.prod.yaml", "apps/microservices/services/events/service.py"]
    assert not re.findall(r"^-(?!-- )", block("diff"), re.MULTILINE), "nothing that is there is changed"


def test_it_answers_in_dev_and_stands_on_the_page(rehearsed: Ended) -> None:
    """With the requests that the page says, and all that there were before."""
    assert rehearsed.code == 0, rehearsed.output
    names = re.findall(r"- name: (.+)", block("yaml"))
    asked = {each["name"]: each["ok"] for each in rehearsed.result["requests"]}
    assert len(names) == 3
    assert {name: asked[name] for name in names} == dict.fromkeys(names, True)


def test_it_has_what_the_page_says(rehearsed: Ended) -> None:
    own = {each["type"] for each in rehearsed.result["resources"] if each["name"].startswith("microservices-events")}
    kinds = ("dynamodb/table:Table", "iam/role:Role", "lb/listenerRule:ListenerRule", "cloudwatch/logGroup:LogGroup")
    assert {f"aws:{kind}" for kind in (*kinds, "cloudwatch/metricAlarm:MetricAlarm")} <= own
    handed_out = rehearsed.result["outputs"]["workloads"]["microservices"]
    assert {f"events_{name}" for name in ("service_name", "log_group_name", "table_name")} <= handed_out.keys()


def test_the_packs_pass_it_in_prod_and_nothing_else_comes_or_goes(projects: tuple[Path, Path], tmp_path: Path) -> None:
    """Who adds a service need not read another's diff."""
    before, after = (
        {each["urn"] for each in previewed(project, tmp_path / f"{project.name}.json")["resources"]}
        for project in projects
    )
    assert before < after
    assert all("::microservices-events" in urn for urn in after - before), after - before
