"""The table of taggable types: made from the provider, so that it cannot age unseen."""

from __future__ import annotations

from policies.rules import taggable


def test_the_table_is_what_the_installed_provider_has() -> None:
    """Where this fails: python -m policies.rules.taggable > policies/rules/taggable.txt."""
    assert sorted(taggable.load()) == taggable.derive()


def test_the_types_in_use_here_are_told_apart() -> None:
    """A derivation that finds nothing, or everything, would satisfy the test above."""
    assert {"aws:ecs/service:Service", "aws:sqs/queue:Queue", "aws:iam/role:Role"} <= taggable.load()
    assert not {"aws:iam/rolePolicy:RolePolicy", "aws:ec2/route:Route", "aws:autoscaling/group:Group"} & taggable.load()
