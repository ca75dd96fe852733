"""A workload's rehearsal script: what is put into its tables, what it is asked, and what it must answer.

It is data beside the workload, `apps/<workload>/rehearsal.yaml`; nothing in it is code.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self, cast

import yaml
from pydantic import AfterValidator, Field, Strict, ValidationError, model_validator

from rehearsal import keeping
from rehearsal.script_forbidden import Forbidden
from rehearsal.script_jobs import WithJobs
from rehearsal.script_part import Conditional, Part, named_once
from rehearsal.script_replacements import Replacement
from rehearsal.script_streams import Streams

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class ScriptError(Exception):
    """A script that cannot be followed: the file, the place in it, and what would do."""


def _storable(value: Any) -> Any:
    """Refuse what DynamoDB's SDK does not take, at any depth."""
    if isinstance(value, Mapping | list):
        inner = cast("Mapping[str, Any] | list[Any]", value)
        for each in inner.values() if isinstance(inner, Mapping) else inner:
            _storable(each)
    elif not isinstance(value, str | int | bytes | None):
        raise ValueError(  # noqa: TRY004 - pydantic gathers these alone
            f"got {value}, a {type(value).__name__}, which DynamoDB's SDK does not take: write it as text ('{value}') "
            "or as a whole number"
        )
    return cast("Any", value)


class Seed(Part):
    """Items that are in a table before the first request."""

    table: str
    """The workload's output that holds the table's name."""
    items: tuple[dict[str, Annotated[Any, AfterValidator(_storable)]], ...]
    """Plain values, without fractions."""


class Rows(Part):
    """Rows that are in a database before the first request; each column that none of them names has its default."""

    database: str
    """The workload's output that holds the identifier of an RDS instance."""
    table: str = Field(pattern=r"^[A-Za-z0-9_.]+$")
    """The table, with its schema: `api.clients`."""
    rows: tuple[dict[str, Any], ...] = Field(min_length=1)
    """Column → value. All have the same columns."""

    @model_validator(mode="after")
    def _of_one_shape(self) -> Self:
        first = self.rows[0].keys()
        for place, row in enumerate(self.rows):
            if row.keys() != first:
                raise ValueError(
                    f"rows[{place}] has the columns {', '.join(row)}, and the first {', '.join(first)}: say the same "
                    "of each, or make another entry of this table for those that differ"
                )
        return self


class Expectation(Part):
    """What an answer must be."""

    status: Annotated[int, Strict()] = Field(ge=100, le=599)
    sometimes: Annotated[int, Strict(), Field(ge=100, le=599)] | None = None
    """Another status, which one of `times` answers has at the least, and one has not: 429, of a throttle. What is said
    of the answer holds of those with `status`."""
    headers: dict[str, str] = Field(default_factory=dict[str, str])
    """Headers that it has, names in any case."""
    json_: Any = Field(default=None, alias="json")
    """Part of the answer: an object may have more fields; a list has exactly these elements; all else is equal."""
    contains: tuple[str, ...] = ()
    """Texts that the answer has all of, as it was sent."""
    distinct: dict[str, Annotated[int, Strict(), Field(ge=2)]] = Field(default_factory=dict[str, int])
    """Fields of a JSON answer → how many different values they have at the least, over all `times`."""


class Request(Conditional):
    """One request and its answer."""

    kind: ClassVar[str] = "request"

    entrance: str
    """The workload's output that holds a URL; `path` is put behind it."""
    method: Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
    path: str = Field(pattern="^/")
    scheme: Literal["http", "https"] | None = None
    """By which a load balancer is asked: ``http`` to see what a redirect says, which is never followed. Default: the
    URL's own."""
    host: str | None = Field(default=None, pattern=r"^[a-z0-9.-]+$")
    """The host name that a load balancer is asked for. Over HTTPS it must be a name that leads to one. Default: the
    URL's own."""
    headers: dict[str, str] = Field(default_factory=dict[str, str])
    api_key: str | None = None
    """The workload's output that holds the id of the API key that it is sent with. Its value is in no file."""
    json_: Any = Field(default=None, alias="json")
    """A body, sent as JSON."""
    text: str | None = None
    """A body, sent as it is."""
    outage: Literal["private_api"] | None = None
    """What is away while this request is made."""
    exercises: tuple[str, ...] = ()
    """The actions of the task's role without which this answer would not come about."""
    times: Annotated[int, Strict()] = Field(default=1, ge=1, le=100)
    """How often it is sent, one after the other; each answer is as expected."""
    keep: dict[Annotated[str, Field(pattern=r"^\w+$")], str] = Field(default_factory=dict[str, str])
    """Name → the field of the JSON answer whose text later requests have where they say ``${name}``; ``a.b`` is b in
    a. What is kept is printed nowhere."""
    expect: Expectation

    @model_validator(mode="after")
    def _often_enough(self) -> Self:
        if (most := max(self.expect.distinct.values(), default=1)) > self.times:
            raise ValueError(f"expect.distinct: got {most} of {self.times} answers; say `times: {most}` or more")
        if self.expect.sometimes is not None and self.times == 1:
            raise ValueError("expect.sometimes: one answer has one status; say `times: 2` or more")
        return self

    @model_validator(mode="after")
    def _one_body(self) -> Self:
        if self.json_ is not None and self.text is not None:
            raise ValueError("a request has one body: give `json` or `text`, not both")
        return self


