"""Emulators as the rehearsal runs them and without the corrections, for the session; with containers, for a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from rehearsal import keeper
from rehearsal.emulator import Emulator, launch
from tests.rehearsal.containers.conftest import Site, _open

if TYPE_CHECKING:
    from collections.abc import Iterator

ACCOUNT = "123456789012"
REGION = "ap-southeast-1"


@pytest.fixture(scope="session")
def corrected() -> Iterator[Emulator]:
    with keeper.keep() as run:
        yield launch(run, account=ACCOUNT, region=REGION)


@pytest.fixture(scope="session")
def plain() -> Iterator[Emulator]:
    with keeper.keep() as run:
        yield launch(run, account=ACCOUNT, region=REGION, correct=False)


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with _open() as opened:
        yield opened


@pytest.fixture(scope="module")
def bare() -> Iterator[Site]:
    with _open(correct=False) as opened:
        yield opened
