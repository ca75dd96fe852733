"""Machines of a cluster's own, as a stack file says them: EC2 instances, and ECS Managed Instances."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, Self, cast

from pydantic import Discriminator, Tag, model_validator

from components.adopted_network import AdoptedNetwork
from components.ec2_instances import Ec2Instances
from components.managed_instances import ManagedInstances
from settings.section import Section

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from components.adopted_network import AnyNetwork
    from components.load_balancer import LoadBalancer

# Which network it is says nothing of the rest, and every error of a file is told at once.
_ANY: Final = AdoptedNetwork(
    vpc_id="vpc-00000000", cidr="10.0.0.0/16", zones=("a",), app_subnet_ids=("subnet-00000000",)
)


class Ec2Settings(Section):
    """EC2 instances of one kind, as many as their tasks need."""

    kind: Literal["ec2"] = "ec2"
    maximum: int
    """Instances run at the most, 1 to 1000; more only while they are replaced."""
    minimum: int = 0
    """Instances kept at the least. Default: none without tasks; the first of them then waits some minutes."""
    instance_types: tuple[str, ...] = tuple(Ec2Instances.instance_types)
    """In the order in which On-Demand ones are tried: of one size, and of one architecture."""
    architecture: Literal["X86_64", "ARM64"] = "X86_64"
    """The processors', and so that of the images of whoever runs on them."""
    on_demand_base: int = 0
    """Instances that are On-Demand before the share counts."""
    on_demand_percent: int = 100
    """Of those above the base, percent that are On-Demand; the others are Spot."""
    disk: int = 30
    """GiB of each instance's encrypted disk, images included, 30 to 16384."""
    target_capacity: int = 100
    """Percent of the instances that are to be in use, 1 to 100. Below 100, some stand ready."""
    warmup: int = 120
    """Seconds until a new instance counts as one, 0 to 10000."""
    open_ports: tuple[int, ...] = (443,)
    """TCP ports that instances, and tasks in bridge or host mode with them, may call, anywhere: 1 to 65535, with 443
    among them, by which they join the cluster."""

    @model_validator(mode="after")
    def _as_a_component_takes_it(self) -> Self:
        self.value(_ANY)
        return self

    def value(
        self, network: AnyNetwork, *, balancers: Sequence[LoadBalancer] = (), tags: Mapping[str, str] | None = None
    ) -> Ec2Instances:
        """Return the instances as the components take them, in *network*; *balancers* lead to dynamic ports there."""
        said: dict[str, Any] = self.model_dump(exclude={"kind"})
        return Ec2Instances(network=network, balancers=balancers, tags=tags or {}, **said)


class ManagedSettings(Section):
    """Instances that AWS chooses, patches and replaces; tasks on them have addresses of their own."""

    kind: Literal["managed"]
    cpus: tuple[int, int] = (2, 8)
    """vCPUs of an instance, the fewest and the most."""
    memory: tuple[int, int] = (4096, 32_768)
    """MiB of an instance, the least and the most."""
    instance_types: tuple[str, ...] = ()
    """Types and patterns that are allowed, such as `m6i.*`. Default: whatever of the current ones fits."""
    spot: bool = False
    """Whether they are Spot ones."""
    disk: int = 80
    """GiB of each instance's data disk, 30 to 16384."""
    open_ports: tuple[int, ...] = (443,)
    """TCP ports that the instances may call, anywhere: 1 to 65535, with 443 among them, by which they join the
    cluster."""

    @model_validator(mode="after")
    def _as_a_component_takes_it(self) -> Self:
        self.value(_ANY)
        return self

    def value(self, network: AnyNetwork, *, tags: Mapping[str, str] | None = None) -> ManagedInstances:
        """Return the instances as the components take them, in *network*."""
        said: dict[str, Any] = self.model_dump(exclude={"kind"})
        return ManagedInstances(network=network, tags=tags or {}, **said)


def _kind(said: object) -> str:
    """Return the kind of instances that is *said*, ``ec2`` where nothing is; in parentheses, to be told from a name."""
    if isinstance(said, dict):
        return f"({cast('dict[str, object]', said).get('kind', 'ec2')})"
    return f"({getattr(said, 'kind', 'ec2')})"


Instances = Annotated[
    Annotated[Ec2Settings, Tag("(ec2)")] | Annotated[ManagedSettings, Tag("(managed)")],
    Discriminator(
        _kind,
        custom_error_type="kind_error",
        custom_error_message="no such kind",
        custom_error_context={"expected": "'ec2' or 'managed'"},
    ),
]
"""One kind of them, by what its `kind` says."""
