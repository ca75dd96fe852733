"""blog: what somebody has to say, at length."""

from __future__ import annotations

import re
from typing import Any, Final

from records.collection import Headline, service
from records.fields import Fields, Text, Texts

_TAG: Final = Text(longest=32, pattern=re.compile(r"[a-z0-9][a-z0-9-]*"), expected="lower case letters, digits and '-'")

FIELDS: Final[Fields] = {
    "title": Text(longest=200),
    "author": Text(longest=100),
    "text": Text(longest=20_000, lines=True),
    "tags": Texts(most=10, each=_TAG),
}


def headline(post: dict[str, Any]) -> Headline:
    """Show a *post* by title and author."""
    return Headline(title=post["title"], summary=f"{post['author']}: {post['text']}")


SERVICE: Final = service(FIELDS, headline)
