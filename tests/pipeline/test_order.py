"""What a stack runs is never taken back by a push that waited longer."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from pipeline import order, promote, record
from pipeline.order import OrderError
from tests.pipeline.test_images import git
from tests.pipeline.test_promote import NEW, root
from tests.pipeline.test_record import checkout, served

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["checkout", "root"]

OTHER = "sha256:" + "b" * 64


def pushed(root: Path, name: str) -> str:
    """Commit a file called *name* and push it to main; return the commit."""
    (root / name).write_text("new\n")
    git(root, "add", ".")
    git(root, "commit", "-q", "-m", name)
    git(root, "push", "-q", "--force", "origin", "HEAD:main")
    return git(root, "rev-parse", "HEAD").strip()


def out(checkout: Path, commit: str) -> Path:
    """Check *commit* out as a run does: with every branch as it is by now."""
    git(checkout, "fetch", "-q", "--depth=100", "origin", "+refs/heads/*:refs/remotes/origin/*")
    git(checkout, "checkout", "-q", "--force", "--detach", commit)
    return checkout


def test_what_waited_longer_than_a_newer_push_is_refused(checkout: Path, root: Path) -> None:
    """Its approval came last, and it would take back what came after it."""
    first, second = pushed(root, "first"), pushed(root, "second")
    order.check(out(checkout, first), "prod")
    record.move(out(checkout, second), "prod", second)
    with pytest.raises(OrderError, match=f"prod runs {second} already, which is newer than {first}: .*`rollback`"):
        order.check(out(checkout, first), "prod")
    order.check(out(checkout, first), "dev")


def test_the_same_commit_and_a_newer_one_may_be_deployed(checkout: Path, root: Path) -> None:
    """A run that failed half-way is run again."""
    first = pushed(root, "first")
    record.move(out(checkout, first), "prod", first)
    order.check(out(checkout, first), "prod")
    order.check(out(checkout, pushed(root, "second")), "prod")


def test_what_main_was_rewritten_to_may_be_deployed(checkout: Path, root: Path) -> None:
    """Nothing could be otherwise, and nobody would find the branch that is in the way."""
    gone = pushed(root, "first")
    record.move(out(checkout, gone), "prod", gone)
    git(root, "reset", "-q", "--hard", "HEAD~1")
    instead = pushed(root, "instead")
    order.check(out(checkout, instead), "prod")
    record.move(checkout, "prod", instead)
    assert served(checkout, "rev-parse", "deployed/prod").strip() == instead


def test_a_run_that_has_one_commit_alone_moves_the_branch(checkout: Path, root: Path) -> None:
    """The job that records fetches no more, and does not know what the branch was at."""
    for name in ("first", "second"):
        commit = pushed(root, name)
        git(checkout, "fetch", "-q", "--depth=1", "origin", commit)
        git(checkout, "checkout", "-q", "--detach", commit)
        record.move(checkout, "prod", commit)
        assert served(checkout, "rev-parse", "deployed/prod").strip() == commit


def test_going_back_changes_one_image_whatever_was_recorded_since(checkout: Path, root: Path) -> None:
    """The commit's own file tells what ran when it was made: every other image would go back with it."""
    deployed = git(root, "rev-parse", "HEAD").strip()
    record.record(checkout, "prod", {"query-service": NEW, "workflow/agent": NEW}, branch="main")
    out(checkout, deployed)
    assert promote.run_by(checkout, "prod")["query-service"] != NEW
    promote.main(
        ["prod", "--recorded", "origin/main", "--digests", json.dumps({"workflow/agent": OTHER})],
        checkout,
    )
    now = promote.run_by(checkout, "prod")
    assert (now["query-service"], now["workflow/agent"]) == (NEW, OTHER)


def test_a_record_that_is_not_there_is_told(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Gone by in silence, it is the commit's own file after all."""
    with pytest.raises(SystemExit):
        promote.main(["prod", "--recorded", "origin/gone", "--digests", "{}"], checkout)
    assert "origin/gone:Pulumi.prod.yaml cannot be read" in capsys.readouterr().err


def test_the_commands_pass_on_where_the_stack_is_and_say_what_is_wrong(
    checkout: Path, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = pushed(root, "first"), pushed(root, "second")
    out(checkout, second)
    record.main(["prod", "--digests", json.dumps({"query-service": NEW}), "--commit", second], checkout)
    order.main(["prod"], out(checkout, second))
    # A run that goes back names no commit: what runs is of the same one.
    record.main(["prod", "--digests", json.dumps({"query-service": OTHER}), "--commit", ""], checkout)
    assert served(checkout, "rev-parse", "deployed/prod").strip() == second
    with pytest.raises(SystemExit):
        order.main(["prod"], out(checkout, first))
    assert "which is newer than" in capsys.readouterr().err
