"""Cloud Map's names resolve to who is healthy now, and nobody else's names do."""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING, Any

import dns.message
import dns.opcode
import dns.query
import dns.rcode
import pytest

from rehearsal.dns import Zones, serve, zones

if TYPE_CHECKING:
    from collections.abc import Iterator

AGENT = "agent.workflow.local"
BALANCER = "talk-1.elb.amazonaws.com"


class CloudMap:
    """Answers as a Cloud Map client: one private namespace, one of HTTP alone, and the services it is given."""

    def __init__(self, *, routing: str = "MULTIVALUE", **types: int) -> None:
        self.dns = {"RoutingPolicy": routing, "DnsRecords": [{"Type": kind, "TTL": ttl} for kind, ttl in types.items()]}
        self.instances: dict[str, dict[str, str]] = {}
        self.ill: set[str] = set()
        self.asked = 0

    def client(self, _service: str) -> CloudMap:
        """Be it."""
        return self

    def list_namespaces(self) -> dict[str, Any]:
        """One of each kind."""
        self.asked += 1
        return {
            "Namespaces": [
                {"Id": "ns-1", "Name": "Workflow.local", "Type": "DNS_PRIVATE"},
                {"Id": "ns-2", "Name": "http.local", "Type": "HTTP"},
            ]
        }

    def list_services(self) -> dict[str, Any]:
        """One in each."""
        return {"Services": [{"Id": "srv-1", "Name": "agent"}, {"Id": "srv-2", "Name": "other"}]}

    def get_service(self, *, Id: str) -> dict[str, Any]:  # noqa: N803 - AWS's own name
        """With its records."""
        if Id == "srv-2":
            return {"Service": {"Id": Id, "Name": "other", "NamespaceId": "ns-2"}}
        return {"Service": {"Id": Id, "Name": "agent", "NamespaceId": "ns-1", "DnsConfig": self.dns}}

    def list_instances(self, **_: Any) -> dict[str, Any]:
        """All there are."""
        return {"Instances": [{"Id": name, "Attributes": each} for name, each in self.instances.items()]}

    def get_instances_health_status(self, **_: Any) -> dict[str, Any]:
        """As told."""
        return {"Status": {name: "UNHEALTHY" if name in self.ill else "HEALTHY" for name in self.instances}}

    def register(self, name: str, address: str, **attributes: str) -> CloudMap:
        """Register an instance."""
        self.instances[name] = {"AWS_INSTANCE_IPV4": address} | attributes
        return self


def answers(where: Zones, name: str, kind: str = "A") -> set[str]:
    """Return the values that *where* answers with."""
    answer = where.answer(dns.message.make_query(name, kind))
    return {item.to_text() for rrset in answer.answer for item in rrset}


def test_a_load_balancers_name_is_all_its_addresses_and_has_nothing_below() -> None:
    found = zones(CloudMap(A=10), {BALANCER: ["127.0.0.2", "127.0.0.3"]})
    assert answers(found, BALANCER) == answers(found, BALANCER.upper()) == {"127.0.0.2", "127.0.0.3"}
    assert found.answer(dns.message.make_query(BALANCER, "A")).answer[0].ttl == 60
    assert (code(found, BALANCER, "AAAA"), code(found, f"a.{BALANCER}")) == ("NOERROR", "NXDOMAIN")
    assert code(found, "other.elb.amazonaws.com") == "REFUSED"


def code(where: Zones, name: str, kind: str = "A") -> str:
    return dns.rcode.to_text(where.answer(dns.message.make_query(name, kind)).rcode())


def test_a_service_is_its_healthy_instances_with_its_own_ttl() -> None:
    cloud_map = CloudMap(A=10).register("one", "127.0.0.2").register("two", "127.0.0.3").register("ill", "127.0.0.4")
    cloud_map.ill.add("ill")
    found = zones(cloud_map)
    assert answers(found, AGENT) == answers(found, "AGENT.workflow.LOCAL.") == {"127.0.0.2", "127.0.0.3"}
    (rrset,) = found.answer(dns.message.make_query(AGENT, "A")).answer
    assert rrset.ttl == 10


