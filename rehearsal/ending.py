"""What a Ctrl-C or SIGTERM does: last words, and the end of this process, whatever it was about.

No exception is raised where the signal comes: it may come in code that swallows it, or wait for a call's answer. And
nothing that was started is ended here: the keeper's watchdog kills it all as soon as this process is gone.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from types import FrameType


@contextlib.contextmanager
def at_signals(last_words: Callable[[], None]) -> Generator[None]:
    """While the block runs, a Ctrl-C or SIGTERM ends the process with 128 + the signal's number, after *last_words*."""
    come, tell = os.pipe()

    def wait() -> None:
        number = os.read(come, 1)
        if number:
            with contextlib.suppress(Exception):
                last_words()
            os._exit(128 + number[0])
        os.close(come)

    def pass_on(number: int, _frame: FrameType | None) -> None:
        # A write and nothing else: what was interrupted may hold any lock, also the one that a thread's start takes.
        os.write(tell, bytes([number]))

    waiting = threading.Thread(target=wait, daemon=True, name="ending")
    waiting.start()
    before = {number: signal.signal(number, pass_on) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        os.close(tell)
        waiting.join()
