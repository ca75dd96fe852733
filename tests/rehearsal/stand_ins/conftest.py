"""One emulator for all stand-ins, and ways to make one resource or a whole program in it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from rehearsal import keeper, program
from rehearsal.emulator import Emulator, launch
from rehearsal.stand_ins import StandIns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rehearsal.autoname import Names

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


@pytest.fixture(scope="session")
def deploy(emulator: Emulator) -> Callable[..., program.Result]:
    """Return what deploys the program in a folder, its suffixes from *names* if they matter."""

    def deployed(folder: Path, names: Names | None = None) -> program.Result:
        maker = StandIns(
            emulator.client,
            account=emulator.account,
            region=emulator.region,
            project_dir=folder,
            gateway=emulator.endpoint,
        )
        result = program.run(folder, "dev", preview=False, maker=maker, names=names)
        assert result.error is None, result.error
        return result

    return deployed
