"""Whatever way a server is found by: it is registered there, and its clients know where, may, and can get through."""

from __future__ import annotations

import json
from typing import Any

import pytest

from components.errors import InvalidArgsError
from policies.rules.iam import documents, statements
from tests.components.discovery.stack import PREFIX, made
from tests.components.recorder import Recorded, of_type, one

KINDS = (
    "cloud_map",
    "cloud_map+nlb",
    "service_connect",
    "service_connect+nlb",
    "nlb",
    "alb_grpc",
    "lattice",
    "address",
)
ECS = "aws:ecs/service:Service"

each_kind = pytest.mark.parametrize("kind", KINDS)


def told(resources: list[Recorded]) -> dict[str, str]:
    """Return what the gateway's container is told of the server."""
    (container,) = json.loads(one(resources, ":TaskDefinition", "api-gateway").inputs["containerDefinitions"])
    said = {each["name"]: each["value"] for each in container["environment"]}
    return {name.removeprefix(f"{PREFIX}_"): value for name, value in said.items()}


def ways_through(resources: list[Recorded], out_of: str) -> set[tuple[str, int]]:
    """Return whom a security group may call, beside HTTPS anywhere: a group, prefix list or block, and the port."""
    rules = (each.inputs for each in of_type(resources, ":SecurityGroupEgressRule").values())
    return {
        (there, int(rule["fromPort"]))
        for rule in rules
        if rule["securityGroupId"] == out_of
        and (there := rule.get("referencedSecurityGroupId") or rule.get("prefixListId") or rule["cidrIpv4"])
        != "0.0.0.0/0"
    }


def let_in(resources: list[Recorded], into: str) -> set[tuple[str, int]]:
    """Return whom a security group lets in: a group or prefix list, and the port."""
    rules = (each.inputs for each in of_type(resources, ":SecurityGroupIngressRule").values())
    return {
        (rule.get("referencedSecurityGroupId") or rule["prefixListId"], int(rule["fromPort"]))
        for rule in rules
        if rule["securityGroupId"] == into
    }


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (
            "cloud_map",
            {
                "DNS": "workflow-agent.workflow.local",
                "PORT": "50051",
                "NAMESPACE": "workflow.local",
                "NAME": "workflow-agent",
            },
        ),
        ("service_connect", {"DNS": "workflow-agent.workflow.local", "PORT": "50051"}),
        ("nlb", {"HOST": "agent-nlb.dnsName", "PORT": "50051"}),
        ("alb_grpc", {"HOST": "grpc.example.com", "PORT": "443", "TLS": "1"}),
        ("lattice", {"HOST": "agent.dnsName", "PORT": "443", "TLS": "1"}),
        ("address", {"HOST": "agent.example.com", "PORT": "50051"}),
    ],
)
def test_clients_are_told_what_applies_and_nothing_else(kind: str, said: dict[str, str]) -> None:
    """A variable too many sends a client another way than the one that was chosen."""
    assert told(made(kind)) == said


@pytest.mark.parametrize("kind", ["cloud_map", "service_connect"])
def test_a_second_way_adds_where_clients_fall_back_to(kind: str) -> None:
    """Both are registered, and the first stays the first."""
    resources = made(f"{kind}+nlb")
    assert told(resources) == told(made(kind)) | {"FALLBACK_HOST": "agent-nlb.dnsName"}
    assert ways_through(resources, "api-gateway-id") == {
        ("agent-id", 50051),
        ("agent-nlb-id", 50051),
    }


@pytest.mark.parametrize(
    ("kind", "client_calls", "server_lets_in"),
    [
        ("cloud_map", ("agent-id", 50051), {("api-gateway-id", 50051)}),
        ("service_connect", ("agent-id", 50051), {("api-gateway-id", 50051)}),
        ("nlb", ("agent-nlb-id", 50051), {("agent-nlb-id", 50051)}),
        ("alb_grpc", ("main-id", 443), {("main-id", 50051)}),
        ("lattice", ("pl-0a1b2c3d", 443), {("pl-0a1b2c3d", 50051)}),
        ("address", ("10.0.0.0/16", 50051), set[Any]()),
    ],
)
def test_the_port_is_opened_and_no_other(
    kind: str, client_calls: tuple[str, int], server_lets_in: set[tuple[str, int]]
) -> None:
    """From group to group, both ends: one without the other is a connection that hangs."""
    resources = made(kind)
    assert ways_through(resources, "api-gateway-id") == {client_calls}
    assert let_in(resources, "agent-id") == server_lets_in
    between = {"nlb": "agent-nlb-id", "alb_grpc": "main-id"}.get(kind)
    if between:
        assert let_in(resources, between) == {("api-gateway-id", client_calls[1])}
        assert ways_through(resources, between) == {("agent-id", 50051)}
    if kind == "lattice":
        assert let_in(resources, "agent-lattice-id") == {("api-gateway-id", 443)}


