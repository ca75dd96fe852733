"""How a deployment stands is learnt from an ECS that takes its time, throttles, or refuses to say."""

from __future__ import annotations

import contextlib
import http.client
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Final, cast
from unittest import mock
from urllib.parse import urlsplit

import pytest
from botocore.retries import bucket, standard

from deployments import inquiry
from deployments.inquiry import Inquiry, UnansweredError
from deployments.verdict import judge
from tests.rehearsal.containers.rolled import Rolled

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from tests.rehearsal.containers.conftest import Site

ASKED: Final = ("DescribeServices", "ListServiceDeployments", "ListTasks", "DescribeTasks")


@pytest.fixture(scope="module")
def service(site: Site) -> Rolled:
    """A service that runs its first version."""
    return Rolled(site)


@pytest.fixture(autouse=True)
def soon() -> Iterator[None]:
    """Ask again soon."""
    with mock.patch.object(inquiry, "_EVERY", 0.1):
        yield


def test_a_deployment_under_way_is_in_progress_and_waited_for(site: Site) -> None:
    """Between two versions nobody knows yet: neither success nor failure may be said."""
    service = Rolled(site)
    wanted = service.update(service.define(("BOOTS_FOR", "1")))
    (described,) = service.ecs.describe_services(cluster=site.cluster, services=[service.arn])["services"]
    listed = service.ecs.list_service_deployments(cluster=site.cluster, service=service.arn)["serviceDeployments"]
    verdict = judge(described, listed, wanted)
    assert (verdict.state, verdict.failed) == ("in progress", False)
    with mock.patch.object(inquiry.time, "sleep", wraps=inquiry.time.sleep) as waits:
        assert service.verdict(wanted).state == "completed"
    assert waits.call_count > 1


def as_role(site: Site, *actions: str) -> Inquiry:
    """Return an inquiry under a role that may do *actions* of ECS and no more."""
    role = site.role(*[(f"ecs:{action}", "*") for action in actions])
    cluster = f"arn:aws:ecs:{site.aws.region}:{site.aws.account}:cluster/{site.cluster}"
    credentials = site.aws.assume(role, service="ecs-tasks.amazonaws.com", source=cluster, session="deploys")
    return Inquiry(site.aws.region, site.aws.client_as("ecs", credentials))


@pytest.mark.parametrize("lacks", ASKED[:2])
def test_a_role_without_a_right_is_told_which_it_takes(lacks: str, service: Rolled) -> None:
    """It is not the deployment that failed, and whoever deploys can mend it."""
    asking = as_role(service.site, *(action for action in ASKED if action != lacks))
    with pytest.raises(UnansweredError, match=rf"^ECS refused the question \(AccessDenied.*ecs:{lacks}.*it takes ecs:"):
        asking.ask(service.site.cluster, service.arn, service.first, 10)


def test_a_role_with_the_rights_it_is_told_of_learns_all_there_is(site: Site) -> None:
    """Of a deployment that failed the most is asked: why its tasks stopped too."""
    service = Rolled(site)
    wanted = service.update(service.define(command=["sh", "-c", "exit 3"]))
    verdict = as_role(site, *ASKED).ask(site.cluster, service.arn, wanted, 40)
    assert verdict.state == "rolled back"
    assert any("web ended with 3" in line for line in verdict.told)


class Throttling(BaseHTTPRequestHandler):
    """Stands before the emulator, and says that there was too much of it before any answer, or instead of one."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Answer as ECS does where it throttles; after that as the emulator does."""
        before = cast("Before", self.server)
        before.asked.append(self.headers["X-Amz-Target"].rpartition(".")[2])
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if len(before.asked) <= before.refusals:
            self._answer(400, json.dumps({"__type": "ThrottlingException", "message": "Rate exceeded"}).encode())
            return
        behind = http.client.HTTPConnection(before.emulator, timeout=20)
        with contextlib.closing(behind):
            behind.request("POST", self.path, body, dict(self.headers))
            answer = behind.getresponse()
            self._answer(answer.status, answer.read())

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its base's name
        """Print nothing."""

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/x-amz-json-1.1")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class Before(ThreadingHTTPServer):
    """Where `Throttling` answers."""

    daemon_threads = True

    def __init__(self, emulator: str, refusals: int) -> None:
        """Throttle the first *refusals* requests, and send the others to *emulator*."""
        super().__init__(("127.0.0.1", 0), Throttling)
        self.emulator, self.refusals = urlsplit(emulator).netloc, refusals
        self.asked: list[str] = []


@contextlib.contextmanager
def throttled(site: Site, refusals: int) -> Generator[tuple[Inquiry, list[str]]]:
    """Give an inquiry through the client that it makes itself, and what was asked of ECS; nobody waits between."""
    with Before(site.aws.endpoint, refusals) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,)).start()
        environment = {**site.aws.environment, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{server.server_port}"}
        try:
            with (
                mock.patch.dict("os.environ", environment),
                mock.patch.object(standard.ExponentialBackoff, "delay_amount", return_value=0),
                mock.patch.object(bucket.TokenBucket, "acquire", return_value=True),
            ):
                yield Inquiry(site.aws.region), server.asked
        finally:
            server.shutdown()


def test_what_is_throttled_is_asked_again_until_there_is_an_answer(service: Rolled) -> None:
    with throttled(service.site, refusals=3) as (asking, asked):
        verdict = asking.ask(service.site.cluster, service.arn, service.first, 10)
    assert verdict.state == "completed"
    assert asked == ["ListServiceDeployments"] * 4 + ["DescribeServices"]


def test_whoever_is_always_throttled_is_told_so(service: Rolled) -> None:
    """Not that the deployment failed, which nobody knows; and not after an hour of asking."""
    with (
        throttled(service.site, refusals=99) as (asking, asked),
        pytest.raises(UnansweredError, match=r"^ECS refused the question \(ThrottlingException: Rate exceeded\)"),
    ):
        asking.ask(service.site.cluster, service.arn, service.first, 10)
    assert asked == ["ListServiceDeployments"] * 8
