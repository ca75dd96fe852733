"""An S3 bucket that nobody outside sees, and the rights to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pulumi_aws as aws
from pulumi import Output, ResourceOptions

from components import naming, resource_policy
from components.base import Part
from components.errors import InvalidArgsError, of, within
from components.grants import Grant

if TYPE_CHECKING:
    from pulumi import Input

    from components.account import Account

_READ = ("s3:GetObject", "s3:ListBucket")
_WRITE = ("s3:AbortMultipartUpload", "s3:DeleteObject", "s3:PutObject")


@dataclass(frozen=True, kw_only=True)
class BucketArgs:
    """What a `Bucket` takes.

    Raises:
        InvalidArgsError: a number of days that is none, or one for versions that are not kept.

    """

    versioned: bool = True
    """Whether what is overwritten or deleted can be had back."""
    old_versions_days: int | None = 90
    """Days that it can, 1 or more. None: for ever. Without versions it says nothing."""
    expire_days: int | None = None
    """Days after which an object is deleted, 1 or more. Default: never."""
    kms_key_arn: Input[str] | None = None
    """Key that objects are encrypted with. Default: S3's own, which costs nothing and needs no right."""
    log_delivery: Account | None = None
    """Account and region whose load balancers may write their access logs here. Default: none may.

    Their service writes to no bucket with a key of KMS's.
    https://docs.aws.amazon.com/elasticloadbalancing/latest/application/enable-access-logging.html
    """
    force_destroy: bool = False
    """Whether the bucket can be deleted with objects in it. Default: no, AWS refuses."""

    def __post_init__(self) -> None:
        within(self, "old_versions_days", 1, 36_500, "days")
        within(self, "expire_days", 1, 36_500, "days")
        if self.log_delivery and self.kms_key_arn is not None:
            raise InvalidArgsError(
                of(self, "kms_key_arn"),
                got="a key",
                want="none, with log_delivery: load balancers write to no such bucket",
            )


