"""Times the evaluation of 1, 10 and 100 query-services: through components, and by hand with pulumi_aws.

Every figure is of a process of its own, imports not counted, in seconds of a processor. The two sides of a pair run at
the same time, so that what slows the machine slows both; the ratio is of what all pairs took together.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

COUNTS = (1, 10, 100)
MOST = 1.1
"""What a hundred may cost at the most, against by hand."""
_MODULES = (
    "apigateway", "appautoscaling", "cloudwatch", "dynamodb", "ec2", "ecs", "iam", "lambda_", "lb", "sns", "vpc",
)  # fmt: skip


def evaluate(side: str, count: int) -> dict[str, Any]:
    """Evaluate in this process; return the seconds it took, the MiB it grew by, and what was registered."""
    import pulumi
    import pulumi_aws as aws
    from pulumi.runtime import mocks

    registered: list[dict[str, Any]] = []

    class Answers(mocks.Mocks):
        def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
            if not args.custom:
                return None, {}
            registered.append({"type": args.typ, "inputs": args.inputs})
            made = {"arn": f"arn:{args.name}", "name": args.name, "executionArn": "arn:api", "invokeArn": "arn:invoke"}
            return f"{args.name}-id", {**made, **args.inputs}

        def call(self, args: mocks.MockCallArgs) -> Any:
            raise NotImplementedError(args.token)

    build = importlib.import_module(side).build
    for module in _MODULES:  # both sides load them on first touch, which is no part of an evaluation
        dir(getattr(aws, module))
    mocks.set_mocks(Answers(), project="bench", stack="bench", preview=False)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.process_time()
    pulumi.runtime.test(lambda: build(count, aws.Provider("aws", region="eu-west-1")))()
    seconds = time.process_time() - began
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    return {"seconds": seconds, "mib": grown, "registered": registered}


def pair(count: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """Evaluate both sides at once, each in a process of its own; return components' and by hand's figures."""
    here = Path(__file__)
    ours, theirs = (
        subprocess.Popen(  # noqa: S603 - ourselves
            [sys.executable, "-W", "ignore", str(here), "--side", side, "--count", str(count)],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(here.parents[1])},
        )
        for side in ("with_components", "by_hand")
    )
    said = ours.communicate()[0], theirs.communicate()[0]
    if ours.returncode or theirs.returncode:
        raise SystemExit("an evaluation failed: its own words are above")
    return json.loads(said[0]), json.loads(said[1])


def same(ours: dict[str, Any], theirs: dict[str, Any]) -> bool:
    """Whether both sides registered as many resources of each type: a ratio of different work would say nothing."""
    return Counter(each["type"] for each in ours["registered"]) == Counter(
        each["type"] for each in theirs["registered"]
    )


def main(pairs: int) -> int:
    """Print the table; answer 1 where a hundred cost more than they may."""
    heads = f"{'services':>8} {'resources':>9} {'components':>16} {'by hand':>16} {'time':>6} {'memory':>6}"
    print(f"{heads} {'time, by pair':>17}")
    ratios: dict[int, float] = {}
    per_service: dict[int, float] = {}
    for count in COUNTS:
        turns = [pair(count) for _ in range(pairs)]
        if not all(same(*turn) for turn in turns):
            print("the two sides did not register the same resources", file=sys.stderr)
            return 1
        ours, theirs = (
            {what: statistics.mean(turn[side][what] for turn in turns) for what in ("seconds", "mib")}
            for side in (0, 1)
        )
        ratios[count] = ours["seconds"] / theirs["seconds"]
        spread = sorted(own["seconds"] / by_hand["seconds"] for own, by_hand in turns)
        per_service[count] = ours["seconds"] / count
        print(
            f"{count:>8} {len(turns[0][0]['registered']):>9} "
            f"{ours['seconds']:>7.2f} s {ours['mib']:>3.0f} MiB {theirs['seconds']:>7.2f} s {theirs['mib']:>3.0f} MiB "
            f"{ratios[count]:>6.2f} {ours['mib'] / max(theirs['mib'], 1):>6.2f} {spread[0]:>10.2f} to {spread[-1]:.2f}"
        )
    growth = per_service[100] / per_service[10]
    print(f"means of {pairs} pairs. A service among 100 costs {growth:.2f} times one among 10.")
    within = ratios[100] <= MOST
    print(f"a hundred through components: {ratios[100]:.2f} times by hand ({'within' if within else 'OVER'} {MOST})")
    return 0 if within else 1


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=9, help="evaluations of each side and count (default 9)")
    parser.add_argument("--side", help=argparse.SUPPRESS)
    parser.add_argument("--count", type=int, help=argparse.SUPPRESS)
    said = parser.parse_args()
    if said.side:
        json.dump(evaluate(said.side, said.count), sys.stdout, default=str)
        sys.stdout.flush()
        # Pulumi leaves event loops open, which complain as the interpreter takes them down.
        os._exit(0)
    else:
        sys.exit(main(said.pairs))
