"""Names are found as a resolver finds them, and asked for as a client does."""

from __future__ import annotations

import json
from typing import Any

import pytest

from rehearsal.client import Client, NoSuchNameError, domains
from rehearsal.graph import Registered
from rehearsal.script import Request
from rehearsal.tree import Tree

GATEWAY = "http://127.0.0.1:4566"
AT_AWS = "shop-1.eu-west-1.elb.amazonaws.com"
SHOP = {AT_AWS: "shop", "shop.example.com": "shop", "*.shop.example.com": "shop"}


def registered(token: str, *, outputs: dict[str, Any] | None = None, **inputs: Any) -> Registered:
    return Registered(
        urn=f"urn:{token}:{inputs}",
        type=token,
        name="shop",
        parent="",
        custom=True,
        inputs=inputs,
        outputs=outputs or {},
    )


def balancer(**domain: Any) -> Registered:
    said = {"declared": json.dumps({"args": {"domain": domain}})} if domain else {}
    outputs = {"dns_name": AT_AWS, "arn_suffix": "app/shop/50dc6c495c0c9188"}
    return registered("drydock:index:LoadBalancer", outputs=outputs, **said)


def record(name: str, to: str = AT_AWS) -> Registered:
    return registered("aws:route53/record:Record", name=name, type="A", aliases=[{"name": to, "zoneId": "Z1"}])


def request(**said: Any) -> Request:
    whole = {"name": "it holds", "entrance": "url", "method": "GET", "path": "/x", "expect": {"status": 200}}
    return Request.model_validate(whole | said)


def test_another_port_than_80_goes_with_the_name() -> None:
    """The emulator picks the listener by it."""
    resolve = Client(GATEWAY).resolve
    assert resolve("https://a.elb.amazonaws.com/x") == (f"{GATEWAY}/x", {"Host": "a.elb.amazonaws.com:443"})
    assert resolve("http://a.elb.amazonaws.com:8080") == (GATEWAY, {"Host": "a.elb.amazonaws.com:8080"})
    assert resolve("http://127.0.0.1:9/x") == ("http://127.0.0.1:9/x", {})


def test_a_domain_is_asked_for_by_its_own_name_at_the_load_balancer_that_it_leads_to() -> None:
    """A rule's host, and a redirect's, are the name that was asked for; the emulator knows no such load balancer."""
    resolve = Client(GATEWAY, SHOP).resolve
    assert resolve("https://shop.example.com/x?y=1") == (
        f"{GATEWAY}/_alb/shop/x?y=1", {"Host": "shop.example.com:443"},
    )  # fmt: skip
    assert resolve("http://shop.example.com/") == (f"{GATEWAY}/_alb/shop/", {"Host": "shop.example.com"})
    assert resolve("http://api.example.com") == (GATEWAY, {"Host": "api.example.com"})


def test_a_wildcard_leads_one_label_of_any_name() -> None:
    """As a certificate takes it; a record of DNS would take two."""
    resolve = Client(GATEWAY, SHOP).resolve
    assert resolve("https://shop.example.com/", "user.shop.example.com") == (
        f"{GATEWAY}/_alb/shop/", {"Host": "user.shop.example.com:443"},
    )  # fmt: skip
    with pytest.raises(NoSuchNameError, match=r"'a\.user\.shop\.example\.com'"):
        resolve("https://shop.example.com/", "a.user.shop.example.com")


def test_without_tls_any_host_is_asked_for_where_the_url_leads() -> None:
    """So the rules of a stack without a domain are shown."""
    resolve = Client(GATEWAY, {AT_AWS: "shop"}).resolve
    assert resolve(f"http://{AT_AWS}/", "user.example.com") == (f"{GATEWAY}/_alb/shop/", {"Host": "user.example.com"})


def test_names_lead_where_the_programs_records_say() -> None:
    found = domains(Tree([balancer(name="else.example.com"), record("shop.example.com")], {}))
    assert found == {AT_AWS: "shop", "shop.example.com": "shop"}, "the name without a record leads nowhere"
    assert domains(Tree([balancer(), record("mail.example.com", to="elsewhere")], {})) == {AT_AWS: "shop"}


def test_where_the_program_has_no_record_all_names_of_the_domain_lead_there() -> None:
    """With a certificate that there was before, the records are somebody else's."""
    found = domains(Tree([balancer(name="shop.example.com", further_names=["*.shop.example.com"])], {}))
    assert found == SHOP


def test_the_curl_line_says_all_that_is_sent() -> None:
    line = Client("http://127.0.0.1:1").curl(f"http://{AT_AWS}", request(method="POST", json={"who": "it's me"}))
    assert line == (
        f"curl -i -X POST -H 'Host: {AT_AWS}' -H 'Content-Type: application/json' "
        """-d '{"who": "it'"'"'s me"}' http://127.0.0.1:1/x"""
    )


def test_the_curl_line_of_another_scheme_and_host_says_them() -> None:
    line = Client(GATEWAY, SHOP).curl("https://shop.example.com", request(scheme="http", host="user.shop.example.com"))
    assert line == f"curl -i -X GET -H 'Host: user.shop.example.com' {GATEWAY}/_alb/shop/x"
