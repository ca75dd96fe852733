"""One commit, one inventory: whatever the order in which AWS answers, and in which a stack file lists things."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final, cast

import pytest
import yaml

from rehearsal import program
from rehearsal.autoname import Names
from tests.apps.exact import ACCOUNTS, Exact, deployed
from tests.rehearsal import recorded
from tests.rehearsal.copies import ENGINEERS, copy
from tests.whole import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from rehearsal.graph import Answer, Registered

_ORDERED: Final = ("zones", "instance_types")
"""Lists whose order says something. A zone has its slot by its letter (which has a test of its own), but the first is
where a single NAT gateway is; instances are taken of the first type that there is."""
_MORE: Final[dict[str, list[Any]]] = {
    "cluster.capacity": [{"provider": "FARGATE_SPOT"}],
    "emails": ["further@example.com", "more@example.com"],
    "further_names": ["www.shop.example.com"],
    "image_pull_accounts": ["777788889999", "888899990000"],
    "interface_endpoints": ["ecr.api", "logs"],
    "open_to": ["10.9.0.0/16", "10.8.0.0/16"],
}
"""What makes each list of the stack files long enough to have an order."""


class Shuffled(Exact):
    """Stands for AWS where nothing is answered in the order of asking."""

    def __init__(self, account: str, seed: int) -> None:
        super().__init__(account)
        self._random, self._lock = random.Random(seed), threading.Lock()  # noqa: S311 - it guards nothing

    def make(self, resource: Registered) -> Answer:
        """Answer, later."""
        with self._lock:
            wait = self._random.random() / 100
        time.sleep(wait)
        return super().make(resource)


def inventory(graph: Sequence[Registered]) -> dict[str, str]:
    """Return all that is told of each resource, by its URN."""
    return {
        each.urn: json.dumps(
            [each.id, each.inputs, each.outputs, each.parent, sorted(each.dependencies), each.protect],
            sort_keys=True,
            default=str,
        )
        for each in graph
    }


def test_the_inventory_is_the_same_in_whatever_order_answers_come() -> None:
    """What depends on who came first differs from run to run, and an engine would change it at each."""
    orders: list[list[str]] = []
    for seed in (1, 2):
        maker = Shuffled(ACCOUNTS["dev"], seed)
        result = program.run(ROOT, "dev", preview=False, maker=maker, names=Names(seed=0))
        assert result.error is None, result.error
        orders.append([each.urn for each in result.graph])
        assert inventory(result.graph) == inventory(deployed("dev").graph)
        assert json.dumps(result.outputs, sort_keys=True) == json.dumps(deployed("dev").outputs, sort_keys=True)
    assert orders[0] != orders[1], "nothing was shuffled: this would hold whatever the program did"


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_the_order_of_lists_in_a_stack_file_changes_nothing(stack: str, tmp_path: Path) -> None:
    """A list that is sorted by hand one day would replace what it names, or swap it."""
    file = copy(tmp_path / "project") / f"Pulumi.{stack}.yaml"
    content = yaml.safe_load(file.read_text())
    lists = dict(_lists(content["config"], ""))
    found: list[dict[str, str]] = []
    for order in (1, -1):
        for path, value in lists.items():
            more = _MORE.get(path, _MORE.get(path.rpartition(".")[2], []))
            value[:] = sorted([*value, *(each for each in more if each not in value)], key=str)[::order]
        file.write_text(yaml.safe_dump(content))
        result = program.run(file.parent, stack, preview=False, maker=Exact(ACCOUNTS[stack]), names=Names(seed=0))
        assert result.error is None, result.error
        # A component's own node shows what it was given, as it was given; nothing of AWS's comes of that.
        found.append(inventory([each for each in result.graph if each.custom]))
    assert sum(len(value) > 1 for value in lists.values()) >= 3, "nearly nothing was reordered"
    assert found[0] == found[1]


def test_two_rehearsals_of_one_commit_give_one_inventory(tmp_path: Path) -> None:
    """Each in its process, where a set has an order of its own, and with all that AWS makes up made up anew."""
    project = copy(tmp_path / "project", only="query-service")
    files = [tmp_path / f"{seed}.json" for seed in (1, 2)]

    def rehearsed(file: Path) -> str:
        words = ["up", "--stack", "dev", "--project", str(project)]
        done = subprocess.run(  # noqa: S603 - our own
            [sys.executable, "-m", "tests.rehearsal.recorded", str(file), *words],
            cwd=ROOT,
            env={**ENGINEERS, "PYTHONHASHSEED": file.stem},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stdout
        return file.read_text()

    with ThreadPoolExecutor(len(files)) as at_once:
        texts = list(at_once.map(rehearsed, files))
    assert texts[0] != texts[1], "nothing was made up: these are no two rehearsals"
    first, second = (recorded.inventory(file) for file in files)
    assert len(first) > 100
    assert first == second


def _lists(said: Any, at: str) -> Iterator[tuple[str, list[Any]]]:
    """Yield each list below *said* whose order says nothing, by its path."""
    section = cast("dict[str, Any]", said) if isinstance(said, dict) else {}
    for key, value in section.items():
        path = f"{at}.{key.removeprefix('drydock:')}".removeprefix(".")
        if isinstance(value, list) and key not in _ORDERED:
            yield path, value
        yield from _lists(value, path)
