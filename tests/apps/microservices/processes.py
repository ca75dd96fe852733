"""The containers of microservices as processes, and the emulator that they talk to."""

from __future__ import annotations

import http.client
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import boto3

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER: Final = Path(__file__).parents[3] / "apps" / "microservices"
SERVICES: Final = FOLDER / "services"
WEB: Final = FOLDER / "web"
REGION: Final = "us-east-1"

TABLE_ACTIONS: Final = ("GetItem", "Query", "PutItem", "UpdateItem", "DeleteItem")
"""All that a service may do with its table; here it may do no more."""
BUCKET_ACTIONS: Final = ("GetObject", "PutObject", "DeleteObject")
"""All that market may do with its objects, besides listing them."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def process(command: list[str], **options: Any) -> Iterator[subprocess.Popen[str]]:
    """Run *command* in a group of its own, which is gone at the end, whatever becomes of the test."""
    running = subprocess.Popen(command, text=True, start_new_session=True, **options)  # noqa: S603 -- our own
    try:
        yield running
    finally:
        running.terminate()
        with suppress(subprocess.TimeoutExpired):
            running.wait(5)
        with suppress(ProcessLookupError):
            os.killpg(running.pid, signal.SIGKILL)
        running.wait(5)


def wait_for(url: str, running: subprocess.Popen[str], seconds: float = 20) -> None:
    ends = time.monotonic() + seconds
    host, _, path = url.removeprefix("http://").partition("/")
    while True:
        with suppress(OSError):
            if send(host, "GET", f"/{path}").status == 200:
                return
        assert running.poll() is None, f"{running.args} ended with {running.returncode}"
        assert time.monotonic() < ends, f"{url} did not answer within {seconds} seconds"
        time.sleep(0.02)


class Answered:
    """An answer, read to its end."""

    def __init__(self, answer: http.client.HTTPResponse) -> None:
        self.status = answer.status
        self.headers = answer.headers
        self.text = answer.read().decode()

    @property
    def json(self) -> Any:
        """Its body, which must be JSON."""
        return json.loads(self.text)

    @property
    def etag(self) -> str:
        """Its ETag, which must be there."""
        return str(self.headers["ETag"])


def send(host: str, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Answered:
    connection = http.client.HTTPConnection(host, timeout=30)
    try:
        if isinstance(body, (dict, list)):
            body, headers = json.dumps(body), {"Content-Type": "application/json"} | (headers or {})
        connection.request(method, path, body, headers or {})
        return Answered(connection.getresponse())
    finally:
        connection.close()


class Container:
    """A container's process."""

    def __init__(self, running: subprocess.Popen[str], host: str) -> None:
        self.process = running
        self.host = host
        self.lines: list[dict[str, Any]] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout
        self.lines.extend(json.loads(line) for line in self.process.stdout)

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> Answered:
        """Send one request on a connection of its own; `If_Match` is the header `If-Match`."""
        return send(self.host, method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})

    def line(self, **fields: Any) -> dict[str, Any]:
        """The line of the log that has *fields*, which may be a moment behind the answer."""
        ends = time.monotonic() + 5
        while not (found := [line for line in self.lines if fields.items() <= line.items()]):
            assert time.monotonic() < ends, f"no line has {fields}: {self.lines}"
            time.sleep(0.01)
        return found[0]

    def terminate(self) -> None:
        """Send SIGTERM."""
        self.process.send_signal(signal.SIGTERM)

    def read_to_the_end(self) -> int:
        """Wait for the process and for its last line; return the exit code."""
        code = self.process.wait(10)
        self._reader.join(5)
        assert self.process.stdout
        self.process.stdout.close()
        return code


