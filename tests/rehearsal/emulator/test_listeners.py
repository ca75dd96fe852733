"""Which of a load balancer's listeners answers, and what: host and path rules, the redirect, ports without one."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any

import pytest
import urllib3

from rehearsal.client import Client

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rehearsal.emulator import Emulator

HOST = "shop.example.com"


def fixed(said: str) -> dict[str, Any]:
    return {
        "Type": "fixed-response",
        "FixedResponseConfig": {"StatusCode": "200", "ContentType": "text/plain", "MessageBody": said},
    }


def balancer(aws: Emulator, *, tls: bool) -> tuple[str, str]:
    """Make a load balancer as the component does, with two rules; return its name and its DNS name."""
    elb, name = aws.client("elbv2"), f"shop-{uuid.uuid4().hex[:6]}"
    made = elb.create_load_balancer(Name=name, Subnets=["subnet-1", "subnet-2"])["LoadBalancers"][0]
    own: dict[str, Any] = {"LoadBalancerArn": made["LoadBalancerArn"]}
    plain = {"Protocol": "HTTP", "Port": 80}
    secure: dict[str, Any] = {"Protocol": "HTTPS", "Port": 443}
    if tls:
        arn = aws.client("acm").request_certificate(DomainName=HOST)["CertificateArn"]
        secure["Certificates"] = [{"CertificateArn": arn}]
        redirect = {"Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_301"}
        to_https = [{"Type": "redirect", "RedirectConfig": redirect}]
        elb.create_listener(**own, **plain, DefaultActions=to_https)
    listener = elb.create_listener(**own, **(secure if tls else plain), DefaultActions=[fixed("nobody")])
    arn = listener["Listeners"][0]["ListenerArn"]
    for priority, field, values, said in (
        (1, "host-header", [f"user.{HOST}"], "user"),
        (2, "path-pattern", ["/news/*"], "news"),
    ):
        condition = {"Field": field, "Values": values}
        elb.create_rule(ListenerArn=arn, Priority=priority, Conditions=[condition], Actions=[fixed(said)])
    return name, made["DNSName"]


def asked(aws: Emulator, url: str, domains: Mapping[str, str], host: str | None = None) -> tuple[int, str]:
    with Client(aws.endpoint, domains) as client:
        status, headers, body = client.send("GET", url, {}, None, host=host)
    return status, headers.get("location") or body.decode()


@pytest.fixture(scope="module")
def secure(corrected: Emulator) -> dict[str, str]:
    """Return the names that lead to a load balancer with a domain."""
    name, dns_name = balancer(corrected, tls=True)
    return {dns_name: name, HOST: name, f"*.{HOST}": name}


def test_the_domain_is_asked_over_https_and_rules_tell_hosts_and_paths(
    corrected: Emulator, secure: dict[str, str]
) -> None:
    """Each name reaches the same load balancer, which knows them apart."""
    assert asked(corrected, f"https://{HOST}/", secure) == (200, "nobody")
    assert asked(corrected, f"https://{HOST}/news/1", secure) == (200, "news")
    assert asked(corrected, f"https://{HOST}/", secure, f"user.{HOST}") == (200, "user")
    assert asked(corrected, f"https://{HOST}/news/1", secure, f"market.{HOST}") == (200, "news")


def test_http_is_redirected_to_the_same_place_over_https(corrected: Emulator, secure: dict[str, str]) -> None:
    """The path, the query and the name that was asked for are kept; AWS writes the port too."""
    assert asked(corrected, f"http://{HOST}/news/1?a=b", secure) == (301, f"https://{HOST}:443/news/1?a=b")
    assert asked(corrected, f"http://{HOST}/", secure, f"user.{HOST}") == (301, f"https://user.{HOST}:443/")


def test_a_host_is_told_without_a_domain_too(corrected: Emulator) -> None:
    """As with ``curl -H Host:``; the rules of a stack without a domain are shown by it."""
    name, dns_name = balancer(corrected, tls=False)
    assert asked(corrected, f"http://{dns_name}/", {dns_name: name}) == (200, "nobody")
    assert asked(corrected, f"http://{dns_name}/", {dns_name: name}, f"user.{HOST}") == (200, "user")


def test_a_port_without_a_listener_answers_nothing(plain: Emulator, corrected: Emulator) -> None:
    """A stack that serves HTTP only must not seem to serve HTTPS."""
    _, dns_name = balancer(plain, tls=False)
    assert asked(plain, f"https://{dns_name}/", {}) == (200, "nobody")
    name, dns_name = balancer(corrected, tls=False)
    status, said = asked(corrected, f"https://{dns_name}/", {})
    assert (status, json.loads(said)["message"]) == (
        503, f"{name} has no listener on port 443: AWS would not connect",
    )  # fmt: skip


def test_by_the_emulators_own_address_the_first_listener_answers(corrected: Emulator) -> None:
    """A browser without a resolver comes by it, and its port is the emulator's."""
    name, _ = balancer(corrected, tls=False)
    answer = urllib3.request("GET", f"{corrected.endpoint}/_alb/{name}/news/1")
    assert (answer.status, answer.data) == (200, b"news")
