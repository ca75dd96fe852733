"""What the parts of a workload's script have in common: they are data, stay as they were read, and know their keys."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from pydantic import BaseModel, ConfigDict, Field

Value = str | int | bool


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
