"""A folder of `apps/` is a workload, and nothing else lists them."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

import apps
from apps._web import WebSettings
from apps._workload import Workload
from settings import ServiceSettings, WorkloadSettings
from tests.whole import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

PLAIN = "from apps._workload import Workload\nfrom settings import WorkloadSettings\n"
ONE = "class One(Workload[WorkloadSettings]):\n    pass\n"
TWO = "class Two(Workload[WorkloadSettings]):\n    pass\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, str], None]]:
    """Put packages in the place of the folders of `apps/`."""
    monkeypatch.setattr(apps, "__path__", [str(tmp_path)])
    written: list[str] = []

    def write(name: str, source: str) -> None:
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text(source)
        written.append(name)

    yield write
    for name in written:
        sys.modules.pop(f"apps.{name}", None)
        vars(apps).pop(name, None)


def test_every_folder_is_a_workload_by_its_name() -> None:
    """As the stack files write it: with hyphens."""
    folders = {path.parent.name for path in (ROOT / "apps").glob("[a-z]*/__init__.py")}
    assert "query_service" in folders
    assert set(apps.discover()) == {name.replace("_", "-") for name in folders}


def test_a_workloads_class_says_the_class_of_its_section() -> None:
    """Settings that a workload adds are so known to the reader, to the schema, and to itself."""
    query_service = apps.discover()["query-service"].settings_class()
    assert issubclass(query_service, ServiceSettings)
    assert "request_timeout" in query_service.model_fields


def test_a_new_folder_is_a_new_workload(folder: Callable[[str, str], None]) -> None:
    """No other file changes."""
    folder("bakery_till", PLAIN + ONE)
    found = apps.discover()
    assert list(found) == ["bakery-till"]
    assert issubclass(found["bakery-till"], Workload)
    assert found["bakery-till"].settings_class() is WorkloadSettings


def test_a_folder_that_begins_with_an_underscore_is_none(folder: Callable[[str, str], None]) -> None:
    folder("_common", "raise AssertionError('imported')")
    assert apps.discover() == {}


def test_a_workload_that_is_only_imported_is_not_the_folders_own(folder: Callable[[str, str], None]) -> None:
    """Each folder imports the class that it extends."""
    folder("hello", PLAIN + "from apps._web import WebWorkload\n\nclass Hello(WebWorkload):\n    pass\n")
    assert apps.discover()["hello"].__name__ == "Hello"
    assert apps.discover()["hello"].settings_class() is WebSettings


@pytest.mark.parametrize(("source", "count"), [(PLAIN, 0), (PLAIN + ONE + TWO, 2)], ids=["none", "two"])
def test_a_folder_without_one_workload_is_an_error_that_names_it(
    folder: Callable[[str, str], None], source: str, count: int
) -> None:
    """Silently passed over, it would be missing from every stack."""
    folder("bakery_till", source)
    with pytest.raises(LookupError, match=f"apps/bakery_till: {count} subclasses of Workload; one makes it a workload"):
        apps.discover()
