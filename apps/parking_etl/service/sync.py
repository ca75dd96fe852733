"""A run's work: read a dataset page by page, merge each into the database, and mark what the source has no longer.

A page is one transaction. Killed in between, a run leaves whole pages, and the next one begins at the first page
again: the pages of two runs are of two moments, and rows that are as they were cost nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from datasets import AVAILABILITY, PARKING, RowError, id_of
from exits import BadDataError
from journal import now
from source import Source
from store import Store

if TYPE_CHECKING:
    from collections.abc import Sequence

    from datasets import Dataset, Row
    from environment import Environment
    from job import Summary
    from journal import Journal

DATASETS: Final = {"sync-availability": AVAILABILITY, "sync-parking": PARKING}

MOST_TOLD: Final = 20
"""Rejected rows that are told of one by one; the summary counts all of them."""


def sync(job: str, path: str, environment: Environment, journal: Journal, summary: Summary) -> None:
    """Bring the database at *path* to what *job*'s dataset says now, counting in *summary*.

    Raises:
        RunError: it could not be done, or not wholly.

    """
    dataset, seen = DATASETS[job], set[str]()
    source = Source(environment, journal)
    with Store(path) as store:
        try:
            for number, page in enumerate(source.pages(dataset.id)):
                rows = _accepted(dataset, number, page, seen, journal, summary)
                merged = store.merge(dataset, rows, now())
                summary.pages += 1
                summary.inserted += merged.inserted
                summary.changed += merged.changed
                summary.unchanged += merged.unchanged
        finally:
            summary.retries = source.retries
        if summary.rejected * 100 > summary.fetched * environment.max_rejected_percent:
            raise BadDataError(
                f"{summary.rejected} of {summary.fetched} rows are unusable, and "
                f"MAX_REJECTED_PERCENT={environment.max_rejected_percent} are put up with"
            )
        if not seen:
            raise BadDataError("the dataset has no rows at all")
        summary.gone = store.complete(dataset, seen, now(), environment.max_gone_percent)


def _accepted(
    dataset: Dataset, number: int, page: Sequence[Any], seen: set[str], journal: Journal, summary: Summary
) -> list[Row]:
    """Return the page's usable rows, and add to *seen* the ids of all of them: an unusable row is not gone."""
    rows: list[Row] = []
    before = len(seen)
    for index, row in enumerate(page):
        summary.fetched += 1
        identifier = id_of(row)
        try:
            rows.append(_first(dataset, row, identifier, seen))
        except RowError as error:
            summary.rejected += 1
            summary.reasons[str(error)] = summary.reasons.get(str(error), 0) + 1
            if summary.rejected <= MOST_TOLD:
                journal.warning("a row is rejected", why=str(error), id=identifier, page=number, row=index)
    if not any(map(id_of, page)):
        raise BadDataError(f"page {number} has no row with a usable id: its rows are of another shape")
    if len(seen) == before:
        raise BadDataError(f"page {number} has no id that did not come before: the source does not turn its pages")
    return rows


def _first(dataset: Dataset, row: Any, identifier: str | None, seen: set[str]) -> Row:
    # The first of two stays: were it the last, each run would change the row twice.
    if identifier in seen:
        raise RowError("id came before")
    if identifier is not None:
        seen.add(identifier)
    return dataset.read(row)
