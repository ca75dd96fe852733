"""The resolver of the VPC: Cloud Map's names, from what the emulator's Cloud Map says now, and those of load balancers.

What `/etc/resolv.conf` is to a container, `DNS_SERVER` is to a process here. All other names are refused: the rehearsal
is not the Internet's resolver.

What a service's record is, and when it is there, follows
https://docs.aws.amazon.com/cloud-map/latest/api/API_DnsRecord.html
"""

from __future__ import annotations

import contextlib
import random
import socketserver
import threading
import time
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, cast

import dns.exception
import dns.flags
import dns.message
import dns.opcode
import dns.rcode
import dns.rdatatype
import dns.rrset
from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence

    from rehearsal.emulator import Emulator

DNS_SERVER: Final = "DNS_SERVER"
"""The variable that tells a container's process where its resolver is, as ``127.0.0.1:port``, UDP."""

_KEPT: Final = 0.2
"""Seconds that an answer of Cloud Map's is taken for true. A task that is gone must be so here within a second."""
_BALANCERS_TTL: Final = 60
"""Seconds, of a load balancer's addresses:
https://docs.aws.amazon.com/elasticloadbalancing/latest/userguide/how-elastic-load-balancing-works.html
"""
_AT_MOST: Final = 8
"""Records of one answer: Route 53's own limit for multivalue routing."""


@dataclass(frozen=True, kw_only=True)
class Zones:
    """Every DNS name that there is, at one moment. Names are in lower case, and end without a dot."""

    namespaces: frozenset[str] = frozenset()
    """Below these, what is no name does not exist; all other names are refused."""
    records: Mapping[tuple[str, str], Sequence[str]] = field(default_factory=dict[tuple[str, str], "list[str]"])
    """Name and type → values. A service without a healthy instance has none, as in Route 53."""
    ttls: Mapping[tuple[str, str], int] = field(default_factory=dict[tuple[str, str], int])
    """Name and type → seconds."""
    weighted: frozenset[str] = frozenset()
    """Names that are answered with one value, drawn anew each time."""

    def answer(self, query: dns.message.Message) -> dns.message.Message:
        """Answer *query*: of a multivalue name up to eight values in any order, and NXDOMAIN where a name has none."""
        answer = dns.message.make_response(query)
        if query.opcode() != dns.opcode.QUERY or len(query.question) != 1:
            answer.set_rcode(dns.rcode.NOTIMP)
            return answer
        question = query.question[0]
        name, kind = question.name.to_text(omit_final_dot=True).lower(), dns.rdatatype.to_text(question.rdtype)
        if not any(name == each or name.endswith(f".{each}") for each in self.namespaces):
            answer.set_rcode(dns.rcode.REFUSED)
            return answer
        answer.flags |= dns.flags.AA
        values = [*self.records.get((name, kind), ())]
        if values:
            drawn = random.sample(values, 1 if name in self.weighted else min(len(values), _AT_MOST))
            answer.answer.append(
                dns.rrset.from_text_list(question.name, self.ttls[name, kind], question.rdclass, kind, drawn)
            )
        elif name not in self.namespaces and name not in {known for known, _ in self.records}:
            answer.set_rcode(dns.rcode.NXDOMAIN)
        return answer


def zones(cloud_map: Any, balancers: Mapping[str, Sequence[str]] = MappingProxyType({})) -> Zones:
    """Read all names from *cloud_map*, a Cloud Map client, and add *balancers*: name → addresses."""
    namespaces = {
        each["Id"]: str(each["Name"]).lower()
        for each in cloud_map.list_namespaces()["Namespaces"]
        if each["Type"] != "HTTP"
    }
    records = {(name, "A"): [*addresses] for name, addresses in dict(balancers).items()}
    ttls = dict.fromkeys(records, _BALANCERS_TTL)
    weighted: set[str] = set()
    for listed in cloud_map.list_services()["Services"]:
        service = cloud_map.get_service(Id=listed["Id"])["Service"]
        configured, namespace = service.get("DnsConfig"), namespaces.get(service["NamespaceId"])
        if not configured or not namespace:
            continue
        name = f"{service['Name']}.{namespace}".lower()
        if configured.get("RoutingPolicy", "MULTIVALUE") == "WEIGHTED":
            weighted.add(name)
        healthy = _healthy(cloud_map, service["Id"])
        for record in configured["DnsRecords"]:
            for each in healthy:
                for owner, kind, value in _records(name, record["Type"], each):
                    records.setdefault((owner, kind), []).append(value)
                    ttls[owner, kind] = int(record["TTL"])
    known = frozenset(namespaces.values()) | frozenset(balancers)
    return Zones(namespaces=known, records=records, ttls=ttls, weighted=frozenset(weighted))


def _healthy(cloud_map: Any, service_id: str) -> list[Mapping[str, Any]]:
    status = cloud_map.get_instances_health_status(ServiceId=service_id)["Status"]
    found = cloud_map.list_instances(ServiceId=service_id)["Instances"]
    return [each for each in found if status.get(each["Id"]) == "HEALTHY"]


def _records(name: str, kind: str, instance: Mapping[str, Any]) -> Sequence[tuple[str, str, str]]:
    """Return owner, type and value of each record that *instance* has because its service has one of *kind*."""
    attributes = cast("Mapping[str, str]", instance["Attributes"])
    address = attributes.get("AWS_INSTANCE_IPV4", "")
    match kind:
        case "A" if address:
            return [(name, "A", address)]
        case "SRV" if address and "AWS_INSTANCE_PORT" in attributes:
            own = f"{instance['Id']}.{name}".lower()
            return [(name, "SRV", f"1 1 {attributes['AWS_INSTANCE_PORT']} {own}."), (own, "A", address)]
        case _:  # tasks have no IPv6 here, and no name of another domain
            return []


@contextlib.contextmanager
def serve(emulator: Emulator, balancers: Mapping[str, Sequence[str]] = MappingProxyType({})) -> Generator[str]:
    """Answer on a free UDP port of this machine until the block ends; its ``host:port``.

    From *emulator*'s Cloud Map, and from *balancers* as it is at the time: a load balancer's name → its addresses.
    """
    server = _Server(emulator.client("servicediscovery"), balancers)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, name="DNS", daemon=True)
    thread.start()
    try:
        host, port = server.server_address[:2]
        yield f"{host!s}:{port}"
    finally:
        server.shutdown()
        server.server_close()


class _Server(socketserver.ThreadingUDPServer):
    daemon_threads = True

    def __init__(self, cloud_map: Any, balancers: Mapping[str, Sequence[str]]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self._cloud_map, self._balancers = cloud_map, balancers
        self._lock = threading.Lock()
        self._zones, self._until = Zones(), 0.0

    def zones(self) -> Zones:
        """Return what there is, or was a moment ago."""
        with self._lock:
            if time.monotonic() >= self._until:
                self._zones = zones(self._cloud_map, self._balancers)
                self._until = time.monotonic() + _KEPT
            return self._zones


class _Handler(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        data, socket = self.request
        try:
            query = dns.message.from_wire(data)
        except dns.exception.DNSException:
            return  # as what is no question gets no answer
        try:
            answer = cast("_Server", self.server).zones().answer(query)
        except (ClientError, BotoCoreError):
            # Whoever asks tries again, or does without, as with any resolver.
            answer = dns.message.make_response(query)
            answer.set_rcode(dns.rcode.SERVFAIL)
        socket.sendto(answer.to_wire(), self.client_address)
