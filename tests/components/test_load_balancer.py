"""A load balancer is closed, and answers 404, until somebody says otherwise."""

from __future__ import annotations

from typing import Any

import pulumi
import pulumi_aws as aws
import pytest

from components.account import Account
from components.adopted_network import AdoptedNetwork
from components.balancer import TLS_POLICY
from components.domain import Domain
from components.errors import InvalidArgsError
from components.load_balancer import LoadBalancer, LoadBalancerArgs
from components.network import Network, NetworkArgs
from tests.components.recorder import STACK, Recorded, of_type, one, record

APP = ("subnet-0a1b2c3d4e5f60001", "subnet-0a1b2c3d4e5f60002")
PUBLIC = ("subnet-0a1b2c3d4e5f60003", "subnet-0a1b2c3d4e5f60004")
CERTIFICATE = "arn:aws:acm:eu-west-1:123456789012:certificate/12345678-1234-1234-1234-123456789012"
DOMAIN = Domain(name="shop.example.com", certificate_arn=CERTIFICATE)


def network(*, zones: int = 2, public: tuple[str, ...] = PUBLIC, nat: bool = True) -> AdoptedNetwork:
    return AdoptedNetwork(
        vpc_id="vpc-0a1b2c3d4e5f67890",
        cidr="10.0.0.0/16",
        zones=("a", "b")[:zones],
        app_subnet_ids=APP[:zones],
        public_subnet_ids=public[:zones],
        nat_addresses={"a": "203.0.113.7", "b": "203.0.113.8"} if nat and zones > 1 else {},
    )


def args(**given: Any) -> LoadBalancerArgs:
    return LoadBalancerArgs(**{"network": network(), **given})


def balancer(**given: Any) -> list[Recorded]:
    return record(lambda: LoadBalancer("shop", args(**given)))


def doors(resources: list[Recorded]) -> dict[str, tuple[int, str]]:
    rules = of_type(resources, ":SecurityGroupIngressRule")
    return {
        name: (rule.inputs["fromPort"], rule.inputs.get("cidrIpv4") or rule.inputs["referencedSecurityGroupId"])
        for name, rule in rules.items()
        if rule.inputs["fromPort"] == rule.inputs["toPort"] and rule.inputs["ipProtocol"] == "tcp"
    }


def test_by_default_it_is_internal_protected_and_lets_nobody_in() -> None:
    resources = balancer()
    made = one(resources, "loadBalancer:LoadBalancer")
    assert made.inputs["internal"] is True
    assert made.inputs["enableDeletionProtection"] is True
    assert made.inputs["subnets"] == list(APP)
    assert made.inputs["securityGroups"] == ["shop-id"]
    assert doors(resources) == {}
    assert not of_type(resources, ":SecurityGroupEgressRule"), "each service adds the way to its own port"
    assert not {"ingress", "egress"} & set(one(resources, ":SecurityGroup").inputs)


def test_requests_that_could_be_read_in_two_ways_are_dropped() -> None:
    made = one(balancer(), "loadBalancer:LoadBalancer").inputs
    assert (made["dropInvalidHeaderFields"], made["desyncMitigationMode"]) == (True, "defensive")


def test_an_internet_facing_one_stands_in_the_public_tier() -> None:
    made = one(balancer(internal=False), "loadBalancer:LoadBalancer").inputs
    assert (made["internal"], made["subnets"]) == (False, list(PUBLIC))


def test_without_a_domain_it_answers_404_on_port_80_to_what_nobody_claims() -> None:
    listener = one(balancer(), ":Listener")
    assert (listener.inputs["port"], listener.inputs["protocol"]) == (80, "HTTP")
    (action,) = listener.inputs["defaultActions"]
    assert (action["type"], action["fixedResponse"]["statusCode"]) == ("fixed-response", "404")


def test_with_a_domain_it_ends_tls_on_443_and_redirects_80() -> None:
    listeners = of_type(balancer(domain=DOMAIN), ":Listener")
    https, plain = listeners["shop-https"].inputs, listeners["shop-http"].inputs
    assert (https["port"], https["protocol"], https["sslPolicy"]) == (443, "HTTPS", TLS_POLICY)
    assert https["certificateArn"] == CERTIFICATE
    assert https["defaultActions"][0]["fixedResponse"]["statusCode"] == "404"
    assert plain["defaultActions"] == [
        {"type": "redirect", "redirect": {"protocol": "HTTPS", "port": "443", "statusCode": "HTTP_301"}}
    ]


def test_who_is_let_in_is_named_one_rule_each_by_its_value() -> None:
    """Keyed by place, a reordered list would close every door and open it again."""
    said = ["vpc", "192.168.0.0/24"]
    assert doors(balancer(open_to=said, clients={"batch": "sg-1"})) == {
        "shop-80-10.0.0.0/16": (80, "10.0.0.0/16"),
        "shop-80-192.168.0.0/24": (80, "192.168.0.0/24"),
        "shop-80-batch": (80, "sg-1"),
    }
    assert doors(balancer(open_to=said)) == doors(balancer(open_to=said[::-1]))


def test_with_a_domain_both_ports_are_open_to_whom_is_let_in() -> None:
    assert doors(balancer(open_to=["0.0.0.0/0"], internal=False, domain=DOMAIN)) == {
        "shop-80-0.0.0.0/0": (80, "0.0.0.0/0"),
        "shop-443-0.0.0.0/0": (443, "0.0.0.0/0"),
    }


