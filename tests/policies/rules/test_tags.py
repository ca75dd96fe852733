"""Tags: a compliant resource, and one thing broken at a time."""

from __future__ import annotations

import json
from typing import Any

import pytest

from policies.rules.tags import CAPACITY_PROVIDER, EVENT_TARGET, GROUP, LAUNCH_TEMPLATE, PACK, SCHEDULE, SERVICE
from tests.policies.build import UNKNOWN, alone, made, rules, unproved

QUEUE = "aws:sqs/queue:Queue"
GOOD = {
    "Project": "drydock",
    "Environment": "dev",
    "Owner": "platform@example.com",
    "CostCenter": "CC-100",
    "Service": "query-service",
    "ManagedBy": "Pulumi",
}


def judged(token: str = QUEUE, inputs: dict[str, Any] | None = None, **configuration: Any) -> list[Any]:
    return alone(PACK, made(token, "x", inputs or {}), **configuration)


def tagged(**changes: Any) -> dict[str, Any]:
    return {"tagsAll": {key: value for key, value in {**GOOD, **changes}.items() if value is not None}}


def test_all_required_tags_pass() -> None:
    assert judged(inputs=tagged()) == []


@pytest.mark.parametrize("key", GOOD)
def test_each_required_tag_is_missed(key: str) -> None:
    (finding,) = judged(inputs=tagged(**{key: None}))
    assert finding.rule == "required-tag"
    assert f"lacks {key} " in finding.message
    assert "Queue 'x'" in finding.message


def test_a_resource_without_tags_is_refused() -> None:
    assert rules(judged()) == ["required-tag"]


def test_what_takes_no_tags_is_left_alone() -> None:
    assert judged("aws:ec2/route:Route") == []
    assert judged("drydock:index:Task") == []


def test_a_type_newer_than_the_table_is_held_to_it_when_it_comes_with_tags() -> None:
    """The table is of the provider installed here; the engine may bring a later one."""
    assert rules(judged("aws:new/thing:Thing", tagged(Owner=None))) == ["required-tag"]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("Environment", "Dev!"),
        ("CostCenter", ""),
        ("ManagedBy", "hand"),
        ("Owner", "  "),
        ("Service", "Query Service"),
        ("Extra", "a;b"),
        ("Extra", "x" * 257),
    ],
)
def test_a_value_that_does_not_match_is_refused(key: str, value: str) -> None:
    assert rules(judged(inputs=tagged(**{key: value}))) == ["tag-value"]


def test_a_tags_value_is_not_quoted() -> None:
    """A value may be marked secret; rules see it in plain text."""
    (finding,) = judged(inputs=tagged(Environment="hunter2!"))
    assert "hunter2" not in finding.message


def test_fifty_tags_pass_and_one_more_is_refused() -> None:
    extra = {f"k{index}": "v" for index in range(44)}
    assert judged(inputs=tagged(**extra)) == []
    assert rules(judged(inputs=tagged(**extra, k44="v"))) == ["tag-count"]


@pytest.mark.parametrize("key", ["aws:name", "AWS:name", "x" * 129, "a;b", ""])
def test_a_key_that_aws_refuses_is_refused(key: str) -> None:
    assert rules(judged(inputs=tagged(**{key: "v"}))) == ["tag-key"]


def test_keys_alike_but_for_case_are_refused() -> None:
    """Cost reports show them as two, and IAM conditions take them for one."""
    (finding,) = judged(inputs=tagged(owner="x"))
    assert finding.rule == "tag-twins"
    assert "Owner and owner" in finding.message


def test_an_unknown_value_under_a_pattern_is_not_proved() -> None:
    assert unproved(judged(inputs=tagged(Environment=UNKNOWN))) == ["tag-value"]


def test_an_unknown_value_without_a_pattern_passes() -> None:
    """That the key is there is all that is asked of it."""
    assert judged(inputs=tagged(Note=UNKNOWN)) == []


def test_unknown_tags_are_not_proved() -> None:
    assert unproved(judged(inputs={"tags": UNKNOWN, "tagsAll": UNKNOWN})) == ["required-tag"]


def test_one_unknown_tag_does_not_hide_the_others() -> None:
    """The provider's Check makes all of tagsAll unknown for one unknown value: its merge is done again here."""
    defaults = {"defaultTags": json.dumps({"tags": {key: GOOD[key] for key in GOOD if key != "Service"}})}
    inputs = {"tags": {"Service": "shop", "Note": UNKNOWN}, "tagsAll": UNKNOWN}
    assert alone(PACK, made(QUEUE, "x", inputs, provider=defaults)) == []
    lacking = {"tags": {"Note": UNKNOWN}, "tagsAll": UNKNOWN}
    assert rules(alone(PACK, made(QUEUE, "x", lacking, provider=defaults))) == ["required-tag"]


