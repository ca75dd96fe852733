"""The ways to the agents: what the environment says, and what each way finds."""

from __future__ import annotations

import asyncio
import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from tests.apps.workflow.conftest import module
from tests.apps.workflow.fleet import NAME, Names

if TYPE_CHECKING:
    from collections.abc import Iterator

discovery = module("workflow_client.discovery")
settings = module("workflow_client.settings")

EVERYTHING = {
    "WORKFLOW_SERVICE_DNS": NAME,
    "WORKFLOW_SERVICE_NAMESPACE": "workflow.local",
    "WORKFLOW_SERVICE_NAME": "workflow-agent",
    "WORKFLOW_SERVICE_FALLBACK_HOST": "workflow-1a2b.elb.eu-west-1.amazonaws.com",
}


def ways(**variables: str) -> list[str]:
    return [str(way) for way in discovery.ways(settings.read(variables))]


def find(**variables: str) -> list[tuple[str, int]]:
    """What the first way finds."""
    way = discovery.ways(settings.read(variables))[0]
    return [(endpoint.ip, endpoint.port) for endpoint in asyncio.run(way.find())]


def test_dns_comes_first_then_cloud_map_then_the_load_balancer() -> None:
    assert ways(**EVERYTHING) == [
        NAME,
        "Cloud Map's workflow-agent.workflow.local",
        "workflow-1a2b.elb.eu-west-1.amazonaws.com",
    ]


def test_an_override_leaves_no_other_way() -> None:
    """A developer's own agent, or nothing: never another's by accident."""
    assert ways(**EVERYTHING, WORKFLOW_SERVICE_HOST="localhost") == ["localhost"]


@pytest.mark.parametrize(
    "variables",
    [
        {"WORKFLOW_SERVICE_HOST": "agent"},
        {"WORKFLOW_SERVICE_DNS": NAME},
        {"WORKFLOW_SERVICE_NAMESPACE": "workflow.local", "WORKFLOW_SERVICE_NAME": "workflow-agent"},
        {"WORKFLOW_SERVICE_FALLBACK_HOST": "balancer"},
    ],
)
def test_any_one_way_will_do(variables: dict[str, str]) -> None:
    assert len(ways(**variables)) == 1


def test_the_port_is_grpcs_own_unless_it_is_said() -> None:
    assert find(WORKFLOW_SERVICE_HOST="10.0.0.1") == [("10.0.0.1", 50051)]
    assert find(WORKFLOW_SERVICE_HOST="10.0.0.1", WORKFLOW_SERVICE_PORT="443") == [("10.0.0.1", 443)]


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, "no way to the agents is set: WORKFLOW_SERVICE_HOST"),
        (
            {"WORKFLOW_SERVICE_HOST": "a b"},
            "WORKFLOW_SERVICE_HOST is 'a b': a name or an IP address would do",
        ),
        (
            {"WORKFLOW_SERVICE_HOST": "a", "WORKFLOW_SERVICE_PORT": "0"},
            "WORKFLOW_SERVICE_PORT is '0': a port from 1 to 65535 would do",
        ),
        ({"WORKFLOW_SERVICE_HOST": "a", "WORKFLOW_SERVICE_TLS": "yes"}, "WORKFLOW_SERVICE_TLS is 'yes': true or false"),
        ({"WORKFLOW_SERVICE_HOST": "a", "DNS_SERVER": "10.0.0.2"}, "DNS_SERVER is '10.0.0.2': <IP address>:<port>"),
        (
            {"WORKFLOW_SERVICE_NAMESPACE": "workflow.local"},
            "one of WORKFLOW_SERVICE_NAMESPACE and WORKFLOW_SERVICE_NAME",
        ),
    ],
)
def test_what_cannot_be_used_is_named_with_what_would_do(variables: dict[str, str], expected: str) -> None:
    with pytest.raises(settings.SettingsFaultError) as caught:
        settings.read(variables)
    assert expected in str(caught.value)


def test_every_a_record_is_found() -> None:
    with Names() as names:
        names.addresses = ["10.0.10.1", "10.0.11.1", "10.0.10.2"]
        found = find(WORKFLOW_SERVICE_DNS=NAME, DNS_SERVER=names.at)
    assert sorted(found) == [("10.0.10.1", 50051), ("10.0.10.2", 50051), ("10.0.11.1", 50051)]


def test_an_override_and_a_fallback_are_resolved_by_that_server_too() -> None:
    """Where there is a name server of one's own, it knows all names."""
    with Names() as names:
        names.addresses = ["10.0.10.1"]
        for variable in ("WORKFLOW_SERVICE_HOST", "WORKFLOW_SERVICE_FALLBACK_HOST"):
            assert find(**{variable: NAME}, DNS_SERVER=names.at) == [("10.0.10.1", 50051)]


