"""What a stack tells other teams: one typed, versioned contract, with no secret in it, and its reader."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal

import pulumi
from pydantic import BaseModel, ConfigDict, ValidationError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pulumi import Input, Output, ResourceOptions

    from apps._platform import Platform
    from components.adopted_network import AnyNetwork
    from components.load_balancer import LoadBalancer
    from settings import Settings

VERSION: Final = 1
"""Raised when a name below goes or changes its meaning. A new name is no new version."""


class _Part(BaseModel):
    # A newer producer may say more than this reader knows.
    model_config = ConfigDict(frozen=True, extra="ignore", use_attribute_docstrings=True)


class NetworkContract(_Part):
    """Where workloads stand."""

    vpc_id: str
    cidr: str
    public_subnet_ids: tuple[str, ...]
    app_subnet_ids: tuple[str, ...]
    """Private subnets for tasks, one a zone."""
    data_subnet_ids: tuple[str, ...]


class ClusterContract(_Part):
    """Where tasks run."""

    arn: str
    name: str


class LoadBalancerContract(_Part):
    """A load balancer that takes more routes."""

    arn: str
    url: str
    """Scheme and name, such as ``https://internal-dev-….elb.amazonaws.com``."""
    listener_arn: str
    """What a service adds its rule to."""
    security_group_id: str
    """What a service's tasks admit."""


class Contract(_Part):
    """All of it. Every output of the stack is one of these names."""

    version: Literal[1]
    stage: str
    region: str
    account_id: str
    network: NetworkContract
    cluster: ClusterContract
    load_balancers: dict[Literal["internal", "public"], LoadBalancerContract]
    alerts_topic_arn: str
    workloads: dict[str, dict[str, str]]
    """Name of a workload → what it hands out, such as ``load_balancer_url``."""


class ContractError(pulumi.RunError):
    """Another stack's outputs are not the contract that this reader knows."""


def export(settings: Settings, platform: Platform, workloads: Mapping[str, Mapping[str, Input[str]]]) -> None:
    """Export the stack's side of the contract; *workloads* is what each hands out."""
    said: dict[str, Any] = {
        "version": VERSION,
        "stage": settings.stage,
        "region": settings.region,
        "account_id": platform.account.id,
        "network": _network(platform.network),
        "cluster": {"arn": platform.cluster.arn, "name": platform.cluster.cluster_name},
        "load_balancers": {kind: _load_balancer(each) for kind, each in platform.balancers.items()},
        "alerts_topic_arn": platform.alerts.arn,
        "workloads": {name: dict(handed) for name, handed in workloads.items()},
    }
    for name, value in said.items():
        pulumi.export(name, value)


def read(stack: str, opts: ResourceOptions | None = None) -> Output[Contract]:
    """Read the contract of another *stack*, such as ``acme/drydock/dev``.

    Raises:
        ContractError: when the value is awaited: the stack has another version, or lacks a part.

    """
    return pulumi.StackReference(stack, opts=opts).outputs.apply(lambda said: parse(stack, said))


def parse(stack: str, said: Mapping[str, Any]) -> Contract:
    """Return *said* by *stack* as the contract.

    Raises:
        ContractError: naming the stack, and each part that is missing or of another kind.

    """
    if said.get("version") != VERSION:
        raise ContractError(
            f"stack {stack}: its outputs are version {said.get('version')!r} of the contract; "
            f"this reader knows {VERSION}"
        )
    try:
        return Contract.model_validate(said)
    except ValidationError as error:
        wrong = ", ".join(".".join(map(str, each["loc"])) for each in error.errors())
        raise ContractError(f"stack {stack}: its outputs lack, or have of another kind: {wrong}") from None


def _network(network: AnyNetwork) -> dict[str, Any]:
    return {
        "vpc_id": network.vpc_id,
        "cidr": network.cidr,
        "public_subnet_ids": list(network.public_subnet_ids),
        "app_subnet_ids": list(network.app_subnet_ids),
        "data_subnet_ids": list(network.data_subnet_ids),
    }


def _load_balancer(balancer: LoadBalancer) -> dict[str, Any]:
    return {
        "arn": balancer.arn,
        "url": balancer.url,
        "listener_arn": balancer.listener_arn,
        "security_group_id": balancer.security_group_id,
    }
