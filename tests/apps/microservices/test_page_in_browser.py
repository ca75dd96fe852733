"""The page as a browser shows it, through the load balancer of a rehearsal, on a phone and at a desk.

The pictures are left in `.rehearsal/page/`, for whoever wants to see it.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.rehearsal.copies import PROJECT, copy, rehearse

if TYPE_CHECKING:
    from collections.abc import Iterator

BROWSER: Final = PROJECT / "tests/browser"
PICTURES: Final = PROJECT / ".rehearsal/page"
SCREENS: Final = ("phone", "desktop")

each_screen = pytest.mark.parametrize("screen", SCREENS)


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """What the browser saw of the page in the end: after all requests of the workload's script."""
    project = copy(tmp_path_factory.mktemp("page") / "project", only="microservices")
    try:
        ended = rehearse("up", project, "--stack", "dev", "--keep")
        assert ended.code == 0, ended.output
        (url,) = re.findall(r"# in a browser: (http://\S+)", ended.output)
        yield look(url)
    finally:
        rehearse("down", project)


def look(url: str) -> dict[str, Any]:
    """Open *url*, leave the pictures, and return what was seen."""
    node = shutil.which("node")
    assert node, "no Node found: install Node 20 or later"
    assert (BROWSER / "node_modules").is_dir(), (
        "no browser found: `make unit` installs it, or `npm ci` in tests/browser"
    )
    PICTURES.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(  # noqa: S603 - the repository's own
        [node, str(BROWSER / "look.js"), url, str(PICTURES)], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return {**json.loads(done.stdout), "url": url}


@each_screen
def test_the_browser_has_nothing_to_complain_of(seen: dict[str, Any], screen: str) -> None:
    """No error on its console, no request that failed: the content security policy lets in all that the page needs."""
    assert seen[screen]["status"] == 200
    assert seen[screen]["complaints"] == []


@each_screen
def test_there_is_a_card_for_each_service_with_its_latest(seen: dict[str, Any], screen: str) -> None:
    """The newest first, as the script has left them."""
    latest = {card["title"].lower(): card["latest"] for card in seen[screen]["cards"]}
    assert latest == {
        "blog": ["A week of ferries", "On queues"],
        "market": ["ABC", "XYZ"],
        "news": ["Ferry back in service", "The market hall is open"],
        "user": ["Katherine Johnson", "Ada King"],
    }


@each_screen
def test_a_card_leads_to_all_of_its_service(seen: dict[str, Any], screen: str) -> None:
    """Through the same load balancer, by the rule of that service."""
    here = seen["url"].rstrip("/")
    links = {card["title"].lower(): card["link"] for card in seen[screen]["cards"]}
    assert links == {"market": f"{here}/market/days", **{name: f"{here}/{name}" for name in ("blog", "news", "user")}}
    assert seen[screen]["followed"] == {"url": f"{here}/blog", "status": 200}


@each_screen
def test_the_style_sheet_is_applied(seen: dict[str, Any], screen: str) -> None:
    """Bootstrap's blue; and nothing too small to read."""
    assert seen[screen]["header"] == "rgb(13, 110, 253)"
    assert seen[screen]["smallest"] >= 14


@each_screen
def test_nobody_scrolls_sideways(seen: dict[str, Any], screen: str) -> None:
    assert seen[screen]["overflow"] == 0


def test_cards_stand_below_each_other_on_a_phone_and_in_pairs_at_a_desk(seen: dict[str, Any]) -> None:
    columns = {screen: len({card["left"] for card in seen[screen]["cards"]}) for screen in SCREENS}
    assert columns == {"phone": 1, "desktop": 2}
    assert len({card["top"] for card in seen["desktop"]["cards"]}) == 2


@each_screen
def test_a_picture_is_left(seen: dict[str, Any], screen: str) -> None:
    assert seen[screen]
    assert (PICTURES / f"{screen}.png").read_bytes().startswith(b"\x89PNG")
