"""What a program has done before a resource is made or changed is done, once, and stops it where it fails."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

import pytest

from rehearsal import program
from rehearsal.graph import Answer, Registered
from rehearsal.state import State
from tests.rehearsal.programs import write

if TYPE_CHECKING:
    from pathlib import Path

PROGRAM = """
import asyncio
import sys
async def look(args):
    await asyncio.sleep(0)
    old = args.old_inputs and args.old_inputs["displayName"]
    pulumi.log.info(repr((args.name, old, args.new_inputs["displayName"])))
    if args.new_inputs["displayName"] == "bad":
        raise pulumi.RunError("no good name")
shown = pulumi.Config().get("shown") or "one"
binding = pulumi.ResourceHookBinding(
    before_create=[pulumi.ResourceHook("first", look)], before_update=[pulumi.ResourceHook("then", look)]
)
options = pulumi.ResourceOptions(provider=provider, hooks=binding)
aws.sns.Topic("a", name="a", display_name=shown, opts=options)
"""


class StandIns:
    """Makes anything, after what is to be done before."""

    def __init__(self) -> None:
        self.done: list[str] = []

    def knows(self, token: str) -> bool:
        """Know all."""
        return bool(token)

    def make(self, resource: Registered) -> Answer:
        """Make it."""
        return self._done(resource, None)

    def update(self, resource: Registered, before: Registered, changed: frozenset[str]) -> Answer:
        """Change it."""
        assert changed
        return self._done(resource, before)

    def retire(self, before: Registered) -> None:
        """Take nothing away."""

    def _done(self, resource: Registered, before: Registered | None) -> Answer:
        if resource.before:
            resource.before(resource, before)
            self.done.append(resource.inputs["displayName"])
        return Answer(id=resource.name)


@pytest.fixture
def stand_ins() -> StandIns:
    return StandIns()


def up(folder: Path, maker: Any, shown: str, *, preview: bool = False) -> tuple[list[Any], str]:
    """Run the program with the name *shown*; return what its hooks saw, and why it failed."""
    (write(folder, PROGRAM) / "Pulumi.dev.yaml").write_text(f"config:\n  shop:shown: {shown}\n")
    result = program.run(folder, "dev", preview=preview, maker=maker)
    return [ast.literal_eval(text) for _, text in result.log], result.error.message if result.error else ""


def test_it_is_called_before_a_resource_is_made_and_before_it_changes(tmp_path: Path, stand_ins: StandIns) -> None:
    """And not where nothing changes."""
    state = State(stand_ins)
    assert up(tmp_path, state, "one") == ([("a", None, "one")], "")
    assert up(tmp_path, state, "one") == ([], "")
    assert up(tmp_path, state, "two") == ([("a", "one", "two")], "")
    assert stand_ins.done == ["one", "two"]


def test_one_that_fails_leaves_the_resource_as_it_is_and_is_called_again(tmp_path: Path, stand_ins: StandIns) -> None:
    """The next run finds the same difference."""
    state = State(stand_ins)
    up(tmp_path, state, "one")
    for _ in range(2):
        seen, error = up(tmp_path, state, "bad")
        assert seen == [("a", "one", "bad")]
        assert "no good name" in error
    assert up(tmp_path, state, "two") == ([("a", "one", "two")], "")
    assert stand_ins.done == ["one", "two"]


def test_a_preview_calls_none(tmp_path: Path, stand_ins: StandIns) -> None:
    assert up(tmp_path, stand_ins, "bad", preview=True) == ([], "")
