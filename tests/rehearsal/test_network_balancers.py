"""A network load balancer's name leads to its targets, in turn, as long as they are healthy."""

from __future__ import annotations

import contextlib
import re
import socket
import threading
import time
import uuid
from typing import TYPE_CHECKING, Any

import pytest

from rehearsal.graph import Registered
from rehearsal.network_balancers import NetworkBalancerError, NetworkBalancers, not_open
from rehearsal.tree import Tree
from tests.rehearsal.copies import change, copy, rehearse

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from pathlib import Path

NAME = "talk-1.elb.amazonaws.com"


class Elb:
    """Answers as the emulator's load balancing: targets, and which of them are ill."""

    def __init__(self) -> None:
        self.targets: dict[tuple[str, int], bool] = {}

    def client(self, _service: str) -> Elb:
        """Be it."""
        return self

    def describe_target_health(self, *, TargetGroupArn: str) -> dict[str, Any]:  # noqa: N803 - AWS's own name
        """As told."""
        assert TargetGroupArn == "arn:group"
        return {
            "TargetHealthDescriptions": [
                {"Target": {"Id": ip, "Port": port}, "TargetHealth": {"State": "healthy" if well else "unhealthy"}}
                for (ip, port), well in self.targets.items()
            ]
        }


def registered(name: str, token: str, outputs: dict[str, Any], **inputs: Any) -> Registered:
    return Registered(
        urn=f"{token}::{name}", type=token, name=name, parent="", custom=True, inputs=inputs, outputs=inputs | outputs
    )


def tree(port: int = 0, *, group: dict[str, Any] | None = None, listener: dict[str, Any] | None = None) -> Tree:
    """Return a load balancer in two zones, its listener, its group, and one of the other kind."""
    balancer = {"arn": "arn:balancer", "dnsName": NAME.title()}
    said = {"defaultActions": [{"type": "forward", "targetGroupArn": "arn:group"}], "port": port, "protocol": "TCP"}
    said |= {"loadBalancerArn": "arn:balancer", **(listener or {})}
    graph = [
        registered(
            "talk", "aws:lb/loadBalancer:LoadBalancer", balancer, loadBalancerType="network", subnets=["sub-a", "sub-b"]
        ),
        registered("web", "aws:lb/loadBalancer:LoadBalancer", {"arn": "arn:web", "dnsName": "web"}, subnets=["sub-a"]),
        registered("talk", "aws:lb/listener:Listener", {}, **said),
        registered("web", "aws:lb/listener:Listener", {}, **said | {"loadBalancerArn": "arn:web", "protocol": "HTTPS"}),
        registered("talk", "aws:lb/targetGroup:TargetGroup", {"arn": "arn:group"}, **(group or {})),
    ]
    return Tree(graph, {})


@pytest.fixture
def elb() -> Elb:
    return Elb()


@pytest.fixture
def start(elb: Elb) -> Iterator[Callable[..., tuple[str, int]]]:
    """Start a target that says its name to each connection and echoes what it hears; its address."""
    with contextlib.ExitStack() as closing:

        def echo(accepted: socket.socket) -> None:
            with accepted, contextlib.suppress(OSError):
                while heard := accepted.recv(100):
                    accepted.sendall(heard)

        def started(name: str) -> tuple[str, int]:
            listening = closing.enter_context(socket.create_server(("127.0.0.1", 0)))

            def serve() -> None:
                with contextlib.suppress(OSError):
                    while True:
                        accepted, _ = listening.accept()
                        accepted.sendall(name.encode())
                        threading.Thread(target=echo, args=(accepted,), daemon=True).start()

            threading.Thread(target=serve, daemon=True).start()
            closing.callback(listening.shutdown, socket.SHUT_RDWR)
            elb.targets[listening.getsockname()] = True
            return listening.getsockname()

        yield started


