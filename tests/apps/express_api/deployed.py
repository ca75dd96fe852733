"""express-api as a rehearsal deploys it: asked through its API gateway, and for its health as a load balancer asks."""

from __future__ import annotations

import http.client
import io
import json
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from rich.console import Console

from rehearsal import keeper
from rehearsal.progress import Progress
from rehearsal.session import Session
from tests.apps.express_api.databases import Client, Database
from tests.apps.express_api.processes import INFO, LOGIN, PRESCRIPTION
from tests.apps.express_api.test_outages import Timed
from tests.apps.microservices.processes import Answered
from tests.rehearsal.copies import copy

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping
    from pathlib import Path

HEALTH_TIMEOUT: Final = 5.0
"""Seconds after which the load balancer takes the task for unhealthy."""

# Those of the workload's own script, whose rows have a hash of each password.
ADA: Final = Client("ada@example.com", "correct horse battery staple")
GRACE: Final = Client("grace@example.com", "wrong pony capacitor clip")


class Deployed:
    """The deployment, which is up."""

    def __init__(self, session: Session) -> None:
        outputs: Mapping[str, str] = session.result.outputs["workloads"]["express-api"]
        self.emulator = session.emulator
        self._identifier = outputs["database"]
        self.server = session.databases.server(self._identifier)
        self.database = Database(self.server, self.server.database)
        url = urlsplit(outputs["api_gateway_url"])
        self.gateway, self.path = url.netloc, url.path
        self.key_ids = {client: outputs[f"{client}_key_id"] for client in ("web", "mobile", "guest")}
        self.keys = {client: self._key(key) for client, key in self.key_ids.items()}
        self._cluster, self._service = session.result.outputs["cluster"]["name"], outputs["service_name"]
        (target,) = self._targets()
        self.task = f"{target['Target']['Id']}:{target['Target']['Port']}"
        """Where the one task listens: what only its load balancer may call."""
        self.at_first = self.state()

    def ask(
        self, method: str, path: str, body: Any = None, *, key: str = "web", caller: str = "127.0.0.1", **headers: str
    ) -> Answered:
        """Send one request through the gateway, with the *key* of a client or another one, from *caller*'s address."""
        said = {"X-Api-Key": self.keys.get(key, key)} if key else {}
        said |= {name.replace("_", "-"): value for name, value in headers.items()}
        return _send(self.gateway, caller, method, self.path + path, body, said)

    def login(self, client: Client, **options: str) -> Answered:
        """Try to log in."""
        return self.ask("POST", LOGIN, client.credentials, **options)

    def token(self, client: Client) -> str:
        """Log in, which must succeed."""
        answer = self.login(client)
        assert answer.status == 200, answer.text
        return str(answer.json["token"])

    def prescriptions(self, token: str, query: str = "") -> Answered:
        """Ask for a page of the token's client."""
        return self.ask("GET", PRESCRIPTION + query, Authorization=f"Bearer {token}")

    def health(self) -> Answered:
        """Ask the task itself for its health."""
        return _send(self.task, "127.0.0.1", "GET", INFO, None, {})

    def token_key(self) -> str:
        """Return what tokens are signed with."""
        secret = self.emulator.client("secretsmanager").get_secret_value(SecretId=f"{self._identifier}/tokens")
        return str(json.loads(secret["SecretString"])["password"])

    def state(self) -> tuple[list[str], list[str]]:
        """Return the tasks that ECS has for the service, and what the load balancer finds when it asks them."""
        tasks = self.emulator.client("ecs").list_tasks(cluster=self._cluster, serviceName=self._service)["taskArns"]
        return tasks, [each["TargetHealth"]["State"] for each in self._targets()]

    def redeploy(self) -> None:
        """Have ECS put another task in the place of the one there is."""
        self.emulator.client("ecs").update_service(
            cluster=self._cluster, service=self._service, forceNewDeployment=True
        )

    def _targets(self) -> list[Any]:
        balancing = self.emulator.client("elbv2")
        (group,) = balancing.describe_target_groups()["TargetGroups"]
        return balancing.describe_target_health(TargetGroupArn=group["TargetGroupArn"])["TargetHealthDescriptions"]

    def _key(self, key: str) -> str:
        return str(self.emulator.client("apigateway").get_api_key(apiKey=key, includeValue=True)["value"])


def _send(host: str, caller: str, method: str, path: str, body: Any, headers: dict[str, str]) -> Answered:
    connection = http.client.HTTPConnection(host, timeout=30, source_address=(caller, 0))
    try:
        if isinstance(body, dict):
            body, headers = json.dumps(body), {"Content-Type": "application/json"} | headers
        connection.request(method, path, body, headers)
        return Answered(connection.getresponse())
    finally:
        connection.close()


@contextmanager
def deploy(folder: Path) -> Generator[Deployed]:
    """Deploy the program, with this workload alone, from a copy in *folder*; gone at the block's end."""
    project = copy(folder / "project", only="express-api")
    script = project / "apps/express_api/rehearsal.yaml"
    # Its rows, and of its requests those that log nobody in: attempts are for the tests to count.
    kept, found, _ = script.read_text().partition("\n  # Logging in\n")
    assert found, "the script has no such heading any more"
    script.write_text(kept)
    with keeper.keep() as run:
        session = Session(project, "dev", Progress(Console(file=io.StringIO())))
        try:
            session.up(run)
            assert session.result.errors == []
            yield Deployed(session)
        finally:
            session.close()


@contextmanager
def watched(deployed: Deployed) -> Generator[list[Timed]]:
    """Ask for the task's health all the while; what it said is complete once the block has ended."""
    answers: list[Timed] = []
    over = threading.Event()

    def ask() -> None:
        while not over.wait(0.1):
            answers.append(Timed(deployed.health))

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        yield answers
    finally:
        over.set()
        asking.join()