@each_kind
def test_nobody_is_let_in_by_address(kind: str) -> None:
    """A block is everybody in it."""
    assert not [rule for rule in of_type(made(kind), ":SecurityGroupIngressRule").values() if "cidrIpv4" in rule.inputs]


@each_kind
def test_the_servers_tasks_wear_its_group_beside_their_own(kind: str) -> None:
    """Whatever the way: another one then changes no task's network."""
    service = one(made(kind), ECS, "workflow-agent").inputs
    assert service["networkConfiguration"]["securityGroups"] == ["workflow-agent-id", "agent-id"]


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("cloud_map", {"serviceRegistries": {"registryArn": "agent.arn"}}),
        ("nlb", {"loadBalancers": "agent-nlb-50051.arn"}),
        ("cloud_map+nlb", {"serviceRegistries": {"registryArn": "agent.arn"}, "loadBalancers": "agent-nlb-50051.arn"}),
        ("alb_grpc", {"loadBalancers": "agent-grpc.arn"}),
        (
            "lattice",
            {
                "vpcLatticeConfigurations": [
                    {
                        "portName": "grpc",
                        "roleArn": "workflow-agent-infrastructure.arn",
                        "targetGroupArn": "agent.arn",
                    }
                ]
            },
        ),
        ("address", {}),
    ],
)  # fmt: skip
def test_ecs_registers_each_task_where_it_is_looked_for(kind: str, said: dict[str, Any]) -> None:
    """And nowhere else."""
    service = one(made(kind), ECS, "workflow-agent").inputs
    kept = {"serviceRegistries", "loadBalancers", "vpcLatticeConfigurations", "serviceConnectConfiguration"}
    if "loadBalancers" in said:
        place = {"containerName": "app", "containerPort": 50051}
        said = said | {"loadBalancers": [place | {"targetGroupArn": said["loadBalancers"]}]}
    assert {name: value for name, value in service.items() if name in kept} == said


@pytest.mark.parametrize(
    ("kind", "checked"),
    [("cloud_map", False), ("service_connect", False), ("nlb", True), ("alb_grpc", True), ("lattice", True)],
)
def test_a_slow_start_has_its_grace_where_something_else_checks(kind: str, *, checked: bool) -> None:
    """ECS refuses it where nothing does."""
    assert ("healthCheckGracePeriodSeconds" in one(made(kind), ECS, "workflow-agent").inputs) == checked


def test_service_connect_has_its_log_its_name_and_its_times() -> None:
    """Without a log nobody sees why a call failed; under Cloud Map's own name, ECS would find it taken."""
    resources = made("service_connect", request_timeout=0)
    server = one(resources, ECS, "workflow-agent").inputs["serviceConnectConfiguration"]
    assert server["services"] == [
        {
            "portName": "grpc",
            "discoveryName": "workflow-agent-connect",
            "clientAlias": [{"dnsName": "workflow-agent.workflow.local", "port": 50051}],
            "timeout": {"idleTimeoutSeconds": 300, "perRequestTimeoutSeconds": 0},
        }
    ]
    client = one(resources, ECS, "api-gateway").inputs["serviceConnectConfiguration"]
    assert "services" not in client, "it is found by nobody"
    for side, group in ((server, "/ecs/workflow-agent"), (client, "/ecs/api-gateway")):
        assert (side["enabled"], side["namespace"]) == (True, "names.arn")
        log = side["logConfiguration"]["options"]
        assert (log["awslogs-group"], log["awslogs-stream-prefix"]) == (group, "service-connect")


def test_the_task_says_what_service_connect_must_know_of_its_port() -> None:
    (container,) = json.loads(one(made("nlb"), ":TaskDefinition", "workflow-agent").inputs["containerDefinitions"])
    assert container["portMappings"] == [
        {"containerPort": 50051, "hostPort": 50051, "protocol": "tcp", "name": "grpc", "appProtocol": "grpc"}
    ]


def test_cloud_map_has_one_record_a_task_and_takes_ecss_word_for_its_health() -> None:
    registry = one(made("cloud_map", ttl=5), "servicediscovery/service:Service").inputs
    assert registry["name"] == "workflow-agent"
    assert registry["dnsConfig"] == {
        "namespaceId": "names-id",
        "dnsRecords": [{"type": "A", "ttl": 5}],
        "routingPolicy": "MULTIVALUE",
    }
    assert registry["healthCheckCustomConfig"] == {"failureThreshold": 1}
    namespace = one(made("cloud_map"), ":PrivateDnsNamespace").inputs
    assert (namespace["name"], namespace["vpc"]) == ("workflow.local", "vpc-0a1b2c3d")