def _kept_before(requests: tuple[Request, ...]) -> tuple[Request, ...]:
    """Refuse a ``${name}`` that no earlier request keeps."""
    kept: set[str] = set()
    for each in requests:
        if unknown := sorted(keeping.names(each) - kept):
            raise ValueError(
                f"the request {each.name!r} has ${{{unknown[0]}}}, and no earlier one keeps it; these do: "
                f"{', '.join(sorted(kept)) or 'none'}"
            )
        kept |= each.keep.keys()
    return requests


class Script(WithJobs):
    """A whole file."""

    seed: tuple[Seed, ...] = ()
    rows: tuple[Rows, ...] = ()
    authorities: str | None = Field(default=None, pattern="^[A-Z][A-Z0-9_]*$")
    """The variable by which its images name the file of those who sign databases' certificates. They have RDS's in it;
    here it is told those of the servers that stand in its place."""
    requests: Annotated[tuple[Request, ...], AfterValidator(named_once), AfterValidator(_kept_before)] = ()
    streams: Annotated[tuple[Streams, ...], AfterValidator(named_once)] = ()
    replacements: Annotated[tuple[Replacement, ...], AfterValidator(named_once)] = ()
    forbidden: Annotated[tuple[Forbidden, ...], AfterValidator(named_once)] = ()

    def exercised(self) -> Iterator[str]:
        """Yield the actions of the tasks' roles that it has them use."""
        for each in (*self.requests, *self.streams, *self.jobs, *self.replacements):
            yield from each.exercises


class _Loader(yaml.SafeLoader):
    """YAML in which a key twice in one mapping is an error: else the first of the two is lost without a word."""

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        node = super().compose_mapping_node(anchor)
        first: dict[str, int] = {}
        for key, _ in node.value:
            # One that is no text is refused later.
            line, name = key.start_mark.line + 1, str(key.value)
            if name in first:
                raise yaml.YAMLError(f"line {line}: {name!r} stands in line {first[name]} already; keep one of the two")
            first[name] = line
        return node


def path_of(project_dir: Path, workload: str) -> Path:
    """Return where the script of *workload* is, whether or not there is one."""
    return project_dir / "apps" / workload.replace("-", "_") / "rehearsal.yaml"


def read(path: Path) -> Script:
    """Read the script at *path*.

    Raises:
        ScriptError: naming every place that is wrong.

    """
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), _Loader)  # noqa: S506 - as safe as the one it extends
    except UnicodeDecodeError as error:
        raise ScriptError(f"{path} is not text in UTF-8 ({error.reason} at byte {error.start})") from None
    except yaml.YAMLError as error:
        raise ScriptError(f"{path} is not YAML: {' '.join(str(error).split())}") from None
    try:
        script = Script.model_validate(content or {})
    except ValidationError as error:
        wrong = [
            f"{path}: {_place(each['loc'], content)}: {_said(cast('dict[str, Any]', each))}" for each in error.errors()
        ]
        raise ScriptError("\n".join(wrong)) from None
    if not (script.requests or script.streams or script.jobs):
        raise ScriptError(
            f"{path}: requests: there is none, so the workload would pass unasked: write one or more, each with "
            "`name`, `entrance`, `method`, `path` and `expect`, or `streams` or `jobs`; or remove the file, which a "
            "warning then tells"
        )
    return script


def _place(location: tuple[int | str, ...], content: Any) -> str:
    """Write ``requests[3].expect.status (a user without rows gets none)``: people know a request by its sentence."""
    place = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location).lstrip(".")
    match location:
        case ("requests" | "streams" | "jobs" | "replacements" as kind, int(index), *_):
            named = content[kind][index]
            sentence = cast("dict[str, Any]", named).get("name") if isinstance(named, dict) else None
            return f"{place} ({sentence})" if sentence else place
        case _:
            return place or "the whole file"


def _said(error: dict[str, Any]) -> str:
    """Return what is wrong there and what would do."""
    match error["type"]:
        case "extra_forbidden":
            return "no such key; the keys of each part are in rehearsal/script*.py"
        case "missing":
            return "missing, and required"
        case "value_error":
            return str(error["ctx"]["error"])
        case _:
            return f"got {error['input']!r}; {error['msg'].removeprefix('Input ')}"
