"""Days in one S3 bucket, an object each: `days/2026-01-05.csv`. A day is there whole or not at all.

The rights: ListBucket on the bucket; GetObject, PutObject and DeleteObject on its objects.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from serving.aws import ask
from serving.faults import RefusalError, StorageError

if TYPE_CHECKING:
    from collections.abc import Iterator

_PREFIX: Final = "days/"
_SUFFIX: Final = ".csv"
_PAGE: Final = 1000
"""Keys that one call lists, S3's own limit."""


@dataclass(frozen=True, kw_only=True)
class Day:
    """One day's quotes."""

    text: str
    etag: str
    """S3's own, quotes and all."""


class Bucket:
    """The days of one bucket. Whatever AWS refuses is a `StorageError`. Safe for several threads at once."""

    def __init__(self, client: Any, name: str) -> None:
        self._client = client
        self._name = name

    def days(self, low: str, high: str) -> Iterator[str]:
        """Yield the days that are there, from *low* to *high*, the earliest first."""
        # StartAfter leaves out the key that it names; "days/2026-01-05" is just before that day's.
        request = {"Bucket": self._name, "Prefix": _PREFIX, "StartAfter": f"{_PREFIX}{low}", "MaxKeys": _PAGE}
        while True:
            answer = ask(self._client.list_objects_v2, **request)
            for found in answer.get("Contents", []):
                day = str(found["Key"]).removeprefix(_PREFIX).removesuffix(_SUFFIX)
                if day > high:
                    return
                yield day
            if not answer["IsTruncated"]:
                return
            request["ContinuationToken"] = answer["NextContinuationToken"]

    def read(self, day: str) -> Day | None:
        """Read a day; None where it is not there."""
        try:
            answer = ask(self._client.get_object, Bucket=self._name, Key=_key(day))
        except StorageError as error:
            if error.code == "NoSuchKey":
                return None
            raise
        return Day(text=_whole(answer).decode(), etag=answer["ETag"])

    def write(self, day: str, text: str, etag: str | None) -> str:
        """Put a day there that is not there yet; or, with *etag*, in the place of the one that has it. Return its own.

        Raises:
            RefusalError: 409, where it is there; 404 or 412, where it is not, or is another.

        """
        condition = {"IfNoneMatch": "*"} if etag is None else {"IfMatch": etag}
        content = {"Body": text.encode(), "ContentType": "text/csv; charset=utf-8"}
        try:
            return str(ask(self._client.put_object, Bucket=self._name, Key=_key(day), **content, **condition)["ETag"])
        except StorageError as error:
            if etag is None and error.code in {"PreconditionFailed", "ConditionalRequestConflict"}:
                raise RefusalError(409, f"{day} is there: its ETag as If-Match would replace it") from error
            raise _why(error, day) from error

    def delete(self, day: str, etag: str) -> None:
        """Delete a day, if it still has *etag*; `*` is any.

        Raises:
            RefusalError: 404 or 412, where it is not there, or is another.

        """
        try:
            ask(self._client.delete_object, Bucket=self._name, Key=_key(day), IfMatch=etag)
        except StorageError as error:
            raise _why(error, day) from error


def _whole(answer: dict[str, Any]) -> bytes:
    try:
        return bytes(answer["Body"].read())
    except Exception as error:  # whatever the SDK or its HTTP library makes of a body that breaks off
        raise StorageError(type(error).__name__, str(error)) from error


def _why(error: StorageError, day: str) -> Exception:
    match error.code:
        case "NoSuchKey":
            return RefusalError(404, f"{day} is not there")
        case "PreconditionFailed" | "ConditionalRequestConflict":
            return RefusalError(412, f"{day} has changed since: read it again")
        case _:
            return error


def _key(day: str) -> str:
    return f"{_PREFIX}{day}{_SUFFIX}"
