"""One domain makes the certificate, proves it, serves HTTPS, redirects, and leads its names to the load balancer."""

from __future__ import annotations

from typing import Any

import pulumi_aws as aws
import pytest

from components.domain import Domain
from components.errors import InvalidArgsError
from components.load_balancer import LoadBalancer, LoadBalancerArgs
from tests.components.recorder import UNKNOWN, Recorded, of_type, one, record
from tests.components.test_load_balancer import CERTIFICATE, network

ZONE = "Z0123456789A"
NAMES = ("*.shop.example.com", "www.example.com")


def domain(**given: Any) -> Domain:
    return Domain(**{"name": "shop.example.com", "zone_id": ZONE, **given})


def served(of: Domain | None = None, *, preview: bool = False) -> list[Recorded]:
    said = domain(further_names=NAMES) if of is None else of
    return record(lambda: LoadBalancer("shop", LoadBalancerArgs(network=network(), domain=said)), preview=preview)


def records(resources: list[Recorded], kind: str) -> dict[str, Recorded]:
    found = of_type(resources, "route53/record:Record")
    return {name: each for name, each in found.items() if each.inputs["type"] == kind}


def test_the_certificate_is_for_all_names_and_proved_by_dns() -> None:
    certificate = one(served(), "acm/certificate:Certificate")
    assert certificate.inputs["domainName"] == "shop.example.com"
    assert certificate.inputs["subjectAlternativeNames"] == list(NAMES)
    assert certificate.inputs["validationMethod"] == "DNS"


def test_a_name_and_the_wildcard_below_it_are_proved_by_one_record() -> None:
    """ACM gives both the same one, and Route 53 would refuse the second."""
    proofs = records(served(), "CNAME")
    assert proofs.keys() == {"shop-shop.example.com-validation", "shop-www.example.com-validation"}
    proof = proofs["shop-shop.example.com-validation"].inputs
    assert (proof["zoneId"], proof["name"]) == (ZONE, "_proof.shop.example.com.")
    assert proof["records"] == ["_shop.example.com.acm-validations.aws."]
    assert proof["allowOverwrite"] is True, "another stack's certificate of the name has the same"


def test_a_wildcard_alone_is_proved_by_what_it_stands_under() -> None:
    proofs = records(served(domain(name="api.example.com", further_names=["*.example.com"])), "CNAME")
    assert {each.inputs["name"] for each in proofs.values()} == {"_proof.api.example.com.", "_proof.example.com."}


def test_https_waits_for_the_certificate_to_be_issued() -> None:
    """AWS refuses a listener whose certificate is not."""
    resources = served()
    validation = one(resources, "acm/certificateValidation:CertificateValidation")
    listener = of_type(resources, ":Listener")["shop-https"]
    assert validation.urn in listener.property_dependencies["certificateArn"]
    proofs = {each.urn for each in records(resources, "CNAME").values()}
    assert proofs <= validation.property_dependencies["validationRecordFqdns"]
    assert len(validation.inputs["validationRecordFqdns"]) == len(proofs)


def test_each_name_leads_to_the_load_balancer() -> None:
    aliases = records(served(), "A")
    assert aliases.keys() == {f"shop-{name}" for name in ("shop.example.com", *NAMES)}
    for name, each in aliases.items():
        assert (f"shop-{each.inputs['name']}", each.inputs["zoneId"]) == (name, ZONE)
        assert each.inputs["aliases"] == [
            {"name": "shop.dnsName", "zoneId": "shop.zoneId", "evaluateTargetHealth": False}
        ]
        assert "allowOverwrite" not in each.inputs, "a name that leads elsewhere is not taken from there"


def test_a_preview_shows_all_of_it() -> None:
    """What the certificate wants is unknown then, and how many records it takes is not."""
    planned, made = served(preview=True), served()
    assert {each.urn for each in planned} == {each.urn for each in made}
    assert {each.inputs["name"] for each in records(planned, "CNAME").values()} == {UNKNOWN}


