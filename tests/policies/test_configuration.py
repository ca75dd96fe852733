"""A pack's configuration: nothing misspelt is taken for nothing said."""

from __future__ import annotations

from typing import Any

import pytest

from policies.configuration import ConfigurationError
from policies.rules.private_network import PACK as NETWORK
from policies.rules.role_graph import PACK as PRIVILEGE
from policies.rules.tags import PACK as TAGS

EXCEPTION = {"rule": "trust", "resource": "x", "reason": "because", "until": "2030-01-31"}


def refusal(pack: Any, **configuration: Any) -> str:
    with pytest.raises(ConfigurationError) as caught:
        pack.configure(configuration)
    return str(caught.value)


@pytest.mark.parametrize("pack", [TAGS, NETWORK, PRIVILEGE])
def test_nothing_given_is_fine(pack: Any) -> None:
    pack.configure({})


@pytest.mark.parametrize("pack", [TAGS, NETWORK, PRIVILEGE])
def test_every_key_a_pack_takes_is_in_its_schema_and_no_other(pack: Any) -> None:
    """The schema is what the engine checks and `pulumi policy` shows."""
    assert "zzz is unknown; there are" in refusal(pack, zzz=1)
    listed = refusal(pack, zzz=1).partition("there are ")[2].split(", ")
    assert set(listed) == {"exceptions", "onUnknown", *pack.schema}


def test_a_misspelt_key_names_the_likely_one() -> None:
    assert refusal(TAGS, requird=["A"]) == "tags.requird is unknown; did you mean 'required'?"


@pytest.mark.parametrize(
    ("pack", "values", "wanted"),
    [
        (TAGS, {"required": "Owner"}, "a list of strings"),
        (TAGS, {"required": [1]}, "a list of strings"),
        (TAGS, {"patterns": ["x"]}, "an object of strings"),
        (TAGS, {"patterns": {"Owner": 1}}, "an object of strings"),
        (TAGS, {"patterns": {"Owner": "("}}, "a regular expression"),
        (TAGS, {"onUnknown": "allow"}, '"deny" or "report"'),
        (NETWORK, {"lookUpRoutes": "no"}, "true or false"),
        (NETWORK, {"exceptions": {}}, "a list of objects"),
    ],
)
def test_a_value_of_the_wrong_kind_is_refused(pack: Any, values: dict[str, Any], wanted: str) -> None:
    assert wanted in refusal(pack, **values)


@pytest.mark.parametrize("key", ["rule", "resource", "reason", "until"])
def test_an_exception_needs_each_of_its_fields(key: str) -> None:
    """Without a reason or an end it would be a switch."""
    without = {name: value for name, value in EXCEPTION.items() if name != key}
    assert f"exceptions[0].{key} is missing" in refusal(PRIVILEGE, exceptions=[without])
    assert f"exceptions[0].{key} is missing" in refusal(PRIVILEGE, exceptions=[{**EXCEPTION, key: " "}])


def test_an_exception_names_a_rule_that_there_is() -> None:
    assert "did you mean 'trust'?" in refusal(PRIVILEGE, exceptions=[{**EXCEPTION, "rule": "trusts"}])


def test_an_exception_ends_on_a_day() -> None:
    assert "must be a day" in refusal(PRIVILEGE, exceptions=[{**EXCEPTION, "until": "next year"}])


def test_an_exception_has_no_other_field() -> None:
    assert "exceptions[0].note is unknown" in refusal(PRIVILEGE, exceptions=[{**EXCEPTION, "note": "x"}])


def test_all_errors_come_at_once() -> None:
    text = refusal(TAGS, requird=[], required=1, onUnknown=2)
    assert len(text.splitlines()) == 3


def test_a_refused_configuration_changes_nothing() -> None:
    PRIVILEGE.configure({"trustedServices": ["a.amazonaws.com"]})
    refusal(PRIVILEGE, trustedServices=1)
    assert PRIVILEGE.options.trusted_services == ("a.amazonaws.com",)
    PRIVILEGE.configure({})
