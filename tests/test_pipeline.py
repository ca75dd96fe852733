"""The workflows: what no run on GitHub should be the first to tell."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, Final, get_args

import pytest
import yaml

from pipeline.target import Role
from tests.apps.microservices.test_page_in_browser import PICTURES

ROOT: Final = Path(__file__).parents[1]
WORKFLOWS: Final = sorted((ROOT / ".github/workflows").glob("*.yml"))
FILES: Final = [*WORKFLOWS, *sorted((ROOT / ".github/actions").glob("*/action.yml"))]
STACKS: Final = sorted(path.name.split(".")[1] for path in ROOT.glob("Pulumi.*.yaml"))

each_file = pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT / ".github").as_posix())
each_workflow = pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)


def read(path: Path) -> dict[str, Any]:
    # YAML 1.1's `on` is true.
    return {"on" if key is True else key: value for key, value in yaml.safe_load(path.read_text()).items()}


def jobs(path: Path) -> dict[str, dict[str, Any]]:
    return read(path)["jobs"]


def steps(path: Path) -> list[dict[str, Any]]:
    said = read(path)
    if "runs" in said:
        return said["runs"]["steps"]
    return [step for job in said["jobs"].values() for step in job.get("steps", [])]


def test_all_of_them_are_looked_at() -> None:
    names = {"cleanup", "deploy", "drift", "main", "pull-request", "rollback", "update"}
    assert {path.stem for path in WORKFLOWS} == names
    assert len(FILES) == len(WORKFLOWS) + 1


@each_file
def test_what_others_wrote_is_pinned_by_its_commit(path: Path) -> None:
    """A tag is moved by whoever takes over its repository, and then runs here with a role of ours."""
    for line in path.read_text().splitlines():
        if "uses:" in line and "uses: ./" not in line:
            assert re.fullmatch(r"\s*(- )?uses: [\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line), line


def test_one_action_has_one_version() -> None:
    """The one that was forgotten is the old one."""
    used = {step["uses"] for path in FILES for step in steps(path) if not step.get("uses", "./").startswith("./")}
    assert len(used) == len({each.partition("@")[0] for each in used}) > 3


@each_workflow
def test_a_run_may_do_nothing_but_what_its_job_says(path: Path) -> None:
    """Left out, a job may do whatever the repository's setting is: often, write everything."""
    assert read(path)["permissions"] == {}
    for name, job in jobs(path).items():
        writes = {right for right, level in job["permissions"].items() if level != "read"}
        assert writes <= {"contents", "id-token", "pull-requests"}, name
        # Only what pushes the record may write to the repository; a caller hands the right on.
        assert ("contents" in writes) == (name == "record" or "uses" in job), name
        # An identity is asked for where a role is taken on, and nowhere else.
        takes_a_role = any(step.get("uses") == "./.github/actions/stack" for step in job.get("steps", []))
        assert ("id-token" in writes) == (takes_a_role or "uses" in job), name


@each_workflow
def test_every_job_ends_by_itself(path: Path) -> None:
    """GitHub's own limit is six hours, which somebody pays."""
    assert all("uses" in job or job["timeout-minutes"] <= 90 for job in jobs(path).values())


@each_workflow
def test_a_strangers_code_never_runs_with_our_rights(path: Path) -> None:
    assert not {"pull_request_target", "workflow_run", "issue_comment"} & set(read(path)["on"])


@each_file
def test_what_somebody_typed_is_never_a_part_of_a_script(path: Path) -> None:
    """It goes by the environment: a branch named `$(curl …)` is then just a name."""
    scripts = [step["run"] for step in steps(path) if "run" in step]
    assert scripts
    assert not [script for script in scripts if "${{" in script]


def test_what_somebody_typed_is_in_quotes() -> None:
    for path in FILES:
        for step in steps(path):
            for name in re.findall(r"\$(\w+)", step.get("run", "")):
                assert f'"${name}"' in step["run"] or f'=${name}"' in step["run"], step["run"]


@each_file
def test_no_key_is_stored(path: Path) -> None:
    assert "secrets." not in path.read_text()
    assert not re.search(r"access-key|secret-access|PULUMI_ACCESS_TOKEN", path.read_text())


@each_file
def test_the_token_stays_in_no_checkout_but_the_one_that_pushes(path: Path) -> None:
    """Whatever runs after could read it from the folder."""
    for name, job in jobs(path).items() if path in WORKFLOWS else ():
        for step in job.get("steps", []):
            if step.get("uses", "").startswith("actions/checkout@"):
                assert step["with"]["persist-credentials"] is (name == "record"), name


def test_each_stack_is_deployed_and_looked_at() -> None:
    """A third one would be forgotten here."""
    by_matrix = [
        job["strategy"]["matrix"]["stack"]
        for path in WORKFLOWS
        for job in jobs(path).values()
        if "stack" in job.get("strategy", {}).get("matrix", {})
    ]
    by_hand = [
        read(ROOT / f".github/workflows/{name}.yml")["on"]["workflow_dispatch"]["inputs"]["stack"]["options"]
        for name in ("cleanup", "rollback")
    ]
    assert [sorted(each) for each in by_matrix + by_hand] == [STACKS] * 5
    deployed = [job["with"]["stack"] for job in jobs(ROOT / ".github/workflows/main.yml").values() if "uses" in job]
    assert sorted(deployed) == STACKS


