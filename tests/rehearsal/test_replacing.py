"""A script's new version: where the stack says its image, and what is told of one that cannot be."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from rehearsal import replacing
from rehearsal.graph import Registered
from rehearsal.replacing import ReplacementError
from rehearsal.requests import EntranceError
from rehearsal.script import Script
from rehearsal.script_replacements import Replacement
from rehearsal.tree import Tree

if TYPE_CHECKING:
    from pathlib import Path

WEB = Replacement(name="web is replaced", service="web", setting="web.image", entrance="url")
PINNED = "sha256:" + "0" * 64


def config(image: dict[str, Any]) -> dict[str, str]:
    return {"shop:stage": "dev", "shop:workloads": json.dumps({"site": {"web": {"image": image}, "other": 1}})}


def test_a_pinned_image_gets_another_digest_and_nothing_else_changes() -> None:
    changed = replacing.settings(config({"digest": PINNED}), "site", WEB)
    digest = replacing.digest("site", WEB)
    assert digest != PINNED
    assert changed == {key: value for key, value in config({"digest": digest}).items() if key == "shop:workloads"}


def test_an_image_that_is_built_is_no_matter_of_the_settings() -> None:
    """Its digest is what the build gives."""
    assert replacing.settings(config({"build": True}), "site", WEB) == {}


def test_two_replacements_have_two_digests() -> None:
    """With one and the same, the second would change nothing and pass."""
    assert replacing.digest("site", WEB) != replacing.digest("site", WEB.model_copy(update={"name": "web fails"}))


@pytest.mark.parametrize("setting", ["image", "web.picture", "other.image"])
def test_a_setting_that_is_not_there_is_told(setting: str) -> None:
    said = WEB.model_copy(update={"setting": setting})
    with pytest.raises(ReplacementError, match=f"site: .*'web is replaced' has the setting '{setting}'"):
        replacing.settings(config({"digest": PINNED}), "site", said)


def test_all_that_it_names_is_held_against_what_there_is_before_anything_is_made(tmp_path: Path) -> None:
    def registered(name: str, kind: str, parent: str = "") -> Registered:
        return Registered(urn=name, type=kind, name=name, parent=parent, custom=True, inputs={})

    graph = [registered("site", "drydock:index:Site"), registered("page", "aws:ecs/service:Service", "site")]
    tree = Tree(graph, {"workloads": {"site": {"url": "http://x"}}})
    with pytest.raises(ReplacementError, match="is of the service 'web'; it has page"):
        replacing.check(tree, "site", Script(replacements=(WEB,)), tmp_path)
    page = WEB.model_copy(update={"service": "page"})
    for output in ("entrance", "api_key"):
        said = page.model_copy(update={output: "address"})
        with pytest.raises(EntranceError, match="'address'"):
            replacing.check(tree, "site", Script(replacements=(said,)), tmp_path)
    for folder in ("source", "adds"):
        said = page.model_copy(update={folder: "broken"})
        with pytest.raises(ReplacementError, match=f"'web is replaced' is made of {tmp_path}/broken, and there is no"):
            replacing.check(tree, "site", Script(replacements=(said,)), tmp_path)
    (tmp_path / "broken").mkdir()
    said = page.model_copy(update={"source": "broken", "adds": "broken"})
    replacing.check(tree, "site", Script(replacements=(said,)), tmp_path)
