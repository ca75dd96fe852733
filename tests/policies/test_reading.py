"""The three-valued reader: whatever a preview does not know must be seen, not raised and not passed."""

from __future__ import annotations

import pulumi
import pytest
from pulumi_policy import proxy

from policies.reading import Absent, Known, Unknown, leaves, read
from tests.policies.build import UNKNOWN, frozen


def test_a_known_value_is_known() -> None:
    assert read(frozen({"a": {"b": [1, "x"]}}), "a.b.1") == Known("x")


def test_an_unknown_leaf_is_unknown_with_its_path() -> None:
    """Pulumi's proxy raises here, and the engine turns that into a note and a pass."""
    assert read(frozen({"a": {"b": UNKNOWN}}), "a.b") == Unknown("a.b")


def test_whatever_lies_below_an_unknown_is_unknown() -> None:
    """A whole block that is not known yet must not look as if its members were left out."""
    assert read(frozen({"networkConfiguration": UNKNOWN}), "networkConfiguration.assignPublicIp") == Unknown(
        "networkConfiguration.assignPublicIp"
    )


@pytest.mark.parametrize("values", [{}, {"a": None}, {"a": {}}, {"a": []}, {"a": "text"}])
def test_what_was_not_given_is_absent(values: dict[str, object]) -> None:
    assert read(frozen(values), "a.0") == Absent("a.0") or read(frozen(values), "a.b") == Absent("a.b")


@pytest.mark.parametrize("sentinel", [getattr(proxy, name) for name in dir(proxy) if name.startswith("UNKNOWN_")])
def test_every_kind_of_unknown_is_seen(sentinel: str) -> None:
    """Booleans, lists and archives have sentinels of their own."""
    assert list(leaves(frozen({"a": [{"b": sentinel}]}))) == [Unknown("a.0.b")]


def test_false_and_empty_text_are_known() -> None:
    """A falsy value is not a missing one."""
    assert read(frozen({"a": False, "b": ""}), "a") == Known(value=False)
    assert read(frozen({"a": False, "b": ""}), "b") == Known("")


def test_an_asset_is_named_by_its_kind() -> None:
    assert read(frozen({"code": pulumi.FileAsset("x")}), "code") == Known("<FileAsset>")
