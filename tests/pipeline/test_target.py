"""A stack's own file says where it goes, and everything else follows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipeline import target
from pipeline.target import Target, TargetError
from tests.whole import ROOT

if TYPE_CHECKING:
    from pathlib import Path


def test_a_workflow_is_told_all_that_it_needs(capsys: pytest.CaptureFixture[str]) -> None:
    target.main(["prod", "--role", "deploy"], ROOT)
    assert capsys.readouterr().out.splitlines() == [
        "role=arn:aws:iam::444455556666:role/pipeline/deploy-prod",
        "account=444455556666",
        "region=ap-southeast-1",
        "registry=444455556666.dkr.ecr.ap-southeast-1.amazonaws.com",
        "backend=s3://drydock-state-444455556666-ap-southeast-1?region=ap-southeast-1",
    ]


def test_without_a_stack_it_is_where_the_images_are(capsys: pytest.CaptureFixture[str]) -> None:
    target.main(["", "--role", "images"], ROOT)
    assert capsys.readouterr().out.startswith("role=arn:aws:iam::111122223333:role/pipeline/images\n")


def test_in_china_names_are_chinas() -> None:
    place = Target(stack="prod", stage="prod", account="111122223333", region="cn-north-1")
    assert place.role_arn("deploy") == "arn:aws-cn:iam::111122223333:role/pipeline/deploy-prod"
    assert place.registry == "111122223333.dkr.ecr.cn-north-1.amazonaws.com.cn"
    assert Target(stack="a", stage="a", account="1", region="us-gov-west-1").partition == "aws-us-gov"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("config: {}", "Pulumi.dev.yaml: say drydock:allowed_account_ids"),
        ("config:\n  drydock:allowed_account_ids: [111122223333]\n  drydock:region: eu-west-1", "one id in quotes"),
        ("config:\n  drydock:allowed_account_ids: ['1']\n  drydock:region: eu-west-1", "and drydock:stage"),
        ("config: [", "Pulumi.dev.yaml is not YAML"),
        ("- 1", "Pulumi.dev.yaml has no `config`"),
    ],
)
def test_a_file_that_does_not_say_is_refused(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "Pulumi.dev.yaml").write_text(text)
    with pytest.raises(TargetError, match=says):
        target.of(tmp_path, "dev")


def test_a_stack_that_there_is_not_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        target.main(["staging", "--role", "deploy"], tmp_path)
    assert "there is no Pulumi.staging.yaml" in capsys.readouterr().err
