"""A namespace is a private zone of its VPC."""

from __future__ import annotations

import pytest

from components.errors import InvalidArgsError
from components.namespace import Namespace, NamespaceArgs
from tests.components.recorder import one, record


def test_it_is_a_private_zone_under_the_name_that_people_type() -> None:
    """A suffix of Pulumi's would be in every name that a client looks up."""

    def build() -> None:
        made = Namespace("workflow", NamespaceArgs(domain="workflow.local", vpc_id="vpc-1"))
        assert made.domain == "workflow.local"

    said = one(record(build), ":PrivateDnsNamespace").inputs
    assert (said["name"], said["vpc"]) == ("workflow.local", "vpc-1")


@pytest.mark.parametrize("domain", ["", "Workflow.local", "workflow..local", "-a.local", "a" * 64, "a_b.local"])
def test_a_domain_that_dns_has_not_is_refused(domain: str) -> None:
    """Cloud Map takes some of these, and nobody can ask for them."""
    with pytest.raises(InvalidArgsError, match="namespace name"):
        NamespaceArgs(domain=domain, vpc_id="vpc-1")
