"""Which images there are, which are to be built, and under which digest each is."""

from __future__ import annotations

import json
import subprocess
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from pipeline import images, target
from pipeline.images import Image, ImagesError, Registry
from tests.whole import ROOT, deployed, previewed

if TYPE_CHECKING:
    from pathlib import Path

DIGEST = "sha256:" + "0f" * 32
PROD = "config:\n  drydock:allowed_account_ids: ['444455556666']\n  drydock:region: eu-west-1\n  drydock:stage: prod\n"


class NotThereError(Exception):
    """Stands for what botocore makes of ECR's own error."""


class Ecr:
    """Stands for ECR: (repository, tag or digest) → digest."""

    exceptions = SimpleNamespace(ImageNotFoundException=NotThereError)

    def __init__(self, there: dict[tuple[str, str], str] | None = None) -> None:
        self.there = there or {}

    def describe_images(self, **said: Any) -> dict[str, Any]:
        """Answer as ECR does for one image."""
        (wanted,) = said["imageIds"]
        found = self.there.get((said["repositoryName"], *wanted.values()))
        if found is None:
            raise NotThereError
        return {"imageDetails": [{"imageDigest": found}]}


def git(root: Path, *arguments: str) -> str:
    command = ["git", "-c", "user.name=a", "-c", "user.email=a@example.com", *arguments]
    return subprocess.run(command, cwd=root, check=True, capture_output=True, text=True).stdout  # noqa: S603 - ours


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A repository with two workloads and three images."""
    for context in ("shop/service", "till_roll/service", "till_roll/printer"):
        folder = tmp_path / "apps" / context
        folder.mkdir(parents=True)
        (folder / "Dockerfile").write_text(f"FROM scratch\n# {context}\n")
    (tmp_path / "apps/shop/rehearsal.yaml").write_text("images:\n  old-shop: service\n")
    (tmp_path / "bootstrap").mkdir()
    (tmp_path / "bootstrap/Pulumi.shared.yaml").write_text("config:\n  drydock-bootstrap:images_in: prod\n")
    (tmp_path / "Pulumi.prod.yaml").write_text(PROD)
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-q", "-m", "all")
    return tmp_path


def test_each_folder_with_a_dockerfile_is_one(root: Path) -> None:
    assert [(it.repository, it.workload, it.context) for it in images.discover(root)] == [
        ("old-shop", "shop", "apps/shop/service"),
        ("till-roll", "till-roll", "apps/till_roll/service"),
        ("till-roll/printer", "till-roll", "apps/till_roll/printer"),
    ]


def test_they_are_the_ones_that_the_program_builds() -> None:
    """Told twice, once by the folders and once by the workloads' code: an image missing here would never be built."""
    built = {it.inputs["context"] for it in previewed("dev").of("awsx:ecr:Image").values()}
    assert built
    assert built <= {it.context for it in images.discover(ROOT)}


def test_they_are_where_the_program_takes_them_from() -> None:
    """Likewise their repositories' names: one that is called otherwise there would never be found."""
    definitions = deployed("prod").of(":TaskDefinition").values()
    taken = {each["image"] for it in definitions for each in json.loads(it.inputs["containerDefinitions"])}
    registry = target.building(ROOT).registry
    pushed = {f"{registry}/{it.repository}" for it in images.discover(ROOT)}
    assert len(taken) > 3
    assert {image.partition("@")[0] for image in taken} <= pushed


def test_a_tag_is_of_the_source_alone(root: Path) -> None:
    """Whatever else is committed, the same source is the same image, and is not built again."""
    shop, till, _ = images.discover(root)
    before = images.tag(root, shop), images.tag(root, till)
    (root / "apps/till_roll/service/main.py").write_text("print(1)\n")
    git(root, "add", ".")
    git(root, "commit", "-q", "-m", "till")
    assert images.tag(root, shop) == before[0]
    assert images.tag(root, till) != before[1]
    assert before[0].startswith("tree-")