def test_the_configuration_changes_what_is_asked() -> None:
    assert judged(inputs={"tagsAll": {"Team": "a"}}, required=["Team"]) == []
    assert rules(judged(inputs=tagged(Owner="b"), patterns={"Owner": "a+"})) == ["tag-value"]
    assert judged(inputs={}, notTaggable=[QUEUE]) == []
    assert rules(judged("aws:ec2/route:Route", alsoTaggable=["aws:ec2/route:Route"])) == ["required-tag"]


@pytest.mark.parametrize(
    ("token", "path"),
    [
        (SERVICE, ("propagateTags",)),
        (SCHEDULE, ("target", "ecsParameters", "propagateTags")),
        (EVENT_TARGET, ("ecsTarget", "propagateTags")),
    ],
)
def test_tags_reach_running_tasks(token: str, path: tuple[str, ...]) -> None:
    """Default tags stop at the service: costs of its tasks would have no owner."""

    def carrying(value: Any) -> dict[str, Any]:
        nested: Any = {path[-1]: value, "cluster": "c"}
        for step in reversed(path[:-1]):
            nested = {step: nested}
        return {**nested, **(tagged() if token == SERVICE else {})}

    assert judged(token, carrying("TASK_DEFINITION")) == []
    assert rules(judged(token, carrying("NONE"))) == ["task-tags"]
    assert rules(judged(token, carrying(None))) == ["task-tags"]
    assert unproved(judged(token, carrying(UNKNOWN))) == ["task-tags"]


def test_a_services_own_tags_reach_its_tasks() -> None:
    assert judged(SERVICE, {**tagged(), "propagateTags": "SERVICE"}) == []


def test_a_target_that_runs_no_task_needs_no_propagation() -> None:
    assert judged(EVENT_TARGET, {"arn": "arn:aws:sqs:eu-west-1:123456789012:q"}) == []
    assert judged(SCHEDULE, {"target": {"arn": "arn:aws:sqs:eu-west-1:123456789012:q"}}) == []


def entries(**changes: Any) -> list[dict[str, Any]]:
    return [{"key": key, "value": value, "propagateAtLaunch": True, **changes} for key, value in GOOD.items()]


def test_a_groups_tags_reach_its_instances() -> None:
    assert judged(GROUP, {"tags": entries()}) == []
    assert "instance-tags" in rules(judged(GROUP, {"tags": entries(propagateAtLaunch=False)}))
    assert rules(judged(GROUP, {"tags": entries()[1:]})) == ["required-tag"]
    assert rules(judged(GROUP, {})) == ["required-tag"]
    assert unproved(judged(GROUP, {"tags": UNKNOWN})) == ["instance-tags"]


def test_managed_instances_have_their_capacity_providers_tags() -> None:
    """ECS launches them itself, and tags nothing unless it is told."""
    given = {"managedInstancesProvider": {"propagateTags": "CAPACITY_PROVIDER"}}
    assert judged(CAPACITY_PROVIDER, {**tagged(), **given}) == []
    given = {"managedInstancesProvider": {"infrastructureRoleArn": "arn:aws:iam::111122223333:role/x"}}
    (finding,) = judged(CAPACITY_PROVIDER, {**tagged(), **given})
    assert finding.rule == "instance-tags"
    assert "so running instances carry no tags; set CAPACITY_PROVIDER" in finding.message
    assert judged(CAPACITY_PROVIDER, {**tagged(), "autoScalingGroupProvider": {}}) == []


def test_a_launch_template_tags_instances_and_volumes() -> None:
    both = [{"resourceType": kind, "tags": GOOD} for kind in ("instance", "volume")]
    own = tagged()
    assert judged(LAUNCH_TEMPLATE, {**own, "tagSpecifications": both}) == []
    assert rules(judged(LAUNCH_TEMPLATE, {**own, "tagSpecifications": both[:1]})) == ["launch-template-tags"]
    assert len(rules(judged(LAUNCH_TEMPLATE, own))) == 2
    assert unproved(judged(LAUNCH_TEMPLATE, {**own, "tagSpecifications": UNKNOWN})) == ["launch-template-tags"]
    lacking = [both[0], {"resourceType": "volume", "tags": {**GOOD, "Owner": ""}}]
    assert rules(judged(LAUNCH_TEMPLATE, {**own, "tagSpecifications": lacking})) == ["tag-value"]
