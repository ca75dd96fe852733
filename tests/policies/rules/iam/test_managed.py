"""AWS's managed policies: the table is what AWS has, and each is judged as if it were written here."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from moto.iam.aws_managed_policies import aws_managed_policies_data

from policies.rules.iam import managed

TABLE = json.loads(Path(managed.__file__).with_name("managed_policies.json").read_text(encoding="utf-8"))
CORPUS = {
    f"arn:aws:iam::aws:policy{it['Path']}{name}": it for name, it in json.loads(aws_managed_policies_data).items()
}
ROLE = "arn:aws:iam::aws:policy/service-role/"


@pytest.mark.parametrize("arn", sorted(TABLE))
def test_the_table_says_what_the_corpus_says(arn: str) -> None:
    """AWS changes its policies; the corpus is refreshed with moto."""
    statements = [
        {key: it for key, it in entry.items() if key != "Sid"} for entry in CORPUS[arn]["Document"]["Statement"]
    ]
    assert TABLE[arn]["Statement"] == statements


@pytest.mark.parametrize(
    "name",
    [
        "AdministratorAccess",
        "PowerUserAccess",
        "IAMFullAccess",
        "AmazonECS_FullAccess",
        "AmazonDynamoDBFullAccess_v2",
        "ReadOnlyAccess",
    ],
)
def test_what_is_made_for_people_is_refused_by_name(name: str) -> None:
    fault = managed.judge_attachment(f"arn:aws:iam::aws:policy/{name}", [])
    assert fault
    assert not fault.unproved


@pytest.mark.parametrize(
    ("arn", "why"),
    [
        (f"{ROLE}AmazonECSTaskExecutionRolePolicy", "ecr:BatchGetImage"),
        (f"{ROLE}AmazonEC2ContainerServiceEventsRole", ""),
        (f"{ROLE}AWSLambdaBasicExecutionRole", "logs:CreateLogGroup"),
    ],
)
def test_what_is_broader_than_needed_is_refused_by_its_content(arn: str, why: str) -> None:
    """AWS's own execution policy reads every repository's images."""
    fault = managed.judge_attachment(arn, ["ecs-tasks.amazonaws.com"])
    assert fault
    assert why in fault.reason
    assert not fault.unproved


def test_what_is_least_privilege_passes() -> None:
    assert managed.judge_attachment("arn:aws:iam::aws:policy/AWSXRayDaemonWriteAccess", []) is None


def test_it_is_the_same_policy_in_every_partition() -> None:
    assert managed.document(f"{ROLE}AmazonECSTaskExecutionRolePolicy".replace("arn:aws:", "arn:aws-cn:"))


def test_what_is_not_in_the_table_is_not_proved() -> None:
    fault = managed.judge_attachment("arn:aws:iam::aws:policy/AmazonBraketPolicy", [])
    assert fault
    assert fault.unproved
