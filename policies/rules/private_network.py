"""Workloads stand in subnets proved private, and nothing of theirs has a public address."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from policies.findings import Finding, about
from policies.pack import Pack
from policies.reading import Absent, Known, Reading, Tree, Unknown, listed, read
from policies.rules import live_routes
from policies.rules.routes import DEFAULT_SUBNET, SUBNET, Proof, Verdict, prove

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from policies.configuration import Given
    from policies.resources import Graph, Resource

LOAD_BALANCERS: Final = ("aws:lb/loadBalancer:LoadBalancer", "aws:alb/loadBalancer:LoadBalancer")
INSTANCES: Final = ("aws:ec2/instance:Instance", "aws:ec2/spotInstanceRequest:SpotInstanceRequest")
_PIPE = "targetParameters.ecsTaskParameters.networkConfiguration.awsVpcConfiguration"
_MANAGED = "managedInstancesProvider.instanceLaunchTemplate"
LAUNCH_TEMPLATE: Final = "aws:ec2/launchTemplate:LaunchTemplate"

RULES: Final = frozenset({"private-subnet", "public-ip", "subnet-public-ip"})


@dataclass(frozen=True)
class Placement:
    """Where a resource type says its subnets, and its wish for a public address."""

    subnets: tuple[str, ...]
    """Paths to a subnet id or a list of them; `*` stands for each entry of a list."""
    public_ip: str = ""
    """Path of the flag, if it has one."""


PLACEMENTS: Final[Mapping[str, Placement]] = {
    "aws:ecs/service:Service": Placement(("networkConfiguration.subnets",), "networkConfiguration.assignPublicIp"),
    "aws:ecs/taskSet:TaskSet": Placement(("networkConfiguration.subnets",), "networkConfiguration.assignPublicIp"),
    "aws:scheduler/schedule:Schedule": Placement(
        ("target.ecsParameters.networkConfiguration.subnets",),
        "target.ecsParameters.networkConfiguration.assignPublicIp",
    ),
    "aws:cloudwatch/eventTarget:EventTarget": Placement(
        ("ecsTarget.networkConfiguration.subnets",), "ecsTarget.networkConfiguration.assignPublicIp"
    ),
    "aws:pipes/pipe:Pipe": Placement((f"{_PIPE}.subnets",), f"{_PIPE}.assignPublicIp"),
    **{token: Placement(("subnetId",), "associatePublicIpAddress") for token in INSTANCES},
    "aws:efs/mountTarget:MountTarget": Placement(("subnetId",)),
    "aws:rds/subnetGroup:SubnetGroup": Placement(("subnetIds",)),
    "aws:lambda/function:Function": Placement(("vpcConfig.subnetIds",)),
    "aws:autoscaling/group:Group": Placement(("vpcZoneIdentifiers",)),
    "aws:ecs/capacityProvider:CapacityProvider": Placement((f"{_MANAGED}.networkConfiguration.subnets",)),
    **{token: Placement(("subnets", "subnetMappings.*.subnetId")) for token in LOAD_BALANCERS},
}
"""Load balancers are held to it only while internal; the internet-facing ones are the entrance."""


@dataclass(frozen=True, kw_only=True)
class NetworkOptions:
    """What a stack's configuration of this pack may say."""

    private_subnet_ids: frozenset[str] = frozenset()
    """Subnets outside the stack that somebody vouches for."""
    look_up: bool = True
    """Ask AWS for the routes of other subnets outside the stack."""

    @classmethod
    def read(cls, given: Given) -> NetworkOptions:
        """Read `privateSubnetIds` and `lookUpRoutes`."""
        return cls(
            private_subnet_ids=frozenset(given.strings("privateSubnetIds")),
            look_up=given.flag("lookUpRoutes", default=True),
        )


SCHEMA: Final = {
    "privateSubnetIds": {
        "type": "array",
        "items": {"type": "string"},
        "description": "Subnets outside the stack, vouched for.",
    },
    "lookUpRoutes": {"type": "boolean", "description": "Ask AWS for the routes of other subnets outside the stack."},
}


def judge(resource: Resource, _seen: Mapping[str, Resource], _options: NetworkOptions) -> Iterator[Finding]:
    """Public addresses: what a resource alone shows."""
    placement = PLACEMENTS.get(resource.type)
    if placement and placement.public_ip:
        yield from _flag("public-ip", resource, placement.public_ip, resource.read(placement.public_ip))
    if resource.type in (SUBNET, DEFAULT_SUBNET):
        yield from _flag("subnet-public-ip", resource, "mapPublicIpOnLaunch", resource.read("mapPublicIpOnLaunch"))
    if resource.type == LAUNCH_TEMPLATE:
        interfaces = resource.read("networkInterfaces")
        if isinstance(interfaces, Unknown):
            yield from _flag("public-ip", resource, "networkInterfaces", interfaces)
        elif isinstance(interfaces, Known):
            for index, entry in enumerate(listed(interfaces.value)):
                path = f"networkInterfaces.{index}.associatePublicIpAddress"
                yield from _flag("public-ip", resource, path, read(entry, "associatePublicIpAddress"))


