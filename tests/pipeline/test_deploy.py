"""Pulumi is never run without the packs, and takes a stack away only from somebody who means it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pipeline import deploy
from tests.whole import ROOT

if TYPE_CHECKING:
    from pathlib import Path


def test_an_update_is_judged_by_every_pack() -> None:
    packs = sorted(path.parent.name for path in ROOT.glob("policies/*/PulumiPolicy.yaml"))
    flags = [flag for pack in packs for flag in ("--policy-pack", f"policies/{pack}")]
    for action in ("up", "drift"):
        said = deploy.command(ROOT, action, "dev")
        assert "--non-interactive" in said
        assert said[-len(flags) :] == flags


def test_a_packs_configuration_stays_with_its_pack(tmp_path: Path) -> None:
    """The CLI goes by their order: one left out would move all that follow to another pack."""
    for pack in ("first", "second"):
        (tmp_path / "policies" / pack).mkdir(parents=True)
        (tmp_path / "policies" / pack / "PulumiPolicy.yaml").touch()
    (tmp_path / "policies/second/config.prod.json").write_text("{}")
    said = deploy.command(tmp_path, "up", "prod")
    given = [said[place + 1] for place, flag in enumerate(said) if flag == "--policy-pack-config"]
    assert given == ["pipeline/no_configuration.json", "policies/second/config.prod.json"]
    assert (ROOT / given[0]).read_text().strip() == "{}"
    assert "--policy-pack-config" not in deploy.command(tmp_path, "up", "dev")


def test_looking_for_drift_changes_nothing() -> None:
    said = deploy.command(ROOT, "drift", "prod")
    assert said[1] == "preview"
    assert {"--refresh", "--expect-no-changes"} <= set(said)


@pytest.mark.parametrize("typed", ["", "prod", "destroy dev", "Destroy prod", "destroy prod "])
def test_a_stack_goes_only_by_its_whole_name(typed: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        deploy.main(["destroy", "prod", "--confirmation", typed])
    assert ended.value.code == 2
    assert "to take all of the stack away, type 'destroy prod'" in capsys.readouterr().err


def test_it_ends_as_pulumi_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """A failed update that is a green run is the worst of both."""
    run: list[Any] = []

    class Done:
        returncode = 255

    monkeypatch.setattr(deploy.subprocess, "run", lambda command, **_: run.append(command) or Done())
    with pytest.raises(SystemExit) as ended:
        deploy.main(["destroy", "prod", "--confirmation", "destroy prod"])
    assert ended.value.code == 255
    assert run == [["pulumi", "destroy", "--yes", "--stack", "prod", "--non-interactive", "--color", "never"]]
