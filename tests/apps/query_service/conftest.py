"""The service as a process, the emulator it talks to, and a private API that misbehaves on demand."""

from __future__ import annotations

import http.client
import importlib
import io
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from tests.apps.query_service.private_api import PrivateApi, answering

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType

FOLDER = Path(__file__).parents[3] / "apps" / "query_service"
REGION = "ap-southeast-1"


@pytest.fixture(scope="session")
def folder() -> Path:
    return FOLDER


@pytest.fixture(scope="session")
def load() -> Callable[[str], ModuleType]:
    """Import a module of the container's source or the function's, leaving its name to others.

    Every container has a `main`, so that none of these may stay in `sys.modules`.
    """
    loaded: dict[str, ModuleType] = {}

    def module(name: str) -> ModuleType:
        if name not in loaded:
            places = [str(FOLDER / "service"), str(FOLDER / "function")]
            before, writes_none = dict(sys.modules), sys.dont_write_bytecode
            # The function's folder is shipped as it is: a test must add nothing to it.
            sys.path[:0], sys.dont_write_bytecode = places, True
            sys.modules.update(loaded)
            try:
                importlib.import_module(name)
            finally:
                sys.dont_write_bytecode = writes_none
                del sys.path[: len(places)]
                for known, found in list(sys.modules.items()):
                    if str(getattr(found, "__file__", None) or "").startswith(tuple(places)):
                        loaded[known] = sys.modules.pop(known)
                        if known in before:
                            sys.modules[known] = before[known]
        return loaded[name]

    return module


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Emulator:
    """A ministack of our own on loopback, with the tables, the function and its private API."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.environment = {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": REGION,
        }

    def client(self, service: str) -> Any:
        """Make a boto3 client for it."""
        return boto3.client(
            service,
            endpoint_url=self.url,
            region_name=REGION,
            aws_access_key_id="test",
            aws_secret_access_key="test",  # noqa: S106 -- the emulator takes anything
        )

    def table(self, name: str, partition_key: str, sort_key: str) -> str:
        """Make a table with two keys that are strings; return its name."""
        self.client("dynamodb").create_table(
            TableName=name,
            KeySchema=[
                {"AttributeName": partition_key, "KeyType": "HASH"},
                {"AttributeName": sort_key, "KeyType": "RANGE"},
            ],
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in (partition_key, sort_key)],
            BillingMode="PAY_PER_REQUEST",
        )
        return name

    def function(self, name: str, source: str) -> None:
        """Make a function out of its *source*."""
        bundle = io.BytesIO()
        with zipfile.ZipFile(bundle, "w") as archive:
            archive.writestr("handler.py", source)
        self.client("lambda").create_function(
            FunctionName=name,
            Runtime="python3.13",
            Role="arn:aws:iam::000000000000:role/query-result-lambda",
            Handler="handler.handle",
            Code={"ZipFile": bundle.getvalue()},
            Timeout=10,
            Environment={"Variables": {"SOURCE_TABLE_NAME": "source"}},
        )

    def private_api(self) -> str:
        """Make the REST API; return its id."""
        gateway = self.client("apigateway")
        api = gateway.create_rest_api(name="internal")["id"]
        parent = gateway.get_resources(restApiId=api)["items"][0]["id"]
        for part in ("query", "user"):
            parent = gateway.create_resource(restApiId=api, parentId=parent, pathPart=part)["id"]
        where = {"restApiId": api, "resourceId": parent, "httpMethod": "POST"}
        gateway.put_method(**where, authorizationType="NONE")
        function = f"arn:aws:lambda:{REGION}:000000000000:function:query-result-lambda"
        uri = f"arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/{function}/invocations"
        gateway.put_integration(**where, type="AWS_PROXY", integrationHttpMethod="POST", uri=uri)
        gateway.create_deployment(restApiId=api, stageName="v1")
        return str(api)


@pytest.fixture(scope="session")
def emulator() -> Iterator[Emulator]:
    port = free_port()
    folder = tempfile.mkdtemp(prefix="query-service-")
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "DOCKER_"))},
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "MINISTACK_REGION": REGION,
        "LOG_LEVEL": "WARNING",
        "TMPDIR": folder,
        "S3_DATA_DIR": f"{folder}/s3",
        "STATE_DIR": f"{folder}/state",
    }
    ministack = str(Path(sys.executable).with_name("ministack"))
    with process([ministack], env=environment, cwd=folder, stdout=subprocess.DEVNULL) as running:
        wait_for(f"http://127.0.0.1:{port}/_ministack/health", running)
        made = Emulator(port)
        made.table("source", "user_id", "created_at")
        made.function("query-result-lambda", (FOLDER / "function" / "handler.py").read_text())
        yield made
    shutil.rmtree(folder, ignore_errors=True)


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
        try:
            if send(host, "GET", f"/{path}").status == 200:
                return
        except OSError:
            pass
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


def send(host: str, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Answered:
    connection = http.client.HTTPConnection(host, timeout=30)
    try:
        if isinstance(body, (dict, list)):
            body, headers = json.dumps(body), {"Content-Type": "application/json"} | (headers or {})
        connection.request(method, path, body, headers or {})
        return Answered(connection.getresponse())
    finally:
        connection.close()


class Service:
    """The container's process."""

    def __init__(self, running: subprocess.Popen[str], port: int) -> None:
        self.process = running
        self.port = port
        self.host = f"127.0.0.1:{port}"
        self.lines: list[dict[str, Any]] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout
        self.lines.extend(json.loads(line) for line in self.process.stdout)

    def send(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Answered:
        """Send one request on a connection of its own."""
        return send(self.host, method, path, body, headers)

    def query(self, user_id: str, limit: int = 10, **headers: str) -> Answered:
        """Ask for a user's rows."""
        return self.send("POST", "/query/user", {"user_id": user_id, "limit": limit}, headers)

    def stop(self) -> int:
        """Send SIGTERM; return the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.read_to_the_end()

    def read_to_the_end(self) -> int:
        """Wait for the process and for its last line; return the exit code."""
        code = self.process.wait(10)
        self._reader.join(5)
        assert self.process.stdout
        self.process.stdout.close()
        return code


@contextmanager
def serving(**variables: str) -> Iterator[Service]:
    """Run the service as the container does, in *variables* and no other environment."""
    port = free_port()
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONDONTWRITEBYTECODE": "1",
        "ENVIRONMENT": "test",
        "BIND_ADDRESS": "127.0.0.1",
        "PORT": str(port),
        **variables,
    }
    command = [sys.executable, "main.py"]
    with process(command, env=environment, cwd=FOLDER / "service", stdout=subprocess.PIPE) as running:
        service = Service(running, port)
        try:
            wait_for(f"http://127.0.0.1:{port}/health", running)
            yield service
        finally:
            running.kill()
            service.read_to_the_end()


@pytest.fixture(scope="session")
def api() -> Iterator[PrivateApi]:
    with answering() as running:
        yield running


@pytest.fixture(scope="session")
def environment(emulator: Emulator, api: PrivateApi) -> dict[str, str]:
    """What the service's environment says, for the emulator and the private API of these tests."""
    return {
        **emulator.environment,
        "INTERNAL_API_URL": api.url,
        "REQUEST_TIMEOUT": "20",
        "TABLE_NAME": emulator.table("answers", "pk", "sk"),
        "FUNCTION_NAME": "query-result-lambda",
    }


@pytest.fixture(scope="session")
def service(environment: dict[str, str]) -> Iterator[Service]:
    """One service for all tests that leave it as it was."""
    with serving(**environment) as running:
        yield running


@pytest.fixture(scope="session")
def serve() -> Callable[..., Any]:
    """`serving`, for a test that needs a service of its own."""
    return serving
