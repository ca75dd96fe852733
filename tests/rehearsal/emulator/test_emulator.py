"""The emulator as its users see it: pinned, on loopback alone, with IAM in force."""

from __future__ import annotations

import subprocess
import time
import urllib.parse
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import EndpointConnectionError

from rehearsal import emulator, keeper

if TYPE_CHECKING:
    from rehearsal.emulator import Emulator

ACCOUNT, REGION = "123456789012", "ap-southeast-1"


def test_the_installed_version_is_the_pinned_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """The corrections reach into one version's inside; with another they would silently miss."""
    emulator.check_version()
    monkeypatch.setattr(emulator, "VERSION", "1.5.32")
    with pytest.raises(emulator.EmulatorError, match=r"install ministack==1\.5\.32"):
        emulator.check_version()


def test_clients_are_the_root_of_the_account_in_its_region(corrected: Emulator) -> None:
    """The program is deployed as somebody who may do everything, into the stack's own account."""
    assert corrected.client("sts").get_caller_identity()["Arn"] == f"arn:aws:iam::{ACCOUNT}:root"
    assert f":{REGION}:{ACCOUNT}:" in corrected.client("sns").create_topic(Name="topic")["TopicArn"]


def test_clients_read_nothing_of_the_developers_own(corrected: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """A profile that does not exist, or a proxy, is the developer's affair with AWS and not with the emulator."""
    monkeypatch.setenv("AWS_PROFILE", "no-such-profile")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "")
    key = corrected.environment
    root = {"AccessKeyId": key["AWS_ACCESS_KEY_ID"], "SecretAccessKey": key["AWS_SECRET_ACCESS_KEY"]}
    monkeypatch.setattr(corrected, "_session", None)
    assert corrected.client_as("sts", root).get_caller_identity()["Account"] == ACCOUNT


def test_only_loopback_is_listened_on(corrected: Emulator) -> None:
    """An emulator that others on the network can reach is an open door to the developer's machine."""
    port = urllib.parse.urlsplit(corrected.endpoint).port
    listening: list[str] = []
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        lines = [line.split() for line in Path(table).read_text().splitlines()[1:]]
        inodes = {line[9]: line[1] for line in lines if line[3] == "0A"}
        listening += [inodes[inode] for inode in _sockets_of_listener(port or 0) & set(inodes)]
    assert f"0100007F:{port:04X}" in listening
    # A function's runtime is talked to by a port of its own.
    assert {each.partition(":")[0] for each in listening} == {"0100007F"}


def _sockets_of_listener(port: int) -> set[str]:
    """Return the socket inodes of the process that listens on *port*."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if f"GATEWAY_PORT={port}".encode() not in (process / "environ").read_bytes().split(b"\0"):
                continue
            if b"hold" in (process / "cmdline").read_bytes().split(b"\0"):
                continue
            links = [entry.readlink().name for entry in (process / "fd").iterdir()]
        except OSError:
            continue
        return {link[8:-1] for link in links if link.startswith("socket:[")}
    return set()


def test_a_stopped_emulator_answers_no_more_and_leaves_no_process() -> None:
    """The next rehearsal on the machine starts from nothing."""
    with keeper.keep() as run:
        stopped = emulator.launch(run, account=ACCOUNT, region=REGION)
        stopped.stop()
        stopped.stop()
        with pytest.raises(EndpointConnectionError):
            stopped.client("sts").get_caller_identity()


def test_an_emulator_that_dies_says_its_last_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """A correction that no longer fits a ministack ends its start; the developer must see the traceback."""
    monkeypatch.setattr(emulator, "_PROJECT", Path("/"))  # where there is no such module to run
    with keeper.keep() as run, pytest.raises(emulator.EmulatorError, match=r"ended(.|\n)*No module named"):
        emulator.launch(run, account=ACCOUNT, region=REGION)


def test_it_is_up_within_five_seconds() -> None:
    """Every rehearsal and many tests wait for it; it takes 0.3 s on an idle machine."""
    with keeper.keep() as run:
        before = time.monotonic()
        emulator.launch(run, account=ACCOUNT, region=REGION)
        assert time.monotonic() - before < 5


def test_nothing_of_the_developers_own_environment_reaches_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Functions inherit the emulator's environment: an AWS_PROFILE or a token there would be theirs."""
    monkeypatch.setenv("AWS_PROFILE", "work")
    monkeypatch.setenv("GITHUB_TOKEN", "secret")
    with keeper.keep() as run:
        started = emulator.launch(run, account=ACCOUNT, region=REGION)
        port = urllib.parse.urlsplit(started.endpoint).port
        found = subprocess.run(["/bin/ps", "axeww"], capture_output=True, text=True, check=True).stdout.splitlines()
        own = [line for line in found if f"GATEWAY_PORT={port}" in line]
        assert own
        assert not [line for line in own if "AWS_PROFILE" in line or "GITHUB_TOKEN" in line]
