"""Names that AWS would refuse are refused before anything is registered, and all others are good.

Judges: the provider's own limits, as the rehearsal has them, and botocore's models, where these say more.
"""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, Any, Final

import botocore.session
import pytest
from pulumi import ResourceOptions

from components.errors import InvalidArgsError
from rehearsal.autoname import Names, NameTooLongError, rule_for
from tests.components.library import all_components
from tests.components.recorder import Recorded, record
from tests.components.samples import SAMPLES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from components.base import Owner

MODELS: Final = {
    "aws:cloudwatch/logGroup:LogGroup": ("logs", "LogGroupName"),
    "aws:cloudwatch/metricAlarm:MetricAlarm": ("cloudwatch", "AlarmName"),
    "aws:dynamodb/table:Table": ("dynamodb", "TableName"),
    "aws:ecr/repository:Repository": ("ecr", "RepositoryName"),
    "aws:iam/role:Role": ("iam", "roleNameType"),
    "aws:iam/rolePolicy:RolePolicy": ("iam", "policyNameType"),
    "aws:lambda/function:Function": ("lambda", "FunctionName"),
    "aws:lambda/permission:Permission": ("lambda", "StatementId"),
    "aws:secretsmanager/secret:Secret": ("secretsmanager", "NameType"),
    "aws:vpclattice/listener:Listener": ("vpc-lattice", "ListenerName"),
    "aws:vpclattice/service:Service": ("vpc-lattice", "ServiceName"),
    "aws:vpclattice/serviceNetwork:ServiceNetwork": ("vpc-lattice", "ServiceNetworkName"),
    "aws:vpclattice/targetGroup:TargetGroup": ("vpc-lattice", "TargetGroupName"),
}
"""Type → the shape of its name. The models of the other services have neither length nor pattern."""

_EXCESS: Final = re.compile(r"at most (\d+) characters.* and this has (\d+)")

each_component = pytest.mark.parametrize("component", all_components(), ids=lambda each: each.__name__)


@functools.cache
def bounds(service: str, shape: str) -> Mapping[str, Any]:
    return botocore.session.get_session().get_service_model(service).shape_for(shape).metadata


def built(component: type[Owner], name: str, *variants: int) -> list[Recorded]:
    """Build *component* as *name* and its variant's number, in all *variants* of its sample or in those."""
    make: Any = component

    def build() -> None:
        for number, args in enumerate(SAMPLES[component.__name__](ResourceOptions())):
            if not variants or number in variants:
                make(f"{name}{number}", args)

    return record(build)


def variants(component: type[Owner]) -> set[int]:
    """Return the numbers of the variants of a component's sample."""
    named = (each.name.split("-") for each in built(component, "subject-") if each.name.startswith("subject-"))
    return {int(parts[1][:1]) for parts in named}


def names(resources: list[Recorded]) -> Iterator[tuple[Recorded, str]]:
    """Yield each resource that has a physical name, and the name; a suffix is added where none is given."""
    for each in resources:
        if each.custom and (rule := rule_for(each.type)):
            given = {**Names(seed=1).named(each.type, each.name, each.urn, each.inputs), **each.inputs}
            assert len(given[rule.name]) <= rule.longest, f"{each.type} {given[rule.name]!r}"
            yield each, given[rule.name]


@each_component
def test_each_physical_name_is_one_that_aws_takes(component: type[Owner]) -> None:
    """The provider or AWS would refuse it in the middle of an update, at the first such resource."""
    for resource, name in names(built(component, "subject-")):
        pattern = bounds(*MODELS[resource.type]).get("pattern", ".*") if resource.type in MODELS else ".*"
        assert re.fullmatch(pattern, name), f"{resource.type} {resource.name!r}: {name!r} does not fit {pattern}"


@each_component
def test_the_longest_name_it_takes_leaves_room_for_all_that_hangs_on_it(component: type[Owner]) -> None:
    """Autonaming cuts nothing: a name one character too long fails at preview, without a word of which to shorten."""
    for variant in variants(component):
        length, resources = longest(component, int(variant))
        try:
            for resource, name in names(resources):
                if resource.type in MODELS:
                    assert len(name) <= bounds(*MODELS[resource.type])["max"], f"{resource.type} {name!r}"
        except NameTooLongError as error:
            pytest.fail(f"a name of {length} characters passes, and then: {error}")


def longest(component: type[Owner], variant: int) -> tuple[int, list[Recorded]]:
    """Return the longest name that *component* takes, and what it registers under it."""
    length = 600
    while True:
        try:
            return length, built(component, "a" * (length - 1), variant)
        except InvalidArgsError as refused:
            excess = _EXCESS.search(str(refused))
            if not excess:
                raise
            length -= int(excess[2]) - int(excess[1])
