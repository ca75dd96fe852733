"""A repository keeps what a rollback needs, and moves no tag."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest
from pulumi import Output

from components.errors import InvalidArgsError
from components.repository import Repository, RepositoryArgs
from tests.components.recorder import Recorded, of_type, one, record

if TYPE_CHECKING:
    from pathlib import Path

DIGEST = "sha256:" + "0f" * 32


def _made(args: RepositoryArgs | None = None) -> list[Recorded]:
    return record(lambda: Repository("orders", args))


def test_by_default_it_scans_and_pins_tags_and_refuses_to_go_with_images_in_it() -> None:
    repository = one(_made(), "aws:ecr/repository:Repository")
    said = repository.inputs
    assert (said["name"], said["imageTagMutability"], said["forceDelete"]) == ("orders", "IMMUTABLE", False)
    assert said["imageScanningConfiguration"] == {"scanOnPush": True}


def test_a_moving_tag_is_allowed_where_a_stack_says_so() -> None:
    repository = one(_made(RepositoryArgs(immutable_tags=False)), "aws:ecr/repository:Repository")
    assert repository.inputs["imageTagMutability"] == "MUTABLE"


def test_untagged_images_go_by_age_and_then_all_but_the_newest() -> None:
    """The rule for any tag must come last, or ECR refuses the policy."""
    rules = json.loads(one(_made(RepositoryArgs(keep_images=5)), ":LifecyclePolicy").inputs["policy"])["rules"]
    assert [(rule["rulePriority"], rule["selection"], rule["action"]) for rule in rules] == [
        (
            1,
            {"tagStatus": "untagged", "countType": "sinceImagePushed", "countUnit": "days", "countNumber": 14},
            {"type": "expire"},
        ),
        (2, {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 5}, {"type": "expire"}),
    ]


def test_where_others_pull_no_image_goes_by_itself() -> None:
    """The eleventh push in dev would take the image from under prod, whose next task could not start."""
    assert not of_type(_made(RepositoryArgs(pull_accounts=["210987654321"])), ":LifecyclePolicy")


def test_nobody_else_may_pull_unless_named() -> None:
    assert not of_type(_made(), ":RepositoryPolicy")
    policy = one(_made(RepositoryArgs(pull_accounts=["210987654321"])), ":RepositoryPolicy").inputs["policy"]
    assert json.loads(policy)["Statement"] == [
        {
            "Sid": "Pull",
            "Effect": "Allow",
            # No ARN: it would name a partition, and be refused in another.
            "Principal": {"AWS": ["210987654321"]},
            "Action": ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
        }
    ]


def test_the_order_of_accounts_changes_nothing() -> None:
    """A list sorted anew in a stack file must not show as a change."""
    one_way, other = (
        one(_made(RepositoryArgs(pull_accounts=accounts)), ":RepositoryPolicy").inputs["policy"]
        for accounts in (["210987654321", "111111111111"], ["111111111111", "210987654321"])
    )
    assert one_way == other


def test_an_image_is_the_repository_at_a_digest() -> None:
    def build() -> Output[None]:
        image = Repository("orders").image(DIGEST)
        assert image.repository_arn is not None
        return Output.all(image.uri, image.repository_arn).apply(
            lambda known: _same(known, [f"orders.repositoryUrl@{DIGEST}", "orders.arn"])
        )

    record(build)


@pytest.fixture
def context(tmp_path: Path) -> Path:
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    (tmp_path / "main.py").write_text("print(1)\n")
    return tmp_path


def _built(context: Path, **more: Any) -> Recorded:
    return one(record(lambda: Repository("orders").build(str(context), **more)), "awsx:ecr:Image")


def test_a_built_image_is_the_repositorys_child_for_the_tasks_platform(context: Path) -> None:
    image = _built(context, architecture="ARM64")
    assert image.parent.endswith("drydock:index:Repository::orders")
    assert image.inputs["platform"] == "linux/arm64"
    assert image.inputs["context"] == str(context)
    assert image.inputs["repositoryUrl"] == "orders.repositoryUrl"


def test_a_build_has_a_tag_of_its_own_as_soon_as_anything_of_it_differs(context: Path) -> None:
    """The tag that awsx makes stays the same, and a repository whose tags do not move refuses the second build."""
    choices: list[dict[str, Any]] = [{}, {"architecture": "ARM64"}, {"target": "slim"}, {"args": {"VERSION": "2"}}]
    tags = [_built(context, **more).inputs["imageTag"] for more in choices]
    (context / "main.py").write_text("print(2)\n")
    tags.append(_built(context).inputs["imageTag"])
    (context / "main.py").rename(context / "other.py")
    tags.append(_built(context).inputs["imageTag"])
    (context / "Dockerfile").write_text("FROM busybox\n")
    tags.append(_built(context).inputs["imageTag"])
    assert len(set(tags)) == len(tags)


def test_a_tag_says_nothing_of_where_or_when_it_was_built(
    context: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "service"
    shutil.copytree(context, elsewhere)
    (elsewhere / "__pycache__").mkdir()
    (elsewhere / "__pycache__" / "main.pyc").write_bytes(b"compiled")
    assert _built(elsewhere).inputs["imageTag"] == _built(context).inputs["imageTag"]


def test_a_folder_without_a_dockerfile_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidArgsError, match=r"Repository.build: .*Dockerfile is no file"):
        _built(tmp_path)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"keep_images": 0}, r"Repository.keep_images: got 0; a whole number from 1 to"),
        ({"untagged_days": 0}, r"Repository.untagged_days: got 0"),
        ({"pull_accounts": ["1234"]}, r"Repository.pull_accounts: got '1234'; 12 digits"),
        (
            {"pull_accounts": ["210987654321"], "force_delete": True},
            r"Repository.force_delete: got True; leave it out with pull_accounts",
        ),
    ],
)
def test_what_ecr_would_refuse_or_take_from_others_is_refused(wrong: dict[str, Any], says: str) -> None:
    with pytest.raises(InvalidArgsError, match=says):
        RepositoryArgs(**wrong)


@pytest.mark.parametrize("name", ["Orders", "orders--", "a" * 257])
def test_a_repository_name_that_ecr_refuses_is_refused(name: str) -> None:
    with pytest.raises(InvalidArgsError, match="repository name"):
        _made(RepositoryArgs(repository_name=name))


@pytest.mark.parametrize("digest", ["latest", "v1", "sha256:abc"])
def test_a_tag_is_no_digest(digest: str) -> None:
    with pytest.raises(InvalidArgsError, match="never a tag"):
        record(lambda: Repository("orders").image(digest))


def test_an_architecture_that_ecs_has_not_is_refused() -> None:
    with pytest.raises(InvalidArgsError, match="one of X86_64, ARM64"):
        record(lambda: Repository("orders").build(".", architecture="amd64"))  # type: ignore[arg-type]


def _same(known: object, expected: object) -> None:
    assert known == expected
