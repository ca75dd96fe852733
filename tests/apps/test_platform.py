"""What a stack has one of, as its settings say."""

from __future__ import annotations

import json
from typing import Any
from unittest import mock

import pulumi
import pytest

from components.errors import InvalidArgsError
from tests.apps.stacks import platform
from tests.components.recorder import Recorded, of_type, one, record

ADOPTED = {
    "adopt": {
        "vpc_id": "vpc-0a1b2c3d",
        "cidr": "10.1.0.0/16",
        "zones": ["a", "b"],
        "app_subnet_ids": ["subnet-0a1b2c3d", "subnet-1a1b2c3d"],
    }
}


def made(**said: Any) -> list[Recorded]:
    return record(lambda: platform(**said))


def test_there_is_one_network_one_cluster_and_one_topic() -> None:
    """They are what workloads share; none of them knows a workload."""
    resources = made()
    for token in (":Vpc", "ecs/cluster:Cluster", "sns/topic:Topic", "apigateway/account:Account"):
        one(resources, token)
    assert not of_type(resources, "lb/loadBalancer:LoadBalancer")


def test_all_of_it_is_the_platforms() -> None:
    """What a workload costs is told apart from what all of them cost by this tag."""
    tags = {each.urn: each.inputs["tags"] for each in made(internal_load_balancer={}) if "tags" in each.inputs}
    assert len(tags) > 20
    assert {each["Service"] for each in tags.values()} == {"platform"}


def test_an_adopted_network_is_stood_in_and_not_made() -> None:
    """Somebody else keeps it."""
    resources = made(network=ADOPTED, internal_load_balancer={})
    assert not [each.type for each in resources if each.type.startswith("aws:ec2/") and "ecurityGroup" not in each.type]
    balancer = one(resources, "lb/loadBalancer:LoadBalancer")
    assert balancer.inputs["subnets"] == ["subnet-0a1b2c3d", "subnet-1a1b2c3d"]


def test_each_kind_of_load_balancer_stands_in_its_tier() -> None:
    """The public one needs the internet gateway, the internal one must not have it."""
    resources = made(internal_load_balancer={"open_to": ["vpc"]}, public_load_balancer={"open_to": ["0.0.0.0/0"]})
    internal, public = (
        one(resources, "lb/loadBalancer:LoadBalancer", f"test-{kind}") for kind in ("internal", "public")
    )
    assert (internal.inputs["internal"], public.inputs["internal"]) == (True, False)
    assert internal.inputs["subnets"] == ["test-app-a-id", "test-app-b-id"]
    assert public.inputs["subnets"] == ["test-public-a-id", "test-public-b-id"]


@pytest.mark.parametrize("kind", ["internal", "public"])
def test_a_load_balancer_that_the_stack_has_not_is_told_with_the_line_to_add(kind: Any) -> None:
    """A workload asks for it by kind."""
    with pytest.raises(InvalidArgsError) as refused:
        record(lambda: platform().balancer(kind))
    assert str(refused.value) == (
        f"drydock:{kind}_load_balancer: got None; say what it is, if only `{kind}_load_balancer: {{}}`"
    )


def test_access_logs_go_to_a_bucket_that_the_balancer_may_write() -> None:
    """AWS tries it at once, and refuses the balancer where it may not."""
    resources = made(internal_load_balancer={"access_log_days": 14})
    logs = one(resources, "lb/loadBalancer:LoadBalancer").inputs["accessLogs"]
    assert (logs["enabled"], logs["bucket"]) == (True, "test-internal-access-logs-id")
    policy = json.loads(one(resources, ":BucketPolicy").inputs["policy"])
    assert {"Service": "logdelivery.elasticloadbalancing.amazonaws.com"} in [
        each["Principal"] for each in policy["Statement"]
    ]
    expiry = [rule.get("expiration") for rule in one(resources, ":BucketLifecycleConfiguration").inputs["rules"]]
    assert {"days": 14} in expiry


DOMAIN = {"name": "shop.example.com", "zone_id": "Z0123456789A"}


@pytest.mark.parametrize("preview", [True, False])
def test_a_load_balancer_without_a_domain_says_that_it_serves_http_only(preview: bool) -> None:  # noqa: FBT001 - both
    """At every preview and `up`, so that nobody takes it for what clients may send passwords to."""
    with mock.patch.object(pulumi.log, "info") as said:
        record(lambda: platform(internal_load_balancer={}, public_load_balancer={"domain": DOMAIN}), preview=preview)
    ((text, balancer),) = [call.args for call in said.call_args_list]
    assert text == "internal load balancer: serves HTTP only; `domain` in its section gives it HTTPS"
    assert balancer.pulumi_resource_name == "test-internal"


def test_a_stack_whose_load_balancers_have_domains_says_nothing() -> None:
    with mock.patch.object(pulumi.log, "info") as said:
        made(public_load_balancer={"domain": DOMAIN})
    said.assert_not_called()


def test_the_certificate_of_a_domain_has_the_platforms_tags() -> None:
    certificate = one(made(public_load_balancer={"domain": DOMAIN}), "acm/certificate:Certificate")
    assert certificate.inputs["tags"]["Service"] == "platform"


def test_access_logs_can_be_left_out() -> None:
    resources = made(internal_load_balancer={"access_log_days": None})
    assert "accessLogs" not in one(resources, "lb/loadBalancer:LoadBalancer").inputs
    assert not of_type(resources, "s3/bucket:Bucket")


@pytest.mark.parametrize("protect", [True, False])
def test_what_is_protected_cannot_be_deleted_by_accident(protect: bool) -> None:  # noqa: FBT001 - both ways
    """And what is not goes whole, its logs with it."""
    resources = made(protect=protect, internal_load_balancer={})
    assert one(resources, "lb/loadBalancer:LoadBalancer").inputs["enableDeletionProtection"] is protect
    assert one(resources, "s3/bucket:Bucket").inputs["forceDestroy"] is not protect


def test_sessions_of_ecs_exec_are_kept_for_a_year_where_the_stack_allows_them() -> None:
    """Who looked into a container last winter is asked in spring."""
    group = one(made(cluster={"exec_audit": True}), ":LogGroup", "test-exec")
    assert (group.inputs["name"], group.inputs["retentionInDays"]) == ("/ecs/exec/test", 365)
    assert "test-exec" not in of_type(made(), ":LogGroup")


def test_the_accounts_leave_to_log_apis_is_made_once_an_account() -> None:
    """Made by a second stack too, the later would replace the earlier."""
    assert not of_type(made(api_gateway_logging=False), "apigateway/account:Account")


def test_whoever_is_named_hears_of_alarms() -> None:
    subscription = one(made(alerts={"emails": ["us@example.com"]}), ":TopicSubscription")
    assert (subscription.inputs["protocol"], subscription.inputs["endpoint"]) == ("email", "us@example.com")
