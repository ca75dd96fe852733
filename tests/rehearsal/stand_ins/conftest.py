"""One emulator for all stand-ins, and a way to make one resource in it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from rehearsal import keeper
from rehearsal.emulator import Emulator, launch
from rehearsal.stand_ins import StandIns

if TYPE_CHECKING:
    from collections.abc import Iterator

ACCOUNT = "123456789012"
REGION = "eu-west-1"


@pytest.fixture(scope="session")
def emulator() -> Iterator[Emulator]:
    with keeper.keep() as run:
        yield launch(run, account=ACCOUNT, region=REGION)


@pytest.fixture(scope="session")
def stand_ins(emulator: Emulator) -> StandIns:
    return StandIns(
        emulator.client, account=ACCOUNT, region=REGION, project_dir=Path(__file__).parent, gateway=emulator.endpoint
    )
