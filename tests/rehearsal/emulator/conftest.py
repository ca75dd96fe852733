"""Two emulators for the whole session: one as the rehearsal runs it, and one without the corrections."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from rehearsal import keeper
from rehearsal.emulator import Emulator, launch

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
