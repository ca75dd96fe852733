"""JSON with outputs inside."""

from __future__ import annotations

import json
from typing import Any

import pulumi
import pulumi_aws as aws
import pytest
from pulumi import Output

from components.documents import Made, render
from tests.components.recorder import UNKNOWN, one, record

_SECRET = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 - how the engine marks one


def test_a_document_without_outputs_is_plain_text() -> None:
    """A policy can read it at a first preview."""
    assert render({"a": [1, "two", True, None], "b": {}}) == '{"a":[1,"two",true,null],"b":{}}'


def test_outputs_are_put_where_they_stood() -> None:
    """Leaves at any depth, several and the same one twice."""

    def build() -> Any:
        one_, two = Output.from_input("1"), Output.from_input(["2"])
        said = render({"x": one_, "list": [{"y": two}, one_], "plain": 3})
        assert isinstance(said, Output)

        def check(text: str) -> None:
            assert json.loads(text) == {"x": "1", "list": [{"y": ["2"]}, "1"], "plain": 3}

        return said.apply(check)

    record(build)


def test_a_number_is_never_taken_for_the_place_of_an_output() -> None:
    """Places are numbers too, inside."""

    def build() -> Any:
        said = render([0, 1, Output.from_input("zeroth"), True, False])
        assert isinstance(said, Output)

        def check(text: str) -> None:
            assert json.loads(text) == [0, 1, "zeroth", True, False]

        return said.apply(check)

    record(build)


def test_what_is_made_of_an_output_stands_in_the_document_without_an_output_of_its_own() -> None:
    """Each of those would be awaited by itself."""

    def build() -> Any:
        arn = Output.from_input("arn:api")
        said = render([Made(of=arn, by=lambda known: f"{known}/*"), arn], then=str.upper)
        assert isinstance(said, Output)

        def check(text: str) -> None:
            assert json.loads(text) == ["ARN:API/*", "ARN:API"]

        return said.apply(check)

    record(build)


def test_a_value_that_looks_like_a_place_is_left_as_it_is() -> None:
    """What is filled in is not looked at again."""

    def build() -> Any:
        said = render([Output.from_input("\0" + "1\0"), Output.from_input("second")])
        assert isinstance(said, Output)

        def check(text: str) -> None:
            assert json.loads(text) == ["\0" + "1\0", "second"]

        return said.apply(check)

    record(build)


def test_what_has_no_place_in_a_document_is_refused() -> None:
    """JSON would not take it either, but later and without a name."""
    with pytest.raises(TypeError, match="set has no place in a document"):
        render({"a": {1, 2}})


def test_one_secret_makes_the_whole_secret() -> None:
    """Else the secret would stand readable in the state."""
    topic = one(record(lambda: _topic(render({"a": Output.secret("hidden"), "b": Output.from_input(1)}))), ":Topic")
    assert _SECRET in topic.inputs["policy"].values()
    assert json.loads(topic.inputs["policy"]["value"]) == {"a": "hidden", "b": 1}


def test_it_waits_for_what_its_outputs_come_from() -> None:
    """A lost dependency makes a policy before what it names."""
    resources = record(lambda: _topic(render({"arn": aws.sns.Topic("first").arn})))
    first, second = one(resources, ":Topic", "first"), one(resources, ":Topic", "topic")
    assert second.property_dependencies["policy"] == {first.urn}


def test_one_unknown_leaf_makes_the_whole_unknown() -> None:
    """So a policy pack cannot judge it at a first preview, and components declare what they mean."""
    resources = record(lambda: _topic(render({"arn": aws.sns.Topic("first").arn, "b": 1})), preview=True)
    assert one(resources, ":Topic", "topic").inputs["policy"] == UNKNOWN


def _topic(policy: pulumi.Input[str]) -> None:
    aws.sns.Topic("topic", policy=policy)
