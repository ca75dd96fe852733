"""What becomes of streams while their servers are killed: 1,000 through the gateway, 10 kills, in half a minute.

    .venv/bin/python benchmarks/streams.py

Each stream must have all its messages, once each and in order, or fail with UNAVAILABLE or its deadline; one that had
no message yet is tried once more; none hangs; at least 97 % are complete. Exits with 1 where that does not hold.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from statistics import quantiles
from typing import Final

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.apps.workflow.fleet import Fleet, Gateway
from tests.apps.workflow.load import ENDINGS, Load, chaos, endings

STREAMS: Final = 1000
KILLS: Final = 10
SECONDS: Final = 25.0
COMPLETE: Final = 0.97


def main() -> int:
    with Fleet(3) as fleet, Gateway(**fleet.environment, REQUEST_TIMEOUT="10").wait_for("listening") as gateway:
        print(f"{STREAMS} streams of 5 messages in {SECONDS:g} s, to 3 agents of which {KILLS} are killed:")
        load = Load(port=gateway.port, streams=STREAMS, seconds=SECONDS)
        streams = asyncio.run(chaos(fleet, load, KILLS))
        unavailable = gateway.metric('grpc_failures_total{reason="unavailable"}')
    counted = endings(streams)
    cut = sum(stream.ending == "UNAVAILABLE" and stream.messages > 0 for stream in streams)
    refused = counted["UNAVAILABLE"] - cut
    # Every attempt that found no agent is counted: what was neither cut nor refused twice was saved by the second.
    saved = round(unavailable) - cut - 2 * refused
    seconds = quantiles((stream.seconds for stream in streams), n=100)
    for ending, number in counted.most_common():
        print(f"  {number:5}  {ending}")
    print(
        f"  {cut} were cut after their first message, {saved} were saved by a second attempt, {refused} failed in both"
    )
    print(f"  median {seconds[49] * 1000:.0f} ms, 99th percentile {seconds[98] * 1000:.0f} ms, ", end="")
    print(f"slowest {max(stream.seconds for stream in streams):.2f} s")
    complete = counted["OK"] / len(streams)
    holds = set(counted) <= {"OK", *ENDINGS} and complete >= COMPLETE
    print(f"  {complete:.1%} complete, {COMPLETE:.0%} wanted: {'holds' if holds else 'DOES NOT HOLD'}")
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())