def _flag(rule: str, resource: Resource, path: str, reading: Reading) -> Iterator[Finding]:
    """Refuse a flag that is on, or that cannot be seen to be off."""
    match reading:
        case Known(value) if value not in (False, "false", "DISABLED", ""):
            text = f"`{path}` is on; set it to false, and let what must be reached stand behind a load balancer"
            yield about(rule, resource, text)
        case Unknown():
            text = f"`{path}` is not known yet, so no public address is not proved; give it a plain false"
            yield about(rule, resource, text, unproved=True)
        case _:
            return


def judge_graph(graph: Graph, options: NetworkOptions) -> Iterator[Finding]:
    """Every subnet that a workload stands in, proved through its route table."""
    for resource in graph.of_type(*PLACEMENTS):
        if resource.type in LOAD_BALANCERS:
            internal = resource.read("internal")
            if isinstance(internal, Unknown):
                text = "`internal` is not known yet, so where it stands is not proved; give it a plain value"
                yield about("private-subnet", resource, text, unproved=True)
                continue
            if not (isinstance(internal, Known) and internal.value is True):
                continue
        for path in PLACEMENTS[resource.type].subnets:
            yield from _placed(graph, resource, path, options)


def _placed(graph: Graph, resource: Resource, path: str, options: NetworkOptions) -> Iterator[Finding]:
    # Ids not known yet are those of the subnets that the property came from: one too many is judged, one too few is
    # not proved.
    unnamed = [
        it for it in graph.sources(resource, path.split(".", 1)[0], SUBNET, DEFAULT_SUBNET)
        if not isinstance(it.output("id"), Known)
    ]  # fmt: skip
    hidden = 0
    for entry in _entries(resource, path):
        mine = next((it for it in graph.of_type(SUBNET, DEFAULT_SUBNET) if it.output("id") == Known(entry)), None)
        if mine:
            yield from _refused(resource, path, mine.title, prove(graph, mine))
        elif isinstance(entry, str) and not unnamed:
            yield from _refused(resource, path, _quoted(entry), _outside(entry, resource, options))
        else:
            hidden += 1
    if not hidden:
        return
    for subnet in unnamed:
        yield from _refused(resource, path, subnet.title, prove(graph, subnet))
    if hidden > len(unnamed):
        lost = Proof(Verdict.UNPROVED, "its id is not known yet, and comes from no subnet of this stack")
        yield from _refused(resource, path, "a subnet", lost)


def _entries(resource: Resource, path: str) -> Iterator[Tree]:
    """Every subnet id at *path*, an unknown list being one unknown."""
    head, _, tail = path.partition(".*.")
    match resource.read(head):
        case Known(value) if tail:
            for index, entry in enumerate(listed(value)):
                match read(entry, tail):
                    case Known(inner):
                        yield inner
                    case Unknown():
                        yield Unknown(f"{head}.{index}.{tail}")
                    case Absent():
                        continue
        case Known(value):
            yield from listed(value)
        case Unknown() as unknown:
            yield unknown
        case Absent():
            return


def _quoted(subnet_id: str) -> str:
    """An id is told where it has the shape of one; anything else may be a secret."""
    return f"subnet {subnet_id}" if re.fullmatch(r"subnet-[0-9a-f]{8,17}", subnet_id) else "a subnet outside the stack"


def _outside(subnet_id: str, resource: Resource, options: NetworkOptions) -> Proof:
    if subnet_id in options.private_subnet_ids:
        return Proof(Verdict.PRIVATE, "`privateSubnetIds` vouches for it")
    if not options.look_up:
        return Proof(Verdict.UNPROVED, "it is not in this stack")
    region = resource.provider.get("region")
    return live_routes.prove(subnet_id, region if isinstance(region, str) else None)


def _refused(resource: Resource, path: str, subnet: str, proof: Proof) -> Iterator[Finding]:
    if proof.verdict is Verdict.PRIVATE:
        return
    if proof.verdict is Verdict.PUBLIC:
        text = f"`{path}` has {subnet}, which is public: {proof.because}; choose subnets routed through a NAT gateway"
    else:
        text = (
            f"`{path}` has {subnet}, which is not proved private: {proof.because}; give its subnet and route table in "
            "this stack, or vouch for its id in `privateSubnetIds`"
        )
    yield about("private-subnet", resource, text, unproved=proof.verdict is Verdict.UNPROVED)


PACK: Final = Pack(
    name="private-network",
    description="Workloads stand in subnets proved private by their route tables, without public addresses.",
    rules=RULES,
    read=NetworkOptions.read,
    schema=SCHEMA,
    on_resource=judge,
    on_graph=judge_graph,
)
