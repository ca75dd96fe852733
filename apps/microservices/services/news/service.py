"""news: what has happened, and where it was told first."""

from __future__ import annotations

import re
from typing import Any, Final

from records.collection import Headline, service
from records.fields import Fields, Text

_LINK: Final = re.compile(r"https://[A-Za-z0-9.-]{1,253}(:[0-9]{1,5})?(/[\x21\x23-\x3b\x3d\x3f-\x7e]*)?")

FIELDS: Final[Fields] = {
    "title": Text(longest=200),
    "text": Text(longest=5_000, lines=True),
    "source": Text(longest=500, pattern=_LINK, expected="a link that begins with https://", needed=False),
}


def headline(news: dict[str, Any]) -> Headline:
    """Show *news* by title."""
    return Headline(title=news["title"], summary=news["text"])


SERVICE: Final = service(FIELDS, headline)
