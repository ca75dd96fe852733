"""A domain is the load balancer's own affair: services behind it are the same with it and without."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from apps import _web
from tests.apps.stacks import IMAGE, platform, provider
from tests.components.recorder import Recorded, record

if TYPE_CHECKING:
    from apps._workload import Outputs

DOMAIN = {"name": "shop.example.com", "further_names": ["*.shop.example.com"], "zone_id": "Z0123456789A"}


class Hello(_web.WebWorkload):
    """A workload that adds nothing of its own to its settings."""

    def deploy(self) -> Outputs:
        """Serve it."""
        return self.serve(image=self.image(), port=8080)


def stack(kind: str, domain: dict[str, Any] | None) -> dict[str, Recorded]:
    """Return what a stack with one service registers, by URN, behind a *kind* of load balancer with that *domain*."""

    def build() -> None:
        opts = provider()
        on = platform(opts, **{f"{kind}_load_balancer": {"open_to": ["10.8.0.0/16"], "domain": domain}})
        section = _web.WebSettings.model_validate({"image": IMAGE, "load_balancer": kind})
        Hello("hello", on, section, opts).deploy()

    return {each.urn: each for each in record(build)}


@pytest.mark.parametrize("kind", ["internal", "public"])
def test_a_domain_added_or_taken_changes_no_service(kind: str) -> None:
    """But for the listener that its rule is on: no task, no target group and no security group is touched."""
    without, named = stack(kind, None), stack(kind, DOMAIN)
    assert without.keys() <= named.keys(), "nothing goes with the domain that is there without"
    changed = {
        (each.type, each.name, key)
        for urn, each in without.items()
        if each.custom
        for key in each.inputs.keys() | named[urn].inputs.keys()
        if each.inputs.get(key) != named[urn].inputs.get(key)
    }
    assert changed == {
        ("aws:lb/listener:Listener", f"test-{kind}-http", "defaultActions"),
        ("aws:lb/listenerRule:ListenerRule", "hello", "listenerArn"),
    }


@pytest.mark.parametrize("kind", ["internal", "public"])
def test_what_comes_with_a_domain_is_the_load_balancers(kind: str) -> None:
    without, named = stack(kind, None), stack(kind, DOMAIN)
    balancer = f"test-{kind}"
    assert {(each.type.partition("/")[2], each.name) for urn, each in named.items() if urn not in without} == {
        ("certificate:Certificate", balancer),
        ("certificateValidation:CertificateValidation", balancer),
        ("record:Record", f"{balancer}-shop.example.com-validation"),
        ("record:Record", f"{balancer}-shop.example.com"),
        ("record:Record", f"{balancer}-*.shop.example.com"),
        ("listener:Listener", f"{balancer}-https"),
        ("securityGroupIngressRule:SecurityGroupIngressRule", f"{balancer}-443-10.8.0.0/16"),
    }


def test_a_workload_hands_out_the_url_of_the_domain() -> None:
    """Whoever reads the stack's outputs is told the name that the certificate is for."""
    whole = next(each for each in stack("public", DOMAIN).values() if each.type.endswith("index:LoadBalancer"))
    assert whole.outputs["url"] == "https://shop.example.com"
