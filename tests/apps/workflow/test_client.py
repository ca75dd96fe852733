"""The client of workflow-agent: where its calls go, when one is tried again, and how each one ends."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from prometheus_client import CollectorRegistry

from tests.apps.workflow.conftest import module
from tests.apps.workflow.scripted import SILENCE, Scripted

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

UNAVAILABLE = grpc.StatusCode.UNAVAILABLE

client_module = module("workflow_client.client")
discovery = module("workflow_client.discovery")
pool = module("workflow_client.pool")
settings = module("workflow_client.settings")
api = module("workflow_api.workflow_agent_pb2")


class Found:
    """A way that finds whatever agents a test says."""

    def __init__(self, *agents: Scripted) -> None:
        self.agents = list(agents)
        self.asked = 0

    async def find(self) -> list[Any]:
        """Find them."""
        self.asked += 1
        if not self.agents:
            raise discovery.NotFoundError("nobody is there")
        return [discovery.Endpoint(ip=agent.address, port=agent.port) for agent in self.agents]


@asynccontextmanager
async def calling(*ways: Found) -> AsyncIterator[Any]:
    """Make a client that goes these ways."""
    registry = CollectorRegistry()
    client = client_module.WorkflowClient(settings.Settings(), registry)
    client._pool = pool.Pool(ways, tls=False)
    client.value = lambda name, **labels: registry.get_sample_value(name, labels) or 0.0
    try:
        yield client
    finally:
        await client.close()


async def call(client: Any, **options: Any) -> list[Any]:
    """Make one call and read it to its end."""
    request = api.ConversationRequest(conversation_id="c-1", text="how are you")
    async with aclosing(client.process(request, **{"timeout": 5, **options})) as replies:
        return [reply async for reply in replies]


async def until(holds: Callable[[], bool]) -> None:
    ends = time.monotonic() + 5
    while not holds():
        assert time.monotonic() < ends
        await asyncio.sleep(0.01)


async def failing(client: Any, **options: Any) -> Any:
    """Make one call, which must fail."""
    with pytest.raises(client_module.CallError) as caught:
        await call(client, **options)
    return caught.value


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test waits less long for what is not there."""
    monkeypatch.setattr(pool, "READY_SECONDS", 0.4)


def test_calls_are_spread_evenly_over_all_addresses() -> None:
    """One connection would pin all calls to one task, however many there are."""

    async def run() -> None:
        async with Scripted() as one, Scripted() as two, Scripted() as three, calling(Found(one, two, three)) as client:
            await call(client)
            await until(lambda: client.value("grpc_connections") == 3)
            replies = [(await call(client))[0] for _ in range(30)]
            assert sorted(Counter(reply.agent for reply in replies).values()) == [10, 10, 10]

    asyncio.run(run())


def test_a_call_that_finds_its_agent_unavailable_is_tried_once_more_at_another() -> None:
    async def run() -> None:
        async with Scripted([UNAVAILABLE]) as going, Scripted() as well, calling(Found(going, well)) as client:
            for _ in range(6):
                assert [reply.agent for reply in await call(client)] == [well.address]
            assert len(well.peers) == 6
            assert client.value("grpc_failures_total", reason="unavailable") == len(going.peers) > 0

    asyncio.run(run())


@pytest.mark.parametrize("before", [[], ["hello"]])
def test_a_call_that_is_dropped_is_one_whose_agent_was_unavailable(before: list[str]) -> None:
    """GRPC's own server drops, when it stops, what it had read and not begun: the status is CANCELLED."""

    async def run() -> None:
        async with Scripted([*before, grpc.StatusCode.CANCELLED]) as one, calling(Found(one)) as client:
            error = await failing(client)
            assert (error.code, error.attempts, error.messages) == (UNAVAILABLE, 1 if before else 2, len(before))

    asyncio.run(run())


def test_with_one_address_it_is_tried_again_on_a_new_connection() -> None:
    """Behind a load balancer's one address the old connection leads to the agent that is going."""

    async def run() -> None:
        async with Scripted([UNAVAILABLE], ["hello"]) as balancer, calling(Found(balancer)) as client:
            assert [reply.text for reply in await call(client)] == ["hello"]
            first, second = balancer.peers
            assert first != second

    asyncio.run(run())


def test_it_is_tried_once_more_and_not_twice() -> None:
    async def run() -> None:
        async with Scripted([UNAVAILABLE]) as one, Scripted([UNAVAILABLE]) as two, calling(Found(one, two)) as client:
            error = await failing(client)
            assert (error.code, error.attempts, error.messages, str(error)) == (UNAVAILABLE, 2, 0, "as told")
            assert len(one.peers) + len(two.peers) == 2

    asyncio.run(run())


def test_after_a_message_nothing_is_tried_again() -> None:
    """It would come twice."""

    async def run() -> None:
        async with Scripted(["hello", UNAVAILABLE]) as one, Scripted(["hello", UNAVAILABLE]) as two:
            async with calling(Found(one, two)) as client:
                error = await failing(client)
            assert (error.code, error.attempts, error.messages) == (UNAVAILABLE, 1, 1)
            assert len(one.peers) + len(two.peers) == 1

    asyncio.run(run())


@pytest.mark.parametrize(
    "code", [grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.INTERNAL]
)
def test_any_other_refusal_is_final(code: grpc.StatusCode) -> None:
    async def run() -> None:
        async with Scripted([code]) as one, calling(Found(one)) as client:
            error = await failing(client)
            assert (error.code, error.attempts, len(one.peers)) == (code, 1, 1)
            assert client.value("grpc_failures_total", reason=code.name.lower()) == 1

    asyncio.run(run())


