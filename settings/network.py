"""The VPC of a stack, as its file says it."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from components.account import Account
from components.adopted_network import AdoptedNetwork
from components.flow_logs import FlowLogs
from components.network import NetworkArgs
from settings.section import Section, Text
from settings.workload import RetentionDays

Zone = Annotated[str, Text(r"[a-f]", "a zone's letter, a to f")]
Cidr = Annotated[str, Text(r"[0-9]{1,3}(\.[0-9]{1,3}){3}/[0-9]{1,2}", "an IPv4 block such as '10.0.0.0/16'")]


class AdoptSettings(Section):
    """A VPC that exists, by its ids: its owner answers for its routes."""

    vpc_id: str
    cidr: Cidr
    """The VPC's own IPv4 block."""
    zones: tuple[Zone, ...]
    """Letters of the zones, in the order of the subnets below."""
    public_subnet_ids: tuple[str, ...] = ()
    app_subnet_ids: tuple[str, ...]
    """Private subnets, one a zone, for tasks and internal load balancers."""
    data_subnet_ids: tuple[str, ...] = ()
    endpoint_ids: dict[str, str] = Field(default_factory=dict)
    """Short service name, such as `execute-api` → interface endpoint."""
    nat_addresses: dict[Zone, str] = Field(default_factory=dict)
    """Zone → public IPv4 address of its NAT gateway, for a load balancer that is open to `nat`."""

    @model_validator(mode="after")
    def _as_a_component_takes_it(self) -> Self:
        self.value()
        return self

    def value(self) -> AdoptedNetwork:
        """Return the network as the components take it."""
        return AdoptedNetwork(**self.model_dump())


class NetworkSettings(Section):
    """The stack's VPC: made, or adopted."""

    adopt: AdoptSettings | None = None
    """Default: none; a VPC is made. With it nothing else may be said here."""
    cidr: Cidr = "10.0.0.0/16"
    zones: tuple[Zone, ...] = ("a", "b")
    """Letters of the availability zones. A letter keeps its addresses whatever the others are."""
    nat: Literal["none", "single", "per_zone"] = "per_zone"
    """NAT gateways: one a zone survives the loss of any; `single` is cheaper."""
    gateway_endpoints: tuple[Literal["s3", "dynamodb"], ...] = ("s3", "dynamodb")
    """Free of charge, and keeps that traffic off the NAT gateways."""
    interface_endpoints: tuple[str, ...] = ()
    """Short service names, such as `execute-api`. Each costs by zone and hour: from about five on, more than a NAT."""
    flow_log_days: RetentionDays | None = 30
    """Days that flow logs are kept. `null`: none are written."""

    @model_validator(mode="after")
    def _adopted_or_made(self) -> Self:
        beside = sorted(self.model_fields_set - {"adopt"}) if self.adopt else []
        if beside:
            raise ValueError(f"an adopted network has its own {', '.join(beside)}: take these out, or take out `adopt`")
        # Which account and region it is says nothing of the rest, and every error of a file is told at once.
        self.args(Account(id="000000000000", region="us-east-1"))
        return self

    def args(self, account: Account) -> NetworkArgs:
        """Return what a network that is made takes."""
        return NetworkArgs(
            account=account,
            cidr=self.cidr,
            zones=self.zones,
            nat=self.nat,
            gateway_endpoints=self.gateway_endpoints,
            interface_endpoints=self.interface_endpoints,
            flow_logs=FlowLogs(retention_days=self.flow_log_days) if self.flow_log_days else None,
        )

    def sketch(self) -> AdoptedNetwork:
        """Return a network of this shape with ids that are nobody's, to hold other settings against."""
        if self.adopt:
            return self.adopt.value()
        ids = tuple(f"subnet-{number:08x}" for number in range(2 * len(self.zones)))
        return AdoptedNetwork(
            vpc_id="vpc-00000000",
            cidr=self.cidr,
            zones=self.zones,
            app_subnet_ids=ids[: len(self.zones)],
            public_subnet_ids=ids[len(self.zones) :],
            # Of the block for documentation: https://datatracker.ietf.org/doc/html/rfc5737
            nat_addresses={zone: f"192.0.2.{number}" for number, zone in enumerate(self._nat_zones())},
        )

    def _nat_zones(self) -> list[str]:
        zones = sorted(self.zones)
        return {"none": [], "single": zones[:1], "per_zone": zones}[self.nat]

    def endpoints(self) -> set[str]:
        """Return the interface endpoints there are, by short service name."""
        return set(self.adopt.endpoint_ids) if self.adopt else set(self.interface_endpoints)
