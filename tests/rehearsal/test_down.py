"""What was kept up is gone after `down`: processes, ports, files, and the account in the emulator with them."""

from __future__ import annotations

import json
import re
import shutil
import socket
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from tests.rehearsal.copies import copy, rehearse
from tests.rehearsal.started import GONE_WITHIN, Started, assert_nothing_is_left, below, is_alive, of_the_run

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_LISTENING: Final = "0A"
"""The state of a socket in Linux's table of them."""


@pytest.fixture
def temporary() -> Iterator[Path]:
    """An empty folder for temporary files, short enough for a rehearsal's socket to be in it."""
    folder = Path(tempfile.mkdtemp(prefix="down-"))
    yield folder
    shutil.rmtree(folder)


def listening(pids: Iterable[int]) -> set[tuple[str, int]]:
    """Return the TCP addresses that *pids* listen on: a task has one of its own, of those that mean this machine."""
    sockets = {link.readlink().name for pid in pids for link in Path(f"/proc/{pid}/fd").iterdir() if link.is_symlink()}
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    addresses = [
        fields[1].split(":") for fields in lines if fields[3] == _LISTENING and f"socket:[{fields[9]}]" in sockets
    ]
    return {(socket.inet_ntoa(bytes.fromhex(host)[::-1]), int(port, 16)) for host, port in addresses}


def files(folder: Path) -> set[Path]:
    """Return all that is below *folder*, but for what Python compiles as it goes."""
    return {path for path in folder.rglob("*") if "__pycache__" not in path.parts}


def is_open(address: tuple[str, int]) -> bool:
    """Say whether somebody listens there."""
    with socket.socket() as asking:
        return asking.connect_ex(address) == 0


def test_down_leaves_no_process_no_port_and_no_file(tmp_path: Path, temporary: Path) -> None:
    """The account goes with the emulator: what answers no more keeps nothing."""
    project = copy(tmp_path / "project", only="query-service")
    before = files(project)
    started = Started(tmp_path / "output", project, "--keep", TMPDIR=str(temporary))
    marker, folder = started.watchdog()
    assert started.process.wait(120) == 0

    kept = int(json.loads((project / ".rehearsal/kept.json").read_text())["pid"])
    try:
        opened = listening({kept, *below(kept), *of_the_run(marker)})
        (emulator,) = re.findall(r"AWS_ENDPOINT_URL=http://127.0.0.1:(\d+)", started.output())
        assert ("127.0.0.1", int(emulator)) in opened
        assert len(opened) > 1, "the emulator's, and the workload's at least"
        assert all(map(is_open, opened))
        assert folder.is_relative_to(temporary), "its files are looked for elsewhere"
    finally:
        ended = rehearse("down", project)
    assert ended.output == "the rehearsal of dev is ended\n"
    since = time.monotonic()
    assert_nothing_is_left(marker, folder, since)
    while is_alive(kept) and time.monotonic() < since + GONE_WITHIN:
        time.sleep(0.02)
    assert not is_alive(kept)
    assert not [address for address in opened if is_open(address)]
    assert list(temporary.iterdir()) == []
    assert files(project) - before <= {project / ".rehearsal"}
