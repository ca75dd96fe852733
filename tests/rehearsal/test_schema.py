"""The provider's own classes say which inputs there are, which must be given, and what is tagged."""

from __future__ import annotations

import pulumi_aws as aws
import pytest
from pulumi.runtime.rpc import UNKNOWN

from rehearsal import schema

# What the package deprecates within itself is told when a part of it is first imported.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

assert aws.__name__, "the types below are known once the package is imported"
LISTENER = "aws:lb/listener:Listener"


def test_taggable_is_what_the_provider_merges_tags_into() -> None:
    assert schema.taggable("aws:sns/topic:Topic")
    assert not schema.taggable("aws:sns/topicSubscription:TopicSubscription")


def test_what_is_computed_is_no_input() -> None:
    assert "dnsName" in schema.outputs_of("aws:lb/loadBalancer:LoadBalancer")
    assert "dnsName" not in schema.inputs_of("aws:lb/loadBalancer:LoadBalancer")


def test_a_resource_whose_arguments_share_a_blocks_name_has_its_own() -> None:
    """`BucketVersioningArgs` is a block of `Bucket`; the resource's own arguments bear another name."""
    assert "versioningConfiguration" in schema.inputs_of("aws:s3/bucketVersioning:BucketVersioning")


def test_an_unknown_value_is_neither_missing_nor_wrong() -> None:
    given = {"loadBalancerArn": UNKNOWN, "defaultActions": UNKNOWN, "tags": {"any": "key"}}
    assert schema.problems(LISTENER, given) == []


def test_every_problem_is_told_at_once_with_its_path() -> None:
    problems = schema.problems(LISTENER, {"defaultActions": [{"typo": 1}], "prt": 80})
    assert [problem.split(";")[0] for problem in problems] == [
        "loadBalancerArn: missing, and required",
        "defaultActions[0].type: missing, and required",
        "defaultActions[0].typo: no such argument",
        "prt: no such argument",
    ]


def test_a_type_of_a_package_that_is_not_there_has_nothing_to_say() -> None:
    assert schema.resource_class("nowhere:index:Thing") is None
    assert schema.problems("nowhere:index:Thing", {"any": 1}) == []
