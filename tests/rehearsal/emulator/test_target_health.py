"""A target is what its health check says, in the corrected emulator, and always healthy in the plain one."""

from __future__ import annotations

import http.server
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from grpc_health.v1 import health as health_service
from grpc_health.v1 import health_pb2_grpc

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rehearsal.emulator import Emulator

CHECK = "/grpc.health.v1.Health/Check"


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


@pytest.fixture(scope="module")
def grpc_workload() -> Iterator[int]:
    """Serve gRPC's own health service; the port."""
    server: Any = grpc.server(ThreadPoolExecutor(2))
    service: Any = health_service.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(service, server)
    port = int(server.add_insecure_port("127.0.0.1:0"))
    server.start()
    yield port
    server.stop(None).wait()


def grpc_health(aws: Emulator, port: int, path: str = CHECK, **more: Any) -> dict[str, Any]:
    return health(aws, port, path, ProtocolVersion="GRPC", **more)


def test_a_target_of_grpc_is_called_as_one(corrected: Emulator, grpc_workload: int) -> None:
    """Asked over HTTP/1.1 it would never be well, and its service be waited for in vain."""
    assert grpc_health(corrected, grpc_workload, Matcher={"GrpcCode": "0"})["State"] == "healthy"
    assert grpc_health(corrected, grpc_workload, "/AWS.ALB/healthcheck")["State"] == "healthy", "12 is AWS's default"
    assert grpc_health(corrected, grpc_workload, "/no/Method", Matcher={"GrpcCode": "0-1"})["Description"] == (
        "Health checks failed with these codes: [12]"
    )


def test_a_target_of_grpc_that_is_not_there_is_unhealthy(corrected: Emulator) -> None:
    told = grpc_health(corrected, 9, Matcher={"GrpcCode": "0-99"})
    assert told["Reason"] == "Target.FailedHealthChecks", "no answer is no code"
