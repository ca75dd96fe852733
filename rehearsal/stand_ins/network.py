"""EC2 networking: VPCs, subnets, gateways, routes, endpoints, security groups and flow logs."""

from __future__ import annotations

import functools
import hashlib
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rehearsal.graph import Answer
    from rehearsal.stand_ins.calls import Making, Table


def _vpc(this: Making) -> Answer:
    modified = {"enableDnsSupport": "EnableDnsSupport", "enableDnsHostnames": "EnableDnsHostnames"}
    made = this.create("ec2:CreateVpc", kind="vpc", apart=modified)["Vpc"]
    for name, attribute in modified.items():
        if name in this.inputs:
            # One attribute a call is all that EC2 takes.
            this.call("ec2:ModifyVpcAttribute", VpcId=made["VpcId"], **{attribute: {"Value": this[name]}})
    of_vpc = [{"Name": "vpc-id", "Values": [made["VpcId"]]}]
    table = this.call("ec2:DescribeRouteTables", Filters=of_vpc)["RouteTables"][0]["RouteTableId"]
    acl = this.call("ec2:DescribeNetworkAcls", Filters=of_vpc)["NetworkAcls"][0]["NetworkAclId"]
    return this.answer(
        made["VpcId"],
        made,
        arn=this.arn("ec2", f"vpc/{made['VpcId']}"),
        mainRouteTableId=table,
        defaultRouteTableId=table,
        defaultNetworkAclId=acl,
        defaultSecurityGroupId=_default_group(this, made["VpcId"])["GroupId"],
        ownerId=this.aws.account,
    )


def _subnet(this: Making) -> Answer:
    modified = {
        "mapPublicIpOnLaunch": "MapPublicIpOnLaunch",
        "assignIpv6AddressOnCreation": "AssignIpv6AddressOnCreation",
    }
    made = this.create("ec2:CreateSubnet", kind="subnet", apart=modified)["Subnet"]
    for name, attribute in modified.items():
        if name in this.inputs:
            this.call("ec2:ModifySubnetAttribute", SubnetId=made["SubnetId"], **{attribute: {"Value": this[name]}})
    arn = this.arn("ec2", f"subnet/{made['SubnetId']}")
    return this.answer(made["SubnetId"], made, arn=arn, ownerId=this.aws.account)


def _internet_gateway(this: Making) -> Answer:
    made = this.create("ec2:CreateInternetGateway", kind="internet-gateway", apart=["vpcId"])["InternetGateway"]
    gateway = made["InternetGatewayId"]
    if "vpcId" in this.inputs:
        this.call("ec2:AttachInternetGateway", InternetGatewayId=gateway, VpcId=this["vpcId"])
    return this.answer(gateway, arn=this.arn("ec2", f"internet-gateway/{gateway}"), ownerId=this.aws.account)


def _eip(this: Making) -> Answer:
    made = this.create("ec2:AllocateAddress", kind="elastic-ip")
    arn = this.arn("ec2", f"elastic-ip/{made['AllocationId']}")
    return this.answer(made["AllocationId"], made, arn=arn)


def _nat_gateway(this: Making) -> Answer:
    made = this.create("ec2:CreateNatGateway", kind="natgateway")["NatGateway"]
    if "allocationId" not in this.inputs:
        return this.answer(made["NatGatewayId"])
    address = this.call("ec2:DescribeAddresses", AllocationIds=[this["allocationId"]])["Addresses"][0]
    return this.answer(made["NatGatewayId"], publicIp=address["PublicIp"])


def _route_table(this: Making) -> Answer:
    made = this.create("ec2:CreateRouteTable", kind="route-table", apart=["routes"])["RouteTable"]
    table = made["RouteTableId"]
    for route in this.get("routes", []):
        known = {"cidrBlock": "DestinationCidrBlock", "gatewayId": "GatewayId", "natGatewayId": "NatGatewayId"}
        this.call("ec2:CreateRoute", RouteTableId=table, **{known[name]: value for name, value in route.items()})
    return this.answer(table, made, arn=this.arn("ec2", f"route-table/{table}"), ownerId=this.aws.account)


