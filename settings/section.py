"""What every part of the settings is: frozen, exact about types, and closed to keys that nobody reads."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pydantic import BaseModel, ConfigDict
from pydantic_core import core_schema

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
    from pydantic_core import CoreSchema


# Not `\d`: digits of other scripts fit it too, in Python and not in the JSON schema.
ACCOUNT_ID: Final = r"[0-9]{12}"
"""Pattern of an account's id."""
_OF_A_SETTING: Final = r"[a-z_.]+: "
REGION: Final = r"[a-z]{2}(-[a-z]+)+-[0-9]"
"""Pattern of a region's name."""


class Section(BaseModel):
    """A part of the settings. Text is not a number here, and a key that is not listed is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, use_attribute_docstrings=True)


@dataclass(frozen=True)
class Text:
    """Text that *pattern* fits wholly; *reads* says in words what would do.

    As ``Annotated[str, Text(...)]``: pydantic's own pattern would answer with the pattern.
    """

    pattern: str
    reads: str

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self._fitting, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {**handler(schema), "pattern": f"^(?:{self.pattern})$"}

    def _fitting(self, value: str) -> str:
        if not re.fullmatch(self.pattern, value):
            raise ValueError(f"got {value!r}; {self.reads}")
        return value


def is_of_a_setting(problem: str) -> bool:
    """Say whether *problem* begins with a setting's name: ``size: got ...``."""
    return re.match(_OF_A_SETTING, problem) is not None


def below(path: str, problem: str) -> str:
    """Return *problem*, of a setting (``size: got ...``) or of the whole section, as one of the section at *path*."""
    return f"{path}{'.' if is_of_a_setting(problem) else ' '}{problem}"
