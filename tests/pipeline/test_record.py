"""What was deployed is committed, whatever the branch has become meanwhile."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from pipeline import record
from pipeline.record import RecordError
from tests.pipeline.test_images import git
from tests.pipeline.test_promote import NEW, OLD, digests, root

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["root"]


@pytest.fixture
def checkout(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run's own checkout of a repository on a server, of one commit alone."""
    server = tmp_path_factory.mktemp("server")
    git(root, "init", "-q", "-b", "main")
    git(root, "add", ".")
    git(root, "commit", "-q", "-m", "all")
    git(server, "clone", "-q", "--bare", str(root), "repository")
    git(root, "remote", "add", "origin", str(server / "repository"))
    git(server, "clone", "-q", "--depth=1", f"file://{server / 'repository'}", "checkout")
    return server / "checkout"


def served(checkout: Path, *what: str) -> str:
    return git(checkout.parent / "repository", *what)


def test_the_commit_changes_one_file_and_says_what_runs(checkout: Path) -> None:
    assert record.record(checkout, "prod", {"query-service": NEW}, branch="main")
    assert served(checkout, "show", "--name-only", "--format=%an%n%B", "main").split("\n") == [
        "github-actions[bot]",
        "prod runs query-service",
        "",
        f"query-service: {OLD} -> {NEW}",
        "",
        "",
        "Pulumi.prod.yaml",
        "",
    ]


def test_nobodys_commit_is_lost(checkout: Path, root: Path) -> None:
    """The approval took a day, and the branch has moved on."""
    (root / "README.md").write_text("new\n")
    git(root, "add", ".")
    git(root, "commit", "-q", "-m", "meanwhile")
    git(root, "push", "-q", "origin", "main")
    assert record.record(checkout, "prod", digests(checkout), branch="main")
    assert served(checkout, "log", "--format=%s", "main").splitlines()[1:] == ["meanwhile", "all"]
    assert served(checkout, "show", "main:README.md") == "new\n"


def test_what_is_recorded_already_makes_no_commit(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record.main(["prod", "--digests", json.dumps({"query-service": NEW})], checkout)
    record.main(["prod", "--digests", json.dumps({"query-service": NEW})], checkout)
    assert capsys.readouterr().out == "recorded on main\nrecorded already\n"
    assert len(served(checkout, "log", "--format=%s", "main").splitlines()) == 2


def test_a_branch_that_may_not_be_pushed_to_is_told(checkout: Path) -> None:
    """Else the file would go on telling what ran before."""
    hook = checkout.parent / "repository/hooks/pre-receive"
    hook.write_text("#!/bin/sh\necho protected >&2\nexit 1\n")
    hook.chmod(0o755)
    with pytest.raises(RecordError, match=r"main took no commit in 5 tries: .*(?s:.)*protected"):
        record.record(checkout, "prod", {"query-service": NEW}, branch="main")
