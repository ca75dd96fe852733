"""Jobs are started as they will be, and what comes of them is held to what was expected."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from rehearsal import jobs
from rehearsal.graph import Registered
from rehearsal.requests import EntranceError
from rehearsal.script import Script
from rehearsal.tree import Tree
from tests.rehearsal.copies import Ended, change, copy, rehearse

if TYPE_CHECKING:
    from collections.abc import Mapping

PROJECT = Path(__file__).parent / "jobs"


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> Ended:
    return rehearse("up", PROJECT, "--stack", "dev", json_file=tmp_path_factory.mktemp("jobs") / "result.json")


def test_schedules_and_commands_run_their_tasks(ended: Ended) -> None:
    """From the schedule's role to the row in the database, and from the failed task to the topic's message."""
    assert ended.code == 0, ended.output
    came = [(each["started"], each["outcome"], each["exit_code"]) for each in ended.result["jobs"]]
    assert came == [
        ("schedule counts", "succeeded", 0),
        ("schedule counts", "skipped", None),
        ("by hand, run_now.counts", "succeeded", 0),
        ("schedule fails", "failed", 3),
        ("schedule apart", "succeeded", 0),
        ("by hand, run_now.apart", "succeeded", 0),
    ]
    assert all(each["ok"] and each["seconds"] > 0 for each in ended.result["jobs"])


def test_jobs_are_in_the_report(ended: Ended) -> None:
    """Else nobody would see that they ran."""
    assert "Jobs  6 of 6 as expected" in ended.output
    assert "skipped" in ended.output


WRONG = """
images: {counter-of-visits: service}
outside: {visits: {origin: https://visits.example.com, server: rehearsal/visits.py}}
jobs:
  - name: exits
    schedule: fails
    expect: {outcome: succeeded, exit_code: 4}
  - name: logs and rows
    schedule: counts
    expect:
      log: {job: count, visits: 8}
      database: {file: /app/data/visits.db, query: SELECT count FROM visits, rows: [[9]]}
  - name: no such file
    schedule: counts
    expect: {database: {file: /elsewhere/visits.db, query: SELECT 1, rows: []}}
  - name: takes too long
    schedule: counts
    with: {visits: slow}
    within: 1
  - name: the server does not know the mode
    schedule: counts
    with: {visits: sideways}
  - name: cannot be skipped
    schedule: counts
    while_running: {name: cannot start, run: alerts}
"""


@pytest.fixture(scope="module")
def wrong(tmp_path_factory: pytest.TempPathFactory) -> Ended:
    folder = tmp_path_factory.mktemp("wrong")
    shutil.copytree(PROJECT, folder / "jobs")
    (folder / "jobs/apps/etl/rehearsal.yaml").write_text(WRONG)
    return rehearse("up", folder / "jobs", "--stack", "dev", json_file=folder / "result.json")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("exits", ["expected that it succeeded, and it failed", "exit code 4, got 3", "ended with exit code 3"]),
        ("logs and rows", ["its line.visits: expected 8, got 7", "SELECT count FROM visits[0][0]: expected 9, got 7"]),
        ("no such file", ["/elsewhere/visits.db lies below no mount"]),
        ("takes too long", ["not ended within 1 s, and stopped"]),
        ("the server does not know the mode", ["https://visits.example.com does not take the mode 'sideways'"]),
        ("cannot be skipped", ["not started: 'cannot start', which was to run meanwhile, did not"]),
        ("cannot start", ["is no command of AWS's CLI"]),
    ],
)
def test_what_differs_is_told(wrong: Ended, name: str, said: list[str]) -> None:
    """Expected and got, in the job's own words; a vague error costs an engineer the afternoon."""
    assert wrong.code == 1
    (error,) = [each for each in wrong.errors if f"job {name!r}" in each]
    for text in said:
        assert text in error


def test_jobs_that_could_only_run_into_the_same_refusal_are_not_started(tmp_path: Path) -> None:
    """Each would try again and again for its whole time: minutes, and the one cause buried in what follows from it."""
    project = copy(tmp_path / "project", only="parking-etl")
    change(project / "components/run.py", 'actions=("iam:PassRole",)', 'actions=("iam:GetRole",)')
    ended = rehearse("up", project, "--stack", "prod", json_file=tmp_path / "result.json")
    assert ended.code == 1
    lack = "role 'parking-database-guard' lacks iam:PassRole on "
    assert ended.errors[0].startswith(lack)
    first, *others = ended.result["jobs"]
    assert first["problems"][0].startswith(f"stopped, since it could only try again in vain: {lack}")
    assert len(others) > 3
    assert all(each["problems"][0].startswith(f"not started: {lack}") for each in others)
    assert not [each for each in ended.errors if "it wrote no JSON" in each or ".db" in each]
    assert ended.result["seconds"]["jobs"] < 60


ETL = Registered(urn="urn:etl", type="jobs:index:Etl", name="etl", parent="", custom=False, inputs={})
COUNTS = Registered(
    urn="urn:counts", type="aws:scheduler/schedule:Schedule", name="counts", parent="urn:etl", custom=True, inputs={}
)
OUTPUTS = {"mode": "scheduled", "run_now": {"counts": "aws ecs run-task"}, "alerts": "arn"}


def check(outputs: Mapping[str, Any] = OUTPUTS, **job: Any) -> None:
    script = Script.model_validate({"jobs": [{"name": "it runs", **job}]})
    jobs.check_names("etl", Tree([ETL, COUNTS], {"workloads": {"etl": outputs}}), script)


def test_names_that_are_there_pass() -> None:
    check(schedule="counts", expect={"told": {"topic": "alerts", "containing": ["x"]}})
    check(run="run_now.counts")


@pytest.mark.parametrize(
    ("job", "said"),
    [
        ({"schedule": "nights"}, "the schedule 'nights'; it has counts"),
        ({"run": "run_then"}, "the output 'run_then'; it has alerts, mode, run_now"),
        ({"run": "run_now.fails"}, "the output 'run_now.fails'"),
        ({"schedule": "counts", "expect": {"told": {"topic": "topic", "containing": ["x"]}}}, "the output 'topic'"),
        ({"run": "alerts", "while_running": {"name": "other", "schedule": "nights"}}, "the job 'other' names"),
    ],
)
def test_a_name_that_is_not_there_is_told_before_anything_is_made(job: dict[str, Any], said: str) -> None:
    with pytest.raises(EntranceError, match="etl: the job") as told:
        check(**job)
    assert said in str(told.value)
