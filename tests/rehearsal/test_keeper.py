"""Nothing outlives a run, however it ends."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path

import pytest

from rehearsal import keeper

PROJECT = Path(__file__).parents[2]
PATH = {"PATH": os.environ["PATH"]}

REHEARSAL = """
import io, json, os, sys, time, zipfile
from rehearsal import keeper
from rehearsal.emulator import launch
path = {"PATH": os.environ["PATH"]}
with keeper.keep() as run:
    print(run.environment[keeper.MARKER], run.folder, flush=True)
    run.start(["sh", "-c", "trap '' TERM; sleep 100 & sleep 100"], environment=path)
    run.start(["sh", "-c", "setsid sh -c 'sleep 100 & sleep 100' & sleep 100"], environment=path)
    run.start(["sh", "-c", "(setsid env -i sleep 4243 &); sleep 100"], environment=path)
    run.start(["sh", "-c", "(setsid env -i sleep 4243 &)"], environment=path)
    if len(sys.argv) > 1:
        aws = launch(run, account="123456789012", region="eu-west-1")
        trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        role = aws.client("iam").create_role(RoleName="r", AssumeRolePolicyDocument=json.dumps({"Statement": trust}))
        code = io.BytesIO()
        with zipfile.ZipFile(code, "w") as archive:
            archive.writestr("app.py", "def handler(event, context): return 1")
        aws.client("lambda").create_function(
            FunctionName="f", Runtime="python3.12", Handler="app.handler", Role=role["Role"]["Arn"],
            Code={"ZipFile": code.getvalue()},
        )
        assert aws.client("lambda").invoke(FunctionName="f")["Payload"].read() == b"1"
        print("up", flush=True)
    time.sleep(100)
"""


def left(token: str) -> list[str]:
    """Return the command lines of what has *token* in its environment, and of what dropped its environment."""
    found: list[str] = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            environment = (process / "environ").read_bytes()
        except OSError:
            continue
        if token.encode() in environment or "sleep 4243" in command:
            found.append(command)
    return found


def rehearsal(token: str, *arguments: str) -> subprocess.Popen[str]:
    """Start a rehearsal all of whose processes, the watchdog too, have *token* on their PATH."""
    return subprocess.Popen(  # noqa: S603 - our own script
        [sys.executable, "-c", REHEARSAL, *arguments],
        cwd=PROJECT,
        env={"PATH": f"{os.environ['PATH']}:/{token}"},
        stdout=subprocess.PIPE,
        text=True,
    )


def folder_of(process: subprocess.Popen[str]) -> Path:
    assert process.stdout
    return Path(process.stdout.readline().split()[1])


def nothing_is_left(token: str, folder: Path | None = None) -> None:
    """Fail unless all is gone within 2 seconds."""
    deadline = time.monotonic() + 2
    while time.monotonic() < deadline and (left(token) or (folder and folder.exists())):
        time.sleep(0.05)
    assert left(token) == []
    assert not folder or not folder.exists()


@pytest.fixture
def token() -> str:
    return uuid.uuid4().hex


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("after", [0, 0.02, 0.3])
def test_a_killed_rehearsal_leaves_nothing(token: str, number: signal.Signals, after: float) -> None:
    """Processes with a session or an environment of their own, orphans, and those deaf to SIGTERM are ended too."""
    with rehearsal(token) as process:
        folder = folder_of(process)
        time.sleep(after)
        process.send_signal(number)
        process.wait(2)
    nothing_is_left(token, folder)


def test_a_killed_rehearsal_leaves_no_emulator_and_no_function(token: str) -> None:
    """A forgotten emulator holds memory and a port until the machine is restarted."""
    with rehearsal(token, "with emulator") as process:
        folder = folder_of(process)
        assert process.stdout
        assert process.stdout.readline() == "up\n"
        for part in ("rehearsal.emulator", "_worker.py"):
            assert any(part in command for command in left(token))
        process.kill()
    nothing_is_left(token, folder)


@pytest.mark.parametrize("after", [0.04, 0.08, 0.12, 0.16, 0.2])
def test_a_rehearsal_killed_as_it_starts_leaves_nothing(token: str, after: float) -> None:
    """There must be no moment between the first process and the one that watches."""
    with rehearsal(token) as process:
        time.sleep(after)
        process.kill()
    nothing_is_left(token)


def test_an_exception_ends_everything_at_once() -> None:
    """A failing rehearsal does not wait for workloads to stop in their own time."""
    began = time.monotonic()

    def fail() -> None:
        with keeper.keep() as run:
            runs.append(run)
            run.start(["sh", "-c", "trap '' TERM; sleep 100; sleep 100"], environment=PATH)
            raise RuntimeError("failed")

    runs: list[keeper.Run] = []
    with pytest.raises(RuntimeError, match="failed"):
        fail()
    assert time.monotonic() - began < 1.5
    nothing_is_left(runs[0].environment[keeper.MARKER], runs[0].folder)


def test_a_socket_fits_into_its_folder_wherever_temporary_files_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CI systems and macOS have long paths, and a Unix socket's has 107 bytes at most."""
    long = tmp_path / ("x" * 100)
    long.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(long))
    with keeper.keep() as run, socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(run.folder / "docker.sock"))