def test_what_was_never_built_is_missing(root: Path) -> None:
    shop, till, printer = images.discover(root)
    there = {("old-shop", images.tag(root, shop)): DIGEST, ("till-roll", "tree-of-before"): DIGEST}
    assert images.missing(root, Registry(Ecr(there))) == [till.repository, printer.repository]


def test_digests_are_told_only_of_all(root: Path) -> None:
    """Half of them would deploy half of a commit."""
    there = {(it.repository, images.tag(root, it)): DIGEST for it in images.discover(root)}
    assert images.digests(root, Registry(Ecr(there))) == dict.fromkeys(
        ["old-shop", "till-roll", "till-roll/printer"], DIGEST
    )
    del there[next(iter(there))]
    with pytest.raises(ImagesError, match="not built: old-shop; run"):
        images.digests(root, Registry(Ecr(there)))


def test_a_build_is_pushed_by_its_sources_tag_and_as_one_image(root: Path) -> None:
    """An attestation would make it an index, whose digest is another."""
    image = images.named(root, "till-roll/printer")
    *options, context = images.build_command(root, image, "444455556666.dkr.ecr.eu-west-1.amazonaws.com")
    assert "--provenance=false" in options
    assert options[-1] == (
        f"--tag=444455556666.dkr.ecr.eu-west-1.amazonaws.com/till-roll/printer:{images.tag(root, image)}"
    )
    assert context == str(root / "apps/till_roll/printer")


def test_what_another_run_has_pushed_by_now_is_not_built(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its tag does not move, so that the push would be refused."""
    run: list[list[str]] = []
    shop = images.named(root, "old-shop")
    tag = images.tag(root, shop)
    there = Registry(Ecr({("old-shop", tag): DIGEST}))
    monkeypatch.setattr(images, "tag", lambda *_: tag)
    monkeypatch.setattr(images.subprocess, "run", lambda command, **_: run.append(command))
    assert images.build(root, there, "old-shop") is False
    assert not run
    assert images.build(root, Registry(Ecr()), "old-shop") is True
    assert run[0][:3] == ["docker", "buildx", "build"]


def test_a_folder_that_is_in_no_commit_has_no_tag(root: Path) -> None:
    with pytest.raises(ImagesError, match="apps/new/service is in no commit: commit it first"):
        images.tag(root, Image(repository="new", workload="new", folder="service"))


def test_going_back_needs_an_image_that_is_there(root: Path) -> None:
    """ECS would look for it until the circuit breaker gives up."""
    registry = Registry(Ecr({("old-shop", DIGEST): DIGEST}))
    assert images.existing(root, registry, "old-shop", DIGEST) == {"old-shop": DIGEST}
    with pytest.raises(ImagesError, match="till-roll has no image under sha256:0f"):
        images.existing(root, registry, "till-roll", DIGEST)
    with pytest.raises(ImagesError, match="no image is called 'shop'; there are old-shop, till-roll"):
        images.existing(root, registry, "shop", DIGEST)


def test_the_command_prints_one_line_of_json(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A step's output takes one line."""
    images.main(["missing"], root, Registry(Ecr()))
    assert json.loads(capsys.readouterr().out) == ["old-shop", "till-roll", "till-roll/printer"]
    there = {(it.repository, images.tag(root, it)): DIGEST for it in images.discover(root)}
    images.main(["digests"], root, Registry(Ecr(there)))
    printed = capsys.readouterr().out
    assert printed.count("\n") == 1
    assert json.loads(printed)["old-shop"] == DIGEST


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["digests"], "not built: old-shop, till-roll, till-roll/printer"),
        (["check", "old-shop", "latest"], "got 'latest'; 'sha256:'"),
        (["build", "shop"], "no image is called 'shop'"),
    ],
)
def test_the_command_says_what_is_wrong(
    root: Path, arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        images.main(arguments, root, Registry(Ecr()))
    assert ended.value.code == 2
    assert says in capsys.readouterr().err