class Bucket(Part):
    """A private bucket: encrypted, over TLS alone, without ACLs, closed to the public whatever its policy says.

    Encryption with S3's own key and bucket-owner-enforced ownership are S3's defaults since 2023, so are not set.
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/default-encryption-faq.html

    Raises:
        InvalidArgsError: a name that leaves no room for Pulumi's suffix in S3's 63 characters.

    """

    arn: Output[str]
    bucket_name: Output[str]
    """Known once its policy stands: AWS tries to write the moment that a load balancer is told of the bucket."""

    def __init__(self, name: str, args: BucketArgs | None = None, opts: ResourceOptions | None = None) -> None:
        args = args or BucketArgs()
        naming.autonamed(name, naming.BUCKET)
        super().__init__(opts)

        bucket = aws.s3.Bucket(name, force_destroy=args.force_destroy, tags=self.tags, opts=self.child())
        closed = aws.s3.BucketPublicAccessBlock(
            name,
            bucket=bucket.id,
            block_public_acls=True,
            block_public_policy=True,
            ignore_public_acls=True,
            restrict_public_buckets=True,
            opts=self.child(),
        )
        self.arn = bucket.arn
        self._objects = Output.concat(self.arn, "/*")
        self._key_arn = args.kms_key_arn
        policy = aws.s3.BucketPolicy(
            name,
            bucket=bucket.id,
            policy=resource_policy.document(
                [
                    resource_policy.tls_only(["s3:*"], [self.arn, self._objects]),
                    *([self._admit_logs(args.log_delivery)] if args.log_delivery else []),
                ]
            ),
            # S3 refuses two changes to who may see a bucket at one time.
            opts=self.child(ResourceOptions(depends_on=[closed])),
        )
        self.bucket_name = Output.all(bucket.id, policy.id).apply(lambda known: str(known[0]))
        if args.versioned:
            aws.s3.BucketVersioning(
                name, bucket=bucket.id, versioning_configuration={"status": "Enabled"}, opts=self.child()
            )
        if args.kms_key_arn is not None:
            aws.s3.BucketServerSideEncryptionConfiguration(
                name,
                bucket=bucket.id,
                rules=[
                    {
                        "apply_server_side_encryption_by_default": {
                            "sse_algorithm": "aws:kms",
                            "kms_master_key_id": args.kms_key_arn,
                        },
                        # One data key for many objects: without it each costs a call to KMS.
                        "bucket_key_enabled": True,
                    }
                ],
                opts=self.child(),
            )
        if rules := _lifecycle(args):
            aws.s3.BucketLifecycleConfiguration(name, bucket=bucket.id, rules=rules, opts=self.child())

    def read(self) -> Grant:
        """Allow listing and reading; without listing, an object that is missing looks like one that is forbidden."""
        return self._grant(_READ, ("kms:Decrypt",))

    def write(self) -> Grant:
        """Allow putting and deleting, not reading."""
        return self._grant(_WRITE, ("kms:Decrypt", "kms:GenerateDataKey"))

    def read_write(self) -> Grant:
        """Allow what `read` and `write` do."""
        return self._grant((*_READ, *_WRITE), ("kms:Decrypt", "kms:GenerateDataKey"))

    def grant(self, *actions: str) -> Grant:
        """Allow exactly *actions*, named as S3 does: ``bucket.grant("ListBucket", "GetObject")``.

        Raises:
            InvalidArgsError: no action, or one that is none of `read_write`'s.

        """
        for action in actions:
            if f"s3:{action}" not in (*_READ, *_WRITE):
                known = ", ".join(each.removeprefix("s3:") for each in (*_READ, *_WRITE))
                raise InvalidArgsError("Bucket.grant", got=action, want=f"one of {known}")
        writes = {f"s3:{action}" for action in actions} & {*_WRITE}
        on_key = ("kms:Decrypt", "kms:GenerateDataKey") if writes else ("kms:Decrypt",)
        return self._grant(tuple(f"s3:{action}" for action in actions), on_key)

    def _admit_logs(self, account: Account) -> dict[str, Any]:
        return resource_policy.admit(
            {"Service": "logdelivery.elasticloadbalancing.amazonaws.com"},
            ["s3:PutObject"],
            Output.concat(self.arn, f"/*/AWSLogs/{account.id}/*"),
            {"ArnLike": {"aws:SourceArn": account.arn("elasticloadbalancing", "loadbalancer/*")}},
        )

    def _grant(self, actions: tuple[str, ...], on_key: tuple[str, ...]) -> Grant:
        """Put bucket, objects and key in one statement: none's actions know another's resource."""
        resources: list[Input[str]] = [self.arn] if "s3:ListBucket" in actions else []
        if {*actions} - {"s3:ListBucket"}:
            resources.append(self._objects)
        if self._key_arn is None:
            return Grant(actions=actions, resources=resources)
        return Grant(actions=(*actions, *on_key), resources=(*resources, self._key_arn))


def _lifecycle(args: BucketArgs) -> list[aws.s3.BucketLifecycleConfigurationRuleArgsDict]:
    """Return the rules; an upload that never ended costs as much as one that did, and is shown nowhere."""
    rules: list[aws.s3.BucketLifecycleConfigurationRuleArgsDict] = [
        {
            "id": "unfinished-uploads",
            "status": "Enabled",
            "filter": {},
            "abort_incomplete_multipart_upload": {"days_after_initiation": 7},
        }
    ]
    if args.versioned and args.old_versions_days is not None:
        rules.append(
            {
                "id": "old-versions",
                "status": "Enabled",
                "filter": {},
                "noncurrent_version_expiration": {"noncurrent_days": args.old_versions_days},
            }
        )
    if args.expire_days is not None:
        rules.append({"id": "expire", "status": "Enabled", "filter": {}, "expiration": {"days": args.expire_days}})
    return rules
