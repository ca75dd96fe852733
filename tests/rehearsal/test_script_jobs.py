"""A script's jobs are read as they are meant, and every mistake in them is told with its place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import yaml

from rehearsal import script

if TYPE_CHECKING:
    from pathlib import Path

JOB: dict[str, Any] = {"name": "it runs", "schedule": "nightly"}


def read(folder: Path, content: Any) -> script.Script:
    path = folder / "rehearsal.yaml"
    path.write_text(yaml.safe_dump(content))
    return script.read(path)


def test_a_script_of_jobs_alone_is_whole(tmp_path: Path) -> None:
    """A workload that only runs now and then has no entrance to ask."""
    (job,) = read(tmp_path, {"jobs": [JOB]}).jobs
    assert (job.expect.outcome, job.within, job.expect.exit_code) == ("succeeded", 60, None)


def test_a_job_counts_with_those_that_run_meanwhile(tmp_path: Path) -> None:
    (job,) = read(tmp_path, {"jobs": [JOB | {"while_running": {"name": "other", "run": "run_now"}}]}).jobs
    assert [each.name for each in job.all()] == ["it runs", "other"]


MISTAKES: list[tuple[dict[str, Any], str]] = [
    ({"name": "x"}, "jobs[0] (x): a job is started in one way: give `schedule` or `run`"),
    (JOB | {"run": "run_now"}, "a job is started in one way"),
    (JOB | {"expect": {"outcome": "done"}}, "jobs[0].expect.outcome (it runs): got 'done'"),
    (JOB | {"expect": {"exit_code": 256}}, "jobs[0].expect.exit_code (it runs): got 256"),
    (JOB | {"expect": {"database": {"file": "x.db", "query": "", "rows": []}}}, "database.file (it runs)"),
    (JOB | {"expect": {"told": {"topic": "alerts", "containing": []}}}, "told.containing (it runs)"),
    (JOB | {"within": 0}, "jobs[0].within (it runs): got 0"),
    (JOB | {"with": {"source": "slow"}}, "the job 'it runs' has 'source' under `with`; `outside` has none"),
    (JOB | {"while_running": {"name": "other"}}, "jobs[0].while_running (it runs): a job is started in one way"),
    (JOB | {"expect": {"exit_code": "0"}}, "jobs[0].expect.exit_code (it runs): got '0'"),
    (JOB | {"expect": {"exit_code": True}}, "jobs[0].expect.exit_code (it runs): got True"),
    (JOB | {"again_on": ["75"]}, "jobs[0].again_on[0] (it runs): got '75'"),
    (JOB | {"while_running": JOB}, "jobs: two have the name 'it runs'"),
    (JOB | {"schedul": "x"}, "jobs[0].schedul (it runs): no such key"),
]


@pytest.mark.parametrize(("job", "said"), MISTAKES)
def test_a_mistake_is_told_with_its_place(tmp_path: Path, job: dict[str, Any], said: str) -> None:
    with pytest.raises(script.ScriptError) as told:
        read(tmp_path, {"jobs": [job]})
    assert said in str(told.value)


@pytest.mark.parametrize("origin", ["https://data.example.com/", "data.example.com", "https://data.example.com/api"])
def test_an_origin_is_a_scheme_and_a_host(tmp_path: Path, origin: str) -> None:
    """With a path behind it no environment's value would ever begin so."""
    with pytest.raises(script.ScriptError, match=r"outside\.source: got .*; write scheme and host"):
        read(tmp_path, {"jobs": [JOB], "outside": {"source": {"origin": origin, "server": "source.py"}}})


@pytest.mark.parametrize("path", ["../source.py", "rehearsal/../../source.py", "/etc/source.py", ""])
def test_what_a_script_names_lies_in_the_workloads_folder(tmp_path: Path, path: str) -> None:
    """What is elsewhere is another's, and may not be there on the next machine."""
    said: dict[str, Any] = {"jobs": [JOB], "images": {"source": path}}
    said["outside"] = {"source": {"origin": "https://data.example.com", "server": path}}
    with pytest.raises(script.ScriptError) as told:
        read(tmp_path, said)
    assert f"images.source: got {path!r}; write a path below the workload's folder" in str(told.value)
    assert f"outside.source.server: got {path!r}; write a path below" in str(told.value)


def test_two_jobs_of_one_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(script.ScriptError, match="jobs: two have the name 'it runs'"):
        read(tmp_path, {"jobs": [JOB, JOB]})
