"""What stands for the internet is started, found, and set."""

from __future__ import annotations

import json
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from rehearsal import keeper, outside
from rehearsal.outside import Outside, OutsideError

if TYPE_CHECKING:
    from collections.abc import Iterator

VISITS = Path(__file__).parent / "jobs/apps/etl/rehearsal/visits.py"
ORIGIN = "https://visits.example.com"


@pytest.fixture
def servers() -> Iterator[Outside]:
    with keeper.keep() as run:
        yield Outside(run)


def asked(servers: Outside, path: str) -> Any:
    url = servers.translated({"URL": f"{ORIGIN}{path}"})["URL"]
    with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 - this machine's own
        return json.load(answer)


def test_values_that_begin_with_an_origin_lead_to_its_server(servers: Outside) -> None:
    """Another host that begins alike is another host."""
    servers.start(ORIGIN, VISITS)
    said = {"URL": f"{ORIGIN}/today", "BASE": ORIGIN, "OTHER": f"{ORIGIN}.tw/today", "NAME": "visits"}
    told = servers.translated(said)
    assert asked(servers, "/today") == {"visits": 7}
    assert told["URL"] == f"{told['BASE']}/today"
    assert (told["OTHER"], told["NAME"]) == (said["OTHER"], said["NAME"])


def test_a_server_is_in_its_mode_for_as_long_as_it_is_wanted(servers: Outside) -> None:
    """A mode that stayed would fail whatever runs next."""
    servers.start(ORIGIN, VISITS)
    with servers.in_modes({ORIGIN: "slow"}):
        assert asked(servers, "/_mode") == ["normal", "slow"]
    assert asked(servers, "/_mode") == ["normal", "slow", "normal"]


def test_a_mode_that_is_not_known_is_told(servers: Outside) -> None:
    servers.start(ORIGIN, VISITS)
    with (
        pytest.raises(OutsideError, match=f"{ORIGIN} does not take the mode 'sideways'"),
        servers.in_modes({ORIGIN: "sideways"}),
    ):
        pass


def test_a_server_that_does_not_start_is_told_with_its_last_words(servers: Outside, tmp_path: Path) -> None:
    broken = tmp_path / "broken.py"
    broken.write_text("raise SystemExit('no port left')\n")
    with pytest.raises(OutsideError, match=r"broken\.py did not say(.|\n)*no port left"):
        servers.start(ORIGIN, broken)
    with pytest.raises(OutsideError, match=r"missing\.py, which is no file"):
        servers.start(ORIGIN, tmp_path / "missing.py")


def test_a_server_that_says_nothing_is_not_waited_for_for_ever(
    servers: Outside, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outside, "_READY_WITHIN", 0.3)
    silent = tmp_path / "silent.py"
    silent.write_text("import time\ntime.sleep(60)\n")
    with pytest.raises(OutsideError, match="it said:\nnothing"):
        servers.start(ORIGIN, silent)


def test_an_origin_has_one_server(servers: Outside) -> None:
    """Two workloads would each be answered by whichever came last."""
    servers.start(ORIGIN, VISITS)
    with pytest.raises(OutsideError, match="is stood for already"):
        servers.start(ORIGIN, VISITS)
