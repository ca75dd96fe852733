"""A network load balancer passes connections on by port, and lets in whom it is told to."""

from __future__ import annotations

from typing import Any

import pytest

from components.adopted_network import AdoptedNetwork
from components.balancer import TLS_POLICY
from components.errors import InvalidArgsError
from components.network_load_balancer import (
    NetworkListener,
    NetworkLoadBalancer,
    NetworkLoadBalancerArgs,
    TcpHealth,
)
from tests.components.recorder import Recorded, of_type, one, record

NETWORK = AdoptedNetwork(
    vpc_id="vpc-0a1b2c3d",
    cidr="10.0.0.0/16",
    zones=("a", "b"),
    app_subnet_ids=("subnet-0a1b2c3d", "subnet-1a1b2c3d"),
    public_subnet_ids=("subnet-2a1b2c3d", "subnet-3a1b2c3d"),
)
CERTIFICATE = "arn:aws:acm:eu-west-1:123456789012:certificate/12345678-1234-1234-1234-123456789012"


def made(*listeners: NetworkListener, **given: Any) -> list[Recorded]:
    args: dict[str, Any] = {"network": NETWORK, "listeners": listeners or (NetworkListener(port=50051),), **given}
    return record(lambda: NetworkLoadBalancer("shop", NetworkLoadBalancerArgs(**args)))


def test_by_default_it_is_internal_crosses_zones_and_lets_nobody_in() -> None:
    """A stack opens it by name; without a group at its making it could never be given one."""
    resources = made()
    balancer = one(resources, "lb/loadBalancer:LoadBalancer").inputs
    assert (balancer["loadBalancerType"], balancer["internal"]) == ("network", True)
    assert balancer["subnets"] == ["subnet-0a1b2c3d", "subnet-1a1b2c3d"]
    assert balancer["securityGroups"] == ["shop-id"]
    assert (balancer["enableCrossZoneLoadBalancing"], balancer["enableDeletionProtection"]) == (True, True)
    assert not of_type(resources, ":SecurityGroupIngressRule")
    assert not of_type(resources, ":SecurityGroupEgressRule")


def test_an_internet_facing_one_stands_in_the_public_tier() -> None:
    balancer = one(made(internal=False), "lb/loadBalancer:LoadBalancer").inputs
    assert (balancer["internal"], balancer["subnets"]) == (False, ["subnet-2a1b2c3d", "subnet-3a1b2c3d"])


def test_a_listener_passes_tcp_on_to_ip_targets() -> None:
    """Fargate's tasks have an address and nothing else."""
    resources = made(NetworkListener(port=443, target_port=8443))
    listener = one(resources, ":Listener").inputs
    assert (listener["port"], listener["protocol"]) == (443, "TCP")
    assert not {"sslPolicy", "certificateArn", "alpnPolicy"} & listener.keys()
    assert listener["defaultActions"] == [{"type": "forward", "targetGroupArn": "shop-443.arn"}]
    group = one(resources, ":TargetGroup").inputs
    assert (group["targetType"], group["protocol"], group["port"]) == ("ip", "TCP", 8443)


def test_with_a_certificate_tls_ends_there_by_a_policy_of_ours() -> None:
    listener = one(made(NetworkListener(port=443, certificate_arn=CERTIFICATE, alpn="HTTP2Only")), ":Listener").inputs
    assert (listener["protocol"], listener["sslPolicy"]) == ("TLS", TLS_POLICY)
    assert (listener["certificateArn"], listener["alpnPolicy"]) == (CERTIFICATE, "HTTP2Only")


def test_targets_see_the_client_as_they_are_told() -> None:
    """Stated always: AWS's own default differs by target type and protocol."""
    group = one(made(), ":TargetGroup").inputs
    assert (group["preserveClientIp"], group["proxyProtocolV2"]) == ("false", False)
    said = NetworkListener(port=1, preserve_client_ip=True, proxy_protocol=True)
    group = one(made(said), ":TargetGroup").inputs
    assert (group["preserveClientIp"], group["proxyProtocolV2"]) == ("true", True)