def test_a_public_one_may_be_open_to_an_office_and_to_the_networks_own_tasks() -> None:
    """They come to its public name by NAT, and a stack that is not for everybody would shut them out."""
    assert doors(balancer(open_to=["198.51.100.0/24", "nat"], internal=False)) == {
        "shop-80-198.51.100.0/24": (80, "198.51.100.0/24"),
        "shop-80-nat-a": (80, "203.0.113.7/32"),
        "shop-80-nat-b": (80, "203.0.113.8/32"),
    }


def test_the_addresses_of_a_stacks_own_nat_are_let_in_too() -> None:
    """They are known once they are made; the rule's name is there before."""

    def build() -> None:
        own = Network("main", NetworkArgs(account=Account(id="123456789012", region="eu-west-1"), nat="single"))
        LoadBalancer("shop", args(network=own, internal=False, open_to=["nat"]))

    assert doors(record(build)) == {"shop-80-nat-a": (80, "main-nat-a.publicIp/32")}


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ({}, "http://shop.dnsName"),
        ({"domain": DOMAIN}, "https://shop.example.com"),
    ],
)
def test_its_url_is_what_a_client_asks(given: dict[str, Any], url: str) -> None:
    assert one(balancer(**given), "index:LoadBalancer").outputs["url"] == url


def test_its_outputs_are_its_attributes() -> None:
    assert one(balancer(domain=DOMAIN), "index:LoadBalancer").outputs == {
        "arn": "shop.arn",
        "arn_suffix": "shop.arnSuffix",
        "dns_name": "shop.dnsName",
        "zone_id": "shop.zoneId",
        "security_group_id": "shop-id",
        "listener_arn": "shop-https.arn",
        "url": "https://shop.example.com",
    }


def test_access_logs_go_where_the_stack_says_under_its_own_name() -> None:
    assert "accessLogs" not in one(balancer(), "loadBalancer:LoadBalancer").inputs
    made = one(balancer(access_logs="logs-bucket"), "loadBalancer:LoadBalancer")
    assert made.inputs["accessLogs"] == {"enabled": True, "bucket": "logs-bucket", "prefix": "shop"}


def test_all_it_makes_is_its_own_under_the_given_provider() -> None:
    def build() -> None:
        provider = aws.Provider("explicit", region="eu-west-1")
        named = Domain(name="shop.example.com", further_names=["*.shop.example.com"], zone_id="Z0123456789A")
        LoadBalancer("shop", args(open_to=["vpc"], domain=named), pulumi.ResourceOptions(providers=[provider]))

    resources = record(build)
    whole = one(resources, "index:LoadBalancer")
    children = [it for it in resources if it.custom and not it.type.startswith("pulumi:")]
    assert whole.parent == STACK
    assert {child.parent for child in children} == {whole.urn}
    assert all(child.provider.endswith("::explicit::explicit-id") for child in children)
    assert all(child.name.startswith("shop") for child in children)


def test_its_routes_know_it_and_each_other() -> None:
    def build() -> None:
        shop = LoadBalancer("shop", args())
        assert shop.route(path="/orders/*").load_balancer is shop
        LoadBalancer("other", args()).route(path="/orders/*")
        with pytest.raises(InvalidArgsError, match="other requests"):
            shop.route(path="/orders/*")

    record(build)


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"network": network(zones=1)}, "network"),
        ({"network": network(zones=1), "internal": False}, "network"),
        ({"network": network(public=()), "internal": False}, "network"),
        ({"open_to": ["0.0.0.0/0"]}, "open_to"),
        ({"open_to": ["10.0.0.1/16"]}, "open_to"),
        ({"open_to": ["VPC"]}, "open_to"),
        ({"open_to": ["::/0"]}, "open_to"),
        ({"open_to": ["vpc", "vpc"]}, "open_to"),
        ({"open_to": ["vpc", "10.0.0.0/16"]}, "open_to"),
        ({"open_to": ["vpc"], "internal": False}, "open_to"),
        ({"open_to": ["nat"]}, "open_to"),
        ({"open_to": ["nat"], "internal": False, "network": network(nat=False)}, "open_to"),
        ({"open_to": ["nat", "nat"], "internal": False}, "open_to"),
        ({"open_to": ["nat", "203.0.113.8/32"], "internal": False}, "open_to"),
        ({"clients": {"batch": "sg-1"}, "internal": False}, "clients"),
        ({"idle_timeout": 0}, "idle_timeout"),
        ({"idle_timeout": 4001}, "idle_timeout"),
    ],
)
def test_a_wrong_argument_is_named_with_its_value(given: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidArgsError, match=rf"^LoadBalancer.{field}: got "):
        args(**given)


@pytest.mark.parametrize("name", ["n" * 25, "internal-shop", "shop_public", "-shop"])
def test_a_name_that_aws_would_refuse_is_refused_before_anything_is_registered(name: str) -> None:
    """Autonaming cuts nothing: the 32 characters are AWS's, less the eight of Pulumi."""
    with pytest.raises(InvalidArgsError, match="load balancer name"):
        record(lambda: LoadBalancer(name, args()))
