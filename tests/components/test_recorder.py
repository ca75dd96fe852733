"""The recorder refuses what Pulumi's own mocks let through."""

from __future__ import annotations

import pulumi
import pulumi_aws as aws
import pytest

from components.base import Component
from tests.components.recorder import STACK, UNKNOWN, one, record


class _Pair(Component):
    def __init__(self, name: str, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, {"kept_days": 3}, opts)
        topic = aws.sns.Topic(name, opts=self.child())
        aws.sns.TopicPolicy(name, arn=topic.arn, policy="{}", opts=self.child())
        self.register_outputs({"arn": topic.arn})


def test_a_component_its_children_and_its_outputs_are_recorded() -> None:
    resources = record(lambda: _Pair("alerts"))
    pair, topic, policy = (one(resources, token) for token in (":_Pair", ":Topic", ":TopicPolicy"))
    assert (pair.parent, pair.custom, pair.inputs["declared"]) == (STACK, False, '{"args":{"kept_days":3}}')
    assert pair.outputs == {"arn": "alerts.arn"}
    assert topic.parent == policy.parent == pair.urn
    assert policy.inputs["arn"] == "alerts.arn"
    assert topic.urn in policy.property_dependencies["arn"]


def test_outputs_are_unknown_in_a_preview() -> None:
    assert one(record(lambda: _Pair("alerts"), preview=True), ":TopicPolicy").inputs["arn"] == UNKNOWN


def test_the_explicit_provider_is_recorded_by_parentage() -> None:
    def build() -> None:
        provider = aws.Provider("explicit", region="eu-west-1")
        _Pair("alerts", pulumi.ResourceOptions(providers=[provider]))

    assert one(record(build), ":Topic").provider.endswith("::explicit::explicit-id")


def test_two_resources_of_one_urn_end_the_test() -> None:
    def build() -> None:
        aws.sns.Topic("alerts")
        aws.sns.Topic("alerts")

    with pytest.raises(AssertionError, match="two resources"):
        record(build)


def test_children_of_one_name_in_components_of_two_types_are_two_resources() -> None:
    """Pulumi's mock gives both one URN, since it forgets all ancestors but the parent."""

    class _Other(Component):
        def __init__(self) -> None:
            super().__init__("other", {}, None)
            _Pair("alerts", self.child())
            self.register_outputs({})

    def build() -> None:
        _Other()
        _Pair("alerts")

    assert len({topic.urn for topic in record(build) if topic.type.endswith(":Topic")}) == 2


def test_an_invoke_ends_the_test() -> None:
    with pytest.raises(Exception, match="getRegion"):
        record(aws.get_region)


def test_what_the_program_raises_comes_out() -> None:
    def build() -> None:
        raise ValueError("cidr")

    with pytest.raises(ValueError, match="cidr"):
        record(build)


def test_an_assertion_inside_an_apply_is_heard() -> None:
    """Elsewhere an apply's failure is dropped, and the test passes."""

    def wrong(arn: str) -> None:
        assert arn == "something else"

    with pytest.raises(AssertionError):
        record(lambda: aws.sns.Topic("alerts").arn.apply(wrong))
