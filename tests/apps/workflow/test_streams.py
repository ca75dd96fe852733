"""Streams through the gateway while the agents behind it come and go: the benchmark's figures, made small."""

from __future__ import annotations

import asyncio
import signal

from tests.apps.workflow.fleet import Fleet, Gateway
from tests.apps.workflow.load import ENDINGS, Load, chaos, endings


def test_agents_that_are_killed_take_no_stream_with_them_but_those_they_were_answering() -> None:
    """Whole, or failed with a status that says so; nothing twice, nothing hanging."""
    with Fleet(2) as fleet, Gateway(**fleet.environment, REQUEST_TIMEOUT="10") as gateway:
        load = Load(port=gateway.wait_for("listening").port, streams=150, seconds=5)
        streams = asyncio.run(chaos(fleet, load, 3))
    counted = endings(streams)
    assert set(counted) <= {"OK", *ENDINGS}, counted
    assert counted["OK"] >= 0.9 * len(streams), counted
    assert max(stream.seconds for stream in streams) < 11, "the gateway ends each one in 10 s"


def test_a_rolling_replacement_loses_no_stream() -> None:
    """A deployment must be nobody's concern but ours."""
    with Fleet(2) as fleet, Gateway(**fleet.environment, REQUEST_TIMEOUT="10") as gateway:
        load = Load(port=gateway.wait_for("listening").port, streams=200, seconds=5, pace_ms=40)
        codes: list[int] = []

        async def roll() -> None:
            for _ in range(2):
                codes.extend(await asyncio.to_thread(fleet.roll))

        streams = asyncio.run(load.run(roll()))
    assert endings(streams) == {"OK": len(streams)}
    assert codes == [0] * 4, "an agent that cuts a stream ends with 1"


def test_an_agent_that_freezes_costs_its_callers_one_deadline() -> None:
    """It is still connected, and would go on to be given every second call."""
    with Fleet(2) as fleet, Gateway(**fleet.environment, REQUEST_TIMEOUT="2") as gateway:
        gateway.wait_for("listening")
        load = Load(port=gateway.port, streams=10, seconds=1)
        asyncio.run(load.run())
        fleet.agents[0].send(signal.SIGSTOP)
        both = endings(asyncio.run(load.run()))
        after = endings(asyncio.run(load.run()))
    assert set(both) == {"OK", "DEADLINE_EXCEEDED"}
    assert after == {"OK": load.streams}
