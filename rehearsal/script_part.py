"""What the parts of a workload's script have in common: they are data, stay as they were read, and know their keys."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Annotated, ClassVar, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

Value = str | int | bool


def _beside(path: str) -> str:
    """Refuse a *path* that leads out of the workload's folder, whose files alone are the workload's."""
    if not path or PurePosixPath(path).is_absolute() or ".." in PurePosixPath(path).parts:
        raise ValueError(f"got {path!r}; write a path below the workload's folder, such as 'rehearsal/source.py'")
    return path


Beside = Annotated[str, AfterValidator(_beside)]
"""A path from the script's folder to what lies below it."""


class Part(BaseModel):
    """A part of a script; a key that it does not know is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class Conditional(Part):
    """A part that some stacks leave out."""

    kind: ClassVar[str]
    """What an error calls it."""

    name: str
    """A sentence: what holds if all comes as expected."""
    where: Mapping[str, Value | tuple[Value, ...]] = Field(default_factory=dict[str, "Value | tuple[Value, ...]"])
    """Outputs of the workload (``a.b`` is b in a mapping) with the value, or one of the values, that each must have.
    With any other it is left out, and the report says so."""


_Named = TypeVar("_Named", bound=Conditional)


def named_once(parts: tuple[_Named, ...]) -> tuple[_Named, ...]:
    """Refuse two of one name: a report would not say which of them failed."""
    seen: set[str] = set()
    for each in parts:
        if each.name in seen:
            raise ValueError(f"two have the name {each.name!r}; say in each what holds there and not in the other")
        seen.add(each.name)
    return parts
