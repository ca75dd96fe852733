"""A VPC with a public, an app and a data tier in each of its zones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

import pulumi_aws as aws
from pulumi import Output, ResourceOptions

from components import addresses, endpoints, flow_logs
from components.base import Component, declared
from components.errors import InvalidArgsError, of, one_of
from components.flow_logs import FlowLogs

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pulumi

    from components.account import Account

_EVERYWHERE: Final = "0.0.0.0/0"


@dataclass(frozen=True, kw_only=True)
class NetworkArgs:
    """What a `Network` takes.

    Raises:
        InvalidArgsError: a block that AWS or the plan of subnets has no room in, zones that are none, endpoints that
            are none, or no way for a task to fetch its image.

    """

    account: Account
    """Its region names the zones and the endpoints' services."""
    cidr: str = "10.0.0.0/16"
    """The VPC's IPv4 block, /16 to /19. Default: ``10.0.0.0/16``, whose subnets are /24: 251 addresses each.

    Zone a has 10.0.1.0/24 for its public tier, 10.0.10.0/24 for its app tier and 10.0.20.0/24 for its data tier; each
    later letter is one further, so that adding a zone moves no other. In a smaller block each subnet is a 256th of it,
    in the same order. A task in ``awsvpc`` mode takes one address: who runs more than some 200 in a zone adopts a
    network with larger subnets (`AdoptedNetwork`). AWS takes /16 to /28; below /19 a zone's slot is smaller than a load
    balancer's subnet may be.
    """
    zones: Sequence[str] = ("a", "b")
    """Letters of availability zones, two or more, each ``a`` to ``f``. Default: a and b. Order says nothing.

    Not every region has every letter for every account: ``aws ec2 describe-availability-zones`` tells.
    """
    nat: Literal["none", "single", "per_zone"] = "per_zone"
    """The app tier's way out. Default: a NAT gateway in each zone, so that losing a zone takes no other with it.

    ``single`` pays for one, in the first zone by letter. ``none`` leaves the endpoints below, and is refused without
    those that a task needs to start: ``ecr.api``, ``ecr.dkr``, ``logs`` and ``s3``. A task that reads secrets needs
    ``secretsmanager`` too, and ECS Exec ``ssmmessages``.
    """
    gateway_endpoints: Sequence[str] = endpoints.GATEWAY
    """Services that the app tier reaches without NAT and without cost: ``s3``, ``dynamodb``. Default: both."""
    interface_endpoints: Sequence[str] = ()
    """Services reached without NAT, by AWS's short name: ``execute-api``, ``ecr.api``, ``logs`` and the like.

    Each costs an address in every zone: with two zones, some five cost more than one NAT gateway.
    ``execute-api`` answers for the name of every REST API, and so hides public ones from this network.
    Default: none.
    """
    flow_logs: FlowLogs | None = field(default_factory=FlowLogs)
    """What is kept of the traffic, or None for nothing. Default: all traffic, for 30 days."""

    def __post_init__(self) -> None:
        addresses.plannable_vpc(of(self, "cidr"), self.cidr)
        addresses.check_zones(of(self, "zones"), self.zones, fewest=2)
        one_of(self, "nat", ("none", "single", "per_zone"))
        endpoints.check_gateway(of(self, "gateway_endpoints"), self.gateway_endpoints)
        endpoints.check_interface(of(self, "interface_endpoints"), self.interface_endpoints)
        if self.nat == "none":
            for which, needed in endpoints.TO_START_A_TASK.items():
                missing = [service for service in needed if service not in getattr(self, which)]
                if missing:
                    raise InvalidArgsError(
                        of(self, "nat"),
                        got=self.nat,
                        want=f"'single' or 'per_zone', or add {', '.join(missing)} to {which}: "
                        "a task could not start otherwise",
                    )


