"""What one stack runs is what the next one runs."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest
import yaml

from pipeline import images, promote
from pipeline.pins import PinError
from tests.whole import ROOT

if TYPE_CHECKING:
    from pathlib import Path

OLD, NEW = "sha256:" + "0" * 64, "sha256:" + "a" * 64


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A copy of what this repository's stacks say, and of its images."""
    for path in (*ROOT.glob("Pulumi.*.yaml"), ROOT / "bootstrap/Pulumi.shared.yaml"):
        (tmp_path / path.relative_to(ROOT)).parent.mkdir(exist_ok=True)
        shutil.copy(path, tmp_path / path.relative_to(ROOT))
    for path in (*ROOT.glob("apps/*/*/Dockerfile"), *ROOT.glob("apps/*/rehearsal.yaml")):
        (tmp_path / path.relative_to(ROOT)).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, tmp_path / path.relative_to(ROOT))
    return tmp_path


def digests(root: Path) -> dict[str, str]:
    return {
        image.repository: "sha256:" + f"{number:x}" * 64 for number, image in enumerate(images.discover(root), start=1)
    }


def comments(path: Path) -> list[str]:
    return [line.partition("#")[2] for line in path.read_text().splitlines() if "#" in line]


def test_every_image_of_this_repositorys_stacks_can_be_pinned(root: Path) -> None:
    """One that is not would be built, pushed, and never run."""
    for stack in ("dev", "prod"):
        before = comments(root / f"Pulumi.{stack}.yaml")
        promote.pin(root, stack, digests(root))
        text = (root / f"Pulumi.{stack}.yaml").read_text()
        assert "build: true" not in text
        assert OLD not in text
        assert comments(root / f"Pulumi.{stack}.yaml") == before


def test_prod_runs_what_dev_runs(root: Path) -> None:
    promote.pin(root, "dev", digests(root))
    promote.main(["prod", "--from", "dev"], root)
    assert promote.run_by(root, "prod") == promote.run_by(root, "dev")
    assert {"query-service", "parking-newtaipei", "workflow/agent"} <= promote.run_by(root, "prod").keys()


def test_one_image_goes_back_alone(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    promote.pin(root, "prod", digests(root))
    before = promote.run_by(root, "prod")
    promote.main(["prod", "--image", "workflow/agent", NEW], root)
    assert promote.run_by(root, "prod") == before | {"workflow/agent": NEW}
    assert capsys.readouterr().out == f"workflow/agent: {before['workflow/agent']} -> {NEW}\n"


def test_what_differs_is_told_and_nothing_else(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    promote.main(["prod", "--digests", json.dumps({"query-service": NEW})], root)
    assert capsys.readouterr().out == f"query-service: {OLD} -> {NEW}\n"
    promote.main(["prod", "--digests", json.dumps({"query-service": NEW})], root)
    assert capsys.readouterr().out == "nothing differs\n"


def test_two_builds_of_one_image_in_a_stack_are_promoted_nowhere(root: Path) -> None:
    """Nobody can tell which of them is meant."""
    image = images.named(root, "workflow/agent")
    where = {"repository": f"111122223333.dkr.ecr.ap-southeast-1.amazonaws.com/{image.repository}"}
    parts = {name: {"image": {**where, "digest": digest}} for name, digest in (("a", OLD), ("b", NEW))}
    said = {"config": {"drydock:workloads": {"workflow": parts}}}
    (root / "Pulumi.dev.yaml").write_text(yaml.safe_dump(said))
    with pytest.raises(PinError, match=r"Pulumi.dev.yaml runs several builds of workflow/agent"):
        promote.run_by(root, "dev")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["prod", "--digests", "query-service"], "a JSON object of repository and digest"),
        (["prod", "--digests", '{"query-service": "latest"}'], "got 'latest'"),
        (["prod", "--image", "nobody", NEW], "no image is called 'nobody'; there are"),
        (["staging", "--image", "query-service", NEW], "Pulumi.staging.yaml"),
        (["prod"], "one of the arguments --digests --from --image is required"),
    ],
)
def test_the_command_says_what_is_wrong(
    root: Path, arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        promote.main(arguments, root)
    assert ended.value.code == 2
    assert says in capsys.readouterr().err