def test_a_normal_end_lets_processes_stop_in_turn_the_newest_first(tmp_path: Path) -> None:
    """Workloads stop before the emulator that they talk to as they stop."""
    record = tmp_path / "record"
    with keeper.keep() as run:
        for name in ("first", "second"):
            script = f"trap 'echo {name} >> {record}; exit 0' TERM; echo up >> {record}; while :; do sleep 0.02; done"
            run.start(["sh", "-c", script], environment=PATH)
        while not record.exists() or record.read_text() != "up\nup\n":
            time.sleep(0.02)
    assert record.read_text() == "up\nup\nsecond\nfirst\n"


@pytest.mark.parametrize(("script", "code"), [("exit 3", 3), ("kill -9 $$", 137), ("kill -15 $$", 143)])
def test_exit_codes_are_a_containers(script: str, code: int) -> None:
    """ECS reports them, and a rehearsal compares them."""
    with keeper.keep() as run:
        assert keeper.exit_code(run.start(["sh", "-c", script], environment=PATH)) == code


def test_a_command_that_does_not_exist_ends_with_127(tmp_path: Path) -> None:
    """As in a container; and it says so."""
    with keeper.keep() as run, (tmp_path / "output").open("wb") as output:
        assert keeper.exit_code(run.start(["no-such-command"], environment=PATH, output=output)) == 127
    assert (tmp_path / "output").read_text() == "no-such-command: No such file or directory\n"


def test_a_process_that_ends_takes_what_it_left_behind_with_it() -> None:
    """A container's end is the end of all in it; a stray worker would keep its port."""
    with keeper.keep() as run:
        keeper.exit_code(run.start(["sh", "-c", "sleep 100 & exit 0"], environment=PATH))
        assert left(run.environment[keeper.MARKER]) == []


def test_a_process_deaf_to_sigterm_is_killed_after_its_grace() -> None:
    """A workload that ignores SIGTERM must not hold a deployment for ever."""
    with keeper.keep() as run:
        process = run.start(
            ["sh", "-c", "trap '' TERM; echo; sleep 100; sleep 100"], environment=PATH, output=subprocess.PIPE
        )
        assert process.stdout
        process.stdout.read(1)
        assert run.stop(process, seconds=0.1) == 137
        process.stdout.close()


def test_a_child_sees_its_own_environment_and_the_marker_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """The developer's own variables, credentials among them, are not a workload's."""
    monkeypatch.setenv("AWS_PROFILE", "work")
    with keeper.keep() as run:
        process = run.start(["env"], environment=PATH, output=subprocess.PIPE)
        assert process.stdout
        seen = {line.partition(b"=")[0].decode() for line in process.stdout.read().splitlines()}
        process.stdout.close()
    assert seen == {"PATH", keeper.MARKER}
