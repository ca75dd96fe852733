"""An SNS topic: who may publish, and whom it tells."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import pulumi_aws as aws

from components import key, naming, resource_policy
from components.base import Part
from components.errors import InvalidArgsError, of
from components.grants import Conditions, Grant

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pulumi import Input, Output, ResourceOptions

    from components.account import Account

Publisher = Literal["cloudwatch.amazonaws.com", "events.amazonaws.com"]

# Publisher → what publishes on its behalf: the service's name in ARNs, and the resource. EventBridge states no source
# to KMS, so that it would be dropped without a word under a condition; it is admitted without one. It acts for rules of
# the topic's own account alone: one of another account needs a role there.
# https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html#compatibility-with-aws-services
_SOURCES: Final[dict[str, tuple[str, str] | None]] = {
    "cloudwatch.amazonaws.com": ("cloudwatch", "alarm:*"),
    "events.amazonaws.com": None,
}
_USE_KEY: Final = ("kms:Decrypt", "kms:GenerateDataKey*")
_EMAIL: Final = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_AWS_KEY: Final = "alias/aws/sns"


@dataclass(frozen=True, kw_only=True)
class TopicArgs:
    """What a `Topic` takes.

    Raises:
        InvalidArgsError: a publisher that cannot be held to this account, or an address that is none.

    """

    account: Account
    """Where it is: services publish on behalf of this account's resources alone."""
    publishers: Sequence[Publisher] = ("cloudwatch.amazonaws.com",)
    """AWS services that may publish. Default: this account's alarms, which SNS's own default policy admits too, and
    which would otherwise ring unheard. ``events.amazonaws.com`` is for EventBridge's rules. Roles are admitted by
    `Topic.publish`."""
    emails: Sequence[str] = ()
    """Addresses that are told. Each must confirm by the link that AWS sends it."""
    kms_key_arn: Input[str] | None = None
    """Key that messages are encrypted with; its policy must admit the publishers. Default: AWS's own for SNS, or, where
    services publish, a key of the topic's own, since AWS's admits none of them. Topics can share one (a dollar a
    month): ``kms_key_arn=other.kms_key_arn``."""

    def __post_init__(self) -> None:
        for publisher in self.publishers:
            if publisher not in _SOURCES:
                raise InvalidArgsError(of(self, "publishers"), got=publisher, want=f"only {', '.join(_SOURCES)}")
        for email in self.emails:
            if not _EMAIL.fullmatch(email):
                raise InvalidArgsError(of(self, "emails"), got=email, want="an address such as 'team@example.com'")


class Topic(Part):
    """An encrypted topic that takes messages over TLS, from the services and roles it names.

    Raises:
        InvalidArgsError: a name that leaves no room for Pulumi's suffix in SNS's 256 characters.

    """

    arn: Output[str]
    kms_key_arn: Input[str] | None
    """None where AWS's own key for SNS encrypts it."""

    def __init__(self, name: str, args: TopicArgs, opts: ResourceOptions | None = None) -> None:
        naming.autonamed(name, naming.TOPIC)
        super().__init__(opts)

        publishers = sorted(set(args.publishers))
        sources: dict[str, Conditions] = {each: _source(args.account, each) for each in publishers}
        self.kms_key_arn = args.kms_key_arn
        if publishers and self.kms_key_arn is None:
            self.kms_key_arn = key.create(
                self,
                name,
                f"Messages of topic {name}",
                args.account,
                [resource_policy.admit({"Service": each}, _USE_KEY, "*", sources[each]) for each in publishers],
            ).arn
        topic = aws.sns.Topic(
            name,
            kms_master_key_id=_AWS_KEY if self.kms_key_arn is None else self.kms_key_arn,
            tags=self.tags,
            opts=self.child(),
        )
        self.arn = topic.arn
        aws.sns.TopicPolicy(
            name,
            arn=self.arn,
            policy=resource_policy.document(
                [
                    resource_policy.tls_only(["sns:Publish"], [self.arn]),
                    *(
                        resource_policy.admit({"Service": each}, ["sns:Publish"], self.arn, sources[each])
                        for each in publishers
                    ),
                ]
            ),
            opts=self.child(),
        )
        for email in sorted(set(args.emails)):
            aws.sns.TopicSubscription(
                f"{name}-{email}",
                topic=self.arn,
                protocol="email",
                endpoint=email,
                opts=self.child(suffix=f"-{email}"),
            )

    def publish(self) -> Grant:
        """Allow publishing: the topic, and the key where it is not AWS's own.

        One statement holds both, since neither service's actions know the other's resources.
        """
        if self.kms_key_arn is None:
            return Grant(actions=("sns:Publish",), resources=(self.arn,))
        return Grant(
            actions=("sns:Publish", "kms:Decrypt", "kms:GenerateDataKey"), resources=(self.arn, self.kms_key_arn)
        )


def _source(account: Account, publisher: str) -> Conditions:
    source = _SOURCES[publisher]
    if source is None:
        return {}
    service, resource = source
    return {
        "StringEquals": {"aws:SourceAccount": account.id},
        "ArnLike": {"aws:SourceArn": account.arn(service, resource)},
    }