def test_the_nlb_is_internal_and_checks_by_connecting() -> None:
    resources = made("nlb")
    balancer = one(resources, ":LoadBalancer", "agent-nlb").inputs
    assert (balancer["loadBalancerType"], balancer["internal"]) == ("network", True)
    group = one(resources, ":TargetGroup").inputs
    assert (group["targetType"], group["protocol"], group["port"]) == ("ip", "TCP", 50051)
    assert group["healthCheck"] == {
        "protocol": "TCP", "interval": 30, "timeout": 10, "healthyThreshold": 2, "unhealthyThreshold": 2,
    }  # fmt: skip


def test_the_alb_speaks_grpc_and_checks_by_its_status() -> None:
    resources = made("alb_grpc", healthy_codes=(12, 0))
    group = one(resources, ":TargetGroup").inputs
    assert (group["protocol"], group["protocolVersion"], group["targetType"]) == ("HTTP", "GRPC", "ip")
    assert (group["healthCheck"]["path"], group["healthCheck"]["matcher"]) == ("/grpc.health.v1.Health/Check", "0,12")
    assert one(resources, ":ListenerRule").inputs["listenerArn"] == "main-https.arn"


def test_lattice_admits_the_vpc_and_speaks_grpc_over_https() -> None:
    resources = made("lattice")
    group = one(resources, "vpclattice/targetGroup:TargetGroup").inputs
    assert (group["type"], group["config"]["protocolVersion"]) == ("IP", "GRPC")
    assert one(resources, "vpclattice/listener:Listener").inputs["protocol"] == "HTTPS"
    (admitted,) = json.loads(one(resources, ":AuthPolicy").inputs["policy"])["Statement"]
    assert admitted["Condition"] == {"StringEquals": {"vpc-lattice-svcs:SourceVpc": "vpc-0a1b2c3d"}}
    assert admitted["Principal"] == {"AWS": "*"}
    joined = one(resources, ":ServiceNetworkVpcAssociation").inputs
    assert joined["securityGroupIds"] == ["agent-lattice-id"]


@pytest.mark.parametrize(
    ("kind", "token"),
    [
        ("nlb", "lb/listener:Listener"),
        ("alb_grpc", ":ListenerRule"),
        ("lattice", "vpclattice/listener:Listener"),
        ("lattice", ":ServiceNetworkServiceAssociation"),
        ("lattice", ":AuthPolicy"),
    ],
)
def test_the_server_waits_for_what_leads_to_it(kind: str, token: str) -> None:
    """ECS refuses a target group that nothing leads to."""
    resources = made(kind)
    assert one(resources, token).urn in one(resources, ECS, "workflow-agent").dependencies


def test_a_client_of_service_connect_is_deployed_after_its_server() -> None:
    """Its proxy knows those who were there when it was deployed."""
    resources = made("service_connect")
    server, client = (one(resources, ECS, name) for name in ("workflow-agent", "api-gateway"))
    assert server.urn in client.dependencies
    assert one(made("nlb"), ECS, "workflow-agent").urn not in one(made("nlb"), ECS, "api-gateway").dependencies


@pytest.mark.parametrize(
    ("kind", "said", "allowed"),
    [
        (
            "cloud_map",
            {},
            [("servicediscovery:DiscoverInstances", ["names.arn", "agent.arn"])],
        ),
        ("service_connect", {}, []),
        ("nlb", {}, []),
        ("alb_grpc", {}, []),
        ("lattice", {}, []),
        ("lattice", {"signed": True}, [("vpc-lattice-svcs:Invoke", ["agent.arn/*"])]),
        ("address", {}, []),
    ],
)
def test_a_client_may_what_its_way_needs(kind: str, said: dict[str, Any], allowed: list[tuple[str, list[str]]]) -> None:
    """The whole of its role: the namespace and the service for Cloud Map's API, the service's paths for Lattice."""
    policies = of_type(made(kind, **said), ":RolePolicy")
    found = policies.get("api-gateway-task")
    document: list[dict[str, Any]] = json.loads(found.inputs["policy"])["Statement"] if found else []
    assert [(each["Action"], each["Resource"]) for each in document] == [([action], on) for action, on in allowed]


def test_signed_calls_are_admitted_from_the_account_alone() -> None:
    (admitted,) = json.loads(one(made("lattice", signed=True), ":AuthPolicy").inputs["policy"])["Statement"]
    assert admitted["Principal"] == {"AWS": "111122223333"}