def test_a_target_is_taken_out_as_it_is_told() -> None:
    said = NetworkListener(port=1, deregistration_delay=90, connection_termination=True, health=TcpHealth(interval=11))
    group = one(made(said), ":TargetGroup").inputs
    assert (group["deregistrationDelay"], group["connectionTermination"]) == (90, True)
    assert (group["healthCheck"]["protocol"], group["healthCheck"]["interval"]) == ("TCP", 11)


def test_who_is_let_in_is_named_for_each_port() -> None:
    rules = of_type(made(open_to=["vpc"], clients={"till": "sg-1"}), ":SecurityGroupIngressRule")
    assert {
        name: rule.inputs.get("cidrIpv4") or rule.inputs["referencedSecurityGroupId"] for name, rule in rules.items()
    } == {
        "shop-50051-10.0.0.0/16": "10.0.0.0/16",
        "shop-50051-till": "sg-1",
    }


def test_its_target_groups_are_known_by_port_once_their_listeners_are_there() -> None:
    """ECS refuses a target group that no load balancer uses."""
    outputs = one(made(NetworkListener(port=1), NetworkListener(port=2)), "index:NetworkLoadBalancer").outputs
    assert outputs["target_group_arns"] == {"1": "shop-1.arn", "2": "shop-2.arn"}


@pytest.mark.parametrize(
    ("listener", "message"),
    [
        ({"port": 0}, "NetworkListener.port: got 0"),
        ({"port": 1, "target_port": 65536}, "NetworkListener.target_port: got 65536"),
        ({"port": 1, "certificate_arn": "mine"}, "NetworkListener.certificate_arn: got 'mine'; the ARN of an ACM"),
        ({"port": 1, "alpn": "HTTP2Only"}, "NetworkListener.alpn: got 'HTTP2Only'; a certificate_arn too"),
        ({"port": 1, "alpn": "h2", "certificate_arn": CERTIFICATE}, "NetworkListener.alpn: got 'h2'; one of"),
        ({"port": 1, "deregistration_delay": 3601}, "NetworkListener.deregistration_delay: got 3601"),
    ],
)
def test_a_listener_that_cannot_work_is_refused(listener: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidArgsError) as refused:
        NetworkListener(**listener)
    assert message in str(refused.value)


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"interval": 4}, "TcpHealth.interval: got 4"),
        ({"timeout": 1}, "TcpHealth.timeout: got 1"),
        ({"interval": 10}, "TcpHealth.timeout: got 10; under the interval, 10 s"),
        ({"healthy": 1}, "TcpHealth.healthy: got 1"),
        ({"unhealthy": 11}, "TcpHealth.unhealthy: got 11"),
    ],
)
def test_the_health_checks_bounds_are_kept(said: dict[str, Any], message: str) -> None:
    """The bounds of elbv2's own model."""
    with pytest.raises(InvalidArgsError) as refused:
        TcpHealth(**said)
    assert message in str(refused.value)


@pytest.mark.parametrize("ports", [(), (1, 1)])
def test_each_listener_has_a_port_of_its_own(ports: tuple[int, ...]) -> None:
    with pytest.raises(InvalidArgsError, match=r"NetworkLoadBalancer.listeners: got \["):
        NetworkLoadBalancerArgs(network=NETWORK, listeners=[NetworkListener(port=port) for port in ports])


def test_a_name_leaves_room_for_the_longest_port() -> None:
    """32 characters less Pulumi's eight, and less the port that its target group is called after."""
    args = NetworkLoadBalancerArgs(network=NETWORK, listeners=[NetworkListener(port=50051)])
    with pytest.raises(InvalidArgsError, match="target group name"):
        record(lambda: NetworkLoadBalancer("n" * 19, args))
    record(lambda: NetworkLoadBalancer("n" * 18, args))
