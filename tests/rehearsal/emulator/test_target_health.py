"""A target is what its health check says, in the corrected emulator, and always healthy in the plain one."""

from __future__ import annotations

import http.server
import threading
import uuid
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rehearsal.emulator import Emulator


@pytest.fixture(scope="module")
def workload() -> Iterator[int]:
    """Answer 200 on /health, 301 on /moved, 404 elsewhere; the port."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response({"/health": 200, "/moved": 301}.get(self.path, 404))
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


def health(aws: Emulator, port: int, path: str, **check: Any) -> dict[str, Any]:
    elb = aws.client("elbv2")
    group = elb.create_target_group(
        Name=f"group-{uuid.uuid4().hex[:8]}",
        Protocol="HTTP",
        Port=port,
        VpcId="vpc-1",
        TargetType="ip",
        HealthCheckPath=path,
        **check,
    )["TargetGroups"][0]["TargetGroupArn"]
    elb.register_targets(TargetGroupArn=group, Targets=[{"Id": "127.0.0.1", "Port": port}])
    return elb.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"][0]["TargetHealth"]


def test_a_target_that_fails_its_check_is_unhealthy(plain: Emulator, corrected: Emulator, workload: int) -> None:
    """A wrong health check path is found only by asking the target."""
    assert health(plain, workload, "/nowhere")["State"] == "healthy"
    assert health(corrected, workload, "/nowhere") == {
        "State": "unhealthy",
        "Reason": "Target.ResponseCodeMismatch",
        "Description": "Health checks failed with these codes: [404]",
    }


def test_a_target_that_passes_its_check_is_healthy(corrected: Emulator, workload: int) -> None:
    """The correction must not call a good target bad."""
    assert health(corrected, workload, "/health")["State"] == "healthy"


def test_the_matcher_says_which_codes_pass(corrected: Emulator, workload: int) -> None:
    """A group that takes redirects for health says so, as a list or a range."""
    assert health(corrected, workload, "/moved")["State"] == "unhealthy"
    assert health(corrected, workload, "/moved", Matcher={"HttpCode": "200,301"})["State"] == "healthy"
    assert health(corrected, workload, "/moved", Matcher={"HttpCode": "200-399"})["State"] == "healthy"


def test_a_port_that_nothing_listens_on_is_unhealthy(corrected: Emulator, workload: int) -> None:
    """A health check on another port than the traffic's must be tried there."""
    assert health(corrected, workload, "/health", HealthCheckPort="9")["Reason"] == "Target.FailedHealthChecks"
