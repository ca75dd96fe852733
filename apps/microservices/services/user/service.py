"""user: who takes part."""

from __future__ import annotations

import re
from typing import Any, Final

from records.collection import Headline, service
from records.fields import Fields, Text

# Neither all of RFC 5322 nor a promise that mail arrives: only what cannot be an address is refused.
_EMAIL: Final = re.compile(
    r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@([A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?\.)+[A-Za-z]{2,}"
)

FIELDS: Final[Fields] = {
    "name": Text(longest=100),
    "email": Text(longest=254, pattern=_EMAIL, expected="an e-mail address such as ada@example.com"),
    "about": Text(longest=500, lines=True, needed=False),
}


def headline(user: dict[str, Any]) -> Headline:
    """Show a *user* by name. The address is not for a page that everybody sees."""
    return Headline(title=user["name"], summary=user.get("about", "has joined"))


SERVICE: Final = service(FIELDS, headline)
