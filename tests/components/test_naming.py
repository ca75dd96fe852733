"""Names are held against AWS's limits, less what Pulumi adds."""

from __future__ import annotations

import pytest

from components import naming
from components.errors import InvalidArgsError
from components.naming import NameRule
from rehearsal.autoname import Names

RULES = {name: rule for name, rule in vars(naming).items() if isinstance(rule, NameRule)}


def test_an_autonamed_name_leaves_room_for_eight_characters() -> None:
    """Autonaming cuts nothing: at 25 a target group's name has 33 characters, and AWS's limit is 32."""
    assert naming.autonamed("a" * 24, naming.TARGET_GROUP) == "a" * 24
    with pytest.raises(InvalidArgsError) as refused:
        naming.autonamed("a" * 25, naming.TARGET_GROUP)
    assert "target group name: got 'aaaa" in str(refused.value)
    assert "at most 24 characters (32 less Pulumi's 8), and this has 25" in str(refused.value)


def test_pulumi_adds_as_much_as_is_left_for_it() -> None:
    """Judge: the provider's rule, as the rehearsal has it."""
    added = Names(seed=1).named("aws:lb/targetGroup:TargetGroup", "a" * 24, "urn", {})["name"]
    assert len(added) == naming.TARGET_GROUP.longest


def test_a_fixed_name_may_have_all_the_characters() -> None:
    """Nothing is added to it."""
    assert naming.fixed("a" * 255, naming.FAMILY)
    with pytest.raises(InvalidArgsError, match=r"task family name: .* at most 255 characters, and this has 256"):
        naming.fixed("a" * 256, naming.FAMILY)


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES.keys())
def test_a_plain_name_is_a_name_of_anything(rule: NameRule) -> None:
    """Small letters, digits and single hyphens do everywhere."""
    assert naming.autonamed("query-service-2", rule)


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES.keys())
def test_an_empty_name_is_a_name_of_nothing(rule: NameRule) -> None:
    with pytest.raises(InvalidArgsError):
        naming.fixed("", rule)


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("internal-shop", naming.LOAD_BALANCER),
        ("-shop", naming.LOAD_BALANCER),
        ("shop_1", naming.TARGET_GROUP),
        ("shop:1", naming.ROLE),
        ("shop 1", naming.SERVICE),
        ("shop/1", naming.FAMILY),
        ("Shop", naming.REPOSITORY),
        ("shop--1", naming.REPOSITORY),
        ("shop/", naming.REPOSITORY),
        ("/ecs/shop*", naming.LOG_GROUP),
        ("ab", naming.TABLE),
        ("shop.1", naming.FUNCTION),
        ("shop.1", naming.TOPIC),
        ("shop.fifo", naming.QUEUE),
        ("Shop", naming.BUCKET),
        ("shop:1", naming.SECRET),
        ("shop:1", naming.ALARM),
        ("shop/1", naming.REST_API),
    ],
)
def test_a_name_that_the_service_refuses_is_refused_in_words(name: str, rule: NameRule) -> None:
    """AWS answers with a pattern, in the middle of an update."""
    with pytest.raises(InvalidArgsError) as refused:
        naming.fixed(name, rule)
    assert f"{rule.what} name: got {name!r}; {rule.reads}" in str(refused.value)
