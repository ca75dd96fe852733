"""The command as a user gives it: wrong words, settings that are refused, what is kept, and ends at any moment."""

from __future__ import annotations

import json
import random
import shlex
import signal
import subprocess
import time
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from tests.rehearsal.copies import COMMAND, ENGINEERS, PROJECT, change, copy, rehearse
from tests.rehearsal.started import GONE_WITHIN, Started, assert_nothing_is_left

if TYPE_CHECKING:
    from collections.abc import Iterator


def test_an_unknown_stack_lists_those_there_are() -> None:
    ended = rehearse("up", PROJECT, "--stack", "staging")
    assert ended.code == 2
    assert "--stack staging: there is no such stack; there are dev, prod" in ended.output


def test_a_folder_without_a_project_is_told(tmp_path: Path) -> None:
    ended = rehearse("up", tmp_path, "--stack", "dev")
    assert ended.code == 2
    assert "there is no Pulumi.yaml" in ended.output


def test_a_workload_is_rehearsed_alone_and_one_that_is_not_there_is_told() -> None:
    """Whoever works on one does not wait for the others."""
    ended = rehearse("preview", PROJECT, "--stack", "dev", "--only", "workflow", "--only", "query-service")
    assert ended.code == 0
    assert "rehearsed alone, as asked: workflow, query-service" in ended.output
    assert "Microservices" not in ended.output
    ended = rehearse("preview", PROJECT, "--stack", "dev", "--only", "workflows")
    assert ended.code == 1
    assert "stack 'dev' has no workload 'workflows'; it has query-service" in ended.output


def test_a_result_that_cannot_be_written_is_told_before_the_work(tmp_path: Path) -> None:
    ended = rehearse("up", PROJECT, "--stack", "dev", json_file=tmp_path / "nowhere" / "result.json")
    assert ended.code == 2
    assert "there is no folder" in ended.output


def test_a_result_that_would_be_a_folder_is_told_before_the_work(tmp_path: Path) -> None:
    ended = rehearse("up", PROJECT, "--stack", "dev", json_file=tmp_path, reads_result=False)
    assert ended.code == 2
    assert f"--json {tmp_path}: that is a folder" in ended.output


def test_a_result_whose_disk_is_full_fails_at_the_end(tmp_path: Path) -> None:
    """All else is printed all the same."""
    project = copy(tmp_path / "project", only="query-service")
    change(project / "Pulumi.dev.yaml", "  drydock:region: ap-southeast-1", "  drydock:region: atlantis")
    ended = rehearse("up", project, "--stack", "dev", json_file=Path("/dev/full"), reads_result=False)
    assert ended.code == 1
    assert "--json /dev/full: it could not be written (No space left on device)" in ended.output
    assert "atlantis" in ended.output
    assert "Traceback" not in ended.output


@pytest.mark.parametrize("words", [("--help",), ("preview", "--stack", "dev")])
def test_an_output_that_cannot_be_written_ends_it_in_one_line(words: tuple[str, ...]) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(  # noqa: S603 - the command under test
            [*COMMAND, *words],
            cwd=PROJECT,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            env=ENGINEERS,
            check=False,
        )
    assert (done.returncode, done.stderr) == (1, "rehearsal: [Errno 28] No space left on device\n")


def test_an_encoding_without_our_characters_is_no_reason_to_fail(tmp_path: Path) -> None:
    project = copy(tmp_path / "project", only="query-service")
    change(project / "Pulumi.dev.yaml", "  drydock:region: ap-southeast-1", "  drydock:region: atlantis")
    ended = rehearse("preview", project, "--stack", "dev", PYTHONIOENCODING="ascii")
    assert ended.output.startswith("previewing dev ?\n")
    assert "atlantis" in ended.output
    assert "Traceback" not in ended.output


def test_no_rehearsal_to_end_is_no_error(tmp_path: Path) -> None:
    ended = rehearse("down", copy(tmp_path / "project", only="query-service"))
    assert (ended.code, ended.output) == (0, "no rehearsal is up\n")


def test_bad_settings_are_all_told_at_once(tmp_path: Path) -> None:
    """One a run would cost an engineer an evening."""
    project = copy(tmp_path / "project", only="query-service")
    change(project / "Pulumi.dev.yaml", "  drydock:region: ap-southeast-1", "  drydock:region: atlantis")
    change(project / "Pulumi.dev.yaml", "    nat: single", "    nat: many")
    change(project / "Pulumi.dev.yaml", "      desired_count: 1", "      desired_count: -1\n      colour: blue")
    ended = rehearse("up", project, "--stack", "dev", json_file=tmp_path / "result.json")
    assert ended.code == 1
    (error,) = ended.errors
    for part in ("atlantis", "many", "desired_count", "colour"):
        assert part in error
    assert "Traceback" not in ended.output
    assert not ended.result["created"]


def test_a_broken_script_is_told_before_anything_is_created(tmp_path: Path) -> None:
    project = copy(tmp_path / "project", only="query-service")
    script = project / "apps/query_service/rehearsal.yaml"
    change(script, "  - name: the service is well\n", "  - name: the service is well\n    colour: blue\n")
    ended = rehearse("up", project, "--stack", "dev", json_file=tmp_path / "result.json")
    assert ended.code == 1
    (error,) = ended.errors
    assert error.startswith(f"{script}: requests[0].colour (the service is well): no such key")
    assert not ended.result["created"]


def test_a_failed_request_is_shown_with_what_the_workload_said(tmp_path: Path) -> None:
    project = copy(tmp_path / "project", only="query-service")
    script = project / "apps/query_service/rehearsal.yaml"
    change(script, "      json: {status: ok}\n", "      json: {status: splendid}\n")
    ended = rehearse("up", project, "--stack", "dev", json_file=tmp_path / "result.json")
    assert ended.code == 1
    (error,) = ended.errors
    assert error.startswith("query-service: GET /health (the service is well):")
    assert 'the answer.status: expected "splendid", got "ok"' in error
    assert [each["ok"] for each in ended.result["requests"]].count(False) == 1