def test_prod_has_the_digests_that_dev_has_and_comes_after_it() -> None:
    said = jobs(ROOT / ".github/workflows/main.yml")
    assert said["dev"]["with"]["digests"] == said["prod"]["with"]["digests"]
    assert "dev" in said["prod"]["needs"]
    assert said["dev"]["with"]["commit"] == said["prod"]["with"]["commit"] == "${{ github.sha }}"


def test_what_did_not_succeed_before_it_stops_a_deployment() -> None:
    """A job that was cancelled, rejected or left out has not failed, so that `!failure()` goes on."""
    said = jobs(ROOT / ".github/workflows/main.yml")
    for name in ("digests", "dev", "prod"):
        needed = said[name]["needs"]
        for each in [needed] if isinstance(needed, str) else needed:
            assert f"needs.{each}.result == 'success'" in said[name]["if"], (name, each)
        assert "!cancelled() && " in said[name]["if"]
        assert "failure()" not in said[name]["if"]
    assert {"changed", "test"} <= set(said["digests"]["needs"])


TURN: Final = {"group": "stack-${{ inputs.stack }}", "cancel-in-progress": False}


def test_two_updates_of_one_stack_never_meet() -> None:
    """Neither two updates, nor one and the other's record."""
    every = {f"{path.stem}.{name}": job for path in WORKFLOWS for name, job in jobs(path).items()}
    turns = {name for name, job in every.items() if job.get("concurrency") == TURN}
    assert turns == {"deploy.update", "cleanup.destroy"}
    assert {name for name, job in every.items() if job.get("environment") == "${{ inputs.stack }}"} == {
        "update.up",
        "cleanup.destroy",
    }
    # A turn within a turn would wait for itself.
    assert {name for name, job in every.items() if job.get("uses", "").endswith("/update.yml")} == {"deploy.update"}
    assert set(jobs(ROOT / ".github/workflows/update.yml")) == {"up", "record"}


def test_whoever_waits_for_an_approval_holds_up_nobody() -> None:
    """A roll back would wait for somebody to approve, or reject, the very push that it is meant to undo."""
    for path, turn in (("deploy", "update"), ("cleanup", "destroy")):
        said = jobs(ROOT / f".github/workflows/{path}.yml")
        approve = said["approve"]
        assert approve["environment"] == "approve-${{ inputs.stack }}"
        assert "concurrency" not in approve
        assert approve["permissions"] == {}
        assert said[turn]["needs"] == "approve"
    for name in ("deploy", "main", "rollback", "update"):
        assert "concurrency" not in read(ROOT / f".github/workflows/{name}.yml"), name


def test_a_turn_looks_at_what_is_recorded_once_it_has_come() -> None:
    """What a run was started with may be days old."""
    checkout, ours, stack, order, pinned, _ = jobs(ROOT / ".github/workflows/update.yml")["up"]["steps"]
    # Without a commit, the one that was deployed last: whatever main has become, nobody has approved it.
    assert checkout["with"]["ref"] == "${{ inputs.commit || format('deployed/{0}', inputs.stack) }}"
    assert checkout["with"]["fetch-depth"] == 0
    assert "commit" not in jobs(ROOT / ".github/workflows/rollback.yml")["deploy"]["with"]
    # Nothing of a branch that anybody may push runs, before it is known to be main's.
    assert ours["run"] == "git merge-base --is-ancestor HEAD origin/main"
    assert stack["uses"] == "./.github/actions/stack"
    assert "pipeline.order " in order["run"]
    assert "--recorded origin/main " in pinned["run"]


def test_a_previews_packs_are_all_there_are() -> None:
    (step,) = (
        step for step in jobs(ROOT / ".github/workflows/pull-request.yml")["preview"]["steps"] if "command" in str(step)
    )
    packs = sorted(path.parent.relative_to(ROOT).as_posix() for path in ROOT.glob("policies/*/PulumiPolicy.yaml"))
    assert step["with"]["policyPacks"].split() == packs


def test_what_the_browser_saw_is_kept_of_a_run_that_failed_too() -> None:
    """The folder begins with a dot, which the action leaves out unless told, with a warning that nobody reads."""
    made = jobs(ROOT / ".github/workflows/pull-request.yml")["test"]["steps"]
    (kept,) = (step for step in made if step.get("uses", "").startswith("actions/upload-artifact@"))
    assert kept["if"] == "always()"
    assert kept["with"]["path"] == f"{PICTURES.relative_to(ROOT)}/*.png"
    assert kept["with"]["include-hidden-files"] is True
    assert made.index(kept) > made.index({"run": "make test"}), "it is the tests that make them"


@each_file
def test_what_a_step_calls_is_there(path: Path) -> None:
    targets = (ROOT / "Makefile").read_text()
    for step in steps(path):
        for module in re.findall(r"-m (pipeline\.\w+)", step.get("run", "")):
            assert importlib.util.find_spec(module), module
        for target in re.findall(r"make (\w+)", step.get("run", "")):
            assert re.search(rf"^{target}:", targets, re.MULTILINE), target
        if step.get("uses") == "./.github/actions/stack":
            assert step["with"]["role"] in get_args(Role)


def test_zizmor_finds_nothing() -> None:
    """It knows the ways in which a workflow was taken over before."""
    zizmor = Path(sys.executable).with_name("zizmor")
    command = [str(zizmor), "--offline", "--no-progress", "--quiet", ".github"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603 - ours
    assert run.returncode == 0, run.stdout + run.stderr
