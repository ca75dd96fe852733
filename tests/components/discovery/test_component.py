"""What holds of `Discovery` whatever its ways: who shares what, and what it asks of its neighbours."""

from __future__ import annotations

import pytest

from components.cluster import Cluster, ClusterArgs
from components.container import Container
from components.discovery import Address, AlbGrpc, Discovery
from components.errors import InvalidArgsError
from components.service import Service, ServiceArgs
from components.service_network import ServiceNetwork, ServiceNetworkArgs
from components.task import Task, TaskArgs
from tests.components.discovery.stack import ACCOUNT, AGENT, IMAGE, NETWORK, balancer, discovery, made, ways
from tests.components.recorder import Recorded, of_type, one, record


def calling(*kinds: str, turned: bool = False, namespaces: tuple[str, ...] = ()) -> list[Recorded]:
    """Build a service that calls one server by each of *kinds*."""

    def build() -> None:
        shared = balancer()
        joined = {"service_network": ServiceNetwork("main", ServiceNetworkArgs(vpc_id=NETWORK.vpc_id))}
        calls: list[Discovery] = []
        for number, kind in enumerate(kinds):
            route = AlbGrpc(route=shared.route(path=f"/S{number}/*"))
            way = [route] if kind == "alb_grpc" else ways(kind, **(joined if kind == "lattice" else {}))
            domain = namespaces[number] if namespaces else f"s{number}.local"
            calls.append(discovery("nlb", name=f"s{number}", args={"ways": way, "namespace": domain}))
        task = Task("client", TaskArgs(account=ACCOUNT, containers=[Container(image=IMAGE)]))
        cluster = Cluster("main", ClusterArgs(account=ACCOUNT))
        Service(
            "client",
            ServiceArgs(task=task, cluster=cluster, network=NETWORK, calls=calls[::-1] if turned else calls),
        )

    return record(build)


@pytest.mark.parametrize(
    ("kind", "there"), [("alb_grpc", "main-id"), ("lattice", "pl-0a1b2c3d"), ("address", "10.0.0.0/16")]
)
def test_two_servers_behind_one_address_share_the_way_to_it(kind: str, there: str) -> None:
    """AWS refuses the second of two equal rules."""
    rules = [each.inputs for each in of_type(calling(kind, kind), ":SecurityGroupEgressRule").values()]
    ours = [each for each in rules if each["securityGroupId"] == "client-id"]
    assert len([each for each in ours if there in each.values()]) == 1


def test_the_order_of_calls_names_nothing() -> None:
    """A list sorted by somebody must not close a way and open it again."""
    straight, turned = (calling("alb_grpc", "alb_grpc", "cloud_map", turned=each) for each in (False, True))
    rules = ":SecurityGroupEgressRule"
    assert of_type(straight, rules).keys() == of_type(turned, rules).keys()


def test_a_task_has_a_place_in_one_namespace_of_service_connect() -> None:
    """Its proxy knows the names of one: those of the other would not resolve."""
    with pytest.raises(InvalidArgsError, match=r"Service.calls: got \['a.local', 'b.local'\]; one namespace"):
        calling("service_connect", "service_connect", namespaces=("a.local", "b.local"))


def test_an_alb_without_a_domain_leads_no_grpc() -> None:
    """It needs TLS, TLS a certificate, and a certificate a name that is ours."""
    with pytest.raises(InvalidArgsError, match="gRPC passes by an HTTPS listener alone"):
        record(lambda: AlbGrpc(route=balancer(domain=None).route(path="/WorkflowAgent/*")))


def test_the_address_of_a_load_balancer_is_its_domain_and_its_group() -> None:
    def build() -> None:
        ours, plain = Address.of(balancer()), Address.of(balancer(name="plain", domain=None))
        assert (ours.host, ours.port, ours.tls) == ("grpc.example.com", 443, True)
        assert (plain.port, plain.tls) == (80, False)

    record(build)


@pytest.mark.parametrize("kind", ["service_connect", "lattice"])
def test_a_port_without_a_name_is_refused_where_it_is_known_by_one(kind: str) -> None:
    """ECS would refuse the service after everything else was made."""
    with pytest.raises(InvalidArgsError, match=r"Container.port_name of 'app': got None"):
        made(kind, agent=Container(image=IMAGE, port=50051))


def test_service_connect_speaks_what_the_container_does() -> None:
    """A proxy that takes gRPC for TCP keeps every client to one task."""
    with pytest.raises(InvalidArgsError, match=r"Container.app_protocol of 'app': got None; 'grpc'"):
        made("service_connect", agent=Container(image=IMAGE, port=50051, port_name="grpc"))


def test_its_own_namespace_is_made_where_a_name_is_registered_alone() -> None:
    """A private zone that nobody registers in costs by the month."""
    assert "agent" in of_type(made("cloud_map", args={"namespace": "own.local"}), ":PrivateDnsNamespace")
    assert "agent" not in of_type(made("nlb", args={"namespace": "own.local"}), ":PrivateDnsNamespace")


def test_what_it_declares_says_the_ways() -> None:
    """The stack's state is where one sees how a service is found."""
    assert '"ways":["cloud_map","nlb"]' in one(made("cloud_map+nlb"), "index:Discovery").inputs["declared"]


def test_a_service_that_neither_is_found_nor_finds_is_as_it_was() -> None:
    """Nothing of discovery is said of it: an update would restart all of its tasks."""

    def build() -> None:
        cluster = Cluster("main", ClusterArgs(account=ACCOUNT))
        task = Task("agent", TaskArgs(account=ACCOUNT, containers=[AGENT]))
        Service("agent", ServiceArgs(task=task, cluster=cluster, network=NETWORK))

    said = one(record(build), "ecs/service:Service").inputs
    assert not {"serviceRegistries", "serviceConnectConfiguration", "vpcLatticeConfigurations"} & said.keys()
    assert said["networkConfiguration"]["securityGroups"] == ["agent-id"]
