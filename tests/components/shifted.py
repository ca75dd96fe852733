"""A service of each strategy, as it is registered."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from components.account import Account
from components.adopted_network import AdoptedNetwork
from components.cluster import Cluster, ClusterArgs
from components.container import Container
from components.image import Image
from components.load_balancer import LoadBalancer, LoadBalancerArgs
from components.service import Service, ServiceArgs
from components.task import Task, TaskArgs
from tests.components.recorder import Recorded, record

if TYPE_CHECKING:
    from components.deployment import Deployment, Strategy

ACCOUNT = Account(id="111122223333", region="eu-west-1")
IMAGE = Image.at("public.ecr.aws/docker/library/busybox@sha256:" + "a" * 64)
NETWORK = AdoptedNetwork(
    vpc_id="vpc-0a1b2c3d",
    cidr="10.0.0.0/16",
    zones=("a", "b"),
    app_subnet_ids=("subnet-0a1b2c3d", "subnet-1a1b2c3d"),
)


def behind_a_balancer(
    deployment: Deployment | Strategy, *, name: str = "orders", listens: int = 8080, **said: Any
) -> list[Recorded]:
    """Register the service *name* with *deployment*, and what it stands on; *said* may be made on the spot."""

    def build() -> None:
        cluster = Cluster("main", ClusterArgs(account=ACCOUNT))
        container = Container(image=IMAGE, port=listens, port_name="http", app_protocol="http")
        task = Task("orders", TaskArgs(account=ACCOUNT, containers=[container]))
        route = LoadBalancer("main", LoadBalancerArgs(network=NETWORK)).route(path="/orders*")
        given: dict[str, Any] = {"entrance": route, "deployment": deployment}
        given |= {key: value() if callable(value) else value for key, value in said.items()}
        Service(name, ServiceArgs(task=task, cluster=cluster, network=NETWORK, **given))

    return record(build)


@functools.cache
def made(strategy: Strategy) -> list[Recorded]:
    """Register it with *strategy* and its defaults."""
    return behind_a_balancer(strategy)
