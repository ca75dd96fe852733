"""A REST API reaches a load balancer through its VPC link, and sends on what its integration says and nothing else."""

from __future__ import annotations

import json
import threading
import time
import uuid
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest
import urllib3

from components import api_proxy

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping

    from rehearsal.emulator import Emulator

PROXIED = ("/{proxy+}", "/")


class Echo(BaseHTTPRequestHandler):
    """Answers with what it was asked; ``/slow`` after a second, ``/large`` with more than API Gateway passes on."""

    def log_message(self, *_: object, **__: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        """Answer."""
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        if self.path == "/slow":
            time.sleep(1)
        said = {"path": self.path, "headers": {k.lower(): v for k, v in self.headers.items()}, "body": body.decode()}
        answer = b"a" * (10 * 1024 * 1024 + 1) if self.path == "/large" else json.dumps(said).encode()
        self.send_response(207)
        self.send_header("Content-Length", str(len(answer)))
        self.send_header("Content-Type", "application/json")
        self.send_header("X-Said", "by the workload")
        self.end_headers()
        with suppress(BrokenPipeError):  # who asked for it has given up
            self.wfile.write(answer)

    do_POST = do_GET  # noqa: N815 - the base class has it so


@contextmanager
def echo() -> Generator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def balancer(aws: Emulator, port: int) -> tuple[str, str]:
    """Make a load balancer in front of *port*; return its ARN and its DNS name."""
    elb, name = aws.client("elbv2"), f"api-{uuid.uuid4().hex[:6]}"
    made = elb.create_load_balancer(Name=name, Subnets=["subnet-1", "subnet-2"])["LoadBalancers"][0]
    group = elb.create_target_group(Name=name, Protocol="HTTP", Port=port, TargetType="ip", VpcId="vpc-1")
    arn = group["TargetGroups"][0]["TargetGroupArn"]
    elb.register_targets(TargetGroupArn=arn, Targets=[{"Id": "127.0.0.1", "Port": port}])
    forward = [{"Type": "forward", "TargetGroupArn": arn}]
    elb.create_listener(LoadBalancerArn=made["LoadBalancerArn"], Protocol="HTTP", Port=80, DefaultActions=forward)
    return made["LoadBalancerArn"], made["DNSName"]


def api(aws: Emulator, port: int, **given: Any) -> str:
    """Make an API as the component does, and return its URL."""
    gateway = aws.client("apigateway")
    arn, dns_name = balancer(aws, port)
    made = gateway.create_rest_api(name="public", endpointConfiguration={"types": ["REGIONAL"]})
    for path in PROXIED:
        resource = made["rootResourceId"]
        if path != "/":
            resource = gateway.create_resource(restApiId=made["id"], parentId=resource, pathPart=path[1:])["id"]
        where: dict[str, Any] = {"restApiId": made["id"], "resourceId": resource, "httpMethod": "ANY"}
        gateway.put_method(**where, authorizationType="NONE")
        said: dict[str, Any] = {
            "type": "HTTP_PROXY",
            "integrationHttpMethod": "ANY",
            "connectionType": "VPC_LINK",
            "connectionId": "vlink01",
            "integrationTarget": arn,
            "uri": f"http://{dns_name}{path.replace('+', '')}",
            "requestParameters": api_proxy.headers(key_required=True),
            "requestTemplates": {"application/json": api_proxy.override(path)},
            "passthroughBehavior": "NEVER",
        }
        gateway.put_integration(**where, **(said | given))
    gateway.create_deployment(restApiId=made["id"], stageName="prod")
    return f"{aws.endpoint}/restapis/{made['id']}/prod/_user_request_"


def ask(url: str, method: str = "GET", body: str | None = None, headers: Mapping[str, str] | None = None) -> Any:
    return urllib3.request(method, url, body=body, headers=headers or {}, retries=False, timeout=20, redirect=False)


@pytest.fixture(scope="module")
def backend() -> Iterator[int]:
    with echo() as port:
        yield port


@pytest.fixture(scope="module")
def url(corrected: Emulator, backend: int) -> str:
    return api(corrected, backend)


def test_without_the_correction_nothing_gets_through(plain: Emulator, backend: int) -> None:
    """The emulator asks the load balancer's name of this machine's resolver."""
    assert ask(f"{api(plain, backend)}/users/1").status == 500


def test_every_path_is_passed_on_without_the_stage_and_with_its_query(url: str) -> None:
    """A stage that stayed in the path would be 404 at every rule of the load balancer."""
    assert ask(f"{url}/users/1?a=b&a=c%26d").json()["path"] == "/users/1?a=b&a=c%26d"
    assert ask(f"{url}/").json()["path"] == "/"
    assert ask(f"{url}/a%20b/%C3%A9").json()["path"] == "/a%20b/%C3%A9"


def test_a_template_that_overrides_nothing_leaves_the_stage_in_the_path(corrected: Emulator, backend: int) -> None:
    """As AWS does: whoever forgets the override is shown it here."""
    url = api(corrected, backend, requestTemplates={"application/json": "$input.body"})
    assert ask(f"{url}/users").json()["path"] == "/prod/users"


def test_a_body_is_passed_on_as_it_came(url: str) -> None:
    answered = ask(f"{url}/login", "POST", '{"a": 1.50}', {"Content-Type": "application/json; charset=utf-8"})
    assert answered.json()["body"] == '{"a": 1.50}'


def test_a_body_of_another_type_is_refused(url: str) -> None:
    assert ask(f"{url}/login", "POST", "a=1", {"Content-Type": "application/x-www-form-urlencoded"}).status == 415


def test_the_gateways_headers_replace_the_clients(url: str) -> None:
    """Whoever could choose the request's id could hide among another's lines; the key is for the gateway alone."""
    given = {"X-Request-Id": "chosen", "X-Forwarded-Host": "evil.example.com", "X-Api-Key": "secret", "X-Own": "kept"}
    headers = ask(f"{url}/users", headers=given).json()["headers"]
    assert uuid.UUID(headers["x-request-id"])
    assert headers["x-forwarded-host"].startswith("127.0.0.1")
    assert (headers["x-api-key"], headers["x-own"]) == ("", "kept")
    assert headers["host"].endswith(".elb.amazonaws.com")


def test_the_gateway_and_the_load_balancer_each_say_who_called(url: str) -> None:
    """And nothing that a client says of itself is among it: a workload counts from the end, and here could not err."""
    said = ask(f"{url}/users", headers={"X-Forwarded-For": "1.2.3.4"}).json()["headers"]["x-forwarded-for"]
    assert said.split(", ") == ["127.0.0.1", "127.0.0.1", "127.0.0.1"], "set, added, and added by the load balancer"


def test_the_answers_status_and_headers_are_the_workloads(url: str) -> None:
    answered = ask(f"{url}/users")
    assert (answered.status, answered.headers["x-said"]) == (207, "by the workload")


def test_an_answer_that_takes_too_long_is_504(corrected: Emulator, backend: int) -> None:
    assert ask(f"{api(corrected, backend, timeoutInMillis=100)}/slow").status == 504


def test_what_is_too_large_does_not_pass(url: str) -> None:
    """10 MB either way: a workload that answers more would be found out on AWS alone."""
    large = "a" * (10 * 1024 * 1024 + 1)
    assert ask(f"{url}/large").status == 504
    assert ask(f"{url}/login", "POST", large, {"Content-Type": "application/json"}).status == 413


def test_a_load_balancer_that_is_not_there_is_an_error_of_the_apis(corrected: Emulator, backend: int) -> None:
    gone = "arn:aws:elasticloadbalancing:ap-southeast-1:123456789012:loadbalancer/app/gone/1"
    assert ask(f"{api(corrected, backend, integrationTarget=gone)}/users").status == 500
