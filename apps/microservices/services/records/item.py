"""What is kept of one thing, and pages of such."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

ID: Final = re.compile(r"[0-9a-f]{32}")
"""An item's id: the millisecond of its creation, and chance. So ids are in the order of creation."""


@dataclass(frozen=True, kw_only=True)
class Item:
    """What is kept of one thing."""

    id: str
    version: int
    """1, and one more with each change."""
    created_at: str
    updated_at: str
    fields: dict[str, Any]

    @property
    def etag(self) -> str:
        """The version as HTTP has it."""
        return f'"{self.version}"'


@dataclass(frozen=True, kw_only=True)
class Page:
    """Items, the newest first."""

    items: list[Item]
    more: bool
