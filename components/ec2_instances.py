"""What EC2 instances of one kind are, as a cluster is given them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

from components.errors import InvalidArgsError, of, one_of, within

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from components.adopted_network import AnyNetwork
    from components.capacity import Architecture
    from components.load_balancer import LoadBalancer

# A family, its generation, and letters for what it has besides, `g` among them where the processor is AWS's own:
# https://docs.aws.amazon.com/ec2/latest/instancetypes/instance-type-names.html
_FAMILY: Final = re.compile(r"[a-z][a-z0-9-]*?\d+(?P<has>[a-z]*)(?:-\w+)?")
_SIZE: Final = re.compile(r"[a-z0-9-]+")

_HTTPS: Final = 443


def processors(family: str) -> Architecture | None:
    """Return the architecture of an instance *family* such as ``m7g``; None if it is the name of none."""
    found = _FAMILY.fullmatch(family)
    if not found:
        return None
    return "ARM64" if "g" in found["has"] or family == "a1" else "X86_64"


def check_open_ports(args: object, ports: Sequence[int]) -> None:
    """Refuse *ports* that TCP has not, or by which no instance could join its cluster."""
    if _HTTPS not in ports or len(set(ports)) < len(ports) or not all(0 < port < 2**16 for port in ports):
        raise InvalidArgsError(
            of(args, "open_ports"),
            got=list(ports),
            want="TCP ports from 1 to 65535, each once, and 443 among them, by which instances join their cluster",
        )


@dataclass(frozen=True, kw_only=True)
class Ec2Instances:
    """Instances of one kind, as a cluster is given them.

    Raises:
        InvalidArgsError: a bound broken, an instance type that is none or is of another architecture.

    """

    network: AnyNetwork
    """Whose app subnets they stand in: private ones, never with a public address."""
    maximum: int
    """Instances run at the most, 1 to 1000; more only while they are replaced."""
    minimum: int = 0
    """Instances kept at the least, 0 to *maximum*. Default: none without tasks; the first of them then waits for a
    machine, some minutes."""
    instance_types: Sequence[str] = ("m6i.large", "m6a.large", "m5.large", "m5a.large")
    """In the order in which On-Demand ones are tried; of one size, or scaling counts wrongly. Default: 2 vCPU and 8
    GiB. Of a task with an address of its own such an instance has room for two (its interfaces), whatever its size,
    unless the account has ``awsvpcTrunking`` on; in bridge mode tasks share one."""
    architecture: Literal["X86_64", "ARM64"] = "X86_64"
    """The processors', and so the image's."""
    on_demand_base: int = 0
    """Instances that are On-Demand before the share counts, 0 to *maximum*."""
    on_demand_percent: int = 100
    """Of those above the base, percent that are On-Demand, 0 to 100; the others are Spot. Default: all, as Spot is for
    who can lose a task."""
    disk: int = 30
    """GiB of each instance's encrypted disk, images included, 30 (the image's own size) to 16384."""
    target_capacity: int = 100
    """Percent of the instances that are to be in use, 1 to 100. Below 100, some stand ready."""
    warmup: int = 120
    """Seconds until a new instance counts as one, 0 to 10000."""
    open_ports: Sequence[int] = (443,)
    """TCP ports that instances, and tasks in bridge or host mode with them, may call, anywhere, 1 to 65535, with 443
    among them. Default: that alone, which ECS and ECR are reached by."""
    balancers: Sequence[LoadBalancer] = ()
    """Those that lead to tasks here on dynamic host ports: each is let in to all of these. Default: none."""
    tags: Mapping[str, str] = field(default_factory=dict[str, str])
    """Tags of instances and their disks, beside the component's own: the provider's default ones reach neither."""

    def __post_init__(self) -> None:
        within(self, "maximum", 1, 1000, "instances")
        within(self, "minimum", 0, self.maximum, "instances")
        within(self, "on_demand_base", 0, self.maximum, "instances")
        within(self, "on_demand_percent", 0, 100, "percent")
        within(self, "disk", 30, 16_384, "GiB")
        within(self, "target_capacity", 1, 100, "percent")
        within(self, "warmup", 0, 10_000, "seconds")
        one_of(self, "architecture", ("X86_64", "ARM64"))
        if not 1 <= len(self.instance_types) <= 40 or len(set(self.instance_types)) < len(self.instance_types):  # noqa: PLR2004 - AWS's quota of overrides
            raise InvalidArgsError(
                of(self, "instance_types"), got=list(self.instance_types), want="from 1 to 40 instance types, each once"
            )
        check_open_ports(self, self.open_ports)
        for kind in self.instance_types:
            family, _, size = kind.partition(".")
            its = processors(family)
            if its is None or not _SIZE.fullmatch(size):
                raise InvalidArgsError(of(self, "instance_types"), got=kind, want="instance types, such as 'm6i.large'")
            if its != self.architecture:
                raise InvalidArgsError(
                    of(self, "instance_types"), got=kind, want=f"processors of the architecture {self.architecture}"
                )
