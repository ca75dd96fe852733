"""What is written for scripts to read, and how many mistakes it speaks of."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from pulumi.runtime import rpc

from rehearsal.result import Asked, Result, Verdict, refusals, shown

if TYPE_CHECKING:
    from pathlib import Path


def verdict(name: str, message: str, level: str = "mandatory") -> Verdict:
    return Verdict(pack="tags", rule="tags", level=level, urn=f"urn:pulumi:dev::p::aws:x/y:Z::{name}", message=message)


def test_what_is_written_is_the_whole_result(tmp_path: Path) -> None:
    """Scripts read these names: one that goes breaks them."""
    result = Result(stack="dev")
    asked = {"workload": "shop", "name": "x", "entrance": "url", "method": "GET", "path": "/", "status": 200}
    result.requests.append(Asked(**asked, seconds=0.5, ok=True))
    result.policies.append(verdict("a", "required-tag: it lacks one"))
    result.write(tmp_path / "result.json")
    written = json.loads((tmp_path / "result.json").read_text())
    assert set(written) >= {
        "stack", "ok", "resources", "policies", "requests", "outputs", "seconds", "errors", "denials", "validated_only",
        "systems",
    }  # fmt: skip
    assert written["ok"] is True
    assert written["requests"][0].items() >= (asked | {"seconds": 0.5, "ok": True}).items()
    assert set(written["policies"][0]) == {"pack", "rule", "level", "urn", "message"}


def test_what_was_shown_of_each_system_is_written_by_its_name(tmp_path: Path) -> None:
    result = Result(stack="dev", created=True, outputs={"workloads": {"shop": {}}})
    result.write(tmp_path / "result.json")
    assert json.loads((tmp_path / "result.json").read_text())["systems"] == {
        "shop": {"ok": True, "shown": [], "left_out": 0, "validated": {}}
    }


def test_an_error_makes_it_fail_and_is_told_once(tmp_path: Path) -> None:
    result = Result(stack="dev")
    result.fail("no")
    result.fail("no")
    assert (result.ok, result.errors) == (False, ["no"])
    result.write(tmp_path / "result.json")
    assert json.loads((tmp_path / "result.json").read_text())["ok"] is False


def test_a_secret_output_is_never_shown() -> None:
    outputs = {"password": {"inner": "hunter2"}, "ids": [rpc.UNKNOWN, "a"]}
    assert shown(outputs, frozenset({"password"}), rpc.UNKNOWN) == {"password": "[secret]", "ids": ["[unknown]", "a"]}


def test_violations_of_one_rule_are_one_error() -> None:
    """A default tag that is missing is missing on every resource, and one mistake."""
    verdicts = [verdict(f"r{number}", f"required-tag: r{number} lacks Owner") for number in range(60)]
    (error,) = refusals([*verdicts, *verdicts])
    head, *lines = error.splitlines()
    assert head == "policy tags (mandatory) required-tag:"
    assert lines[:3] == ["  r0 lacks Owner", "  r1 lacks Owner", "  r2 lacks Owner"]
    assert lines[3].startswith("  and 57 more like it: r3, r4,")
    assert lines[3].endswith(", r59")


def test_a_single_violation_is_a_line() -> None:
    assert refusals([verdict("a", "required-tag: a lacks Owner")]) == [
        "policy tags (mandatory) required-tag: a lacks Owner"
    ]


def test_what_could_not_be_proved_is_refused_and_a_note_is_not() -> None:
    assert len(refusals([verdict("a", "x: y", "unproved"), verdict("b", "x: y", "advisory")])) == 1
