"""An image is pinned by digest, and what pulls it may pull nothing else."""

from __future__ import annotations

import json

import pytest

from components.errors import InvalidArgsError
from components.grants import document
from components.image import Image

DIGEST = "sha256:" + "0f" * 32
ECR = "210987654321.dkr.ecr.eu-central-1.amazonaws.com"


def test_an_image_of_another_account_and_region_is_pulled_from_its_own_repository() -> None:
    image = Image.at(f"{ECR}/team/orders@{DIGEST}")
    assert image.uri == f"{ECR}/team/orders@{DIGEST}"
    policy = document(image.grant_pull())
    assert isinstance(policy, str)
    assert json.loads(policy) == {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": ["ecr:GetAuthorizationToken"], "Resource": ["*"]},
            {
                "Effect": "Allow",
                "Action": ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
                "Resource": ["arn:aws:ecr:eu-central-1:210987654321:repository/team/orders"],
            },
        ],
    }


@pytest.mark.parametrize(
    ("registry", "arn"),
    [
        ("210987654321.dkr.ecr.cn-north-1.amazonaws.com.cn", "arn:aws-cn:ecr:cn-north-1"),
        ("210987654321.dkr.ecr-fips.us-gov-west-1.amazonaws.com", "arn:aws-us-gov:ecr:us-gov-west-1"),
        ("210987654321.dkr-ecr.eu-west-1.on.aws", "arn:aws:ecr:eu-west-1"),
    ],
)
def test_every_form_of_a_private_registry_is_known(registry: str, arn: str) -> None:
    """One taken for a public registry would get no right to pull, and the task would never start."""
    assert Image.at(f"{registry}/orders@{DIGEST}").repository_arn == f"{arn}:210987654321:repository/orders"


@pytest.mark.parametrize("where", ["public.ecr.aws/nginx/nginx", "docker.io/library/nginx", "localhost:5000/nginx"])
def test_a_public_image_needs_no_right(where: str) -> None:
    image = Image.at(f"{where}@{DIGEST}")
    assert image.repository_arn is None
    assert image.grant_pull() == ()


def test_a_tag_beside_the_digest_is_no_part_of_the_repository() -> None:
    assert Image.at(f"{ECR}/orders:v1@{DIGEST}").repository_arn == (
        "arn:aws:ecr:eu-central-1:210987654321:repository/orders"
    )


@pytest.mark.parametrize(
    ("uri", "says"),
    [
        (f"{ECR}/orders:latest", f"pin by digest: {ECR}/orders@sha256:…"),
        (f"{ECR}/orders", f"pin by digest: {ECR}/orders@sha256:…"),
        ("localhost:5000/orders", "pin by digest: localhost:5000/orders@sha256:…"),
        ("nginx:1.27", "pin by digest: nginx@sha256:…"),
        ("nginx@sha256:abc", "pin by digest"),
        (f"@{DIGEST}", "pin by digest"),
    ],
)
def test_what_is_not_pinned_is_refused_with_how_to_pin_it(uri: str, says: str) -> None:
    with pytest.raises(InvalidArgsError) as refused:
        Image.at(uri)
    assert says in str(refused.value)
