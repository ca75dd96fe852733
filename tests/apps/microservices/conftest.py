"""One emulator and one process a service for all tests that leave them as they were."""

from __future__ import annotations

import importlib
import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from tests.apps.microservices.processes import SERVICES, Container, Emulator, emulating, service

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType


@pytest.fixture(scope="session")
def load() -> Callable[[str], ModuleType]:
    """Import a module of the services' image, leaving its name to others.

    Other containers have a `main` too, so that none of these may stay in `sys.modules`.
    """
    loaded: dict[str, ModuleType] = {}

    def ours(name: str) -> bool:
        path = SERVICES / name.split(".", maxsplit=1)[0]
        return path.is_dir() or path.with_suffix(".py").is_file()

    def module(name: str) -> ModuleType:
        if name not in loaded:
            before = {known: found for known, found in sys.modules.items() if ours(known)}
            for known in before:
                del sys.modules[known]
            sys.path.insert(0, str(SERVICES))
            sys.modules.update(loaded)
            try:
                importlib.import_module(name)
            finally:
                sys.path.remove(str(SERVICES))
                loaded.update({known: sys.modules.pop(known) for known in list(sys.modules) if ours(known)})
                sys.modules.update(before)
        return loaded[name]

    return module


@pytest.fixture(scope="session")
def emulator() -> Iterator[Emulator]:
    with emulating() as running:
        yield running


@pytest.fixture(scope="session")
def containers(emulator: Emulator) -> Iterator[Callable[[str], Container]]:
    """The running service of a name, started when it is first asked for."""
    started: dict[str, Container] = {}
    with ExitStack() as until_the_end:

        def get(name: str) -> Container:
            if name not in started:
                kept_in = emulator.bucket() if name == "market" else emulator.table()
                started[name] = until_the_end.enter_context(service(name, **kept_in))
            return started[name]

        yield get


@pytest.fixture
def user(containers: Callable[[str], Container]) -> Container:
    return containers("user")


@pytest.fixture
def market(containers: Callable[[str], Container]) -> Container:
    return containers("market")