# What follows ends rehearsals before their time.


# All systems, but for the late moments, most of which the one with a database, a job and an API gateway has sooner.
ALL: Final[tuple[str, ...]] = ()
ALONE: Final = ("--only", "express-api")
MOMENTS: Final = (
    (signal.SIGINT, "previewing", 130, ALL),
    (signal.SIGINT, "deploying", 130, ALL),
    (signal.SIGINT, "sending requests", 130, ALONE),
    (signal.SIGTERM, "starting the emulator", 143, ALL),
    (signal.SIGTERM, "waiting for the services", 143, ALONE),
    (signal.SIGKILL, "asking the policies", -9, ALL),
    (signal.SIGKILL, "deploying", -9, ALL),
    (signal.SIGKILL, "waiting for the services", -9, ALONE),
    (signal.SIGKILL, "sending requests", -9, ALL),
)


@pytest.mark.parametrize(("number", "words", "code", "systems"), MOMENTS)
def test_an_end_at_any_moment_leaves_nothing(
    tmp_path: Path, number: int, words: str, code: int, systems: tuple[str, ...]
) -> None:
    """The moment is drawn anew each time: somewhere in the half second after *words*."""
    started = Started(tmp_path / "output", PROJECT, *systems)
    marker, folder = started.watchdog()
    started.wait_for(words)
    time.sleep(random.uniform(0, 0.5))  # noqa: S311 - a moment, no secret
    since = time.monotonic()
    started.process.send_signal(number)
    assert started.process.wait(GONE_WITHIN) == code
    assert_nothing_is_left(marker, folder, since)
    assert "Traceback" not in (tmp_path / "output").read_text()


def test_an_interrupted_rehearsal_writes_its_result_all_the_same(tmp_path: Path) -> None:
    started = Started(tmp_path / "output", PROJECT, "--json", str(tmp_path / "result.json"))
    started.wait_for("deploying")
    started.process.send_signal(signal.SIGINT)
    started.process.wait(GONE_WITHIN)
    result = json.loads((tmp_path / "result.json").read_text())
    assert not result["ok"]
    assert "interrupted" in result["errors"]


def test_an_interrupted_rehearsal_tells_what_was_refused_so_far(tmp_path: Path) -> None:
    """Who waits for a refusal to be tried to its end presses Ctrl-C, and would learn nothing."""
    project = copy(tmp_path / "project", only="parking-etl")
    change(project / "components/run.py", 'actions=("iam:PassRole",)', 'actions=("iam:GetRole",)')
    started = Started(tmp_path / "output", project, "--json", str(tmp_path / "result.json"), stack="prod")
    _, folder = started.watchdog()
    denials = folder / "denials.jsonl"
    deadline = time.monotonic() + 60
    while not (denials.exists() and "iam:PassRole" in denials.read_text()) and time.monotonic() < deadline:
        time.sleep(0.05)
    started.process.send_signal(signal.SIGINT)
    assert started.process.wait(GONE_WITHIN) == 130
    lack = "role 'parking-database-guard' lacks iam:PassRole on "
    assert lack in (tmp_path / "output").read_text()
    assert json.loads((tmp_path / "result.json").read_text())["errors"][0].startswith(lack)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """A project with a rehearsal that is kept up, and what it printed."""
    project = copy(tmp_path_factory.mktemp("kept") / "project", only="query-service")
    try:
        ended = rehearse("up", project, "--stack", "dev", "--keep")
        assert ended.code == 0, ended.output
        yield project, ended.output
    finally:
        rehearse("down", project)


def test_a_kept_rehearsal_answers_as_it_says(kept: tuple[Path, str]) -> None:
    """The lines are copied to a shell; they must work as they stand."""
    commands = [shlex.split(line) for line in kept[1].splitlines() if line.strip().startswith("curl ")]
    assert len(commands) == 2
    for words in commands:
        headers = [words[at + 1].split(": ", 1) for at, word in enumerate(words) if word == "-H"]
        body = words[words.index("-d") + 1].encode()
        asked = urllib.request.Request(words[-1], body, dict(headers), method=words[words.index("-X") + 1])  # noqa: S310
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(asked, timeout=10) as answer:
            assert answer.status == 200
            assert "user_id" in json.load(answer)


def test_the_printed_environment_reaches_the_emulator(kept: tuple[Path, str]) -> None:
    lines = [line.strip() for line in kept[1].splitlines()]
    environment = dict(line.removeprefix("export ").split("=", 1) for line in lines if line.startswith("export "))
    (command,) = [shlex.split(line) for line in lines if "import boto3" in line]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=30, check=True)  # noqa: S603
    assert ":cluster/dev-" in done.stdout


def test_a_second_rehearsal_beside_a_kept_one_is_refused(kept: tuple[Path, str]) -> None:
    ended = rehearse("up", kept[0], "--stack", "dev")
    assert ended.code == 1
    assert "a rehearsal of dev is up" in ended.output
    assert " -m rehearsal down" in ended.output


def test_a_command_that_is_killed_before_it_could_keep_leaves_nothing(tmp_path: Path) -> None:
    """Its work is done in another process, which must notice."""
    started = Started(tmp_path / "output", copy(tmp_path / "project", only="query-service"), "--keep")
    marker, folder = started.watchdog()
    started.wait_for("deploying")
    since = time.monotonic()
    started.process.kill()
    started.process.wait()
    assert_nothing_is_left(marker, folder, since)
