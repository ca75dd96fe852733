"""A domain, made by the component and deployed in a real emulator, leads its names where they should."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pulumi_aws as aws
import pytest

from rehearsal import program, requests
from rehearsal.client import Client, domains
from rehearsal.graph import Registered
from rehearsal.monitor import Refused
from rehearsal.script import Request
from rehearsal.tree import Tree

if TYPE_CHECKING:
    from collections.abc import Callable

    from rehearsal.emulator import Emulator
    from rehearsal.stand_ins import StandIns

assert aws.__name__, "the types below are known once the package is imported"
PROGRAM = Path(__file__).parent / "domain"
ZONE = "Z0123456789ABCDEFGHIJ"


@pytest.fixture(scope="module")
def deployed(deploy: Callable[..., program.Result]) -> program.Result:
    return deploy(PROGRAM)


def ask(emulator: Emulator, deployed: program.Result, expect: dict[str, Any], **said: Any) -> requests.Asked:
    whole = {"name": "it holds", "entrance": "url", "method": "GET", "path": "/", "expect": expect}
    with Client(emulator.endpoint, domains(Tree(deployed.graph, {}))) as client:
        return requests.ask(client, "shop", deployed.outputs, Request.model_validate(whole | said))


@pytest.mark.parametrize(
    ("said", "expect"),
    [
        ({}, {"status": 404}),
        ({"path": "/news/1"}, {"status": 200}),
        ({"host": "user.shop.example.com"}, {"status": 200}),
        ({"host": "market.shop.example.com"}, {"status": 404}),
        (
            {"scheme": "http", "path": "/news/1?page=2"},
            {"status": 301, "headers": {"location": "https://shop.example.com:443/news/1?page=2"}},
        ),
        (
            {"scheme": "http", "host": "user.shop.example.com"},
            {"status": 301, "headers": {"location": "https://user.shop.example.com:443/"}},
        ),
    ],
)
def test_a_script_sees_the_redirect_and_the_rules_of_hosts_and_paths(
    emulator: Emulator, deployed: program.Result, said: dict[str, Any], expect: dict[str, Any]
) -> None:
    """Each as a client of the domain would see it, asked as `rehearsal.yaml` says it."""
    assert ask(emulator, deployed, expect, **said).problems == ()


def test_a_name_that_the_domain_has_not_is_told(emulator: Emulator, deployed: program.Result) -> None:
    (problem,) = ask(emulator, deployed, {"status": 200}, host="user.example.com").problems
    assert "nothing leads 'user.example.com' to a load balancer" in problem


def test_the_records_are_in_the_zone(emulator: Emulator, deployed: program.Result) -> None:
    """It is nobody's of the program: one is made in its stead, the same for all that name it."""
    route53 = emulator.client("route53")
    (zone,) = [each for each in route53.list_hosted_zones()["HostedZones"] if each["CallerReference"] == ZONE]
    found = route53.list_resource_record_sets(HostedZoneId=zone["Id"])["ResourceRecordSets"]
    (dns_name,) = [
        each.outputs["dnsName"] for each in deployed.graph if each.type.endswith("loadBalancer:LoadBalancer")
    ]
    own = [each for each in found if each["Type"] == "A" and "shop" in each["Name"]]
    assert {each["Name"]: each["AliasTarget"]["DNSName"] for each in own} == {
        "shop.example.com.": f"{dns_name}.",
        "*.shop.example.com.": f"{dns_name}.",
    }
    assert len([each for each in found if each["Type"] == "CNAME" and "shop" in each["Name"]]) == 1


def test_the_listener_has_the_certificate_that_was_made(emulator: Emulator, deployed: program.Result) -> None:
    (certificate,) = [each for each in deployed.graph if each.type == "aws:acm/certificate:Certificate"]
    (listener,) = [each for each in deployed.graph if each.name == "shop-https"]
    found = emulator.client("elbv2").describe_listeners(ListenerArns=[listener.id])["Listeners"][0]
    assert [each["CertificateArn"] for each in found["Certificates"]] == [certificate.id]


def resource(token: str, **inputs: Any) -> Registered:
    return Registered(urn=f"urn::{token}::r", type=token, name="r", parent="", custom=True, inputs=inputs)


def test_a_certificate_with_a_name_that_nothing_proves_is_refused(emulator: Emulator, stand_ins: StandIns) -> None:
    """The emulator issues every certificate; on AWS `up` would wait for half an hour."""
    arn = emulator.client("acm").request_certificate(DomainName="a.example.com", ValidationMethod="DNS")[
        "CertificateArn"
    ]
    validation = resource(
        "aws:acm/certificateValidation:CertificateValidation",
        certificateArn=arn,
        validationRecordFqdns=["_x.example.com"],
    )
    with pytest.raises(Refused, match=r"missing DNS validation records: \S+\.a\.example\.com"):
        stand_ins.make(validation)


def test_a_name_that_leads_elsewhere_already_is_not_taken(stand_ins: StandIns) -> None:
    """Route 53 refuses the second record of a name unless it may be overwritten."""
    said = {"zoneId": ZONE, "name": "old.example.com", "type": "CNAME", "records": ["a.example.com"], "ttl": 300}
    stand_ins.make(resource("aws:route53/record:Record", **said))
    with pytest.raises(Refused, match="already exists"):
        stand_ins.make(resource("aws:route53/record:Record", **said))
    stand_ins.make(resource("aws:route53/record:Record", **said, allowOverwrite=True))


def test_a_record_of_a_kind_that_is_not_known_is_refused(stand_ins: StandIns) -> None:
    """Else its weights would be dropped in silence."""
    said = {"zoneId": ZONE, "name": "w.example.com", "type": "CNAME", "records": ["a.example.com"], "ttl": 300}
    with pytest.raises(Refused, match="does not know its input"):
        stand_ins.make(resource("aws:route53/record:Record", **said, weightedRoutingPolicies=[{"weight": 1}]))
