"""What one setting changes: how `workflow` is found, six ways one after the other, over the same program.

    .venv/bin/python benchmarks/discovery_changes.py

The stack is dev's with a domain for its load balancer, so that every way is possible. Nothing but `ways` differs
between two runs; what is printed is the whole difference of what the program then registers.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import json
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

import yaml

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.apps.exact import run, title
from tests.whole import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.whole import Whole

WAYS: Final = ("cloud_map nlb", "service_connect", "nlb", "alb_grpc", "lattice", "address")
_PARTS: Final = ("apps", "components", "settings", "Pulumi.yaml", "__main__.py", "outputs.py")


@dataclass(frozen=True, kw_only=True)
class Change:
    """The whole difference between two inventories."""

    gone: frozenset[str]
    come: frozenset[str]
    other: Mapping[str, frozenset[str]]
    """Resource that stays → what differs of its inputs, such as ``loadBalancers.0.targetGroupArn``."""


@functools.cache
def deployed(ways: str) -> Whole:
    """Run the program with `workflow` found by *ways*."""
    said = yaml.safe_load((ROOT / "Pulumi.dev.yaml").read_text())
    config = said["config"]
    config["drydock:internal_load_balancer"] |= {
        "domain": {
            "name": "internal.example.com",
            "certificate_arn": (
                "arn:aws:acm:ap-southeast-1:111122223333:certificate/12345678-1234-1234-1234-123456789012"
            ),
        },
    }
    config["drydock:workloads"]["workflow"]["discovery"] = {
        "ways": ways.split(),
        "lattice": {"prefix_list_id": "pl-0721453c7ac4ec009"},
        "address": {"host": "agents.example.com"},
    }
    with tempfile.TemporaryDirectory() as folder:
        for part in _PARTS:
            (Path(folder) / part).symlink_to(ROOT / part)
        (Path(folder) / "Pulumi.dev.yaml").write_text(yaml.safe_dump(said))
        return run(Path(folder), "dev")


def inventory(ways: str) -> dict[str, dict[str, Any]]:
    """Return the inputs of every resource that there is with *ways*, by what tells it from all others."""
    graph = [each for each in deployed(ways).graph if each.custom or each.remote]
    found = {title(each): each.inputs for each in graph}
    if len(found) < len(graph):
        raise LookupError("two resources have one title: the difference of one of them would be seen by nobody")
    return found


def change(old: str, new: str) -> Change:
    """Return what it changes to be found by *new* instead of by *old*."""
    before, after = inventory(old), inventory(new)
    other = {each: frozenset(_differing(before[each], after[each])) for each in before.keys() & after.keys()}
    return Change(
        gone=frozenset(before.keys() - after.keys()),
        come=frozenset(after.keys() - before.keys()),
        other={each: paths for each, paths in other.items() if paths},
    )


def _differing(before: Any, after: Any, at: str = "") -> Iterator[str]:
    """Yield where two values differ: the path of what is another, or is in one of them alone."""
    if before == after:
        return
    old, new = _by_key(before), _by_key(after)
    if old is None or new is None:
        yield at
        return
    for key in sorted(old.keys() | new.keys()):
        path = f"{at}.{key}" if at else key
        if key in old and key in new:
            yield from _differing(old[key], new[key], path)
        else:
            yield path


def _by_key(said: Any) -> dict[str, Any] | None:
    """Return what *said* is made of, JSON within text too; None if it is a leaf.

    What has a name in a list is known by that: with the elements' places everything behind a new one would differ.
    """
    if isinstance(said, str) and said[:1] in ("{", "["):
        with contextlib.suppress(ValueError):  # an expression of a state machine begins so too
            said = json.loads(said)
    if isinstance(said, dict):
        return cast("dict[str, Any]", said)
    if not isinstance(said, list):
        return None
    listed = cast("list[Any]", said)
    if all(isinstance(each, dict) and "name" in each for each in listed):
        return {each["name"]: each["value"] if each.keys() == {"name", "value"} else each for each in listed}
    return {str(place): each for place, each in enumerate(listed)}


def main() -> None:
    print(f"{len(inventory(WAYS[0]))} resources, found by {WAYS[0]}")
    for old, new in itertools.pairwise(WAYS):
        found = change(old, new)
        stays = len(inventory(old)) - len(found.gone)
        print(f"\n{old} -> {new}: {len(found.gone)} go, {len(found.come)} come, {len(found.other)} of {stays} change")
        for each in sorted(found.gone):
            print(f"  - {each}")
        for each in sorted(found.come):
            print(f"  + {each}")
        for each, paths in sorted(found.other.items()):
            print(f"  ~ {each}: {', '.join(sorted(paths))}")


if __name__ == "__main__":
    main()
