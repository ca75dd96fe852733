"""AWS on the developer's machine: the pinned emulator in a process of its own, with IAM enforced.

``launch`` gives an `Emulator`, from which everything else gets its clients::

    with keeper.keep() as run:
        emulator = launch(run, account="123456789012", region="eu-west-1")
        emulator.client("s3").create_bucket(...)
        emulator.denials()
"""

from __future__ import annotations

import http.client
import importlib
import importlib.metadata
import json
import os
import secrets
import socket
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import subprocess

    from rehearsal.keeper import Run

VERSION: Final = "1.5.33"
"""The ministack that the corrections were written against and that their tests pin."""

ON_BEHALF_OF: Final = "x-drydock-on-behalf-of"
"""The header of an AssumeRole request that stands in for a service's own; its value is the service's principal."""
SOURCE_ARN: Final = "x-drydock-source-arn"
"""The header that says what the service assumes the role for, such as a task's ARN."""

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


class Emulator:
    """A running emulator: one account and one region of it, as the account's root sees them."""

    endpoint: str
    """Such as ``http://127.0.0.1:41234``: the API of every service, and the data plane of those that have one."""
    account: str
    region: str
    log: Path
    """What the emulator printed."""

    def __init__(
        self, run: Run, process: subprocess.Popen[bytes], *, port: int, account: str, region: str, root: dict[str, str]
    ) -> None:
        """Made by `launch` alone; *root* is the account's root, as STS would give its credentials."""
        self.endpoint = f"http://127.0.0.1:{port}"
        self.account = account
        self.region = region
        self.log = _log(run)
        self._run = run
        self._process = process
        self._root = root
        self._session: Any = None
        self._clients: dict[str, Any] = {}
        self._lock = threading.RLock()  # boto3's sessions are not for several threads; its clients are

    @property
    def environment(self) -> dict[str, str]:
        """What a shell sets to use the emulator as the account's root with boto3 or the AWS CLI."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": self._root["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": self._root["SecretAccessKey"],
            "AWS_DEFAULT_REGION": self.region,
        }

    def client(self, service: str) -> Any:
        """Return the boto3 client of *service* as the account's root; one a service, shared by all threads."""
        with self._lock:
            if service not in self._clients:
                self._clients[service] = self.client_as(service, self._root)
            return self._clients[service]

    def client_as(self, service: str, credentials: dict[str, Any]) -> Any:
        """Return a new boto3 client of *service* under *credentials*, as STS AssumeRole gives them."""
        with self._lock:
            # Imported here: the emulator's own process imports this module too, and needs no boto3.
            self._session = self._session or _session()
            configuration = importlib.import_module("botocore.config").Config
            return self._session.client(
                service,
                endpoint_url=self.endpoint,
                region_name=self.region,
                aws_access_key_id=credentials["AccessKeyId"],
                aws_secret_access_key=credentials["SecretAccessKey"],
                aws_session_token=credentials.get("SessionToken"),
                config=configuration(
                    inject_host_prefix=False,  # such as data-servicediscovery.127.0.0.1, which does not resolve
                    retries={"total_max_attempts": 1},  # a refusal or a fault is to be seen, not waited out
                    read_timeout=150,  # seconds: StopTask waits for containers to stop
                    max_pool_connections=32,
                    s3={"addressing_style": "path"},
                    proxies={},  # loopback is never behind the developer's proxy
                ),
            )

    def assume(self, role: str, *, service: str, source: str, session: str, seconds: int = 12 * 3600) -> dict[str, Any]:
        """Assume *role* as *service* does on behalf of *source*; its credentials, as STS gives them.

        *role* and *source* (a task, a function) are ARNs, *session* names the role session. The role's trust must admit
        the service, under the conditions that it sets on ``aws:SourceArn`` and ``aws:SourceAccount``.

        Raises:
            botocore.exceptions.ClientError: ``AccessDenied``, when the trust does not.

        """

        def say_so(request: Any, **_: Any) -> None:
            request.headers[ON_BEHALF_OF] = service
            request.headers[SOURCE_ARN] = source

        sts = self.client_as("sts", self._root)
        sts.meta.events.register("before-sign.sts.AssumeRole", say_so)
        return sts.assume_role(RoleArn=role, RoleSessionName=session, DurationSeconds=seconds)["Credentials"]

    def denials(self) -> list[Denial]:
        """Every refusal by IAM so far, in order; each caller's alike."""
        path = _denials(self._run)
        lines = path.read_text().splitlines() if path.exists() else []
        return [Denial(**json.loads(line)) for line in lines]

    def stop(self) -> None:
        """End the emulator; again is harmless. A run's end does it too."""
        self._run.stop(self._process, seconds=2)


def launch(run: Run, *, account: str, region: str, docker_host: str = "", correct: bool = True) -> Emulator:
    """Start the emulator in *run* on a free loopback port, and wait until it answers.

    *account* is its 12-digit id. *docker_host* is where it starts containers, such as ``unix:///run/docker.sock``;
    empty means that it starts none. *correct* is False only in tests, which show what the corrections are for.

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
            },
            folder=_PROJECT,
            output=log,
        )
    emulator = Emulator(run, process, port=port, account=account, region=region, root=root)
    _wait_until_healthy(emulator, process, port)
    return emulator


def _session() -> Any:
    """Return a boto3 session that reads no profile and no file of the developer's."""
    nothing = dict.fromkeys(("config_file", "credentials_file"), (None, None, os.devnull, None))
    core = importlib.import_module("botocore.session").Session({"profile": (None, None, None, None), **nothing})
    return importlib.import_module("boto3.session").Session(botocore_session=core)


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
