"""AWS on the developer's machine: the pinned emulator in a process of its own, with IAM enforced.

``launch`` gives an `Emulator`, from which everything else gets its clients::

    with keeper.keep() as run:
        emulator = launch(run, account="123456789012", region="eu-west-1")
        emulator.client("s3").create_bucket(...)
        emulator.denials()
"""

from __future__ import annotations

import http.client
import importlib.metadata
import json
import os
import secrets
import socket
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rehearsal.emulator.access import Access

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterable, Sequence

    from rehearsal.keeper import Run

VERSION: Final = "1.5.33"
"""The ministack that the corrections were written against and that their tests pin."""

_READY_WITHIN: Final = 20.0
"""Seconds for the first healthy answer; it takes about 0.3 on an idle machine."""
_PROJECT: Final = Path(__file__).parents[2]


class EmulatorError(Exception):
    """The emulator is not the pinned one, or did not start."""


@dataclass(frozen=True, kw_only=True)
class Denial:
    """One refusal by IAM, as the emulator recorded it."""

    principal: str
    """Who was refused: a role session's ARN, ``anonymous``, or a service such as ``apigateway.amazonaws.com``."""
    action: str
    """Such as ``dynamodb:PutItem``."""
    resource: str
    """The resource's ARN, or ``*`` where the action has none."""
    reason: str
    """Which policy refused, and whether it denied or merely did not allow."""
    time: float
    """Seconds since the epoch."""

    @property
    def role(self) -> str:
        """The name of the role whose session was refused; empty for any other principal."""
        return self.principal.split(":assumed-role/")[1].split("/")[0] if ":assumed-role/" in self.principal else ""


class Emulator(Access):
    """A running emulator."""

    log: Path
    """What the emulator printed."""

    def __init__(
        self, run: Run, process: subprocess.Popen[bytes], *, port: int, account: str, region: str, root: dict[str, str]
    ) -> None:
        """Made by `launch` alone; *root* is the account's root, as STS would give its credentials."""
        super().__init__(f"http://127.0.0.1:{port}", account=account, region=region, root=root)
        self.log = _log(run)
        self._run = run
        self._process = process
        self._wanted: set[Denial] = set()

    def denials(self) -> list[Denial]:
        """Every refusal by IAM so far that nobody wanted, in order; each caller's alike."""
        path = _denials(self._run)
        lines = path.read_text().splitlines() if path.exists() else []
        return [each for each in (Denial(**json.loads(line)) for line in lines) if each not in self._wanted]

    def want(self, denials: Iterable[Denial]) -> None:
        """Take *denials* for what was to be shown, and no longer for a lack."""
        self._wanted |= {*denials}

    def record(self, denial: Denial) -> None:
        """Add a refusal that was decided outside of the emulator, where a service asks what no API of its own tells."""
        with _denials(self._run).open("a") as file:
            file.write(json.dumps(asdict(denial)) + "\n")

    def stop(self) -> None:
        """End the emulator; again is harmless. A run's end does it too."""
        self._run.stop(self._process, seconds=2)


def launch(
    run: Run, *, account: str, region: str, docker_host: str = "", correct: bool = True, without: Sequence[str] = ()
) -> Emulator:
    """Start the emulator in *run* on a free loopback port, and wait until it answers.

    *account* is its 12-digit id. *docker_host* is where it starts containers, such as ``unix:///run/docker.sock``;
    empty means that it starts none. *correct* is False, or *without* names corrections, only in tests, which show what
    those are for.

    Raises:
        EmulatorError: another version than the pinned one is installed, or it did not answer in time.

    """
    check_version()
    port = _free_port()
    root = {"AccessKeyId": f"AKIA{secrets.token_hex(16).upper()}", "SecretAccessKey": secrets.token_hex(20)}
    with _log(run).open("wb") as log:
        process = run.start(
            [sys.executable, "-m", "rehearsal.emulator"],
            environment=_environment(run, account, region, docker_host)
            | {
                "GATEWAY_PORT": str(port),
                "AWS_ACCESS_KEY_ID": root["AccessKeyId"],  # random, so that no workload passes as root by guessing it
                "AWS_SECRET_ACCESS_KEY": root["SecretAccessKey"],
                "DRYDOCK_CORRECT": "1" if correct else "",
                "DRYDOCK_WITHOUT": " ".join(without),
            },
            folder=_PROJECT,
            output=log,
        )
    emulator = Emulator(run, process, port=port, account=account, region=region, root=root)
    _wait_until_healthy(emulator, process, port)
    return emulator


def check_version() -> None:
    """Refuse any ministack but the pinned one.

    Raises:
        EmulatorError: it says which version is installed and which is wanted.

    """
    installed = importlib.metadata.version("ministack")
    if installed != VERSION:
        raise EmulatorError(
            f"ministack {installed} is installed, and its corrections were written for {VERSION}: "
            f"install ministack=={VERSION}, or move the pin once tests/rehearsal/emulator passes with the new one"
        )


def _environment(run: Run, account: str, region: str, docker_host: str) -> dict[str, str]:
    """Return the emulator's whole environment. Functions that it runs inherit it, so nothing of the developer's own."""
    home = run.folder / "emulator"
    home.mkdir(exist_ok=True)
    return {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]),
        "HOME": str(home),
        "TMPDIR": str(home),
        "AUTH": "true",
        "BIND_HOST": "127.0.0.1",
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "SFTP_HOST": "127.0.0.1",
        "PERSIST_STATE": "0",
        "S3_PERSIST": "0",
        "MINISTACK_ACCOUNT_ID": account,
        "MINISTACK_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "MINISTACK_DOCKER_TIMEOUT": "150",  # seconds; a container's stop may take up to 120
        "DOCKER_HOST": docker_host or f"unix://{home}/none.sock",  # else it would look for the machine's own
        "LOG_LEVEL": "INFO",
        "DRYDOCK_DENIALS": str(_denials(run)),
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def _wait_until_healthy(emulator: Emulator, process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + _READY_WITHIN
    while time.monotonic() < deadline and process.poll() is None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
        try:
            connection.request("GET", "/_ministack/health")
            if connection.getresponse().status == http.HTTPStatus.OK:
                return
        except OSError:
            time.sleep(0.02)
        finally:
            connection.close()
    happened = "ended" if process.poll() is not None else f"did not answer within {_READY_WITHIN:.0f} s"
    emulator.stop()
    raise EmulatorError(
        f"the emulator {happened}; its last words:\n"
        + "\n".join(emulator.log.read_text(errors="replace").splitlines()[-15:])
    )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _log(run: Run) -> Path:
    return run.folder / "emulator.log"


def _denials(run: Run) -> Path:
    return run.folder / "denials.jsonl"