def test_without_a_server_of_its_own_the_systems_way_is_gone() -> None:
    """Service Connect's names are in /etc/hosts, which no name server knows."""
    assert find(WORKFLOW_SERVICE_HOST="localhost") == [("127.0.0.1", 50051)]


def test_a_name_that_does_not_resolve_is_said() -> None:
    with Names() as names, pytest.raises(discovery.NotFoundError, match=f"{NAME} does not resolve"):
        find(WORKFLOW_SERVICE_DNS=NAME, DNS_SERVER=names.at)


def test_a_name_server_that_says_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(discovery, "FIND_SECONDS", 0.2)
    with pytest.raises(discovery.NotFoundError):
        find(WORKFLOW_SERVICE_DNS=NAME, DNS_SERVER="127.0.0.1:9")


class CloudMap(BaseHTTPRequestHandler):
    """Cloud Map's API, as far as one operation goes."""

    asked: list[tuple[str, dict[str, Any]]] = []  # noqa: RUF012 -- the tests' own
    instances: list[dict[str, str]] = []  # noqa: RUF012

    def do_POST(self) -> None:
        """Answer with what is registered."""
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.asked.append((self.headers["X-Amz-Target"], request))
        instances = [
            {"InstanceId": "i", "NamespaceName": "workflow.local", "ServiceName": "workflow-agent", "Attributes": each}
            for each in self.instances
        ]
        body = json.dumps({"Instances": instances}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def cloud_map(monkeypatch: pytest.MonkeyPatch, *instances: dict[str, str]) -> Iterator[dict[str, str]]:
    """Serve these instances; what the client is told to find them."""
    monkeypatch.setattr(CloudMap, "instances", list(instances))
    monkeypatch.setattr(CloudMap, "asked", [])
    with HTTPServer(("127.0.0.1", 0), CloudMap) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        for name, value in {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{server.server_port}",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": "eu-west-1",
        }.items():
            monkeypatch.setenv(name, value)
        yield {name: EVERYTHING[name] for name in ("WORKFLOW_SERVICE_NAMESPACE", "WORKFLOW_SERVICE_NAME")}
        server.shutdown()


def test_cloud_map_gives_each_instances_address_and_its_port_if_it_has_one(monkeypatch: pytest.MonkeyPatch) -> None:
    registered = {"AWS_INSTANCE_IPV4": "10.0.10.1"}, {"AWS_INSTANCE_IPV4": "10.0.11.1", "AWS_INSTANCE_PORT": "50052"}
    with cloud_map(monkeypatch, *registered) as told:
        assert find(**told) == [("10.0.10.1", 50051), ("10.0.11.1", 50052)]
    request = {
        "NamespaceName": "workflow.local",
        "ServiceName": "workflow-agent",
        "HealthStatus": "HEALTHY",
    }
    assert CloudMap.asked == [("Route53AutoNaming_v20170314.DiscoverInstances", request)]


def test_cloud_map_without_an_instance_has_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    with cloud_map(monkeypatch) as told, pytest.raises(discovery.NotFoundError, match="no instance with an address"):
        find(**told)


def test_cloud_map_that_is_not_to_be_reached_has_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the SDK raises: the load balancer is next."""
    with cloud_map(monkeypatch) as told:
        monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
        with pytest.raises(discovery.NotFoundError, match="Could not connect"):
            find(**told)


def test_one_address_found_in_two_ways_is_one_endpoint() -> None:
    """Its connection stays, whichever way found it the second time."""
    by_name, by_api = (discovery.Endpoint(ip="10.0.10.1", port=50051, name=name) for name in (NAME, None))
    assert by_name == by_api
    assert hash(by_name) == hash(by_api)


def test_tls_is_spoken_where_it_is_said_in_either_word() -> None:
    told = {"true": True, "1": True, "false": False, "0": False, "": False}
    for word, tls in told.items():
        assert settings.read({"WORKFLOW_SERVICE_HOST": "a", "WORKFLOW_SERVICE_TLS": word}).tls is tls


def test_a_load_balancer_is_told_by_which_name_it_was_found() -> None:
    """Its rules may be for that name, as browsers say it: without the port that goes without saying."""
    found = discovery.Endpoint(ip="10.0.10.1", port=443, name="agents.example.com")
    assert found.authority(tls=True) == "agents.example.com"
    assert found.authority(tls=False) == "agents.example.com:443"
    assert discovery.Endpoint(ip="10.0.10.1", port=443).authority(tls=True) is None


def test_a_target_is_written_as_grpc_wants_it() -> None:
    targets = [discovery.Endpoint(ip=ip, port=50051).target for ip in ("10.0.10.1", "::1")]
    assert targets == ["ipv4:10.0.10.1:50051", "ipv6:[::1]:50051"]
