"""Streams through the gateway while the agents behind it come and go: the benchmark's figures, made small."""

from __future__ import annotations

import asyncio

from tests.apps.workflow.fleet import Fleet, Gateway
from tests.apps.workflow.load import ENDINGS, Load, chaos, endings


def test_agents_that_are_killed_take_no_stream_with_them_but_those_they_were_answering() -> None:
    """Whole, or failed with a status that says so; nothing twice, nothing hanging."""
    with Fleet(2) as fleet, Gateway(**fleet.environment, REQUEST_TIMEOUT="10") as gateway:
        load = Load(port=gateway.wait_for("listening").port, streams=150, seconds=5)
        streams = asyncio.run(chaos(fleet, load, 3))
    counted = endings(streams)
    assert set(counted) <= {"OK", *ENDINGS}, counted
    assert counted["OK"] >= 0.9 * load.streams, counted
    assert max(stream.seconds for stream in streams) < 11, "the gateway ends each one in 10 s"


def test_a_rolling_replacement_loses_no_stream() -> None:
    """A deployment must be nobody's concern but ours."""
    with Fleet(2) as fleet, Gateway(**fleet.environment, REQUEST_TIMEOUT="10") as gateway:
        load = Load(port=gateway.wait_for("listening").port, streams=200, seconds=5, pace_ms=40)

        async def roll() -> tuple[list[int], dict[str, int]]:
            running = asyncio.create_task(load.run())
            await load.begun.wait()
            codes = [code for _ in range(2) for code in await asyncio.to_thread(fleet.roll)]
            assert not running.done(), "the streams go on for longer than the deployment"
            return codes, dict(endings(await running))

        assert asyncio.run(roll()) == ([0] * 4, {"OK": load.streams})
