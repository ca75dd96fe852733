"""A bucket is seen by nobody outside, and over TLS alone."""

from __future__ import annotations

import json
from typing import Any

import pulumi_aws as aws
import pytest

from components.bucket import Bucket, BucketArgs
from components.errors import InvalidArgsError
from components.grants import document
from tests.components.recorder import Recorded, of_type, one, record

# The provider's own `s3` module warns of some of its classes when it is loaded.
KEY = "arn:aws:kms:eu-west-1:123456789012:key/shared"


def _made(**more: Any) -> list[Recorded]:
    return record(lambda: Bucket("files", BucketArgs(**more)))


def test_nothing_of_it_can_be_made_public() -> None:
    closed = one(_made(), ":BucketPublicAccessBlock").inputs
    assert {key: value for key, value in closed.items() if key != "bucket"} == {
        "blockPublicAcls": True,
        "blockPublicPolicy": True,
        "ignorePublicAcls": True,
        "restrictPublicBuckets": True,
    }


def test_plain_http_is_refused_on_the_bucket_and_on_what_is_in_it() -> None:
    resources = _made()
    policy = one(resources, ":BucketPolicy")
    assert json.loads(policy.inputs["policy"]) == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "TlsOnly",
                "Effect": "Deny",
                "Principal": "*",
                "Action": ["s3:*"],
                "Resource": ["files.arn", "files.arn/*"],
                "Condition": {"Bool": {"aws:SecureTransport": "false"}},
            }
        ],
    }
    assert one(resources, ":BucketPublicAccessBlock").urn in policy.dependencies, "S3 refuses both at one time"


def test_its_name_is_known_once_its_policy_stands() -> None:
    """AWS tries to write the moment that a load balancer is told of the bucket, and refuses it without the policy."""

    def told() -> None:
        aws.s3.BucketVersioning("told", bucket=Bucket("files").bucket_name, versioning_configuration={"status": "x"})

    resources = record(told)
    waiting = one(resources, ":BucketVersioning", "told")
    assert waiting.inputs["bucket"] == "files-id"
    assert one(resources, ":BucketPolicy").urn in waiting.dependencies


def test_old_versions_are_kept_for_a_while_and_unfinished_uploads_are_not() -> None:
    resources = _made()
    assert one(resources, ":BucketVersioning").inputs["versioningConfiguration"] == {"status": "Enabled"}
    assert [
        {key: value for key, value in rule.items() if key not in ("status", "filter")}
        for rule in one(resources, ":BucketLifecycleConfiguration").inputs["rules"]
    ] == [
        {"id": "unfinished-uploads", "abortIncompleteMultipartUpload": {"daysAfterInitiation": 7}},
        {"id": "old-versions", "noncurrentVersionExpiration": {"noncurrentDays": 90}},
    ]


def test_a_bucket_of_passing_things_keeps_no_versions() -> None:
    resources = _made(versioned=False, expire_days=30)
    assert not of_type(resources, ":BucketVersioning")
    rules = one(resources, ":BucketLifecycleConfiguration").inputs["rules"]
    assert [rule["id"] for rule in rules] == ["unfinished-uploads", "expire"]
    assert rules[1]["expiration"] == {"days": 30}


def test_a_key_that_is_given_encrypts_objects_and_is_asked_for_once() -> None:
    rules = one(_made(kms_key_arn=KEY), ":BucketServerSideEncryptionConfiguration").inputs["rules"]
    assert rules == [
        {
            "applyServerSideEncryptionByDefault": {"sseAlgorithm": "aws:kms", "kmsMasterKeyId": KEY},
            "bucketKeyEnabled": True,
        }
    ]


@pytest.mark.parametrize(
    ("key", "grant", "actions", "resources"),
    [
        (None, lambda bucket: bucket.read(), ["s3:GetObject", "s3:ListBucket"], ["files.arn", "files.arn/*"]),
        (
            None,
            lambda bucket: bucket.write(),
            ["s3:AbortMultipartUpload", "s3:DeleteObject", "s3:PutObject"],
            ["files.arn/*"],
        ),
        (
            KEY,
            lambda bucket: bucket.read_write(),
            [
                *("s3:GetObject", "s3:ListBucket", "s3:AbortMultipartUpload", "s3:DeleteObject", "s3:PutObject"),
                *("kms:Decrypt", "kms:GenerateDataKey"),
            ],
            ["files.arn", "files.arn/*", KEY],
        ),
        (
            KEY,
            lambda bucket: bucket.read(),
            ["s3:GetObject", "s3:ListBucket", "kms:Decrypt"],
            ["files.arn", "files.arn/*", KEY],
        ),
        (None, lambda bucket: bucket.grant("ListBucket"), ["s3:ListBucket"], ["files.arn"]),
        (KEY, lambda bucket: bucket.grant("GetObject"), ["s3:GetObject", "kms:Decrypt"], ["files.arn/*", KEY]),
        (
            KEY,
            lambda bucket: bucket.grant("PutObject"),
            ["s3:PutObject", "kms:Decrypt", "kms:GenerateDataKey"],
            ["files.arn/*", KEY],
        ),
    ],
)
def test_a_grant_is_these_actions_on_this_bucket(
    key: str | None, grant: Any, actions: list[str], resources: list[str]
) -> None:
    def pinned(policy: str) -> None:
        assert json.loads(policy)["Statement"] == [{"Effect": "Allow", "Action": actions, "Resource": resources}]

    record(
        lambda: document([grant(Bucket("files", BucketArgs(kms_key_arn=key)))]).apply(pinned)  # type: ignore[union-attr]
    )


@pytest.mark.parametrize("action", ["s3:GetObject", "ReadObject", "*"])
def test_an_action_that_it_does_not_grant_is_refused_with_those_that_it_does(action: str) -> None:
    def granted() -> None:
        with pytest.raises(InvalidArgsError, match=r"Bucket.grant: got .*; one of GetObject, ListBucket, Abort"):
            Bucket("files").grant(action)

    record(granted)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"old_versions_days": 0}, r"Bucket.old_versions_days: got 0; a whole number from 1"),
        ({"expire_days": 0}, r"Bucket.expire_days: got 0"),
    ],
)
def test_days_that_are_none_are_refused(wrong: dict[str, Any], says: str) -> None:
    with pytest.raises(InvalidArgsError, match=says):
        BucketArgs(**wrong)


@pytest.mark.parametrize("name", ["Files", "a" * 56, "-files"])
def test_a_name_that_s3_refuses_is_refused(name: str) -> None:
    with pytest.raises(InvalidArgsError, match="bucket name"):
        record(lambda: Bucket(name))
