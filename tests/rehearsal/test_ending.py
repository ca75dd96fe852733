"""A signal ends the process, whatever it was about."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from rehearsal import ending
from tests.rehearsal.copies import PROJECT

_PROGRAM = """
import threading, time
from rehearsal import ending
with ending.at_signals(lambda: print("last words", flush=True)):
    {setting}
    print("ready", flush=True)
    {work}
"""
BUSY = {
    "code that swallows everything": (
        "pass",
        "\n    while True:\n        try:\n            time.sleep(1)\n        except BaseException: pass",
    ),
    # What a thread's start takes: a handler that starts one would wait for ever.
    "code that holds threading's own lock": ("threading._active_limbo_lock.acquire()", "time.sleep(60)"),
    "code that waits for a thread": (
        "wait = threading.Thread(target=time.sleep, args=[60]); wait.start()",
        "wait.join()",
    ),
}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("busy", BUSY)
def test_a_signal_ends_what_would_not_end(busy: str, number: int) -> None:
    setting, work = BUSY[busy]
    with subprocess.Popen(  # noqa: S603
        [sys.executable, "-c", _PROGRAM.format(setting=setting, work=work)],
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout
        try:
            assert process.stdout.readline() == "ready\n"
            process.send_signal(number)
            assert process.wait(1) == 128 + number
            assert process.stdout.read() == "last words\n"
        finally:
            process.kill()


def test_without_a_signal_all_is_as_before() -> None:
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    with ending.at_signals(lambda: None):
        assert signal.getsignal(signal.SIGTERM) != before[1]
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before