def test_of_many_instances_eight_are_answered_and_each_has_its_turn() -> None:
    """Route 53 gives no more; always the same eight would leave the others idle."""
    cloud_map = CloudMap(A=10)
    for number in range(20):
        cloud_map.register(f"task-{number}", f"127.0.1.{number}")
    found = zones(cloud_map)
    drawn = [answers(found, AGENT) for _ in range(50)]
    assert {len(each) for each in drawn} == {8}
    assert len(set.union(*drawn)) == 20


def test_a_weighted_service_answers_with_one_instance_at_a_time() -> None:
    found = zones(CloudMap(routing="WEIGHTED", A=10).register("one", "127.0.0.2").register("two", "127.0.0.3"))
    drawn = [answers(found, AGENT) for _ in range(50)]
    assert {len(each) for each in drawn} == {1}
    assert set.union(*drawn) == {"127.0.0.2", "127.0.0.3"}


def test_an_srv_record_names_the_port_and_a_host_that_resolves() -> None:
    found = zones(CloudMap(SRV=10).register("one", "127.0.0.2", AWS_INSTANCE_PORT="50051"))
    assert answers(found, AGENT, "SRV") == {f"1 1 50051 one.{AGENT}."}
    assert answers(found, f"one.{AGENT}") == {"127.0.0.2"}


@pytest.mark.parametrize(
    ("name", "kind", "told"),
    [
        ("nobody.workflow.local", "A", "NXDOMAIN"),
        (AGENT, "AAAA", "NOERROR"),  # the name is there, and has no such record
        ("workflow.local", "A", "NOERROR"),
        ("other.http.local", "A", "REFUSED"),  # a namespace for API calls alone has no names
        ("example.com", "A", "REFUSED"),
        ("notworkflow.local", "A", "REFUSED"),
    ],
)
def test_a_name_that_has_no_answer_is_told_so(name: str, kind: str, told: str) -> None:
    found = zones(CloudMap(A=10).register("one", "127.0.0.2"))
    assert (code(found, name, kind), answers(found, name, kind)) == (told, set())


def test_a_service_without_a_healthy_instance_is_no_name() -> None:
    """Route 53 has no record then, and a client goes on to its next way."""
    assert code(zones(CloudMap(A=10)), AGENT) == "NXDOMAIN"


def test_what_is_no_query_is_not_done() -> None:
    update = dns.message.make_query(AGENT, "A")
    update.set_opcode(dns.opcode.NOTIFY)
    assert zones(CloudMap(A=10)).answer(update).rcode() == dns.rcode.NOTIMP


@pytest.fixture
def served() -> Iterator[tuple[CloudMap, int]]:
    cloud_map = CloudMap(A=10).register("one", "127.0.0.2")
    with serve(cloud_map) as address:  # type: ignore[arg-type]
        host, _, port = address.partition(":")
        assert host == "127.0.0.1"
        yield cloud_map, int(port)


def ask(port: int, name: str = AGENT) -> dns.message.Message:
    return dns.query.udp(dns.message.make_query(name, "A"), "127.0.0.1", port=port, timeout=2)


def test_a_change_is_answered_within_a_second_and_cloud_map_is_not_asked_for_each_query(
    served: tuple[CloudMap, int],
) -> None:
    cloud_map, port = served
    assert [ask(port).answer[0][0].to_text() for _ in range(20)] == ["127.0.0.2"] * 20
    assert cloud_map.asked < 20
    cloud_map.register("one", "127.0.0.7")
    changed = time.monotonic()
    while ask(port).answer[0][0].to_text() != "127.0.0.7":
        assert time.monotonic() - changed < 1


def test_garbage_gets_no_answer_and_does_no_harm(served: tuple[CloudMap, int]) -> None:
    _, port = served
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.sendto(b"no message", ("127.0.0.1", port))
    assert ask(port).rcode() == dns.rcode.NOERROR


def test_a_load_balancer_that_is_made_later_is_found_too() -> None:
    """The resolver is there before anything is deployed."""
    balancers: dict[str, list[str]] = {}
    with serve(CloudMap(A=10), balancers) as address:  # type: ignore[arg-type]
        port = int(address.partition(":")[2])
        assert ask(port, BALANCER).rcode() == dns.rcode.REFUSED
        balancers[BALANCER] = ["127.0.0.2"]
        made = time.monotonic()
        while not ask(port, BALANCER).answer:
            assert time.monotonic() - made < 1
