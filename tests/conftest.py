"""What every test begins with."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

# What a test runs may ask AWS; nothing of it may reach an account of whoever runs the tests.
for _variable in [name for name in os.environ if name.startswith("AWS_")]:
    del os.environ[_variable]
os.environ["AWS_CONFIG_FILE"] = os.environ["AWS_SHARED_CREDENTIALS_FILE"] = os.devnull
os.environ["AWS_EC2_METADATA_DISABLED"] = "true"

# A shell starts its background jobs with Ctrl-C ignored, and so would all that the tests start: some send it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Whole programs stay in memory, for many tests to look at; Python would look through all of them again and again.
gc.set_threshold(50_000, 20, 100)


@pytest.fixture(scope="session")
def event_loop() -> Iterator[asyncio.AbstractEventLoop]:
    """Yield the event loop of all tests: what one leaves on it is nobody's, and is not waited for."""
    yield asyncio.new_event_loop()
    # Pulumi makes one for each thread that registers, and closes none.
    for made in [each for each in gc.get_objects() if isinstance(each, asyncio.BaseEventLoop)]:
        if not made.is_running():
            made.close()


@pytest.fixture(autouse=True)
def _current_event_loop(event_loop: asyncio.AbstractEventLoop) -> None:
    """Make it the current one: Pulumi's outputs live there, and a run of a whole program leaves none."""
    asyncio.set_event_loop(event_loop)
