"""An SQS queue, the queue for what cannot be handled, and the rights to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi_aws as aws

from components import documents, naming, resource_policy
from components.base import Part
from components.errors import InvalidArgsError, of, within
from components.grants import Grant

if TYPE_CHECKING:
    from pulumi import Input, Output, ResourceOptions

_DAY = 24 * 3600


@dataclass(frozen=True, kw_only=True)
class QueueArgs:
    """What a `Queue` takes. Bounds: the text of `CreateQueue` in botocore's `sqs` model.

    Raises:
        InvalidArgsError: a bound broken, or a message that would be gone before it is given up.

    """

    visibility_timeout: int = 30
    """Seconds that a received message is hidden, 0 to 43200: longer than the longest handling of one."""
    retention: int = 4 * _DAY
    """Seconds that a message is kept, 60 to 1209600 (14 days)."""
    max_receives: int | None = 5
    """Receipts after which a message moves to the dead-letter queue, 1 to 1000. None: no such queue, it returns
    until its retention ends."""
    queue_name: str | None = None
    """Its name, for whoever must know its ARN before it is made. Default: the logical name and Pulumi's suffix."""

    def __post_init__(self) -> None:
        within(self, "visibility_timeout", 0, 43_200, "seconds")
        within(self, "retention", 60, 14 * _DAY, "seconds")
        within(self, "max_receives", 1, 1000, "receipts")
        if self.max_receives is not None and self.retention <= self.visibility_timeout * self.max_receives:
            raise InvalidArgsError(
                of(self, "retention"),
                got=self.retention,
                want=f"more than {self.visibility_timeout * self.max_receives} seconds (visibility_timeout times "
                "max_receives), or a message is gone before it reaches the dead-letter queue",
            )


class Queue(Part):
    """An encrypted standard queue that takes messages over TLS, with a dead-letter queue that keeps them for 14 days.

    Raises:
        InvalidArgsError: a name that leaves no room for Pulumi's suffix in SQS's 80 characters.

    """

    arn: Output[str]
    queue_url: Output[str]
    """What clients send to and receive from."""
    dead_letter_arn: Output[str] | None
    """None without a dead-letter queue."""

    def __init__(self, name: str, args: QueueArgs | None = None, opts: ResourceOptions | None = None) -> None:
        args = args or QueueArgs()
        naming.autonamed(f"{name}-dead-letter" if args.max_receives else name, naming.QUEUE)
        if args.queue_name is not None:
            naming.fixed(args.queue_name, naming.QUEUE)
        super().__init__(opts)

        dead = self._create(name, args, suffix="-dead-letter", retention=14 * _DAY) if args.max_receives else None
        redrive = {"deadLetterTargetArn": dead.arn, "maxReceiveCount": args.max_receives} if dead else None
        queue = self._create(
            name,
            args,
            retention=args.retention,
            redrive=documents.render(redrive) if redrive else None,
            queue_name=args.queue_name,
        )
        self.arn, self.queue_url = queue.arn, queue.url
        self.dead_letter_arn = dead.arn if dead else None

    def send(self) -> Grant:
        """Allow sending."""
        return Grant(actions=("sqs:SendMessage",), resources=(self.arn,))

    def receive(self) -> Grant:
        """Allow receiving, deleting what was handled, taking more time for it, and seeing how much waits."""
        return Grant(
            actions=(
                "sqs:ChangeMessageVisibility",
                "sqs:DeleteMessage",
                "sqs:GetQueueAttributes",
                "sqs:ReceiveMessage",
            ),
            resources=(self.arn,),
        )

    def _create(
        self,
        name: str,
        args: QueueArgs,
        *,
        retention: int,
        suffix: str = "",
        redrive: Input[str] | None = None,
        queue_name: str | None = None,
    ) -> aws.sqs.Queue:
        queue = aws.sqs.Queue(
            f"{name}{suffix}",
            name=queue_name,
            visibility_timeout_seconds=args.visibility_timeout,
            message_retention_seconds=retention,
            redrive_policy=redrive,
            sqs_managed_sse_enabled=True,
            tags=self.tags,
            opts=self.child(suffix=suffix),
        )
        aws.sqs.QueuePolicy(
            f"{name}{suffix}",
            queue_url=queue.url,
            policy=resource_policy.document([resource_policy.tls_only(["sqs:*"], [queue.arn])]),
            opts=self.child(suffix=suffix),
        )
        return queue
