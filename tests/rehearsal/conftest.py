"""One rehearsal of each stack, for all tests that look at what came of it."""

from __future__ import annotations

import pytest

from tests.rehearsal.copies import PROJECT, Ended
from tests.rehearsal.witnessing import Witnessed, once, witness


@pytest.fixture(scope="session")
def witnessed_dev(tmp_path_factory: pytest.TempPathFactory) -> Witnessed:
    return once("dev", tmp_path_factory, lambda folder: witness(folder, PROJECT, "dev"))


@pytest.fixture(scope="session")
def witnessed_prod(tmp_path_factory: pytest.TempPathFactory) -> Witnessed:
    return once("prod", tmp_path_factory, lambda folder: witness(folder, PROJECT, "prod"))


@pytest.fixture(scope="session")
def dev(witnessed_dev: Witnessed) -> Ended:
    return witnessed_dev.ended


@pytest.fixture(scope="session")
def prod(witnessed_prod: Witnessed) -> Ended:
    return witnessed_prod.ended