def _route(this: Making) -> Answer:
    this.create("ec2:CreateRoute")
    destination = this.get("destinationCidrBlock") or this.get("destinationIpv6CidrBlock") or ""
    # The provider makes the id up itself; this one has its form.
    digest = hashlib.sha256(destination.encode()).hexdigest()[:10]
    return this.answer(f"r-{this['routeTableId']}{digest}", origin="CreateRoute", state="active")


def _route_table_association(this: Making) -> Answer:
    return this.answer(this.create("ec2:AssociateRouteTable")["AssociationId"])


def _vpc_endpoint(this: Making) -> Answer:
    rename = {"policy": "PolicyDocument", "serviceName": "ServiceName"}
    made = this.create("ec2:CreateVpcEndpoint", kind="vpc-endpoint", rename=rename, apart=["autoAccept"])["VpcEndpoint"]
    prefix_list = {}
    if this.get("vpcEndpointType", "Gateway") == "Gateway":
        name = [{"Name": "prefix-list-name", "Values": [this["serviceName"]]}]
        found = this.call("ec2:DescribePrefixLists", Filters=name)["PrefixLists"]
        prefix_list = {"prefixListId": found[0]["PrefixListId"], "cidrBlocks": found[0]["Cidrs"]} if found else {}
    return this.answer(
        made["VpcEndpointId"],
        made,
        arn=this.arn("ec2", f"vpc-endpoint/{made['VpcEndpointId']}"),
        networkInterfaceIds=made.get("NetworkInterfaceIds", []),
        dnsEntries=[
            {"dnsName": entry.get("DnsName"), "hostedZoneId": entry.get("HostedZoneId")}
            for entry in made.get("DnsEntries", [])
        ],
        ownerId=this.aws.account,
        **prefix_list,
    )


def _default_group(this: Making, vpc: str) -> dict[str, Any]:
    named = [{"Name": "vpc-id", "Values": [vpc]}, {"Name": "group-name", "Values": ["default"]}]
    return this.call("ec2:DescribeSecurityGroups", Filters=named)["SecurityGroups"][0]


def _default_security_group(this: Making) -> Answer:
    """Adopt the VPC's own group, and leave it the rules given here alone: none, as a rule."""
    found = _default_group(this, this["vpcId"])
    group = found["GroupId"]
    for way, rules in (("Ingress", "IpPermissions"), ("Egress", "IpPermissionsEgress")):
        if found.get(rules):
            this.call(f"ec2:RevokeSecurityGroup{way}", GroupId=group, IpPermissions=found[rules])
    if this.tags:
        pairs = [{"Key": key, "Value": value} for key, value in this.tags.items()]
        this.call("ec2:CreateTags", Resources=[group], Tags=pairs)
    _inline_rules(this, group)
    arn = this.arn("ec2", f"security-group/{group}")
    return this.answer(group, arn=arn, name="default", description=found["Description"], ownerId=this.aws.account)


def _security_group(this: Making) -> Answer:
    apart = ["name", "ingress", "egress", "revokeRulesOnDelete", "description"]
    description = this.get("description", "Managed by Pulumi")
    given = {"GroupName": this["name"], "Description": description}
    group = this.create("ec2:CreateSecurityGroup", given, kind="security-group", apart=apart)["GroupId"]
    # EC2 lets a new group send anywhere; the provider takes that away, so that egress is what the program says.
    made = this.call("ec2:DescribeSecurityGroups", GroupIds=[group])["SecurityGroups"][0]
    if made.get("IpPermissionsEgress"):
        this.call("ec2:RevokeSecurityGroupEgress", GroupId=group, IpPermissions=made["IpPermissionsEgress"])
    _inline_rules(this, group)
    arn = this.arn("ec2", f"security-group/{group}")
    return this.answer(group, arn=arn, description=description, ownerId=this.aws.account)