@contextlib.contextmanager
def opened(elb: Elb, **declared: Any) -> Generator[tuple[NetworkBalancers, int]]:
    """Open the load balancer on a free port; it and the port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    addresses = iter(("127.0.83.2", "127.0.83.3"))
    with NetworkBalancers(elb, lambda _: next(addresses)) as balancers:  # type: ignore[arg-type]
        balancers.open(tree(port, **declared))
        yield balancers, port


def answer(address: str, port: int) -> str:
    with socket.create_connection((address, port), 5) as client:
        return client.recv(100).decode()


def test_a_name_has_an_address_a_zone_and_each_leads_to_the_targets_in_turn(
    elb: Elb, start: Callable[[str], tuple[str, int]]
) -> None:
    """One address would keep a client of one connection an address to one target, which it does not in AWS."""
    start("one")
    start("two")
    with opened(elb) as (balancers, port):
        assert balancers.addresses == {NAME: ["127.0.83.2", "127.0.83.3"]}
        answers = [answer(address, port) for address in balancers.addresses[NAME] for _ in range(2)]
    assert answers == ["one", "two"] * 2


def test_an_ill_target_gets_nothing_unless_all_are_ill(elb: Elb, start: Callable[[str], tuple[str, int]]) -> None:
    one = start("one")
    two = start("two")
    with opened(elb) as (_, port):
        elb.targets[one] = False
        assert {answer("127.0.83.2", port) for _ in range(3)} == {"two"}
        elb.targets[two] = False
        assert {answer("127.0.83.2", port) for _ in range(4)} == {"one", "two"}
        elb.targets.clear()
        assert answer("127.0.83.2", port) == ""


@pytest.mark.parametrize("terminates", [False, True])
def test_connections_outlast_their_targets_registration_unless_the_group_ends_them(
    elb: Elb, start: Callable[[str], tuple[str, int]], *, terminates: bool
) -> None:
    """A gRPC stream goes on while its task drains; only connection_termination cuts it, after the delay."""
    start("one")
    group = {"connectionTermination": terminates, "deregistrationDelay": 1}
    with opened(elb, group=group) as (_, port), socket.create_connection(("127.0.83.2", port), 5) as client:
        assert client.recv(100) == b"one"
        elb.targets.clear()
        time.sleep(0.5)
        client.sendall(b"still there")
        assert client.recv(100) == b"still there"
        time.sleep(0 if terminates else 1.5)
        if terminates:
            assert client.recv(100) == b""
        else:
            client.sendall(b"still there")
            assert client.recv(100) == b"still there"


@pytest.mark.parametrize(
    ("listener", "why"),
    [
        ({"protocol": "TLS"}, "TLS is not spoken"),
        ({"protocol": "TCP_UDP"}, "TCP_UDP is not spoken"),
        (
            {"defaultActions": [{"forward": {"targetGroups": [{"arn": "a"}, {"arn": "b"}]}}]},
            "it leads to more than one target group",
        ),
    ],
)
def test_a_listener_that_cannot_be_opened_is_told(elb: Elb, listener: dict[str, Any], why: str) -> None:
    """Whoever calls it would otherwise look for the fault in the workload."""
    assert not_open(tree(listener=listener)) == [("talk", why)]
    with opened(elb, listener=listener) as (balancers, port):
        assert list(balancers.addresses) == [NAME]
        with pytest.raises(ConnectionRefusedError):
            answer("127.0.83.2", port)


def test_a_listener_with_one_target_group_is_open_however_that_is_said() -> None:
    said = {"defaultActions": [{"forward": {"targetGroups": [{"arn": "arn:group"}]}}]}
    assert not_open(tree(listener=said)) == not_open(tree()) == []


def test_a_port_that_is_taken_is_told_with_its_balancer(elb: Elb) -> None:
    with socket.create_server(("127.0.83.9", 0)) as taken:
        port = taken.getsockname()[1]
        said = re.escape(f"network load balancer 'talk' cannot listen on 127.0.83.9:{port}: Address already in use")
        with (
            NetworkBalancers(elb, lambda _: "127.0.83.9") as balancers,  # type: ignore[arg-type]
            pytest.raises(NetworkBalancerError, match=said),
        ):
            balancers.open(tree(port))


def found_by(discovery: str, project: Path) -> Path:
    """Have the agents of dev found by *discovery*; return the project."""
    change(project / "Pulumi.dev.yaml", "    workflow:\n", f"    workflow:\n      discovery: {discovery}\n")
    return project


@pytest.mark.parametrize("ways", ["nlb", "service_connect, nlb"])
def test_a_workload_found_by_a_network_load_balancer_is_rehearsed(ways: str, tmp_path: Path) -> None:
    """Its streams, through the balancer's name, and those of an agent that is killed; as the second way too."""
    project = found_by(f"{{ways: [{ways}]}}", copy(tmp_path / "project", only="workflow"))
    ended = rehearse("up", project, "--stack", "dev", json_file=tmp_path / "result.json")
    assert ended.code == 0, ended.output
    whole, killed, after = ended.result["streams"]
    assert (whole["complete"], len(whole["hosts"])) == (40, 2)
    assert (len(killed["killed"]), set(killed["failed"])) == (1, {"UNAVAILABLE"})
    assert (after["complete"], set(after["hosts"]) & set(killed["killed"])) == (24, set())
    assert ended.result["left_out"] == []
    said = "of a network load balancer: how it spreads connections, here in turn"
    assert any(said in each for each in ended.result["not_there"])


@pytest.mark.parametrize(
    ("way", "said"),
    [
        ("service_connect", "Service Connect: no task has its proxy, and the names that it answers lead nowhere"),
        ("alb_grpc", "gRPC and HTTP/2 through an application load balancer: it speaks HTTP/1.1 alone"),
    ],
)
def test_streams_that_cannot_pass_here_are_not_asked_and_it_is_said_why(way: str, said: str, tmp_path: Path) -> None:
    """Dozens of failed streams would be taken for a fault of the workload, and silence for proof."""
    project = found_by(f"{{ways: [{way}]}}", copy(tmp_path / "project", only="workflow"))
    # gRPC passes by a load balancer with a certificate alone.
    arn = f"arn:aws:acm:ap-southeast-1:111122223333:certificate/{uuid.UUID(int=1)}"
    balancer = "  drydock:internal_load_balancer:\n"
    more = f"{balancer}    domain: {{name: in.example.com, certificate_arn: '{arn}'}}\n"
    change(project / "Pulumi.dev.yaml", balancer, more)
    ended = rehearse("up", project, "--stack", "dev", json_file=tmp_path / "result.json")
    assert ended.code == 0, ended.output
    assert f"Streams  2 not asked, since workflow's found_by is '{way}'" in ended.output
    assert {each["kind"] for each in ended.result["left_out"]} == {"streams"}
    (line,) = ended.result["not_there"]
    assert line.startswith(said)
    assert [each["ok"] for each in ended.result["requests"]] == [True, True]