class Network(Component):
    """A VPC, three subnets a zone, their routes, endpoints and flow logs; and a default security group that is shut.

    The public tier has the internet gateway, and gives nobody a public address unasked. The app tier goes out through
    NAT and endpoints. The data tier has no route out at all.

    Raises:
        InvalidArgsError: *name* leaves no room for the log group's or the role's own.

    """

    vpc_id: Output[str]
    """The VPC's id."""
    cidr: str
    """The VPC's IPv4 block."""
    zones: tuple[str, ...]
    """Letters of its zones, sorted; the ids below are in the same order."""
    public_subnet_ids: tuple[Output[str], ...]
    """For what the internet reaches: load balancers. Known once the way to the internet gateway stands."""
    app_subnet_ids: tuple[Output[str], ...]
    """For tasks: a way out, none in. Known once that way stands: a task started earlier could pull no image."""
    data_subnet_ids: tuple[Output[str], ...]
    """For databases and file systems: no way out."""
    endpoint_ids: Mapping[str, Output[str]]
    """Ids of the VPC's endpoints, by their service's short name."""
    nat_addresses: Mapping[str, Output[str]]
    """The public address of each NAT gateway, by the zone that it is in: as whom the internet sees the app tier."""

    def __init__(self, name: str, args: NetworkArgs, opts: ResourceOptions | None = None) -> None:
        writer = flow_logs.role(name, args.account) if args.flow_logs else None
        super().__init__(name, declared(args), opts, roles=[writer] if writer else [])
        self._name = name
        self.cidr = args.cidr
        self.zones = tuple(sorted(args.zones))
        self.vpc_id = aws.ec2.Vpc(
            name,
            cidr_block=args.cidr,
            enable_dns_support=True,  # endpoints' private names need both
            enable_dns_hostnames=True,
            tags=self._named(name),
            opts=self.child(),
        ).id
        # A network interface that names no group gets this one. Without rules it lets nothing in and nothing out.
        aws.ec2.DefaultSecurityGroup(name, vpc_id=self.vpc_id, tags=self._named(f"{name}-shut"), opts=self.child())
        vpc, region = addresses.block("cidr", args.cidr), args.account.region
        blocks = {zone: addresses.zone_blocks(vpc, zone) for zone in self.zones}
        public = {zone: self._subnet("public", region + zone, blocks[zone].public) for zone in self.zones}
        app = {zone: self._subnet("app", region + zone, blocks[zone].app) for zone in self.zones}
        data = {zone: self._subnet("data", region + zone, blocks[zone].data) for zone in self.zones}
        to_internet, linked = self._open(public)
        app_ways = {zone: self._route_table("app", app, zone) for zone in self.zones}
        app_tables = {zone: table for zone, (table, _) in app_ways.items()}
        self._route_table("data", data)
        self.nat_addresses = {}
        if args.nat != "none":
            for zone, route in self._route_out(app_tables, public, to_internet, single=args.nat == "single").items():
                app_ways[zone][1].append(route)
        self.public_subnet_ids = tuple(_after(subnet, [*linked, to_internet]) for subnet in public.values())
        self.app_subnet_ids = tuple(_after(app[zone], way) for zone, (_, way) in app_ways.items())
        self.data_subnet_ids = tuple(data.values())
        self.endpoint_ids = {
            **endpoints.make_gateways(
                args.gateway_endpoints,
                network=name,
                region=region,
                vpc_id=self.vpc_id,
                route_tables=list(app_tables.values()),
                within=self,
            ),
            **endpoints.make_interfaces(
                args.interface_endpoints,
                network=name,
                region=region,
                vpc_id=self.vpc_id,
                cidr=args.cidr,
                subnets=list(app.values()),
                within=self,
            ),
        }
        if args.flow_logs and writer:
            flow_logs.keep(args.flow_logs, writer, self.vpc_id, network=name, within=self)
        self.register_outputs(
            {
                "vpc_id": self.vpc_id,
                "cidr": self.cidr,
                "zones": self.zones,
                "public_subnet_ids": self.public_subnet_ids,
                "app_subnet_ids": self.app_subnet_ids,
                "data_subnet_ids": self.data_subnet_ids,
                "endpoint_ids": self.endpoint_ids,
                "nat_addresses": self.nat_addresses,
            }
        )

    def _named(self, name: str) -> Mapping[str, str]:
        # The console lists networks, subnets and gateways by this tag, and by bare ids where it is missing.
        return {**self.tags, "Name": name}

    def _subnet(self, tier: str, zone: str, block: str) -> Output[str]:
        name = f"{self._name}-{tier}-{zone[-1]}"
        return aws.ec2.Subnet(
            name,
            vpc_id=self.vpc_id,
            cidr_block=block,
            availability_zone=zone,
            map_public_ip_on_launch=False,  # load balancers and NAT gateways bring their own
            tags=self._named(name),
            opts=self.child(),
        ).id

    def _route_table(
        self, tier: str, subnets: Mapping[str, Output[str]], only: str | None = None
    ) -> tuple[Output[str], list[pulumi.CustomResource]]:
        """Make one table for the *subnets* of a tier, or for zone *only*; its one route yet is the VPC's own.

        Return its id and its associations.
        """
        name = f"{self._name}-{tier}-{only}" if only else f"{self._name}-{tier}"
        table = aws.ec2.RouteTable(name, vpc_id=self.vpc_id, tags=self._named(name), opts=self.child()).id
        return table, [
            aws.ec2.RouteTableAssociation(
                f"{self._name}-{tier}-{zone}", subnet_id=subnets[zone], route_table_id=table, opts=self.child()
            )
            for zone in ([only] if only else self.zones)
        ]

    def _open(self, public: Mapping[str, Output[str]]) -> tuple[aws.ec2.Route, list[pulumi.CustomResource]]:
        """Give the public tier its way to the internet; return that route and the associations of its table."""
        table, linked = self._route_table("public", public)
        gateway = aws.ec2.InternetGateway(
            self._name, vpc_id=self.vpc_id, tags=self._named(self._name), opts=self.child()
        )
        route = aws.ec2.Route(
            f"{self._name}-public",
            route_table_id=table,
            destination_cidr_block=_EVERYWHERE,
            gateway_id=gateway.id,
            opts=self.child(),
        )
        return route, linked

    def _route_out(
        self,
        app_tables: Mapping[str, Output[str]],
        public: Mapping[str, Output[str]],
        to_internet: aws.ec2.Route,
        *,
        single: bool,
    ) -> Mapping[str, aws.ec2.Route]:
        """Make NAT gateways and each app table's route to one; keep their addresses, return these routes by zone."""
        gateways: dict[str, Output[str]] = {}
        for zone in self.zones[:1] if single else self.zones:
            name = f"{self._name}-nat-{zone}"
            address = aws.ec2.Eip(name, domain="vpc", tags=self._named(name), opts=self.child())
            self.nat_addresses = {**self.nat_addresses, zone: address.public_ip}
            gateways[zone] = aws.ec2.NatGateway(
                name,
                subnet_id=public[zone],
                allocation_id=address.id,
                tags=self._named(name),
                # Without a way to the internet from its subnet, a NAT gateway comes up as failed.
                opts=self.child(ResourceOptions(depends_on=[to_internet])),
            ).id
        return {
            zone: aws.ec2.Route(
                f"{self._name}-app-{zone}",
                route_table_id=table,
                destination_cidr_block=_EVERYWHERE,
                nat_gateway_id=gateways[self.zones[0] if single else zone],
                opts=self.child(),
            )
            for zone, table in app_tables.items()
        }


def _after(subnet_id: Output[str], others: Sequence[pulumi.CustomResource]) -> Output[str]:
    """Return *subnet_id*, known once *others* are made too; whoever takes it then waits for them."""
    return Output.all(subnet_id, *(other.id for other in others)).apply(lambda known: str(known[0]))
