"""The physical names that the AWS provider gives where a program gives none.

The rules are the provider's (`provider/resources.go` in pulumi/pulumi-aws): every type with a `name` has one, of at
most 255 characters unless the table below says otherwise; nothing is ever cut to make room.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from rehearsal import schema

if TYPE_CHECKING:
    from collections.abc import Mapping

_SUFFIX: Final = 7
"""Hexadecimal digits after the hyphen."""


class NameTooLongError(Exception):
    """A logical name that leaves no room for the suffix: the provider's words, and the limit in them."""


@dataclass(frozen=True, kw_only=True)
class Rule:
    """How one type is named."""

    name: str = "name"
    """The property that takes the name."""
    longest: int = 255
    """Characters, prefix and suffix included."""
    lower: bool = False
    """Lower case only."""
    prefix: str = ""
    fifo: str = ""
    """The property that makes the service want names ending in ``.fifo``."""


# Limits: AWS's own, as each service's API reference has them; the provider's are the same or laxer, and AWS then
# refuses at the call.
_RULES: Final[Mapping[str, Rule]] = {
    "aws:apigatewayv2/vpcLink:VpcLink": Rule(longest=128),
    "aws:cloudwatch/eventRule:EventRule": Rule(longest=64),
    "aws:cloudwatch/eventTarget:EventTarget": Rule(name="targetId", longest=64),
    "aws:cloudwatch/logGroup:LogGroup": Rule(longest=512),
    "aws:dynamodb/table:Table": Rule(longest=255),
    "aws:ecr/repository:Repository": Rule(longest=256, lower=True),
    "aws:iam/instanceProfile:InstanceProfile": Rule(longest=128),
    "aws:iam/policy:Policy": Rule(longest=128),
    "aws:iam/role:Role": Rule(longest=64),
    "aws:iam/rolePolicy:RolePolicy": Rule(longest=128),
    "aws:kms/alias:Alias": Rule(prefix="alias/", longest=256),
    "aws:lambda/function:Function": Rule(longest=64),
    "aws:lambda/permission:Permission": Rule(name="statementId", longest=100),
    "aws:lb/loadBalancer:LoadBalancer": Rule(longest=32),
    "aws:lb/targetGroup:TargetGroup": Rule(longest=32),
    "aws:s3/bucket:Bucket": Rule(name="bucket", longest=63, lower=True),
    "aws:scheduler/schedule:Schedule": Rule(longest=64),
    "aws:scheduler/scheduleGroup:ScheduleGroup": Rule(longest=64),
    "aws:secretsmanager/secret:Secret": Rule(longest=512),
    "aws:servicediscovery/service:Service": Rule(longest=64),
    "aws:sfn/stateMachine:StateMachine": Rule(longest=80),
    "aws:sns/topic:Topic": Rule(longest=256, fifo="fifoTopic"),
    "aws:sqs/queue:Queue": Rule(longest=80, fifo="fifoQueue"),
    "aws:vpclattice/listener:Listener": Rule(longest=63),
    "aws:vpclattice/service:Service": Rule(longest=40),
    "aws:vpclattice/serviceNetwork:ServiceNetwork": Rule(longest=63),
    "aws:vpclattice/targetGroup:TargetGroup": Rule(longest=128),
}

# A `name` that is an API's own word or a key of something else, which the provider does not make up.
_UNNAMED: Final = frozenset({"aws:ecs/taskDefinition:TaskDefinition", "aws:route53/record:Record"})


class Names:
    """Physical names of one run. The same *seed* gives the same suffix for a URN, whatever the order of asking."""

    def __init__(self, seed: int | None = None) -> None:
        self._seed = seed if seed is not None else random.SystemRandom().getrandbits(64)

    def suffix(self, urn: str, digits: int = _SUFFIX) -> str:
        """Return hexadecimal digits that belong to *urn*."""
        # Suffixes tell names apart, and guard nothing.
        return f"{random.Random(f'{self._seed}{urn}').getrandbits(4 * digits):0{digits}x}"  # noqa: S311

    def named(self, token: str, name: str, urn: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Return the input that Check adds for the resource *name*; nothing if it has a name, or its type has none.

        Raises:
            NameTooLongError: There is no room for the suffix.

        """
        rule = rule_for(token)
        if rule is None or inputs.get(rule.name) is not None:
            return {}
        ending = ".fifo" if rule.fifo and inputs.get(rule.fifo) else ""
        stem = inputs.get(f"{rule.name}Prefix") or f"{rule.prefix}{name.lower() if rule.lower else name}-"
        if len(stem) + _SUFFIX + len(ending) > rule.longest:
            raise NameTooLongError(
                f"name {stem!r} plus {_SUFFIX} random characters{f' and {ending}' if ending else ''} is longer than "
                f"{rule.longest}, the most that {rule.name!r} of {token} may have"
            )
        return {rule.name: f"{stem}{self.suffix(urn)}{ending}"}


def rule_for(token: str) -> Rule | None:
    """Return how *token* is named; None if it is not."""
    if token in _RULES:
        return _RULES[token]
    if token in _UNNAMED or "name" not in schema.inputs_of(token):
        return None
    return Rule()
