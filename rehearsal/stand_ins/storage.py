"""What keeps data: DynamoDB tables and S3 buckets."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rehearsal.graph import Answer
    from rehearsal.stand_ins.calls import Making, Table


def _keys(given: Mapping[str, Any]) -> list[dict[str, str]]:
    kinds = {"hashKey": "HASH", "rangeKey": "RANGE"}
    return [{"AttributeName": given[name], "KeyType": kind} for name, kind in kinds.items() if given.get(name)]


def _throughput(given: Mapping[str, Any]) -> dict[str, Any]:
    if "readCapacity" not in given:
        return {}
    units = {"ReadCapacityUnits": int(given["readCapacity"]), "WriteCapacityUnits": int(given["writeCapacity"])}
    return {"ProvisionedThroughput": units}


def _index(given: Mapping[str, Any]) -> dict[str, Any]:
    projection = {"ProjectionType": given["projectionType"]}
    if "nonKeyAttributes" in given:
        projection["NonKeyAttributes"] = given["nonKeyAttributes"]
    return {"IndexName": given["name"], "KeySchema": _keys(given), "Projection": projection} | _throughput(given)


def _table(this: Making) -> Answer:
    given: dict[str, Any] = {
        "KeySchema": _keys(this.inputs),
        "AttributeDefinitions": [
            {"AttributeName": each["name"], "AttributeType": each["type"]} for each in this["attributes"]
        ],
        "BillingMode": this.get("billingMode", "PROVISIONED"),
    } | _throughput(this.inputs)
    for name, member in (("globalSecondaryIndexes", "GlobalSecondaryIndexes"), ("localSecondaryIndexes", _LOCAL)):
        if this.get(name):
            hash_key = {"hashKey": this["hashKey"]} if member == _LOCAL else {}
            given[member] = [_index(hash_key | each) for each in this[name]]
    if this.get("streamEnabled"):
        given["StreamSpecification"] = {"StreamEnabled": True, "StreamViewType": this["streamViewType"]}
    encryption = this.get("serverSideEncryption", {})
    if encryption.get("enabled"):
        key = {"KMSMasterKeyId": encryption["kmsKeyArn"]} if "kmsKeyArn" in encryption else {}
        given["SSESpecification"] = {"Enabled": True, "SSEType": "KMS"} | key
    handled = ["attributes", "hashKey", "rangeKey", "billingMode", "readCapacity", "writeCapacity", "streamEnabled"]
    handled += ["streamViewType", "globalSecondaryIndexes", "localSecondaryIndexes", "serverSideEncryption"]
    handled += ["ttl", "pointInTimeRecovery"]
    made = this.create("dynamodb:CreateTable", given, apart=handled, rename={"name": "TableName"})["TableDescription"]
    name = this["name"]
    ttl = this.get("ttl", {})
    if ttl.get("enabled"):
        specification = {"Enabled": True, "AttributeName": ttl["attributeName"]}
        this.call("dynamodb:UpdateTimeToLive", TableName=name, TimeToLiveSpecification=specification)
    recovery = this.get("pointInTimeRecovery", {})
    if recovery.get("enabled"):
        days = {"RecoveryPeriodInDays": recovery["recoveryPeriodInDays"]} if "recoveryPeriodInDays" in recovery else {}
        this.call(
            "dynamodb:UpdateContinuousBackups",
            TableName=name,
            PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True} | days,
        )
    stream = {"streamArn": made.get("LatestStreamArn", ""), "streamLabel": made.get("LatestStreamLabel", "")}
    return this.answer(name, arn=made["TableArn"], **stream)


_LOCAL: Final = "LocalSecondaryIndexes"


def _bucket(this: Making) -> Answer:
    bucket, region = this["bucket"], this.aws.region
    # us-east-1 is the one region that may not be named.
    where = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    lock = {"objectLockEnabled": "ObjectLockEnabledForBucket"}
    this.create("s3:CreateBucket", where, rename=lock, tagged=False)
    if this.tags:
        pairs = [{"Key": key, "Value": value} for key, value in this.tags.items()]
        this.call("s3:PutBucketTagging", Bucket=bucket, Tagging={"TagSet": pairs})
    return this.answer(
        bucket,
        arn=f"arn:{this.aws.partition}:s3:::{bucket}",
        bucketDomainName=f"{bucket}.s3.amazonaws.com",
        bucketRegionalDomainName=f"{bucket}.s3.{region}.amazonaws.com",
        bucketRegion=region,
    )


def _bucket_setting(this: Making, *, operation: str, member: str) -> Answer:
    """Put one setting of a bucket: all inputs but the bucket are that setting."""
    setting = {name: value for name, value in this.inputs.items() if name not in _NOT_SETTINGS}
    this.create(operation, inputs={"bucket": this["bucket"], member: setting}, rename=_BUCKET_NAMES, tagged=False)
    return this.answer(this["bucket"])


_NOT_SETTINGS: Final = frozenset({"bucket", "expectedBucketOwner", "region", "skipDestroy"})
# Paths of the properties whose members bear another name in S3's own model.
_BUCKET_NAMES: Final = {
    "BucketLifecycleConfiguration.rules": "Rules",
    "BucketLifecycleConfiguration": "LifecycleConfiguration",
    "LifecycleConfiguration.rules.id": "ID",
    "ServerSideEncryptionConfiguration.rules.applyServerSideEncryptionByDefault": "ApplyServerSideEncryptionByDefault",
    "ServerSideEncryptionConfiguration.rules.applyServerSideEncryptionByDefault.kmsMasterKeyId": "KMSMasterKeyID",
}


def _bucket_policy(this: Making) -> Answer:
    this.create("s3:PutBucketPolicy")
    return this.answer(this["bucket"])


def _bucket_versioning(this: Making) -> Answer:
    state = this["versioningConfiguration"]
    given = {"Status": state["status"]} | ({"MFADelete": state["mfaDelete"]} if "mfaDelete" in state else {})
    this.call("s3:PutBucketVersioning", Bucket=this["bucket"], VersioningConfiguration=given)
    return this.answer(this["bucket"])


def _setting(operation: str, member: str) -> Any:
    return functools.partial(_bucket_setting, operation=operation, member=member)


TABLE: Final[Table] = {
    "aws:dynamodb/table:Table": _table,
    "aws:s3/bucket:Bucket": _bucket,
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": _setting(
        "s3:PutBucketLifecycleConfiguration", "LifecycleConfiguration"
    ),
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": _setting(
        "s3:PutBucketOwnershipControls", "OwnershipControls"
    ),
    "aws:s3/bucketPolicy:BucketPolicy": _bucket_policy,
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": _setting(
        "s3:PutPublicAccessBlock", "PublicAccessBlockConfiguration"
    ),
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": _setting(
        "s3:PutBucketEncryption", "ServerSideEncryptionConfiguration"
    ),
    "aws:s3/bucketVersioning:BucketVersioning": _bucket_versioning,
}
