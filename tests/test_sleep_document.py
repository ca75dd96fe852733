"""What docs/sleep.md has people type does what it says, and its numbers are right."""

from __future__ import annotations

import json
import os
import re
import subprocess
from typing import TYPE_CHECKING, Any, Final, cast

import jmespath
import pytest

from components.sleep import Sleep
from tests.whole import ROOT

if TYPE_CHECKING:
    from pathlib import Path

PAGE: Final = (ROOT / "docs/sleep.md").read_text()
ACTIONS: Final = {
    "ScheduledActions": [
        {
            "ResourceId": f"service/{cluster}/{service}",
            "ScheduledActionName": f"{service}-{what}-1a2b3c4",
            "ScalableTargetAction": {"MinCapacity": low, "MaxCapacity": high},
        }
        for cluster, service, bounds in (
            ("dev-1", "shop", (2, 6)),
            ("dev-1", "till-wake", (1, 1)),
            ("dev-12", "another-stacks", (3, 3)),
        )
        for what, (low, high) in (("sleep", (0, 0)), ("wake", bounds))
    ]
}
_AWS: Final = """#!/bin/sh
case "$2" in
describe-scheduled-actions) for query; do :; done; printf %s "$query" > "$HERE/query"; cat "$HERE/rows" ;;
*) echo "$@" >> "$HERE/called" ;;
esac
"""


def _typed(here: Path, script: str) -> list[str]:
    """Run *script* with stand-ins for its commands, and return what it registers."""
    (here / "pulumi").write_text('#!/bin/sh\necho \'{"name": "dev-1"}\'\n')
    (here / "aws").write_text(_AWS)
    for name in ("pulumi", "aws"):
        (here / name).chmod(0o755)
    query = re.search(r'"(ScheduledActions.*)"', script)
    assert query
    ask: Any = cast("Any", jmespath).search
    rows = ask(query[1].replace("$cluster", "dev-1"), ACTIONS)
    (here / "rows").write_text("".join("\t".join(map(str, row)) + "\n" for row in rows))
    env = {"PATH": f"{here}:{os.environ['PATH']}", "HERE": str(here)}
    subprocess.run(["/bin/bash", "-euo", "pipefail", "-c", script], env=env, check=True)  # noqa: S603 - the page's own
    assert (here / "query").read_text() == query[1].replace("$cluster", "dev-1")
    return (here / "called").read_text().splitlines()


@pytest.mark.parametrize(
    ("test", "bounds"),
    [("-gt", {"shop": (2, 6), "till-wake": (1, 1)}), ("-eq", {"shop": (0, 0), "till-wake": (0, 0)})],
)
def test_the_loop_wakes_one_cluster_and_turned_round_sends_it_to_sleep(
    tmp_path: Path, test: str, bounds: dict[str, tuple[int, int]]
) -> None:
    """Typed in the evening by somebody who has to show something."""
    script = re.search(r"```sh\n(.*?)```", PAGE, re.DOTALL)
    assert script
    assert _typed(tmp_path, script[1].replace("-gt", test)) == [
        "application-autoscaling register-scalable-target --service-namespace ecs --scalable-dimension "
        f"ecs:service:DesiredCount --resource-id service/dev-1/{name} --min-capacity {low} --max-capacity {high}"
        for name, (low, high) in bounds.items()
    ]


def test_the_hours_of_the_page_are_those_of_the_default() -> None:
    night = Sleep(time_zone="Asia/Taipei")
    awake = 168 - night.hours_asleep
    assert f"leave {awake:.0f} in which tasks run, and {night.hours_asleep:.0f} in which none does" in PAGE
    assert f"{night.hours_asleep / 168:.0%}".replace("%", " %") in PAGE
    for moment in (night.tasks_sleep, night.instances_sleep, night.instances_wake, night.tasks_wake):
        assert f"| {str(moment).split()[0]} |" in PAGE


def test_the_example_is_what_dev_says() -> None:
    example = re.search(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    assert example
    said = [line.partition("#")[0].strip() for line in example[1].splitlines()]
    dev = [line.strip() for line in (ROOT / "Pulumi.dev.yaml").read_text().splitlines()]
    assert set(said) <= set(dev)
    assert json.dumps("08:00") in said[2]
