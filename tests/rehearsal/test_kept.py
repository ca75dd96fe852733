"""A rehearsal that is kept is known by who holds its file."""

from __future__ import annotations

import json
import signal
from typing import TYPE_CHECKING

import pytest

from rehearsal import kept

if TYPE_CHECKING:
    from pathlib import Path


def test_a_file_that_nobody_holds_is_no_rehearsal(tmp_path: Path) -> None:
    """A killed session leaves its file; the number in it may by now be another's process."""
    (tmp_path / ".rehearsal").mkdir()
    (tmp_path / ".rehearsal" / "kept.json").write_text(json.dumps({"pid": 1, "stack": "dev"}))
    assert kept.find(tmp_path) is None
    assert kept.end(tmp_path) == "no rehearsal is up"


def test_a_project_has_one_kept_rehearsal(tmp_path: Path) -> None:
    with kept.claim(tmp_path, "dev"):
        found = kept.find(tmp_path)
        assert found
        assert found["stack"] == "dev"
        with pytest.raises(kept.KeptError, match="a rehearsal of dev is up"), kept.claim(tmp_path, "prod"):
            pass
        kept_still = kept.find(tmp_path)
        assert kept_still
        assert kept_still["stack"] == "dev", "the refused one has overwritten what it says"
    assert kept.find(tmp_path) is None
    assert not (tmp_path / ".rehearsal" / "kept.json").exists()


def test_a_file_where_the_folder_should_be_is_told(tmp_path: Path) -> None:
    (tmp_path / ".rehearsal").touch()
    with pytest.raises(kept.KeptError, match=r"\.rehearsal: .* move away what is there"), kept.claim(tmp_path, "dev"):
        pass


def test_the_code_is_that_of_the_work() -> None:
    before = signal.getsignal(signal.SIGINT)
    assert kept.in_background(lambda _: 3) == 3
    assert signal.getsignal(signal.SIGINT) == before, "a Ctrl-C would still be for what has ended"


def test_work_that_detaches_is_not_waited_for(tmp_path: Path) -> None:
    done = tmp_path / "done"

    def work(detach: object) -> int:
        assert callable(detach)
        detach(1)
        while not (tmp_path / "go").exists():
            pass
        done.touch()
        return 0

    assert kept.in_background(work) == 1
    assert not done.exists()
    (tmp_path / "go").touch()
    while not done.exists():
        pass
