"""A boundary leaves roles all that workloads need, and nothing of who may do what."""

from __future__ import annotations

import json
from fnmatch import fnmatchcase
from typing import Any

import pytest

from components.account import Account
from components.boundary import Boundary, BoundaryArgs
from components.errors import InvalidArgsError
from tests.components.recorder import one, record

ACCOUNT = Account(id="111122223333", region="eu-west-1")
STATE = "arn:aws:s3:::state"


def args(**changed: Any) -> BoundaryArgs:
    return BoundaryArgs(
        **{
            "account": ACCOUNT,
            "policy_name": "boundary-test",
            "role_path": "/shop/test/",
            "closed": [STATE, f"{STATE}/*"],
            **changed,
        }
    )


def allowed(action: str, resource: str, region: str | None = ACCOUNT.region) -> bool:
    """Say whether the boundary leaves a role *action* on *resource*: IAM's own order, refusals first."""
    policy = one(record(lambda: Boundary("wall", args())), "aws:iam/policy:Policy").inputs["policy"]
    verdicts: set[str] = set()
    for it in json.loads(policy)["Statement"]:
        of_actions = any(fnmatchcase(action.lower(), each.lower()) for each in _listed(it, "Action"))
        but_actions = any(fnmatchcase(action.lower(), each.lower()) for each in _listed(it, "NotAction"))
        meant = (of_actions or ("NotAction" in it and not but_actions)) and any(
            fnmatchcase(resource, each) for each in _listed(it, "Resource")
        )
        if "Condition" in it:
            assert it["Condition"] == {
                "StringNotEquals": {"aws:RequestedRegion": ACCOUNT.region},
                "Null": {"aws:RequestedRegion": "false"},
            }
            meant = meant and region not in (None, ACCOUNT.region)
        verdicts |= {it["Effect"]} if meant else set()
    return verdicts == {"Allow"}


def _listed(statement: dict[str, Any], key: str) -> list[str]:
    said = statement.get(key, [])
    return [said] if isinstance(said, str) else said


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("dynamodb:PutItem", "arn:aws:dynamodb:eu-west-1:111122223333:table/orders"),
        ("s3:GetObject", "arn:aws:s3:::quotes/2026.csv"),
        ("ecr:BatchGetImage", "arn:aws:ecr:eu-west-1:111122223333:repository/orders"),
        ("ecr:GetAuthorizationToken", "*"),
        ("ssmmessages:CreateDataChannel", "*"),
        ("ecs:RunTask", "arn:aws:ecs:eu-west-1:111122223333:task-definition/etl:1"),
        ("iam:PassRole", "arn:aws:iam::111122223333:role/shop/test/etl-task-1a2b3c4"),
    ],
)
def test_what_workloads_do_is_within_it(action: str, resource: str) -> None:
    """A role would be refused what its own policy allows, and nothing says that it was the boundary."""
    assert allowed(action, resource)


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("iam:CreateRole", "arn:aws:iam::111122223333:role/shop/test/mine"),
        ("iam:DeleteRolePermissionsBoundary", "arn:aws:iam::111122223333:role/shop/test/mine"),
        ("iam:CreatePolicyVersion", "arn:aws:iam::111122223333:policy/pipeline/boundary-test"),
        ("iam:PassRole", "arn:aws:iam::111122223333:role/administrator"),
        ("iam:PassRole", "arn:aws:iam::111122223333:role/shop/prod/etl"),
        ("sts:AssumeRole", "arn:aws:iam::444455556666:role/administrator"),
        ("organizations:LeaveOrganization", "*"),
        ("ecr:PutImage", "arn:aws:ecr:eu-west-1:111122223333:repository/orders"),
        ("s3:GetObject", f"{STATE}/.pulumi/stacks/shop/prod.json"),
        ("s3:PutBucketPolicy", STATE),
    ],
)
def test_who_may_do_what_is_beyond_it_and_so_are_state_and_images(action: str, resource: str) -> None:
    """Whoever deploys would make a role that may do what the deployment may not."""
    assert not allowed(action, resource)


@pytest.mark.parametrize("action", ["ec2:RunInstances", "s3:GetObject", "dynamodb:Scan", "lambda:CreateFunction"])
def test_other_regions_are_beyond_it(action: str) -> None:
    """Whoever deploys is held to one, and would leave it by a role with every right there is."""
    assert allowed(action, "*")
    assert not allowed(action, "*", "us-east-1")


def test_what_has_no_region_or_is_in_the_images_own_is_within_it() -> None:
    """A task would find neither its image nor its mount, and say nothing of a boundary."""
    images = "arn:aws:ecr:us-west-2:444455556666:repository/orders"
    for action in ("ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer", "ecr:BatchCheckLayerAvailability"):
        assert allowed(action, images, "us-west-2")
    assert allowed("ecr:GetAuthorizationToken", "*", "us-west-2")
    assert allowed("route53:ChangeResourceRecordSets", "arn:aws:route53:::hostedzone/Z1", "us-east-1")
    assert allowed("elasticfilesystem:ClientMount", "*", None)


def test_its_arn_is_known_before_it_is_made() -> None:
    """What makes roles is told of it in another account, or in another stack."""
    made: list[Boundary] = []
    resources = record(lambda: made.append(Boundary("wall", args(path="/walls/"))), preview=True)
    assert made[0].arn == "arn:aws:iam::111122223333:policy/walls/boundary-test"
    inputs = one(resources, "aws:iam/policy:Policy").inputs
    assert (inputs["path"], inputs["name"]) == ("/walls/", "boundary-test")


def test_the_order_of_what_is_closed_changes_nothing() -> None:
    one_way, other = (
        one(record(lambda closed=closed: Boundary("wall", args(closed=closed))), ":Policy").inputs["policy"]
        for closed in ([STATE, f"{STATE}/*"], [f"{STATE}/*", STATE, STATE])
    )
    assert one_way == other


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"role_path": "shop"}, r"Boundary.role_path: got 'shop'; a path such as"),
        ({"path": "/pipeline"}, r"Boundary.path: got '/pipeline'"),
        ({"closed": ()}, r"Boundary.closed: got \(\); at least the ARN of the state's bucket"),
        ({"policy_name": "a b"}, "policy name: got 'a b'"),
    ],
)
def test_what_would_bound_nothing_is_refused(wrong: dict[str, Any], says: str) -> None:
    with pytest.raises(InvalidArgsError, match=says):
        args(**wrong)
