"""One rehearsal of each stack, for all tests that look at what came of it."""

from __future__ import annotations

import pytest

from tests.rehearsal.copies import PROJECT, Ended, rehearse


@pytest.fixture(scope="session")
def dev(tmp_path_factory: pytest.TempPathFactory) -> Ended:
    return rehearse("up", PROJECT, "--stack", "dev", json_file=tmp_path_factory.mktemp("dev") / "result.json")


@pytest.fixture(scope="session")
def prod(tmp_path_factory: pytest.TempPathFactory) -> Ended:
    return rehearse("up", PROJECT, "--stack", "prod", json_file=tmp_path_factory.mktemp("prod") / "result.json")