@contextmanager
def running(command: list[str], folder: Path, **variables: str) -> Iterator[Container]:
    """Run a container's *command*, in *variables* and no other environment, until it is well."""
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONDONTWRITEBYTECODE": "1",
        "BIND_ADDRESS": "127.0.0.1",
        "PORT": str(free_port()),
        **variables,
    }
    address = f"{environment['BIND_ADDRESS']}:{environment['PORT']}"
    with process(command, env=environment, cwd=folder, stdout=subprocess.PIPE) as started:
        container = Container(started, address)
        try:
            wait_for(f"http://{address}/health", started)
            yield container
        finally:
            started.kill()
            container.read_to_the_end()


def service(name: str, **variables: str) -> Any:
    """Run a service."""
    return running([sys.executable, "main.py", name], SERVICES, **variables)


def web(url: str, services: str = "blog market news user", **variables: str) -> Any:
    """Run the page's server, with its services below *url*."""
    assert (WEB / "node_modules" / "express").is_dir(), f"{WEB}: `make setup` installs what the page's server needs"
    return running(["node", "main.js"], WEB, SERVICES_URL=url, SERVICES=services, **variables)


class Emulator:
    """A ministack of our own on loopback, with IAM in force."""

    def __init__(self, url: str, root: tuple[str, str]) -> None:
        self.url = url
        self._root = root

    def client(self, name: str) -> Any:
        """Make a boto3 client for it, as the account's root."""
        return boto3.client(
            name,
            endpoint_url=self.url,
            region_name=REGION,
            aws_access_key_id=self._root[0],
            aws_secret_access_key=self._root[1],
        )

    def table(self) -> dict[str, str]:
        """Make a table; return the environment of a service that may use it as it must, and nothing else."""
        name = f"items-{secrets.token_hex(4)}"
        made = self.client("dynamodb").create_table(
            TableName=name,
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in ("pk", "sk")],
            BillingMode="PAY_PER_REQUEST",
        )
        grant = _allow("dynamodb", TABLE_ACTIONS, made["TableDescription"]["TableArn"])
        return {"TABLE_NAME": name, **self._environment(name, [grant])}

    def bucket(self) -> dict[str, str]:
        """Make a bucket; return the environment of a service that may use it as it must, and nothing else."""
        name = f"days-{secrets.token_hex(4)}"
        self.client("s3").create_bucket(Bucket=name)
        arn = f"arn:aws:s3:::{name}"
        grants = [_allow("s3", ("ListBucket",), arn), _allow("s3", BUCKET_ACTIONS, f"{arn}/*")]
        return {"BUCKET_NAME": name, **self._environment(name, grants)}

    def _environment(self, user: str, grants: list[dict[str, Any]]) -> dict[str, str]:
        iam = self.client("iam")
        iam.create_user(UserName=user)
        document = json.dumps({"Version": "2012-10-17", "Statement": grants})
        iam.put_user_policy(UserName=user, PolicyName="all", PolicyDocument=document)
        key = iam.create_access_key(UserName=user)["AccessKey"]
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": key["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
        }


def _allow(prefix: str, actions: tuple[str, ...], arn: str) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": [f"{prefix}:{action}" for action in actions], "Resource": arn}


@contextmanager
def emulating() -> Iterator[Emulator]:
    """Run an emulator."""
    url = f"http://127.0.0.1:{free_port()}"
    folder = tempfile.mkdtemp(prefix="microservices-")
    root = (f"AKIA{secrets.token_hex(8).upper()}", secrets.token_hex(20))
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "DOCKER_"))},
        "AUTH": "true",
        "AWS_ACCESS_KEY_ID": root[0],
        "AWS_SECRET_ACCESS_KEY": root[1],
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": url.rpartition(":")[2],
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "MINISTACK_REGION": REGION,
        "LOG_LEVEL": "WARNING",
        "TMPDIR": folder,
        "S3_DATA_DIR": f"{folder}/s3",
        "STATE_DIR": f"{folder}/state",
    }
    ministack = str(Path(sys.executable).with_name("ministack"))
    try:
        with process([ministack], env=environment, cwd=folder, stdout=subprocess.DEVNULL) as started:
            wait_for(f"{url}/_ministack/health", started)
            yield Emulator(url, root)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