def test_the_order_of_the_names_says_nothing() -> None:
    def said(resources: list[Recorded]) -> dict[str, Any]:
        return {each.urn: each.inputs for each in resources if each.custom}

    assert said(served(domain(further_names=NAMES))) == said(served(domain(further_names=NAMES[::-1])))


def test_its_url_is_its_first_name() -> None:
    assert one(served(), "index:LoadBalancer").outputs["url"] == "https://shop.example.com"


def test_a_certificate_that_there_is_makes_nothing_in_dns() -> None:
    """Whoever had it issued has the zone too."""
    resources = served(domain(zone_id=None, certificate_arn=CERTIFICATE, further_names=NAMES))
    assert not [each.type for each in resources if each.type.startswith(("aws:acm", "aws:route53"))]
    assert of_type(resources, ":Listener")["shop-https"].inputs["certificateArn"] == CERTIFICATE


def test_a_zone_and_a_certificate_made_in_the_same_program_will_do() -> None:
    """They are outputs: whether there is one is known at preview, its id is not."""

    def build() -> None:
        zone = aws.route53.Zone("example", name="example.com")
        LoadBalancer("shop", LoadBalancerArgs(network=network(), domain=domain(zone_id=zone.zone_id)))
        certificate = aws.acm.Certificate("own", domain_name="own.example.com")
        own = Domain(name="own.example.com", certificate_arn=certificate.arn)
        LoadBalancer("own", LoadBalancerArgs(network=network(), domain=own))

    resources = record(build, preview=True)
    assert set(of_type(resources, ":Listener")) == {"shop-http", "shop-https", "own-http", "own-https"}
    assert set(of_type(resources, "route53/record:Record")) == {
        "shop-shop.example.com", "shop-shop.example.com-validation",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"name": "https://shop.example.com"}, "Domain.name: got 'https://shop.example.com'; a host name"),
        ({"name": "Shop.example.com"}, "Domain.name: got 'Shop.example.com'; a host name in lower case"),
        ({"name": "*.example.com"}, "Domain.name: got '*.example.com'"),
        ({"name": "shop"}, "Domain.name: got 'shop'"),
        ({"name": "shop.example.c0m"}, "Domain.name: got"),
        ({"name": f"{'a' * 53}.example.com"}, "of 64 characters or fewer"),
        ({"further_names": ["shop.*.example.com"]}, "Domain.further_names: got 'shop.*.example.com'"),
        ({"further_names": [f"{'a.' * 130}example.com"]}, "of 251 characters or fewer"),
        ({"further_names": ["www.example.com"] * 2}, "Domain.further_names: got ('www.example.com', 'www"),
        ({"further_names": ["shop.example.com"]}, "each name once, shop.example.com not among them"),
        ({"further_names": [f"n{number}.example.com" for number in range(100)]}, "and 99 or fewer"),
        ({"zone_id": None}, "Domain.zone_id: got None; one of the two"),
        ({"certificate_arn": CERTIFICATE}, f"Domain.zone_id: got '{ZONE}'; one of the two"),
        ({"zone_id": "/hostedzone/Z0123456789A"}, "without '/hostedzone/'"),
        ({"zone_id": f"Z{'A' * 32}"}, "Domain.zone_id: got"),
        ({"zone_id": "example.com"}, "Domain.zone_id: got 'example.com'"),
        ({"zone_id": None, "certificate_arn": "mine"}, "Domain.certificate_arn: got 'mine'; the ARN of an ACM"),
    ],
)
def test_a_wrong_argument_is_named_with_its_value(given: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidArgsError) as refused:
        domain(**given)
    assert message in str(refused.value)


def test_the_longest_names_are_taken() -> None:
    assert domain(name=f"{'a' * 52}.example.com").name
    assert len(domain(further_names=[f"n{number}.example.com" for number in range(99)]).names()) == 100
