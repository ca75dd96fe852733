"""Roles are held to their boundary as in the account, by the very document that the bootstrap stack makes."""

from __future__ import annotations

import json
import textwrap
from typing import TYPE_CHECKING, Any, Final

import pytest
from botocore.exceptions import ClientError

from rehearsal import boundaries, keeper
from rehearsal.boundaries import BoundaryError
from rehearsal.emulator import Emulator, launch
from rehearsal.graph import Registered
from rehearsal.roles import ROLE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ACCOUNT: Final = "123456789012"
BOUNDARY: Final = f"arn:aws:iam::{ACCOUNT}:policy/walls/wall"
ECS: Final = "ecs-tasks.amazonaws.com"
WITHIN: Final = {"Effect": "Allow", "NotAction": ["iam:*"], "Resource": "*"}
BOOTSTRAP: Final = f"""
import json
import pulumi
import pulumi_aws as aws
opts = pulumi.ResourceOptions(provider=aws.Provider("aws", region="eu-west-1", allowed_account_ids=["{ACCOUNT}"]))
document = {{"Version": "2012-10-17", "Statement": [{WITHIN}]}}
aws.iam.Policy("wall", name="wall", path="/walls/", policy=json.dumps(document), opts=opts)
"""


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    with keeper.keep() as run:
        yield launch(run, account=ACCOUNT, region="eu-west-1")


def project(folder: Path, source: str = BOOTSTRAP) -> Path:
    """Write a project that has a bootstrap stack."""
    bootstrap = folder / "bootstrap"
    bootstrap.mkdir()
    (bootstrap / "Pulumi.yaml").write_text("name: shop-bootstrap\nruntime: python\n")
    (bootstrap / "Pulumi.shared.yaml").write_text("config: {}\n")
    (bootstrap / "__main__.py").write_text(textwrap.dedent(source))
    return folder


def planned(boundary: str | None) -> list[Registered]:
    inputs = {"name": "task-1a2b3c4"} | ({"permissionsBoundary": boundary} if boundary else {})
    return [Registered(urn="urn:task", type=ROLE, name="task", parent="", custom=True, inputs=inputs)]


def refused(aws: Emulator, boundary: dict[str, str]) -> list[str]:
    """Make a role that may use IAM and S3, with *boundary* or none; return what it is refused."""
    iam = aws.client("iam")
    trust = {"Effect": "Allow", "Principal": {"Service": ECS}, "Action": "sts:AssumeRole"}
    name = f"task-{len(iam.list_roles()['Roles'])}"
    role = iam.create_role(
        RoleName=name, Path="/shop/", AssumeRolePolicyDocument=json.dumps({"Statement": [trust]}), **boundary
    )["Role"]["Arn"]
    everything = {"Effect": "Allow", "Action": ["iam:ListRoles", "s3:ListAllMyBuckets"], "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [everything]})
    iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=document)
    own = aws.assume(role, service=ECS, source=f"arn:aws:ecs:eu-west-1:{ACCOUNT}:task/1", session="task")
    found: list[str] = []
    for service, operation in (("iam", "list_roles"), ("s3", "list_buckets")):
        try:
            getattr(aws.client_as(service, own), operation)()
        except ClientError as error:
            found.append(f"{operation}: {error.response['Error']['Code']}")
    return found


def test_what_is_beyond_the_boundary_is_refused_although_the_role_allows_it(emulator: Emulator, tmp_path: Path) -> None:
    """The rehearsal's workloads run within it: a grant that it takes away is found out here."""
    assert refused(emulator, {}) == []
    boundaries.make(emulator, planned(BOUNDARY), project(tmp_path))
    assert refused(emulator, {"PermissionsBoundary": BOUNDARY}) == ["list_roles: AccessDenied"]
    assert emulator.denials()[-1].reason == "permissions boundary: ImplicitDeny"


def test_a_boundary_that_nobody_makes_ends_the_rehearsal(tmp_path: Path) -> None:
    """`pulumi up` would be refused at the first role."""
    other = f"arn:aws:iam::{ACCOUNT}:policy/walls/other"
    says = rf"{other} is the permissions boundary of task, and no stack makes it: .* bootstrap/ makes {BOUNDARY}"
    with pytest.raises(BoundaryError, match=says):
        boundaries.make(_nobody(), planned(other), project(tmp_path))
    with pytest.raises(BoundaryError, match="bootstrap/ makes none"):
        boundaries.make(_nobody(), planned(other), tmp_path / "nowhere")


def test_what_is_wrong_with_the_bootstrap_is_told(tmp_path: Path) -> None:
    with pytest.raises(BoundaryError, match="bootstrap/, stack shared, which makes boundaries: the program broke"):
        boundaries.make(_nobody(), planned(BOUNDARY), project(tmp_path, "raise ValueError('no')"))


@pytest.mark.parametrize("boundary", [None, "arn:aws:iam::aws:policy/PowerUserAccess"])
def test_without_a_boundary_of_ones_own_nothing_is_made_or_read(tmp_path: Path, boundary: str | None) -> None:
    """A project need not have a bootstrap stack."""
    boundaries.make(_nobody(), planned(boundary), tmp_path)


def _nobody() -> Any:
    """Stand for an emulator that is not to be called."""
    return object()