def test_a_stream_that_ends_without_its_final_message_is_no_answer() -> None:
    """Part of an answer that looks like all of it is worse than none."""

    async def run() -> None:
        async with Scripted([]) as one, calling(Found(one)) as client:
            assert (await failing(client)).code is grpc.StatusCode.DATA_LOSS

    asyncio.run(run())


def test_a_call_ends_at_its_deadline_and_an_attempt_at_its_own() -> None:
    async def run() -> None:
        async with Scripted([SILENCE]) as one, calling(Found(one)) as client:
            for options in ({"timeout": 0.3}, {"timeout": 5, "attempt_timeout": 0.3}):
                began = time.monotonic()
                assert (await failing(client, **options)).code is grpc.StatusCode.DEADLINE_EXCEEDED
                assert time.monotonic() - began < 2

    asyncio.run(run())


def test_a_deadline_holds_while_no_agent_is_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "READY_SECONDS", 5)

    async def run() -> None:
        async with Scripted() as one:
            pass  # and nobody listens there any more
        async with calling(Found(one)) as client:
            began = time.monotonic()
            assert (await failing(client, timeout=0.3)).code is grpc.StatusCode.DEADLINE_EXCEEDED
            assert time.monotonic() - began < 2

    asyncio.run(run())


def test_an_agent_that_is_lost_is_replaced_by_whoever_is_found_at_once() -> None:
    """The addresses were found a moment ago, and would be good for ten seconds more."""

    async def run() -> None:
        async with AsyncExitStack() as agents:
            old = await agents.enter_async_context(Scripted())
            way = Found(old)
            async with calling(way) as client:
                await call(client)
                new = await agents.enter_async_context(Scripted())
                way.agents = [new]
                await old.stop()
                assert (await call(client))[0].agent == new.address

    asyncio.run(run())


def test_addresses_are_found_anew_when_their_time_to_live_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """A task that came later would never have a call."""
    monkeypatch.setattr(pool, "FRESH_SECONDS", 0.1)

    async def run() -> None:
        async with Scripted() as one, Scripted() as two, calling(way := Found(one)) as client:
            await call(client)
            way.agents = [two]
            deadline = time.monotonic() + 5
            while (await call(client))[0].agent != two.address:
                assert time.monotonic() < deadline

    asyncio.run(run())


def test_addresses_are_not_found_anew_before_that() -> None:
    """Cloud Map's API has a price, and a name server a limit."""

    async def run() -> None:
        async with Scripted() as one, calling(way := Found(one)) as client:
            for _ in range(20):
                await call(client)
            assert way.asked == 1

    asyncio.run(run())


def test_a_way_without_an_agent_that_is_ready_gives_way_to_the_next() -> None:
    async def run() -> None:
        async with Scripted() as dead:
            pass
        async with Scripted() as well, calling(nobody := Found(), gone := Found(dead), Found(well)) as client:
            assert (await call(client))[0].agent == well.address
            assert (nobody.asked, gone.asked) == (1, 1)

    asyncio.run(run())


def test_the_first_way_that_leads_to_an_agent_is_the_only_one_gone() -> None:
    """The fallback costs a load balancer's hop."""

    async def run() -> None:
        async with Scripted() as first, Scripted() as second:
            async with calling(Found(first), fallback := Found(second)) as client:
                await call(client)
            assert fallback.asked == 0

    asyncio.run(run())


def test_with_no_way_at_all_the_error_says_what_each_one_came_to() -> None:
    async def run() -> None:
        async with Scripted() as dead:
            pass
        async with calling(Found(), Found(dead)) as client:
            error = await failing(client)
            assert (error.code, error.attempts) == (UNAVAILABLE, 2)
            assert "nobody is there" in str(error)
            assert "none of 1 addresses was ready within 0.4 seconds" in str(error)

    asyncio.run(run())


def test_an_agent_that_can_no_longer_be_found_and_is_well_goes_on() -> None:
    """A name server that is away must not take the agents with it."""

    async def run() -> None:
        async with Scripted() as one, calling(way := Found(one)) as client:
            await call(client)
            way.agents, client._pool._stale_at = [], 0.0
            assert [(await call(client))[0].agent for _ in range(3)] == [one.address] * 3
            assert way.asked == 2

    asyncio.run(run())


def test_a_call_that_is_given_up_is_given_up_at_the_agent_too() -> None:
    """The agent would go on with what nobody hears."""

    async def run() -> None:
        async with Scripted(["hello", SILENCE]) as one, calling(Found(one)) as client:
            request = api.ConversationRequest(conversation_id="c-1", text="how are you")
            async with aclosing(client.process(request, timeout=5)) as replies:
                assert (await anext(replies)).text == "hello"
            # Its server waits for the calls that are on it: one that went on would hold this up.
            async with asyncio.timeout(2):
                await one._server.stop(30)

    asyncio.run(run())


def test_metadata_goes_along_and_the_duration_is_counted() -> None:
    async def run() -> None:
        async with Scripted() as one, calling(Found(one)) as client:
            await call(client, metadata=[("x-request-id", "r-1")])
            assert one.metadata[0]["x-request-id"] == "r-1"
            assert client.value("grpc_request_duration_seconds_count") == 1
            assert client.value("grpc_connections") == 1

    asyncio.run(run())


def test_closing_leaves_no_connection() -> None:
    async def run() -> None:
        async with Scripted() as one:
            async with calling(Found(one)) as client:
                await call(client)
            assert client.value("grpc_connections") == 0

    asyncio.run(run())