def test_the_infrastructure_role_reaches_its_own_target_group_alone() -> None:
    """AWS's managed policy reaches every target group of the account."""
    resources = made("lattice")
    policy = json.loads(one(resources, ":RolePolicy", "workflow-agent-infrastructure").inputs["policy"])
    assert policy["Statement"] == [
        {
            "Effect": "Allow",
            "Action": [
                "vpc-lattice:DeregisterTargets",
                "vpc-lattice:GetTargetGroup",
                "vpc-lattice:ListTargets",
                "vpc-lattice:RegisterTargets",
            ],
            "Resource": ["agent.arn"],
        },
        {
            "Effect": "Allow",
            "Action": ["ec2:DescribeInstances", "ec2:DescribeSubnets", "ec2:DescribeVpcs"],
            "Resource": ["*"],
        },
    ]
    trust = json.loads(one(resources, "iam/role:Role", "workflow-agent-infrastructure").inputs["assumeRolePolicy"])
    assert trust["Statement"][0]["Principal"] == {"Service": "ecs.amazonaws.com"}


@pytest.mark.parametrize(
    ("kind", "said"), [("cloud_map", {}), ("lattice", {"signed": True}), ("lattice", {"signed": False})]
)
def test_the_least_privilege_pack_finds_nothing_in_its_roles(kind: str, said: dict[str, Any]) -> None:
    """Judged as the pack judges them, with ARNs as AWS would give them."""
    arn = "arn:aws:{}:eu-west-1:111122223333:{}/{}-0123456789abcdef0"
    for name, policy in of_type(made(kind, **said), ":RolePolicy").items():
        text = policy.inputs["policy"]
        service, of_what = ("servicediscovery", "service") if kind == "cloud_map" else ("vpc-lattice", "service")
        if name.endswith("-infrastructure"):
            of_what = "targetgroup"
        text = text.replace('"agent.arn', '"' + arn.format(service, of_what, "x"))
        text = text.replace('"names.arn', '"' + arn.format(service, "namespace", "ns"))
        document = documents.parse(text)
        assert document, name
        assert statements.judge(document, ("ecs-tasks.amazonaws.com",), task_role=name.endswith("-task")) == []


@pytest.mark.parametrize(
    ("kind", "said", "message"),
    [
        ("nlb+cloud_map", {}, "Discovery.ways: got ['nlb', 'cloud_map']; one way, or"),
        ("alb_grpc+nlb", {}, "Discovery.ways: got ['alb_grpc', 'nlb']; one way, or"),
        ("cloud_map", {"args": {"ways": []}}, "Discovery.ways: got []"),
        ("cloud_map", {"args": {"namespace": None}}, "Discovery.namespace: got None; a Namespace or a domain"),
        ("cloud_map", {"args": {"namespace": "Workflow.local"}}, "namespace name: got 'Workflow.local'"),
        ("cloud_map", {"args": {"port": 0}}, "Discovery.port: got 0"),
        ("cloud_map", {"args": {"service_name": "agent_1"}}, "discovery name: got 'agent_1'"),
        ("cloud_map", {"ttl": -1}, "CloudMap.ttl: got -1"),
        ("service_connect", {"args": {"protocol": "tcp"}}, "ServiceConnect.request_timeout: got 15; 0: over TCP"),
        ("service_connect", {"idle_timeout": -1}, "ServiceConnect.idle_timeout: got -1"),
        ("nlb", {"deregistration_delay": 3601}, "Nlb.deregistration_delay: got 3601"),
        ("alb_grpc", {"args": {"protocol": "http"}}, "Discovery.protocol: got 'http'; 'grpc'"),
        ("alb_grpc", {"healthy_codes": (100,)}, "AlbGrpc.healthy_codes: got (100,)"),
        ("alb_grpc", {"health_method": "Check"}, "AlbGrpc.health_method: got 'Check'; '/<service>/<method>'"),
        ("lattice", {"args": {"protocol": "tcp"}}, "Discovery.protocol: got 'tcp'; one of grpc, http2, http"),
        ("address", {"port": 0}, "Address.port: got 0"),
        (
            "nlb",
            {"args": {"port": 9090}},
            "Discovery.port: got 9090; one port of the task's containers, which have 50051",
        ),
    ],
)
def test_what_cannot_work_is_refused(kind: str, said: dict[str, Any], message: str) -> None:
    """With the argument, its value, and what would do."""
    with pytest.raises(InvalidArgsError) as refused:
        made(kind, **said)
    assert message in str(refused.value)