def _inline_rules(this: Making, group: str) -> None:
    for name, way in (("ingress", "Ingress"), ("egress", "Egress")):
        for rule in this.get(name, []):
            permission = _ports(rule, "protocol") | {
                "IpRanges": [{"CidrIp": block} for block in rule.get("cidrBlocks", [])],
                "Ipv6Ranges": [{"CidrIpv6": block} for block in rule.get("ipv6CidrBlocks", [])],
                "PrefixListIds": [{"PrefixListId": each} for each in rule.get("prefixListIds", [])],
                "UserIdGroupPairs": [
                    {"GroupId": each}
                    for each in [*rule.get("securityGroups", []), *([group] * rule.get("self", False))]
                ],
            }
            given = {key: value for key, value in permission.items() if value != []}
            this.call(f"ec2:AuthorizeSecurityGroup{way}", GroupId=group, IpPermissions=[given])


def _ports(rule: Mapping[str, Any], protocol: str) -> dict[str, Any]:
    ports = {"FromPort": rule.get("fromPort"), "ToPort": rule.get("toPort")}
    return {"IpProtocol": str(rule[protocol])} | {name: port for name, port in ports.items() if port is not None}


def _security_group_rule(this: Making, *, way: str) -> Answer:
    peers = {
        "cidrIpv4": ("IpRanges", "CidrIp"),
        "cidrIpv6": ("Ipv6Ranges", "CidrIpv6"),
        "prefixListId": ("PrefixListIds", "PrefixListId"),
        "referencedSecurityGroupId": ("UserIdGroupPairs", "GroupId"),
    }
    described = {"Description": this["description"]} if "description" in this.inputs else {}
    permission = _ports(this.inputs, "ipProtocol") | {
        ranges: [{member: this[name]} | described] for name, (ranges, member) in peers.items() if name in this.inputs
    }
    taken = {*peers, "securityGroupId", "description", "ipProtocol", "fromPort", "toPort"}
    made = this.create(
        f"ec2:AuthorizeSecurityGroup{way}",
        {"GroupId": this["securityGroupId"], "IpPermissions": [permission]},
        kind="security-group-rule",
        apart=taken,
    )
    rule = made["SecurityGroupRules"][0]["SecurityGroupRuleId"]
    return this.answer(rule, arn=this.arn("ec2", f"security-group-rule/{rule}"), securityGroupRuleId=rule)


def _flow_log(this: Making) -> Answer:
    watched = {"vpcId": "VPC", "subnetId": "Subnet", "eniId": "NetworkInterface"}
    name = next(name for name in watched if name in this.inputs)
    made = this.create(
        "ec2:CreateFlowLogs",
        {"ResourceIds": [this[name]], "ResourceType": watched[name]},
        kind="vpc-flow-log",
        apart=watched,
        rename={"iamRoleArn": "DeliverLogsPermissionArn"},
    )
    flow_log = made["FlowLogIds"][0]
    return this.answer(flow_log, arn=this.arn("ec2", f"vpc-flow-log/{flow_log}"))


TABLE: Final[Table] = {
    "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup": _default_security_group,
    "aws:ec2/eip:Eip": _eip,
    "aws:ec2/flowLog:FlowLog": _flow_log,
    "aws:ec2/internetGateway:InternetGateway": _internet_gateway,
    "aws:ec2/natGateway:NatGateway": _nat_gateway,
    "aws:ec2/route:Route": _route,
    "aws:ec2/routeTable:RouteTable": _route_table,
    "aws:ec2/routeTableAssociation:RouteTableAssociation": _route_table_association,
    "aws:ec2/securityGroup:SecurityGroup": _security_group,
    "aws:ec2/subnet:Subnet": _subnet,
    "aws:ec2/vpc:Vpc": _vpc,
    "aws:ec2/vpcEndpoint:VpcEndpoint": _vpc_endpoint,
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": functools.partial(_security_group_rule, way="Egress"),
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": functools.partial(_security_group_rule, way="Ingress"),
}
