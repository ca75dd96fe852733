"""A server, and a gateway that calls it, by whichever ways."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from components.account import Account
from components.adopted_network import AdoptedNetwork
from components.cluster import Cluster, ClusterArgs
from components.container import Container
from components.discovery import (
    Address,
    AlbGrpc,
    CloudMap,
    Discovery,
    DiscoveryArgs,
    Lattice,
    Nlb,
    ServiceConnect,
    Way,
)
from components.domain import Domain
from components.image import Image
from components.load_balancer import LoadBalancer, LoadBalancerArgs
from components.namespace import Namespace, NamespaceArgs
from components.service import Service, ServiceArgs
from components.task import Task, TaskArgs
from tests.components.recorder import Recorded, record

if TYPE_CHECKING:
    from collections.abc import Sequence

ACCOUNT: Final = Account(id="111122223333", region="eu-west-1")
IMAGE: Final = Image.at("public.ecr.aws/docker/library/busybox@sha256:" + "a" * 64)
NETWORK: Final = AdoptedNetwork(
    vpc_id="vpc-0a1b2c3d",
    cidr="10.0.0.0/16",
    zones=("a", "b"),
    app_subnet_ids=("subnet-0a1b2c3d", "subnet-1a1b2c3d"),
)
CERTIFICATE: Final = "arn:aws:acm:eu-west-1:111122223333:certificate/12345678-1234-1234-1234-123456789012"
PREFIX: Final = "WORKFLOW_SERVICE"
AGENT: Final = Container(image=IMAGE, port=50051, port_name="grpc", app_protocol="grpc")


def balancer(*, name: str = "main", domain: str | None = "grpc.example.com") -> LoadBalancer:
    named = Domain(name=domain, certificate_arn=CERTIFICATE) if domain else None
    return LoadBalancer(name, LoadBalancerArgs(network=NETWORK, domain=named))


def ways(kind: str, **said: Any) -> Sequence[Way]:
    """Return the ways that a word such as ``cloud_map+nlb`` means, each with no more than it needs."""
    return [_way(each, said) for each in kind.split("+")]


def _way(kind: str, said: dict[str, Any]) -> Way:
    match kind:
        case "cloud_map":
            return CloudMap(**said)
        case "service_connect":
            return ServiceConnect(**said)
        case "nlb":
            return Nlb(**said)
        case "alb_grpc":
            return AlbGrpc(route=balancer().route(path="/WorkflowAgent/*"), **said)
        case "lattice":
            return Lattice(prefix_list_id="pl-0a1b2c3d", **said)
        case _:
            return Address(host="agent.example.com", **said)


def discovery(kind: str, *, name: str = "agent", args: dict[str, Any] | None = None, **said: Any) -> Discovery:
    given: dict[str, Any] = {"account": ACCOUNT, "network": NETWORK, "port": 50051, "service_name": "workflow-agent"}
    given |= {"ways": ways(kind, **said), **(args or {})}
    if "namespace" not in given:
        given["namespace"] = Namespace("names", NamespaceArgs(domain="workflow.local", vpc_id=NETWORK.vpc_id))
    return Discovery(name, DiscoveryArgs(**given))


def workflow(kind: str, *, agent: Container = AGENT, args: dict[str, Any] | None = None, **said: Any) -> None:
    found = discovery(kind, args=args, **said)
    cluster = Cluster("main", ClusterArgs(account=ACCOUNT))
    task = Task("workflow-agent", TaskArgs(account=ACCOUNT, containers=[agent]))
    Service("workflow-agent", ServiceArgs(task=task, cluster=cluster, network=NETWORK, discovery=found))
    container = Container(image=IMAGE, environment=found.environment(PREFIX))
    gateway = Task("api-gateway", TaskArgs(account=ACCOUNT, containers=[container], grants=found.grants()))
    Service("api-gateway", ServiceArgs(task=gateway, cluster=cluster, network=NETWORK, calls=[found]))


def made(kind: str, **said: Any) -> list[Recorded]:
    return record(lambda: workflow(kind, **said))
